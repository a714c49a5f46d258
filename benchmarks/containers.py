"""`make bench-container`: a training too large for a Lambda, by the program of its container: memory, time, resumed after kills.

The examples are those of `make bench-large`: generated from a seed. S3 and DynamoDB are moto, in this process; the workflow's tasks are
processes of their own: Prepare, the container (killed at random moments, and started again), and Publish. Memory is the peak of a process
(VmHWM), with interpreter and packages.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws

from benchmarks.large import lines
from tests.support.contract import ROOT, template
from tests.support.moto_server import moto_server

KEY, REGION = "large.jsonl", "us-east-1"
NAMES = {"REGISTRY_TABLE": "registry", "MODELS_BUCKET": "models", "DATASETS_BUCKET": "datasets"}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "a", "AWS_DEFAULT_REGION": REGION}
SETTINGS = NAMES | {
    "STACK": "winnow", "ENCODER": "none", "ENCODER_BUCKET": "", "ENCODER_LANGUAGES": "", "DATASET_BUCKETS": "",
    "MOST_ROWS": "4000000", "MOST_BYTES": "4000000000", "MOST_UNPACKED_RATIO": "200", "MOST_TEXT_CHARACTERS": "20000",
    "MOST_LABELS": "1000",
    "TRAINING_MEMORY": "3008", "TRAINING_TIMEOUT": "900", "LONGEST_TRAINING": "4320", "LARGE_TRAININGS": "an image",
    "OPENBLAS_NUM_THREADS": "1",
}  # fmt: skip

PREPARE = """
import json, sys
from winnow.domain.job import TrainingJob
from winnow.training.prepare import prepare_training
print(json.dumps(prepare_training(TrainingJob.from_event(json.loads(sys.argv[1])))))
"""
PUBLISH = """
import json, sys
from winnow.domain.job import TrainingJob
from winnow.training.choose import Candidate
from winnow.training.publish import publish
publish(TrainingJob.from_event(json.loads(sys.argv[1])), [Candidate(**json.loads(sys.argv[2]))])
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-container", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=2_000_000)
    parser.add_argument("--labels", type=int, default=200)
    parser.add_argument("--epochs", type=int, help="passes (n_iter), if not the recipe's own number")
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--seconds-between", type=int, default=240, help="about how long a container lives before it is killed")
    arguments = parser.parse_args()
    os.environ.update(SETTINGS | CREDENTIALS)
    with mock_aws():
        _measure(arguments)
    return 0


def _measure(asked: argparse.Namespace) -> None:
    from winnow.aws import resources  # noqa: PLC0415 - it needs the settings
    from winnow.domain.dataset import DatasetReference  # noqa: PLC0415
    from winnow.domain.job import Hyperparameters, TrainingJob, TrainingRequest  # noqa: PLC0415

    s3 = boto3.client("s3")
    for bucket in ("models", "datasets"):
        s3.create_bucket(Bucket=bucket)
    table = template()["Resources"]["Registry"]["Properties"]
    made_with = {name: table[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode")}
    boto3.client("dynamodb").create_table(TableName=NAMES["REGISTRY_TABLE"], **made_with)
    content = "\n".join(islice(lines(asked.labels), asked.texts)).encode()
    s3.put_object(Bucket="datasets", Key=KEY, Body=content)
    print(f"{asked.texts:,} texts of {asked.labels} labels, {len(content) / 1e6:.0f} MB", flush=True)
    del content
    job = TrainingJob("large", "a" * 32, 1, 1)
    request = TrainingRequest("large", DatasetReference("datasets", KEY), Hyperparameters(n_iter=asked.epochs), "linear")
    resources.jobs().create_model(job, request)
    with moto_server(lambda method, path: None) as endpoint:
        given = json.dumps(asdict(job))
        candidates = _Process(endpoint, "Prepare", "-c", PREPARE, given).end()
        print(f"  {resources.versions().of_job(job).dataset}", flush=True)
        print(f"  candidates: {candidates}", flush=True)
        _train(endpoint, given, candidates, asked.kills, asked.seconds_between)
        result = resources.candidates().find_result(job, "linear")
        _Process(endpoint, "Publish", "-c", PUBLISH, given, json.dumps(result)).end()
    version = resources.versions().of_job(job)
    evaluation: Any = version.evaluation
    print(f"  {version.status}, trained on {version.trained_on}, accuracy {evaluation['accuracy']}, macro-F1 {evaluation['macro_f1']}")


def _train(endpoint: str, job: str, candidates: str, kills: int, seconds: int) -> None:
    chance = random.Random(0)
    for number in range(kills + 1):
        process = _Process(endpoint, f"container {number + 1}", "-m", "winnow.training.container", job, "linear", candidates)
        if number < kills:
            process.wait(seconds * chance.uniform(0.5, 1.5))
            process.kill(chance.choice([signal.SIGTERM, signal.SIGKILL]))
        process.end()
        if process.code == 0:
            return


class _Process:
    """A task in a process of its own. Its line is printed at its end."""

    def __init__(self, endpoint: str, name: str, *arguments: str) -> None:
        self.name, self._peak, self._cpu, self._killed = name, 0, 0.0, ""
        self.code: int | None = None
        self._began = time.monotonic()
        path = {"AWS_ENDPOINT_URL": endpoint, "PYTHONPATH": str(ROOT / "layers" / "winnow"), "NO_PROXY": "*"}
        settings = SETTINGS | CREDENTIALS | path | {"PATH": os.environ["PATH"], "POWERTOOLS_LOG_LEVEL": "ERROR"}
        self._process = subprocess.Popen([sys.executable, *arguments], env=settings, stdout=subprocess.PIPE, text=True)  # noqa: S603

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._process.poll() is None:
            self._look()

    def kill(self, how: signal.Signals) -> None:
        if self._process.poll() is None:
            self._killed = f", killed by {how.name}"
            self._process.send_signal(how)

    def end(self) -> str:
        """What it wrote, once it has ended."""
        while self._process.poll() is None:
            self._look()
        self.code = self._process.returncode
        taken = time.monotonic() - self._began
        print(
            f"  {self.name}: {taken:.0f} s, {self._cpu:.0f} CPU s, most memory {self._peak:,} MB{self._killed}, exit code {self.code}",
            flush=True,
        )
        return self._process.communicate()[0].strip()

    def _look(self) -> None:
        time.sleep(0.5)
        folder = Path("/proc") / str(self._process.pid)
        try:
            peaks = [line.split()[1] for line in (folder / "status").read_text().splitlines() if line.startswith("VmHWM")]
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return
        self._peak = max([self._peak, *(round(int(peak) * 1024 / 2**20) for peak in peaks)])
        self._cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
