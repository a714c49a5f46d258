"""`make bench-prediction`: the cost of a prediction, by our recipes and by what a user might build instead.

The API of a local cloud trains our models of Banking77; benchmarks/peer_models.py trains the models of the peers. The peers' handlers are
in benchmarks/peers_prediction, each with an untrimmed install of its packages; they load their models from the same S3. In each round,
every contestant answers in a fresh process (benchmarks/contestants.py): one text, which is the cold start; the texts of the test set, one
per call; the same texts, 100 per call. Ours also classify them as a shard of a batch. One process each warms the page cache before the
first round and isn't counted. After the rounds come cold starts with a dropped page cache (needs root). Last, one process each answers
many texts of new words. Seconds are CPU time unless stated otherwise. All figures are medians over the rounds.
`best` answers an easy text with its first stage, so all cold starts are with such a text, and `best` has another one with a text for its
last stage. Such a text comes second in each process, so that all parts are loaded before the warm calls. Beside it stands `best` as it was
before it had stages (benchmarks/earlier.py). The two answer one after the other in each round, in the other order in every second one, and
are compared within the round.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import batched
from pathlib import Path

from benchmarks import contestants, earlier, shard
from benchmarks.contestants import EARLIER, PEERS, RECIPES, Contestant, Told
from benchmarks.splits import DATA, FOLDERS, banking77, require_banking77
from local.cloud import PROJECT, LocalCloud
from local.server import CloudError
from winnow_cli.client import ApiError, Client

A_CALL = 100
"""Texts per call: the API's maximum."""
MEMORY = 1769
"""The function's memory in the template, in MB. It gives one virtual CPU, so a CPU second is a billed second."""
# List prices in us-east-1: a GB-second and a million requests of Lambda (arm64), a million calls of a REST API, one idle endpoint of
# Comprehend for a month. https://aws.amazon.com/lambda/pricing https://aws.amazon.com/api-gateway/pricing https://aws.amazon.com/comprehend/pricing
GB_SECOND, LAMBDA_REQUESTS, API_CALLS, COMPREHEND = 0.0000133334, 0.20, 3.50, 1_296
A = "spacy_ensemble"
STAGED = "best"
"""The recipe with stages."""
# The cold start, and a text for the last stage, which loads what `best` hadn't needed so far.
_BEFORE_WARM = 2


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make bench-prediction", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, default=DATA / FOLDERS["banking77"], help="the folder with train.csv and test.csv")
    parser.add_argument("--rounds", type=int, default=10, help="the number of fresh processes of each (10)")
    parser.add_argument("--dropped", type=int, default=3, help="the number of cold starts of each with a dropped page cache (3)")
    parser.add_argument("--texts", type=int, default=2_000, help="the number of texts of the test set (2,000)")
    parser.add_argument("--new-texts", type=int, default=50_000, help="the number of texts of new words (50,000)")
    parser.add_argument("--only", nargs="+", choices=[*RECIPES, *PEERS], default=[*RECIPES, *PEERS])
    arguments = parser.parse_args()
    require_banking77(arguments.data)
    try:
        with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder), port=None) as cloud:
            cloud.deploy()
            asked = list(prepared(cloud, arguments.data, arguments.only))
            split = banking77(arguments.data)
            texts = [example.text for example in split.test][:: max(1, len(split.test) // arguments.texts)][: arguments.texts]
            if STAGED in arguments.only:
                texts = _easy_first(cloud, texts)
            print(_table(list(_measured(cloud, asked, texts, arguments)), len(texts), arguments))
    except (CloudError, ApiError, TimeoutError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    return 0


def prepared(cloud: LocalCloud, data: Path, names: Sequence[str]) -> Iterator[Contestant]:
    """The contestants of these names, each with its model of Banking77."""
    content = contestants.json_lines(banking77(data))
    with tempfile.TemporaryDirectory() as folder:
        if set(names) & set(PEERS):
            _train_peers(data, Path(folder))
        for name in names:
            if name in PEERS:
                yield contestants.of_peer(cloud, name, Path(folder) / name)
            else:
                _say(f"training {name}")
                contestants.train(cloud, name, content, recipe=name, **RECIPES[name])
                yield contestants.of_recipe(cloud, name)
            if name == STAGED:
                earlier.publish(cloud, EARLIER, STAGED)
                yield contestants.of_recipe(cloud, EARLIER)


def _train_peers(data: Path, folder: Path) -> None:
    _say("training the peers")
    # In the environment that has their packages.
    command: list[str | Path] = [PROJECT / ".tools" / "bench" / "bin" / "python", "-m", "benchmarks.peer_models", data, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})  # noqa: S603
    if done.returncode:
        raise CloudError(f"the training of the peers failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")


def _easy_first(cloud: LocalCloud, texts: Sequence[str]) -> list[str]:
    """The texts, with one that the first stage answers in the first place, and one that the last stage answers in the last place."""
    deployed = cloud.environment()
    client = Client(deployed["WINNOW_URL"], deployed["WINNOW_API_KEY"])
    stages: list[str] = []
    for part in batched(texts, A_CALL, strict=False):
        answer = client.call("POST", "/prediction", {"model_id": STAGED, "texts": list(part), "n_top": 1})
        stages += [prediction["stage"] for prediction in answer["predictions"]]
    counted = ", ".join(f"{stage} {stages.count(stage) / len(stages):.1%}" for stage in ("linear", "light", "best"))
    print(f"{STAGED} answers by stages: {counted}", flush=True)
    easy, hard = texts[stages.index("linear")], texts[stages.index("best")]
    return [easy, *(text for text in texts if text not in {easy, hard}), hard]


@dataclass(frozen=True)
class Measured:
    """The figures of one contestant. texts: the number of texts, first in single calls and then in calls of 100."""

    name: str
    zip: int
    unzipped: int
    texts: int
    rounds: Sequence[Told]
    dropped: Sequence[Told]
    batches: Sequence[Told]
    hard: Sequence[Told]
    new_words: Told

    @cached_property
    def imported(self) -> float:
        return self._median(lambda told: told.imported)

    @cached_property
    def cold(self) -> float:
        return self._median(lambda told: told.cold)

    @cached_property
    def warm(self) -> float:
        return self._median(lambda told: statistics.median(self._single(told)))

    @cached_property
    def late(self) -> float:
        """The 99th percentile of the single calls."""
        return self._median(lambda told: sorted(self._single(told))[math.ceil(0.99 * self.texts) - 1])

    @cached_property
    def single_rate(self) -> float:
        return self._median(lambda told: self.texts / sum(self._single(told)))

    @cached_property
    def rate(self) -> float:
        """Texts per second, 100 per call."""
        return self._median(lambda told: self.texts / sum(told.seconds(_BEFORE_WARM + self.texts, len(told.answers))))

    @cached_property
    def batch_rate(self) -> float | None:
        """Texts per second in a shard of a batch."""
        return statistics.median(self.texts / told.seconds(1, 2)[0] for told in self.batches) if self.batches else None

    @cached_property
    def cost(self) -> float:
        """Dollars for a million calls with one text. Lambda bills each started millisecond."""
        seconds = self._median(lambda told: statistics.mean(math.ceil(1000 * each) / 1000 for each in self._single(told)))
        return 1e6 * MEMORY / 1024 * seconds * GB_SECOND + LAMBDA_REQUESTS + API_CALLS

    @property
    def loaded(self) -> float:
        return self.new_words.answers[0][1] / 1e6

    @property
    def grown(self) -> float:
        return self.new_words.answers[-1][1] / 1e6 - self.loaded

    @cached_property
    def times(self) -> Mapping[str, Sequence[float]]:
        """Seconds for a text, by the way of asking, in each round."""
        times = {
            "a text alone, mean": [statistics.mean(self._single(told)) for told in self.rounds],
            "a text alone, median": [statistics.median(self._single(told)) for told in self.rounds],
            f"{A_CALL} per call": [sum(told.seconds(_BEFORE_WARM + self.texts, None)) / self.texts for told in self.rounds],
        }
        return times | {"in a batch": [told.seconds(1, 2)[0] / self.texts for told in self.batches]}

    def of_dropped(self, figure: Callable[[Told], float]) -> float | None:
        return statistics.median(map(figure, self.dropped)) if self.dropped else None

    def _median(self, figure: Callable[[Told], float]) -> float:
        return statistics.median(map(figure, self.rounds))

    def _single(self, told: Told) -> list[float]:
        return told.seconds(_BEFORE_WARM, _BEFORE_WARM + self.texts)


def _measured(cloud: LocalCloud, asked: Sequence[Contestant], texts: Sequence[str], arguments: argparse.Namespace) -> Iterator[Measured]:
    first = {each.name: [contestants.event(each.name, texts[:1])] for each in asked}
    rounds, dropped, batches, hard = ({each.name: list[Told]() for each in asked} for _ in range(4))
    in_batch = contestants.ours(cloud, "ClassifyShard")
    shards = {each.name: shard.event(cloud, each.name, texts) for each in asked if each.name not in PEERS}
    for each in asked:
        contestants.ask(each, first[each.name])
    for number in range(arguments.rounds):
        _say(f"round {number + 1} of {arguments.rounds}")
        for each in asked if number % 2 == 0 else reversed(asked):
            single = [contestants.event(each.name, [text]) for text in texts]
            hundred = [contestants.event(each.name, part) for part in batched(texts, A_CALL, strict=False)]
            last = contestants.event(each.name, texts[-1:])
            rounds[each.name].append(contestants.ask(each, [*first[each.name], last, *single, *hundred]))
            if each.name == STAGED:
                hard[each.name].append(contestants.ask(each, [last]))
            if each.name in shards:
                # The first call loads the version. The second shows the time of later shards.
                batches[each.name].append(contestants.ask(in_batch, [shards[each.name]] * 2))
    for number in range(arguments.dropped):
        _say(f"page cache dropped, {number + 1} of {arguments.dropped}")
        for each in asked:
            if contestants.drop_page_cache():
                dropped[each.name].append(contestants.ask(each, first[each.name]))
    for each in asked:
        _say(f"new words, {each.name}")
        new = [contestants.event(each.name, part) for part in batched(_new_texts(arguments.new_texts), A_CALL, strict=False)]
        # A text for the last stage: the memory of the encoders isn't that of new words.
        begin = [contestants.event(each.name, texts[-1:])] if each.name == STAGED else first[each.name]
        told = contestants.ask(each, begin + new)
        name = each.name
        yield Measured(name, *contestants.sizes(each), len(texts), rounds[name], dropped[name], batches[name], hard[name], told)


def _new_texts(number: int) -> Iterator[str]:
    """Texts of eight words that hardly ever repeat."""
    chance = random.Random(0)
    for _ in range(number):
        yield " ".join("".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randrange(4, 10))) for _ in range(8))


def _table(found: Sequence[Measured], texts: int, arguments: argparse.Namespace) -> str:
    """The table in Markdown, and how it was measured."""
    base = next((each for each in found if each.name == A), None)

    def of_a(figure: Callable[[Measured], float]) -> Callable[[Measured], str]:
        return lambda each: "" if base is None else f"{figure(each) / figure(base):.2f}"

    rows: Mapping[str, Callable[[Measured], str]] = {
        "packages, MB unzipped": lambda each: f"{each.unzipped / 1e6:.0f}",
        "as a zip": lambda each: f"{each.zip / 1e6:.0f}",
        "cold, s": lambda each: f"{each.cold:.2f}",
        "of (a)": of_a(lambda each: each.cold),
        "of that, until import": lambda each: f"{each.imported:.2f}",
        "cold, a text for the last stage, s": lambda each: f"{statistics.median(told.cold for told in each.hard):.2f}" if each.hard else "",
        "cold, page cache dropped, s": lambda each: _or_not(each.of_dropped(lambda told: told.cold)),
        "wall time": lambda each: _or_not(each.of_dropped(lambda told: told.wall)),
        "warm, one text, µs": lambda each: f"{1e6 * each.warm:,.0f}",
        "of (a) ": of_a(lambda each: each.warm),
        "99th percentile": lambda each: f"{1e6 * each.late:,.0f}",
        "texts per second, one per call": lambda each: f"{each.single_rate:,.0f}",
        f"{A_CALL} per call": lambda each: f"{each.rate:,.0f}",
        "factor": lambda each: f"{each.rate / each.single_rate:.1f}",
        "in a batch": lambda each: "" if each.batch_rate is None else f"{each.batch_rate:,.0f}",
        "MB in memory, first answer": lambda each: f"{each.loaded:.0f}",
        f"{arguments.new_texts:,} texts of new words": lambda each: f"{each.grown:+.0f}",
        "peak": lambda each: f"{each.new_words.most / 1e6:.0f}",
        "$ per million, computed": lambda each: f"{each.cost:.2f}",
        "of that, CPU time": lambda each: f"{each.cost - LAMBDA_REQUESTS - API_CALLS:.2f}",
    }
    lines = ["", *(["| " + " | ".join(["", *(_title(each.name) for each in found)]) + " |"]), "| --- |" + " ---: |" * len(found)]
    lines += ["| " + " | ".join([name.strip(), *(show(each) for each in found)]) + " |" for name, show in rows.items()]
    by_name = {each.name: each for each in found}
    return "\n".join([*lines, "", _about(texts, arguments), "", *_compared(by_name), *_goals(by_name)])


def _title(name: str) -> str:
    return {EARLIER: "`best` before", A: "(a) spaCy", "sklearn_svc": "(b) scikit-learn", "fasttext": "(c) fastText"}.get(name, f"`{name}`")


def _or_not(figure: float | None) -> str:
    return "not measured" if figure is None else f"{figure:.2f}"


def _about(texts: int, arguments: argparse.Namespace) -> str:
    return (
        f"{texts:,} texts of Banking77, medians of {arguments.rounds} rounds ({arguments.dropped} with a dropped page cache),"
        f" one thread. Computed: Lambda of {MEMORY} MB (arm64) and a REST API at list prices of us-east-1,\n"
        "with the CPU time measured here, without registry reads and logs."
        f" One idle Comprehend endpoint costs ${COMPREHEND:,} a month."
    )


def _compared(found: Mapping[str, Measured]) -> Iterator[str]:
    """The time of `best` as a share of its time before it had stages, each round by itself."""
    if STAGED in found:
        yield "time of best, of best before it had stages: median of the rounds, and the least and the most of them"
        for way in found[STAGED].times:
            ratios = _ratios(found, way)
            yield f"  {way + ':':<22} {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
        yield ""


def _ratios(found: Mapping[str, Measured], way: str) -> list[float]:
    """The same for one way of asking, of each round."""
    return [now / before for now, before in zip(found[STAGED].times[way], found[EARLIER].times[way], strict=True)]


def _goals(found: Mapping[str, Measured]) -> Iterator[str]:
    """Our goals, where both sides were measured."""
    linear, cnn, a, b = (found.get(name) for name in ("linear", "cnn", A, "sklearn_svc"))
    if linear and a:
        yield _goal("linear, cold, of (a)", linear.cold / a.cold, 0.25)
        yield _goal("linear, warm, of (a)", linear.warm / a.warm, 0.3)
    if linear and b:
        yield _goal("linear, cold, of (b)", linear.cold / b.cold, 1)
    if cnn and a:
        yield _goal("cnn, cold, of (a)", cnn.cold / a.cold, 0.55)
    best = found.get(STAGED)
    if best and linear:
        yield _goal("best, cold with an easy text, of linear", best.cold / linear.cold, 1.2)
    if best:
        yield _goal("best, time of a text alone, mean, of before", statistics.median(_ratios(found, "a text alone, mean")), 0.4)
        yield _goal("best, texts per second in a batch, of before", 1 / statistics.median(_ratios(found, "in a batch")), 2.5, least=True)
    for name, most in (("linear", 150), ("cnn", 250)):
        if name in found:
            yield _goal(f"{name}, MB in total", found[name].new_words.most / 1e6, most)
    for name in RECIPES:
        if name in found:
            yield _goal(f"{name}, MB added by new words", found[name].grown, 25)
            yield _goal(
                f"{name}, factor of texts per second with {A_CALL} per call", found[name].rate / found[name].single_rate, 8, least=True
            )


def _goal(name: str, value: float, bound: float, *, least: bool = False) -> str:
    met = value >= bound if least else value <= bound
    return f"{'met   ' if met else 'MISSED'} {name}: {value:.3g}, goal: at {'least' if least else 'most'} {bound:g}"


def _say(sentence: str) -> None:
    print(f"  {sentence} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
