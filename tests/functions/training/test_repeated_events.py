"""Events of the workflow that come several times or out of order, as Lambda and Step Functions allow: each has its effect once."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.short_trainings import shorten
from winnow.evaluation.example_index import ExampleIndex
from winnow.recipes.catalogue import AUTO, candidates

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow

TIMES = 3
FAILURE = {"failure": {"Error": "Lambda.Unknown", "Cause": "The cause could not be determined"}}


@pytest.fixture(autouse=True)
def _short_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


def deliver(winnow: Winnow, task: str, event: Json) -> Any:
    """Deliver an event. Returns the result or the error that Step Functions would see, such as that of an early or late event.

    task: Train also needs a recipe, as in "train linear".
    """
    task, _, recipe = task.partition(" ")
    try:
        return winnow.invoke(f"functions/training/{task}", event | ({"candidate": {"recipe": recipe}} if recipe else {}))
    except Exception as error:
        return error


def undisturbed(winnow: Winnow) -> tuple[Json, dict[str, bytes]]:
    """The version and the objects of a training whose events come once and in order, without the model's own names."""
    winnow.create(id="calm", n_iter=2)
    job = winnow.started_job()
    assert winnow.run_workflow(job) == "Publish"
    return told(winnow, "calm"), objects(winnow, job)


def told(winnow: Winnow, model_id: str) -> Json:
    version = winnow.version(model_id)
    for candidate in version["selection"]["candidates"]:
        candidate.pop("seconds")
    return {name: version[name] for name in version if name not in {"created_at", "finished_at"}}


def objects(winnow: Winnow, job: Json) -> dict[str, bytes]:
    prefix = f"models/{job['job']['uid']}/"
    mine = {key.removeprefix(prefix): body for key, body in winnow.objects().items() if key.startswith(prefix)}
    # The pipeline contains the model's name and the time.
    return {key: without_ids(key, body) for key, body in mine.items() if not key.endswith("pipeline.tar.gz")}


def without_ids(key: str, body: bytes) -> bytes:
    """The object without the ids of examples, which are others in each life of a model."""
    if key.endswith("/suspects.json"):
        return re.sub(rb'"example": "[0-9a-f]{16}"', b"", body)
    if not key.endswith("/index.npz"):
        return body
    index = ExampleIndex.from_bytes(body)
    return replace(index, columns={**index.columns, "id": index.columns["id"] * 0}).to_bytes()


@pytest.mark.parametrize("encoder", ["none", "minilm"])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 12))])
def test_every_event_three_times_and_out_of_order(winnow: Winnow, seed: int, encoder: str) -> None:
    winnow.parameters["Encoder"] = encoder
    winnow.put_dataset()
    winnow.create(id="wild", n_iter=2)
    job = winnow.started_job()
    recipes = candidates(AUTO, has_encoder=encoder != "none")
    tried = {"candidates": [{"recipe": recipe} for recipe in recipes]}
    tasks = ["prepare", *(f"train {recipe}" for recipe in recipes), "publish"]
    deliveries = tasks * TIMES
    random.Random(seed).shuffle(deliveries)
    results: dict[str, Json] = {}
    for task in [*deliveries, *tasks]:
        if task == "publish" and len(results) < len(recipes):
            continue  # Step Functions gives publish each train's answer, so publish comes later
        result = deliver(winnow, task, job | ({"candidates": [*results.values()]} if task == "publish" else tried))
        if task.startswith("train") and isinstance(result, dict):
            results[task] = result
            results = {name: results[name] for name in tasks if name in results}

    version, made = told(winnow, "wild"), objects(winnow, job)
    calm, expected = undisturbed(winnow)
    assert (version["status"], version["live"]) == ("ready", True)
    assert version == calm
    assert made == expected
    for task in (*tasks, "fail"):
        deliver(winnow, task, job | ({"candidates": [*results.values()]} if task == "publish" else tried) | FAILURE)
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
    tried = {"candidates": [{"recipe": "linear", "score": 0.5, "seconds": 1.0, "manifest_sha256": "0" * 64, "failed": None, "done": True}]}
    for task in ("prepare", "train linear", "publish", "fail"):
        result = deliver(winnow, task, job | tried | FAILURE)
        assert task == "fail" or isinstance(result, Exception)

    assert winnow.objects() == {}
    assert winnow.call("list_models").body["models"] == []
