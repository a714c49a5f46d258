"""Functions that predict, ours and those that a user might build instead. Each runs in a separate process, as on Lambda.

The process runs Python without its site-packages. Its path is that of Lambda: the layers of the function or the packages beside it, and
the packages of the runtime (boto3). It reads registry and artifacts from a local cloud. Only the time of the process itself counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.splits import Split
from local.cloud import PROJECT, LocalCloud
from local.server import CREDENTIALS, CloudError
from winnow_cli.client import Client

RECIPES: Mapping[str, Mapping[str, Any]] = {"linear": {}, "cnn": {"n_iter": 1}, "sentence": {}, "light": {}, "best": {}}
"""Our recipes and their settings. cnn trains for one epoch, because that doesn't change the cost of its predictions."""
EARLIER = "best-earlier"
"""The model of benchmarks/earlier.py."""
PEERS = ("spacy_ensemble", "sklearn_svc", "fasttext")
"""The functions that a user might build, in benchmarks/peers_prediction."""

_BUILT = PROJECT / ".aws-sam" / "local"
_PACKAGES = PROJECT / ".aws-sam" / "peers"
_LAYERS = ("WinnowLayer", "SpacyLayer", "EncoderLayer")
_OF_ENCODER = {"sentence", "light", "best", EARLIER}
# best with a thousand labels takes long on a slow processor.
_TRAINING_SECONDS = 7_200
_EVENT = PROJECT / "events" / "api" / "predict_post_text.json"


@dataclass(frozen=True)
class Contestant:
    """A function and its model."""

    name: str
    function: Path
    path: Sequence[Path]
    """The import path on Lambda: layers, or packages beside the function."""
    shipped: Sequence[Path]
    """The parts of it that this model needs."""
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Told:
    """The figures of one process (benchmarks/answering.py)."""

    started: float
    imported: float
    cold: float
    wall: float
    answers: Sequence[tuple[float, int]]
    most: int
    errors: str = ""
    """The output of the process on standard error."""

    def seconds(self, first: int, last: int | None) -> list[float]:
        """CPU seconds of each answer from `first` to before `last`, or to the end."""
        return [seconds for seconds, _ in self.answers[first:last]]


def ours(cloud: LocalCloud, function: str = "Predict") -> Contestant:
    """One of our deployed functions, for any model."""
    layers = [_BUILT / layer / "python" for layer in _LAYERS]
    return Contestant(function, _BUILT / function, layers, layers, _environment(cloud, function))


def of_recipe(cloud: LocalCloud, recipe: str) -> Contestant:
    """Our function with the model of this name."""
    found = ours(cloud)
    return Contestant(recipe, found.function, found.path, found.path if recipe in _OF_ENCODER else found.path[:2], found.environment)


def of_peer(cloud: LocalCloud, name: str, model: Path) -> Contestant:
    """A peer. Its model is uploaded."""
    bucket = cloud.outputs()["ModelsBucket"]
    cloud.client("s3").upload_file(str(model), bucket, f"peers/{name}")
    path = [_PACKAGES / name]
    environment = {"MODELS_BUCKET": bucket, "MODEL_KEY": f"peers/{name}", "AWS_ENDPOINT_URL": cloud.endpoint}
    return Contestant(name, PROJECT / "benchmarks" / "peers_prediction" / name, path, path, environment)


def train(cloud: LocalCloud, name: str, content: bytes, **settings: Any) -> dict[str, Any]:
    """Train a model of this name through the API and return its version. content: a data set as JSON Lines."""
    deployed = cloud.environment()
    client = Client(deployed["WINNOW_URL"], deployed["WINNOW_API_KEY"])
    client.train(name, client.upload(f"{name}.jsonl", content), **settings)
    version: dict[str, Any] = client.wait(name, seconds=_TRAINING_SECONDS)["version"]
    if version["status"] != "ready":
        raise CloudError(f"the training of {name} has the status {version['status']}: {version['error']}")
    return version


def json_lines(split: Split) -> bytes:
    """The training set as JSON Lines."""
    rows = ({"text": example.text, "label": example.labels[0]} for example in split.train)
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def event(model_id: str, texts: Sequence[str], **more: bool) -> dict[str, Any]:
    """The event of API Gateway. One text goes into `text`, several into `texts`. more: further fields."""
    body = {"model_id": model_id, **({"text": texts[0]} if len(texts) == 1 else {"texts": list(texts)}), **more}
    found: dict[str, Any] = json.loads(_EVENT.read_text(encoding="utf-8"))
    return found | {"body": json.dumps(body)}


def ask(contestant: Contestant, events: Sequence[Mapping[str, Any]], *python: str, profile: Path | None = None) -> Told:
    """Answer the events in a fresh process. python: options of the interpreter. Raises CloudError if an answer isn't 200."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        asked, told = folder / "events.jsonl", folder / "figures.json"
        asked.write_text("\n".join(json.dumps(each) for each in events), encoding="utf-8")
        environment = {
            **CREDENTIALS,
            **contestant.environment,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, [*contestant.path, _PACKAGES / "runtime"])),
            # Write no byte code: the folders on Lambda are read-only.
            "PYTHONDONTWRITEBYTECODE": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "TMPDIR": str(folder),
            "BEGAN": str(time.monotonic()),
        }
        program = [PROJECT / "benchmarks" / "answering.py", contestant.function, asked, told, *([profile] if profile else [])]
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-S", "-P", *python, *program], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise CloudError(f"{contestant.name} failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
        return Told(**json.loads(told.read_text(encoding="utf-8")), errors=done.stderr)


def sizes(contestant: Contestant) -> tuple[int, int]:
    """Bytes of the deployment, as zips (one per layer) and unzipped."""
    parts = [_sizes(path) for path in contestant.shipped]
    return sum(packed for packed, _ in parts), sum(unpacked for _, unpacked in parts)


def _sizes(folder: Path) -> tuple[int, int]:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    with tempfile.TemporaryFile() as target:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
            for file in files:
                packed.write(file, file.relative_to(folder))
        return target.tell(), sum(file.stat().st_size for file in files)


def drop_page_cache() -> bool:
    """Drop the page cache. Returns whether that worked: it needs root."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3", encoding="ascii")
    except OSError:
        return False
    return True


def _environment(cloud: LocalCloud, function: str) -> dict[str, str]:
    """The environment of the deployed function, with the variables that Lambda adds."""
    client = cloud.client("lambda")
    pages = client.get_paginator("list_functions").paginate()
    named = [each["FunctionName"] for page in pages for each in page["Functions"] if f"-{function}-" in each["FunctionName"]]
    if not named:
        raise CloudError(f"no function {function} is deployed")
    deployed = client.get_function_configuration(FunctionName=named[0])
    variables: dict[str, str] = deployed["Environment"]["Variables"]
    return {**variables, "AWS_ENDPOINT_URL": cloud.endpoint, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(deployed["MemorySize"])}
