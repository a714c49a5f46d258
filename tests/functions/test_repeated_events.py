"""The workflow's events delivered several times and out of order, as Lambda and Step Functions may: their effects are there once."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow

TASKS = ("prepare", "train", "publish")
TIMES = 3
FAILURE = {"failure": {"Error": "Lambda.Unknown", "Cause": "The cause could not be determined"}}


def deliver(winnow: Winnow, task: str, event: Json) -> Any:
    """Deliver an event; what comes of one that comes too early or too late is an error that Step Functions would see, and no more."""
    try:
        return winnow.invoke(f"functions/training/{task}", event)
    except Exception as error:
        return error


def undisturbed(winnow: Winnow) -> tuple[Json, dict[str, bytes]]:
    """The version and the objects of a training whose events come once and in order, the model's own names taken out."""
    winnow.create(id="calm", n_iter=2)
    job = winnow.started_job()
    assert winnow.run_workflow(job) == "Publish"
    return told(winnow, "calm"), objects(winnow, job)


def told(winnow: Winnow, model_id: str) -> Json:
    version = winnow.version(model_id)
    return {name: version[name] for name in version if name not in {"created_at", "finished_at"}}


def objects(winnow: Winnow, job: Json) -> dict[str, bytes]:
    prefix = f"models/{job['job']['uid']}/"
    mine = {key.removeprefix(prefix): body for key, body in winnow.objects().items() if key.startswith(prefix)}
    # The pipeline has the model's name in it, and the time.
    return {key: body for key, body in mine.items() if not key.endswith("pipeline.tar.gz")}


@pytest.mark.parametrize("seed", range(12))
def test_every_event_three_times_and_out_of_order(winnow: Winnow, seed: int) -> None:
    winnow.put_dataset()
    winnow.create(id="wild", n_iter=2)
    job = winnow.started_job()
    # What publish is given is known only when train has answered: deliveries before that name another artifact.
    artifact: Json = {"done": True, "manifest_sha256": "0" * 64}
    deliveries = list(TASKS) * TIMES
    random.Random(seed).shuffle(deliveries)
    for task in deliveries:
        if task == "publish" and artifact["manifest_sha256"] == "0" * 64:
            continue  # Step Functions gives publish what train answered, and so not before it did
        result = deliver(winnow, task, job | {"artifact": artifact})
        if task == "train" and isinstance(result, dict):
            artifact = result
    for task in TASKS:
        result = deliver(winnow, task, job | {"artifact": artifact})
        artifact = result if task == "train" and isinstance(result, dict) else artifact

    version, made = told(winnow, "wild"), objects(winnow, job)
    calm, expected = undisturbed(winnow)
    assert (version["status"], version["live"]) == ("ready", True)
    assert version == calm
    assert made == expected
    for task in (*TASKS, "fail"):
        deliver(winnow, task, job | {"artifact": artifact} | FAILURE)
    assert told(winnow, "wild") == version
    assert objects(winnow, job) == made


def test_a_data_set_that_changed_between_two_prepares_is_read_once(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    job = winnow.started_job()
    winnow.invoke("functions/training/prepare", job)
    before = winnow.objects()
    winnow.put_dataset(b"[]")

    winnow.invoke("functions/training/prepare", job)

    assert winnow.objects() == before
    assert winnow.version()["status"] == "training"


def test_events_of_a_deleted_model_have_no_effect(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    job = winnow.started_job()
    winnow.invoke("functions/training/prepare", job)
    winnow.call("delete_model", path={"model_id": "tc-01"})
    for task in (*TASKS, "fail"):
        result = deliver(winnow, task, job | {"artifact": {"done": True, "manifest_sha256": "0" * 64}} | FAILURE)
        assert task == "fail" or isinstance(result, Exception)

    assert winnow.objects() == {}
    assert winnow.call("list_models").body["models"] == []
