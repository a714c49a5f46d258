"""The image of large trainings, built and run by a container engine: `make test-images`.

Its base is LAMBDA_IMAGE, or Lambda's own where that is not set. Its layers are those that the local cloud deploys. S3 and DynamoDB are
moto, in this process.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

from local.sam_local import Engine, NoEngineError, container_engine
from tests.conftest import REGION
from tests.containers.test_killed_containers import Requests, artifact, collected, prepared
from tests.contract.test_large_trainings import DOCKERFILE, program
from tests.support.contract import ROOT
from tests.support.moto_server import moto_server
from winnow.training.container import INTERRUPTED

if TYPE_CHECKING:
    from tests.conftest import Json, Tell, Winnow

LAYERS = ROOT / ".aws-sam" / "local"
PYTHON = "/var/lang/bin/python3.13"
# A stand-in for Lambda's image may have its Python elsewhere.
BASE = f"""
FROM %s
RUN [ -e {PYTHON} ] || {{ mkdir -p /var/lang/bin && ln -s "$(command -v python3.13)" {PYTHON}; }}
"""
# Before its first step a container asks six times. The seventh request is its first note, two seconds later.
FIRST_NOTE = 7
# A container trains on these for some eight seconds.
TEXTS, EPOCHS = 2_000, 8
# Less than a client waits for an answer.
SECONDS = 50


@dataclass(frozen=True)
class Image:
    """The image, and the engine that has built it."""

    engine: Engine
    tag: str

    @contextmanager
    def started(self, winnow: Winnow, data: Json, endpoint: str) -> Iterator[str]:
        """A container with the settings that the task of ECS gives it. Its id; it is gone at the end."""
        region = {"Ref": "AWS::Region"}
        given = {each["Name"]: REGION if each["Value"] == region else winnow.setting(each["Value"]) for each in program()["Environment"]}
        given |= {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "a"}
        options = [word for name, value in given.items() for word in ("--env", f"{name}={value}")]
        arguments = [json.dumps(data["job"]), "linear", json.dumps(data["candidates"])]
        container = self.engine.ask("run", "--detach", *options, self.tag, *arguments)
        try:
            yield container
        finally:
            self.engine.ask("rm", "--force", container)

    @contextmanager
    def stopping(self, container: str) -> Iterator[None]:
        """`docker stop`: inside, the container has got SIGTERM. It has ended after it."""
        began, given = time.time(), str(program()["StopTimeout"])
        with ThreadPoolExecutor(1) as background:
            stopped = background.submit(self.engine.ask, "stop", "--time", given, container)
            seen = ["--since", f"{began:.3f}", "--filter", f"container={container}", "--filter", "event=kill"]
            while not stopped.done() and not self.engine.ask("events", *seen, "--until", f"{time.time():.3f}"):
                time.sleep(0.1)
            yield
            stopped.result()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    try:
        with container_engine() as engine, _built(engine, tmp_path_factory.mktemp("base")) as tag:
            yield Image(engine, tag)
    except NoEngineError as error:
        pytest.skip(str(error))


@contextmanager
def _built(engine: Engine, folder: Path) -> Iterator[str]:
    base, tag, options = "winnow-test-base", "winnow-test-training", []
    if engine.image:
        (folder / "Dockerfile").write_text(BASE % engine.image)
        engine.ask("build", "--tag", base, str(folder))
        options = ["--build-arg", f"BASE_IMAGE={base}"]
    try:
        engine.ask("build", *options, "--file", str(DOCKERFILE), "--tag", tag, str(LAYERS))
        yield tag
    finally:
        engine.ask("image", "rm", "--force", tag, *([base] if options else []))


def test_nobody_finds_its_packages(image: Image) -> None:
    script = (
        "import os, onnxruntime, spacy, winnow_encoder, winnow.recipes.linear, winnow.training.container; print(os.getuid(), os.getcwd())"
    )
    assert image.engine.ask("run", "--rm", "--network", "none", "--entrypoint", PYTHON, image.tag, "-c", script) == "65534 /tmp"


def test_a_stopped_container_and_the_next_one_make_the_artifact_of_a_lambda(image: Image, winnow: Winnow, tell: Tell) -> None:
    requests, signalled, data = Requests(), Event(), prepared(winnow, "in-containers", TEXTS, EPOCHS)

    def seen(method: str, path: str) -> None:
        requests.seen(method, path)
        # The first container waits for its answer until it has the signal: however slow the engine is, it is not done before.
        if requests.count == FIRST_NOTE:
            signalled.wait(SECONDS)

    with moto_server(seen, image.engine.bridge()) as endpoint:
        noted = requests.after(FIRST_NOTE)
        with image.started(winnow, data, endpoint) as container:
            assert noted.wait(SECONDS), image.engine.ask("logs", container)
            with image.stopping(container):
                signalled.set()
            # Were it killed, it would be 137.
            assert image.engine.ask("wait", container) == str(INTERRUPTED), image.engine.ask("logs", container)
        version = winnow.version("in-containers")
        assert (version["status"], requests.written) == ("training", 1)
        tell(f"stopped at {version['progress']['percent']} % with a checkpoint")

        requests.after(FIRST_NOTE)
        with image.started(winnow, data, endpoint) as container:
            assert image.engine.ask("wait", container) == "0", image.engine.ask("logs", container)
    assert collected(winnow, data)["trained_on"] == "fargate"

    in_lambda = prepared(winnow, "in-lambda", TEXTS, EPOCHS)
    assert winnow.invoke("functions/training/train", in_lambda | {"candidate": in_lambda["candidates"][0]})["done"]
    assert artifact(winnow, data) == artifact(winnow, in_lambda)
