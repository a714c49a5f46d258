"""`make bench-hostile`: the cost of texts that are designed to be slow, each of the maximum length (tests/support/hostile_texts.py).

Models of the project's sample are trained through the API of a local cloud. One process per recipe then answers every text, one per
call, through the function's handler (benchmarks/contestants.py); `linear` also explains each text. The benchmark shows the median CPU
milliseconds per call, the slowest call against the goal, and the memory after each round.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import contestants
from benchmarks.contestants import RECIPES, Told
from local.cloud import PROJECT, LocalCloud
from local.server import CloudError
from tests.support.hostile_texts import HOSTILE, of_scripts
from winnow_cli.client import ApiError

GOAL = 1.0
"""The goal in CPU seconds per text."""
SAMPLE = PROJECT / "local" / "sample" / "savings.json"
EXPLAINED = "explained"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-hostile", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="the number of calls with each text (3)")
    rounds = parser.parse_args().rounds
    # One text has all the scripts, because each script alone is short.
    texts = {**HOSTILE, "every script": " ".join(of_scripts().values())}
    try:
        with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder), port=None) as cloud:
            cloud.deploy()
            for recipe, more in RECIPES.items():
                contestants.train(cloud, recipe, SAMPLE.read_bytes(), recipe=recipe, **more)
            told = {recipe: _asked(cloud, recipe, list(texts.values()), rounds) for recipe in RECIPES}
            told[EXPLAINED] = _asked(cloud, "linear", list(texts.values()), rounds, explain=True)
    except (CloudError, ApiError, TimeoutError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    _print(list(texts), told, rounds)
    return 0


def _asked(cloud: LocalCloud, model_id: str, texts: Sequence[str], rounds: int, **more: bool) -> Told:
    """The first text is cheap: its answer includes the loading, so the other answers don't."""
    asked = ["my rent is due", *list(texts) * rounds]
    return contestants.ask(contestants.of_recipe(cloud, model_id), [contestants.event(model_id, [text], **more) for text in asked])


def _print(names: Sequence[str], told: Mapping[str, Told], rounds: int) -> None:
    print(f"{len(names)} texts, {rounds} calls each, CPU ms per call")
    print(f"  {'':<28}" + "".join(f"{name:>11}" for name in told))
    worst = 0.0
    for place, name in enumerate(names):
        took = [statistics.median(each.seconds(1 + place, None)[:: len(names)]) for each in told.values()]
        worst = max(worst, *took)
        print(f"  {name:<28}" + "".join(f"{1000 * seconds:>11,.1f}" for seconds in took))
    for number in range(rounds + 1):
        held = [each.answers[number * len(names)][1] / 1e6 for each in told.values()]
        print(f"  {f'MB after {number} rounds':<28}" + "".join(f"{megabytes:>11,.0f}" for megabytes in held))
    print(f"{'met   ' if worst <= GOAL else 'MISSED'} the slowest call took {worst:.2f} s of CPU; goal: at most {GOAL:g}")


if __name__ == "__main__":
    sys.exit(main())
