"""The program of a training's container, as a process of its own: killed at random moments, it ends with the same artifact, bit for bit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.large import lines
from tests.support.contract import ROOT
from tests.support.moto_server import moto_server
from winnow.training.container import FAILED, INTERRUPTED

if TYPE_CHECKING:
    from tests.conftest import Json, Tell, Winnow

# The program, with checkpoints and notes every fifth of a second: a short training would have none.
PROGRAM = """
import sys
from winnow.training import container, segment
segment._SECONDS_BETWEEN_CHECKPOINTS = segment._SECONDS_BETWEEN_NOTES = 0.2
sys.exit(container.main(sys.argv[1:]))
"""
SECONDS = 300


@dataclass
class Requests:
    """The requests of the process. reached: set when `awaited` of them have come."""

    count: int = 0
    written: int = 0
    awaited: int = 0
    reached: Event = field(default_factory=Event)

    def seen(self, method: str, path: str) -> None:
        self.count += 1
        self.written += method == "PUT" and path.partition("?")[0].endswith("/training.npz")
        if self.count >= self.awaited:
            self.reached.set()

    def after(self, number: int) -> Event:
        self.count, self.written, self.awaited = 0, 0, number
        self.reached.clear()
        return self.reached


@pytest.fixture
def requests() -> Requests:
    return Requests()


@pytest.fixture
def endpoint(winnow: Winnow, requests: Requests) -> Iterator[str]:
    with moto_server(requests.seen) as url:
        yield url


def prepared(winnow: Winnow, model_id: str, texts: int = 1_000, n_iter: int = 3) -> Json:
    """A training of 20 labels, and the input of its container."""
    body = "\n".join(islice(lines(20), texts)).encode()
    winnow.put_dataset(body)
    assert winnow.create(id=model_id, recipe="linear", n_iter=n_iter).status == 202
    return winnow.run_task("prepare", winnow.started_job())


def start(winnow: Winnow, data: Json, endpoint: str) -> subprocess.Popen[str]:
    arguments = [json.dumps(data["job"]), "linear", json.dumps(data["candidates"])]
    with winnow.settings("functions/training/train"):
        given = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    given |= {"AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "a"}
    given |= {"PYTHONPATH": str(ROOT / "layers" / "winnow"), "POWERTOOLS_LOG_LEVEL": "INFO", "NO_PROXY": "*"}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], env=given, cwd=ROOT, text=True)


def collected(winnow: Winnow, data: Json) -> Json:
    """What the workflow's next state says."""
    [candidate] = data["candidates"]
    result: Json = winnow.invoke("functions/training/train", data | {"candidate": candidate | {"large": {"cpu": "1024", "memory": "2048"}}})
    return result


def artifact(winnow: Winnow, data: Json) -> dict[str, bytes]:
    prefix = f"models/{data['job']['uid']}/versions/1/1/"
    objects = {key.removeprefix(prefix): body for key, body in winnow.objects().items() if key.startswith(prefix)}
    return {name: body for name, body in objects.items() if name.endswith("epochs.json") or "artifact/" in name}


def test_a_container_killed_at_random_moments_makes_the_same_artifact(
    winnow: Winnow, endpoint: str, requests: Requests, tell: Tell
) -> None:
    whole = prepared(winnow, "whole")
    assert start(winnow, whole, endpoint).wait(SECONDS) == 0
    total, chance = requests.count, random.Random(1)
    killed = prepared(winnow, "killed")
    tell(f"{total} requests without a kill")
    tell("| container | killed by | after requests | exit code | checkpoints written | training done |")
    tell("| --- | --- | --- | --- | --- | --- |")
    kills = {signal.SIGTERM: 0, signal.SIGKILL: 0}
    for number in range(1, 40):
        reached = requests.after(chance.randrange(3, total // 3))
        process = start(winnow, killed, endpoint)
        how = chance.choice([signal.SIGTERM, signal.SIGKILL]) if number > 2 else [signal.SIGTERM, signal.SIGKILL][number - 1]
        if kills[how] < 4:
            while process.poll() is None and not reached.wait(0.05):
                pass
            time.sleep(chance.random() / 4)
            process.send_signal(how)
        code = process.wait(SECONDS)
        share = winnow.version("killed")["progress"]["percent"]
        tell(f"| {number} | {how.name if code else 'nothing'} | {requests.count} | {code} | {requests.written} | {share} % |")
        assert code in {0, INTERRUPTED if how is signal.SIGTERM else -signal.SIGKILL}
        kills[how] += code != 0
        if code == 0:
            break
    assert code == 0
    assert min(kills.values()) >= 1
    assert collected(winnow, killed) == collected(winnow, whole) | {"seconds": collected(winnow, killed)["seconds"]}
    assert artifact(winnow, killed) == artifact(winnow, whole)
    # And it is what a Lambda makes of the same examples.
    in_lambda = prepared(winnow, "in-lambda")
    assert winnow.invoke("functions/training/train", in_lambda | {"candidate": in_lambda["candidates"][0]})["done"]
    assert artifact(winnow, in_lambda) == artifact(winnow, whole)


def test_a_container_that_is_taken_back_before_it_got_anywhere_is_no_failure(winnow: Winnow, endpoint: str, requests: Requests) -> None:
    data = prepared(winnow, "tc-01")
    # Its handler of the signal stands before its first request.
    reached = requests.after(1)
    process = start(winnow, data, endpoint)
    assert reached.wait(SECONDS)
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) == INTERRUPTED
    assert winnow.version("tc-01")["status"] == "training"
    assert start(winnow, data, endpoint).wait(SECONDS) == 0
    assert collected(winnow, data)["trained_on"] == "fargate"


def test_a_cancelled_container_ends_and_writes_nothing_more(winnow: Winnow, endpoint: str, requests: Requests) -> None:
    data = prepared(winnow, "tc-01")
    winnow.call("cancel_version", path={"model_id": "tc-01", "version": "1"}, body="")
    before = winnow.objects()
    assert start(winnow, data, endpoint).wait(SECONDS) == FAILED
    assert winnow.objects() == before
    assert winnow.version("tc-01")["status"] == "cancelled"


def test_a_container_says_why_it_fails_as_a_lambda_does(winnow: Winnow, endpoint: str) -> None:
    data = prepared(winnow, "tc-01")
    [key] = [each for each in winnow.objects() if each.endswith("examples/train.jsonl.gz")]
    winnow.s3.delete_object(Bucket=winnow.names["Models"], Key=key)
    assert start(winnow, data, endpoint).wait(SECONDS) == FAILED
    version: Any = winnow.version("tc-01")
    assert version["status"] == "failed"
    assert "is missing: train it again" in version["error"]
