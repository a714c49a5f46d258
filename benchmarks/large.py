"""`make bench-large`: train 200,000 examples of 100 labels through the API of a local cloud, in several segments.

The examples are generated from a seed: each text has a few words of its label, as many of a neighbouring label, and many common words;
some texts have none of their label's words. So labels can be learnt and also confused. Memory is the peak of a function's process
(VmHWM), including interpreter and layers; the local cloud itself sets no limit.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.workers import Workers
from local.cloud import LocalCloud
from local.server import CloudError
from winnow_cli.client import ApiError, Client

MODEL = "large"
MEMORY_MB = 3_008  # template.yaml's TrainingMemory
_OWN, _COMMON = 40, 30_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-large", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=200_000)
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument(
        "--segment", type=int, default=120, help="the time limit of a training Lambda in seconds (120); it trains for a minute less"
    )
    arguments = parser.parse_args()
    content = "\n".join(islice(lines(arguments.labels), arguments.examples)).encode()
    try:
        with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder), port=None) as cloud:
            cloud.deploy({"TrainingTimeout": str(arguments.segment)})
            _measure(cloud, content)
    except (CloudError, ApiError, TimeoutError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    return 0


def lines(labels: int) -> Iterator[str]:
    chance = random.Random(0)
    common = [_word(chance) for _ in range(_COMMON)]
    own = [[_word(chance) for _ in range(_OWN)] for _ in range(labels)]
    while True:
        label = chance.randrange(labels)
        words = chance.choices(own[label], k=chance.randrange(4)) + chance.choices(own[(label + 1) % labels], k=chance.randrange(3))
        # The first words are by far the most frequent, as in real languages.
        words += [common[int(_COMMON * chance.random() ** 3)] for _ in range(chance.randrange(4, 16))]
        chance.shuffle(words)
        yield json.dumps({"text": " ".join(words), "label": f"label-{label:03}"})


def _word(chance: random.Random) -> str:
    return "".join(chance.choice("bcdfghklmnprstvw") + chance.choice("aeiou") for _ in range(chance.randrange(2, 5)))


def _measure(cloud: LocalCloud, content: bytes) -> None:
    settings = cloud.environment()
    client = Client(settings["WINNOW_URL"], settings["WINNOW_API_KEY"])
    workers = Workers(cloud)
    began = time.monotonic()
    client.train(MODEL, client.upload("large.jsonl", content))
    model = client.wait(MODEL, _Told(workers), seconds=7200)
    taken = time.monotonic() - began
    workers.end()
    most = max(workers.memory.values())
    version = model["version"]
    if version["status"] != "ready":
        raise CloudError(f"the training has the status {version['status']}: {version['error']}")
    dataset, evaluation = version["dataset"], version["evaluation"]
    print(f"{dataset['examples']:,} examples of {dataset['labels']} labels, {len(content) / 1e6:.1f} MB, recipe {version['recipe']}")
    print(f"  segments of Train: {_segments(cloud)}; {taken:.0f} s from upload to ready on this machine")
    print(f"  peak memory of a function: {most:,} MB (limit {MEMORY_MB:,})")
    print(f"  held out {evaluation['examples']:,}: accuracy {evaluation['accuracy']:.4f}, macro-F1 {evaluation['macro_f1']:.4f}")
    if most > MEMORY_MB:
        raise CloudError(f"a function used {most:,} MB, which is over its limit")


def _segments(cloud: LocalCloud) -> int:
    client = cloud.client("stepfunctions")
    [machine] = [it["stateMachineArn"] for it in client.list_state_machines()["stateMachines"] if "Training" in it["name"]]
    [execution] = client.list_executions(stateMachineArn=machine)["executions"]
    pages = client.get_paginator("get_execution_history").paginate(executionArn=execution["executionArn"])
    entered: Iterator[Any] = (event.get("stateEnteredEventDetails", {}).get("name") for page in pages for event in page["events"])
    return sum(name == "Train" for name in entered)


class _Told:
    """Prints the progress of the training at every 10 %, with the peak memory so far."""

    def __init__(self, workers: Workers) -> None:
        self._workers, self._told = workers, -10

    def __call__(self, model: Mapping[str, Any]) -> None:
        progress = model["version"]["progress"]
        if progress["percent"] >= self._told + 10:
            self._told = progress["percent"]
            most = max(self._workers.memory.values(), default=0)
            print(f"  {progress['stage']:<10} {progress['percent']:>3} %   peak memory so far {most:,} MB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
