"""`make bench-cold-profile`: the parts of the function's cold start, by recipe.

The benchmark asks models of Banking77 in fresh processes (benchmarks/contestants.py) with a warm page cache. First it shows CPU time
until the interpreter ran, until the handler's module was imported, and until the first answer. Then it shows imports by package
(`python -X importtime`): wall time of the modules alone, including imports that only the first answer needs. Last it shows the time
of our own functions during the first answer, including all that they call, by cProfile. cProfile makes calls look slower than they
are. All figures are medians over the processes.
"""

from __future__ import annotations

import argparse
import pstats
import re
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks import contestants
from benchmarks.contestants import PEERS, RECIPES, Contestant
from benchmarks.prediction import prepared
from benchmarks.splits import DATA, FOLDERS, require_banking77
from local.cloud import LocalCloud
from local.server import CloudError
from winnow_cli.client import ApiError

TEXT = "Why was my card payment declined?"
_IMPORTED = re.compile(r"import time: +(?P<own>[0-9]+) \| +[0-9]+ \| +(?P<package>[^.\s]+)")
_MOST_LINES = 20

type Seconds = Mapping[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make bench-cold-profile", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, default=DATA / FOLDERS["banking77"], help="the folder with train.csv and test.csv")
    parser.add_argument("--processes", type=int, default=5, help="the number of fresh processes of each kind (5)")
    parser.add_argument("--only", nargs="+", choices=[*RECIPES, *PEERS], default=list(RECIPES))
    arguments = parser.parse_args()
    require_banking77(arguments.data)
    try:
        with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder), port=None) as cloud:
            cloud.deploy()
            for contestant in list(prepared(cloud, arguments.data, arguments.only)):
                print("\n".join(_profile(contestant, arguments.processes)), flush=True)
    except (CloudError, ApiError, TimeoutError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    return 0


def _profile(contestant: Contestant, processes: int) -> Iterator[str]:
    events = [contestants.event(contestant.name, [TEXT])]
    contestants.ask(contestant, events)
    told = [contestants.ask(contestant, events) for _ in range(processes)]
    started, imported, cold = (statistics.median(getattr(each, name) for each in told) for name in ("started", "imported", "cold"))
    yield f"\n{contestant.name}: {1000 * cold:.0f} ms of CPU, median of {processes} processes"
    for name, seconds in (("interpreter", started), ("the handler's imports", imported - started), ("first answer", cold - imported)):
        yield _line(name, seconds, cold)
    imports = _medians(lambda: _imports(contestant), processes)
    yield from _table(f"imports, ms of wall time: {1000 * sum(imports.values()):.0f}", imports, sum(imports.values()))
    answer = _medians(lambda: _first_answer(contestant), processes)
    yield from _table("the first answer, ms with cProfile, including calls:", answer, max(answer.values()))


def _imports(contestant: Contestant) -> Seconds:
    """Seconds for the modules of each package, without their imports."""
    told = contestants.ask(contestant, [contestants.event(contestant.name, [TEXT])], "-X", "importtime")
    found: dict[str, float] = defaultdict(float)
    for match in _IMPORTED.finditer(told.errors):
        found[match["package"]] += int(match["own"]) / 1e6
    return found


def _first_answer(contestant: Contestant) -> Seconds:
    """Seconds of each of our own functions, including all calls."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "profile"
        contestants.ask(contestant, [contestants.event(contestant.name, [TEXT])], profile=file)
        entries = pstats.Stats(str(file)).stats  # type: ignore[attr-defined]
    found: dict[str, float] = defaultdict(float)
    for (where, _, function), (_, _, _, seconds, _) in entries.items():
        parts = Path(where).with_suffix("").parts
        ours = parts[-1:] if parts[-1:] == ("app",) else parts[parts.index("winnow") + 1 :] if "winnow" in parts else ()
        if ours and not function.startswith("<"):
            found[".".join([*ours, function])] = max(seconds, found[".".join([*ours, function])])
    return found


def _medians(measure: Callable[[], Seconds], times: int) -> Seconds:
    measured = [measure() for _ in range(times)]
    names = {name for each in measured for name in each}
    return {name: statistics.median(each.get(name, 0.0) for each in measured) for name in names}


def _table(title: str, seconds: Seconds, whole: float) -> Iterator[str]:
    yield f"  {title}"
    for each, name in sorted(((each, name) for name, each in seconds.items()), reverse=True)[:_MOST_LINES]:
        yield _line(name, each, whole)


def _line(name: str, seconds: float, whole: float) -> str:
    return f"    {name:<44} {1000 * seconds:>6.0f} {seconds / whole:>5.0%}"


if __name__ == "__main__":
    sys.exit(main())
