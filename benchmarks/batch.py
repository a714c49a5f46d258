"""`make bench-batch`: classify a million lines, some of them bad, as one batch through the API of a local cloud.

Each text is a pair of the sample's texts with a number, so no text occurs twice. A seed chooses the bad lines and their places. The
benchmark shows the peak memory of each function's processes beside the memory in the template.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import random
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from benchmarks.workers import Workers
from local.cloud import PROJECT, LocalCloud
from local.server import CloudError
from winnow_cli.client import ApiError, Client

MODEL = "batch"
SAMPLE = PROJECT / "local" / "sample" / "savings.json"
# One line of each kind of error.
_BAD = [b"{", b"17", b'{"label": "a"}', b'{"text": ""}', b"", b'"\xff"', b'{"text": "\\ud800"}', json.dumps("long " * 5_000).encode()]
_BAD_SHARE = 1 / 5_000
_TASKS = ("SplitBatch", "ClassifyShard", "JoinBatch")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-batch", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--recipe", default="linear")
    parser.add_argument("--n-top", type=int, default=1)
    arguments = parser.parse_args()
    content, bad = _lines(arguments.lines)
    try:
        with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder), port=None) as cloud:
            cloud.deploy()
            _measure(cloud, content, bad, arguments)
    except (CloudError, ApiError, TimeoutError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    return 0


def _lines(number: int) -> tuple[bytes, set[int]]:
    """The gzipped object, and the numbers of its bad lines."""
    chance = random.Random(0)
    texts = [example["text"] for example in json.loads(SAMPLE.read_text())]
    bad = set()
    with io.BytesIO() as file:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0) as packed:
            for line in range(1, number + 1):
                if chance.random() < _BAD_SHARE:
                    bad.add(line)
                    packed.write(chance.choice(_BAD) + b"\n")
                else:
                    text = f"{chance.choice(texts)} {chance.choice(texts)} {line}"
                    packed.write(json.dumps({"id": line, "text": text}).encode() + b"\n")
        return file.getvalue(), bad


def _measure(cloud: LocalCloud, content: bytes, bad: set[int], arguments: argparse.Namespace) -> None:
    settings = cloud.environment()
    client = Client(settings["WINNOW_URL"], settings["WINNOW_API_KEY"])
    client.train(MODEL, client.upload("savings.json", SAMPLE.read_bytes()), recipe=arguments.recipe)
    client.wait(MODEL)
    uploaded = client.upload("texts.jsonl.gz", content)
    workers = Workers(cloud)
    began = time.monotonic()
    body = {"s3bucket": uploaded["s3bucket"], "object": uploaded["training_object"], "n_top": arguments.n_top}
    batch = _wait(client, client.call("POST", f"/models/{MODEL}/batches", body)["batch"])
    taken = time.monotonic() - began
    workers.end()
    if batch["status"] != "ready":
        raise CloudError(f"the batch has the status {batch['status']}: {batch['error']}")
    progress = batch["progress"]
    print(f"{batch['lines']:,} lines in {progress['all_shards']} shards, recipe {arguments.recipe}, {taken:.0f} s on this machine")
    wrong = _check(batch["result"], arguments.lines, bad)
    print(f"  finished; result: {batch['result']['bytes'] / 1e6:.1f} MB; in order: {'no: ' + wrong if wrong else 'yes'}")
    print(f"  bad lines: {len(bad)} sent, {progress['all_errors']} reported")
    limits = {name: _memory_given(cloud, name) for name in _TASKS}
    for name, given in limits.items():
        print(f"  {name:<14} {workers.cpu_seconds[name]:>7.1f} CPU s, peak memory {workers.memory[name]:>5,} MB of {given:,}")
    rate = (arguments.lines - len(bad)) / workers.cpu_seconds["ClassifyShard"]
    print(f"  classified: {rate:,.0f} texts per CPU second; split: {arguments.lines / workers.cpu_seconds['SplitBatch']:,.0f} lines")
    if wrong or any(workers.memory[name] > given for name, given in limits.items()):
        raise CloudError("the result is wrong (see above)")


def _wait(client: Client, batch: str) -> dict[str, Any]:
    told = -10
    while True:
        found: dict[str, Any] = client.call("GET", f"/models/{MODEL}/batches/{batch}")
        if found["progress"]["percent"] >= told + 10:
            told = found["progress"]["percent"]
            print(f"  {found['status']:<8} {told:>3} %", flush=True)
        if found["status"] not in {"queued", "running"}:
            return found
        time.sleep(1)


def _check(result: Mapping[str, Any], lines: int, bad: set[int]) -> str:
    """The first error of the result. Empty if there is none."""
    place = 0
    with requests.get(result["url"], stream=True, timeout=60) as answer:
        for place, line in enumerate(answer.iter_lines(chunk_size=1_000_000), start=1):
            found = json.loads(line)
            if found["line"] != place:
                return f"line {found['line']} is at place {place}"
            if ("error" in found) != (place in bad):
                return f"line {place} is {line[:100]!r}"
            if place not in bad and (found["id"] != place or not found["labels"]):
                return f"line {place} is {line[:100]!r}"
    return "" if place == lines else f"it has {place} lines"


def _memory_given(cloud: LocalCloud, name: str) -> int:
    """The memory of a function in the template, in MB (10^6 bytes)."""
    mebibytes: int = cloud.client("lambda").get_function_configuration(FunctionName=cloud.resource(name))["MemorySize"]
    return int(mebibytes * 1024 * 1024 / 1e6)


if __name__ == "__main__":
    sys.exit(main())
