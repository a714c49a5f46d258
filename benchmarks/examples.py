"""`make bench-examples`: pages of the examples of a version with 100,000, beside a plain request, through the API of a local cloud.

The examples are those of `make bench-large`. A plain request is GET of the version. Each kind of request is made in turn, so that a load
on the machine meets all alike. Figures are medians; the ratio is that to the plain request.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.large import lines
from benchmarks.workers import Workers
from local.cloud import LocalCloud
from local.server import CloudError
from winnow_cli.client import ApiError, Client

MODEL = "many"
PATH = f"/models/{MODEL}/versions/1"
MEMORY_MB = 1_769  # ListVersionExamples in template.yaml
PLAIN = "plain request"
MOST = 10
# The requests, and whether their ratio has a limit.
PAGES: Mapping[str, tuple[Mapping[str, str], bool]] = {
    "first page": ({}, True),
    "filtered page": ({"label": "label-007", "wrong": "true"}, True),
    "the surest mistakes": ({"wrong": "true", "sort": "score"}, True),
    "the least certain answers": ({"sort": "margin"}, False),
    "texts that contain a word, in all texts": ({"contains": "nowhere to be found"}, False),
    "first page of 1,000": ({"limit": "1000"}, False),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-examples", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--labels", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    content = "\n".join(islice(lines(arguments.labels), arguments.examples)).encode()
    try:
        with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder), port=None) as cloud:
            cloud.deploy()
            return _measure(cloud, content, arguments.rounds)
    except (CloudError, ApiError, TimeoutError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1


def _measure(cloud: LocalCloud, content: bytes, rounds: int) -> int:
    settings = cloud.environment()
    client = Client(settings["WINNOW_URL"], settings["WINNOW_API_KEY"])
    client.train(MODEL, client.upload("many.jsonl", content), recipe="linear", n_iter=1)
    version = client.wait(MODEL, seconds=3600)["version"]
    if version["status"] != "ready":
        raise CloudError(f"the training has the status {version['status']}: {version['error']}")
    workers = Workers(cloud)
    seconds: dict[str, list[float]] = {PLAIN: [], **{name: [] for name in PAGES}}
    cold = _seconds(client, f"{PATH}/examples", {})
    for number in range(rounds + 1):
        # The first round warms the functions.
        taken = {PLAIN: _seconds(client, PATH, {})} | {
            name: _seconds(client, f"{PATH}/examples", query) for name, (query, _) in PAGES.items()
        }
        for name, of_request in taken.items():
            seconds[name] += [of_request] if number else []
    workers.end()
    plain = statistics.median(seconds[PLAIN])
    ratios = {name: statistics.median(seconds[name]) / plain for name in PAGES}
    print(f"{version['dataset']['examples']:,} examples, {len(content) / 1e6:.1f} MB; medians of {rounds} requests each")
    print(f"  {PLAIN:<42} {plain * 1000:7.1f} ms")
    for name, ratio in ratios.items():
        print(f"  {name:<42} {statistics.median(seconds[name]) * 1000:7.1f} ms   {ratio:5.1f} plain requests")
    print(f"  {'first page of a function that has just started':<42} {cold * 1000:7.1f} ms   {cold / plain:5.1f} plain requests")
    most = workers.memory["ListVersionExamples"]
    print(f"  peak memory of the function: {most:,} MB (limit {MEMORY_MB:,})")
    late = [name for name, (_, limited) in PAGES.items() if limited and ratios[name] >= MOST]
    return int(bool(late) or most > MEMORY_MB)


def _seconds(client: Client, path: str, query: Mapping[str, str]) -> float:
    began = time.perf_counter()
    answer: Any = client.call("GET", path, query=dict(query))
    taken = time.perf_counter() - began
    if "examples" in answer and "contains" not in query and not answer["examples"]:
        raise CloudError(f"{path} with {dict(query)} has no examples")
    return taken


if __name__ == "__main__":
    sys.exit(main())
