"""Train in segments: cut by the Lambda's deadline or killed anywhere, a training goes on from its last checkpoint."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import Context
from winnow import trainer
from winnow.errors import JobSupersededError, OutOfTimeError
from winnow.recipes import RECIPES

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow


class Killed(BaseException):
    """What Lambda does to a function: nothing catches it."""


def nothing() -> None:
    """Nothing happens."""


@dataclass
class Deadline(Context):
    """Time enough for so many looks at the clock, and then none; and what happens at the last look."""

    looks: int = 3
    then: Callable[[], None] = nothing
    looked: int = field(default=0, init=False)

    def get_remaining_time_in_millis(self) -> int:
        self.looked += 1
        if self.looked <= self.looks:
            return 900_000
        self.then()
        return 59_000


def killed() -> None:
    raise Killed


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints and notes of progress after every step, where a run of seconds would have none."""
    monkeypatch.setattr(trainer, "_SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    monkeypatch.setattr(trainer, "_SECONDS_BETWEEN_NOTES", 0.0)


@pytest.fixture(params=RECIPES)
def recipe(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def begun(winnow: Winnow, model_id: str, **fields: Any) -> Json:
    """A training that was asked for and prepared: the input of its Train."""
    assert winnow.create(id=model_id, **fields).status == 202
    job = winnow.started_job()
    winnow.invoke("functions/training/prepare", job)
    return job


def segment(winnow: Winnow, job: Json, context: Context) -> Json:
    # Each in an execution environment of its own, as after a crash.
    winnow.environments.pop("functions/training/train", None)
    result: Json = winnow.invoke("functions/training/train", job, context)
    return result


def uncut(winnow: Winnow, **fields: Any) -> dict[str, bytes]:
    job = begun(winnow, "uncut", **fields)
    assert segment(winnow, job, Context(seconds=900))["done"]
    return written(winnow, job)


def written(winnow: Winnow, job: Json) -> dict[str, bytes]:
    """What a training wrote in the end: its artifact and the story of its epochs, by the name below the job's prefix."""
    prefix = f"models/{job['job']['uid']}/versions/1/1/"
    objects = {key.removeprefix(prefix): body for key, body in winnow.objects().items() if key.startswith(prefix)}
    return {name: body for name, body in objects.items() if name.startswith(("artifact/", "epochs"))}


def test_a_training_cut_at_every_boundary_makes_the_same_artifact(winnow: Winnow, recipe: str) -> None:
    winnow.put_dataset()
    job = begun(winnow, "cut", recipe=recipe, n_iter=4)

    segments = 1
    while not segment(winnow, job, Deadline(looks=3))["done"]:
        segments += 1

    assert segments >= 3
    assert written(winnow, job) == uncut(winnow, recipe=recipe, n_iter=4)


def test_a_training_killed_at_ten_places_makes_the_same_artifact(winnow: Winnow, recipe: str) -> None:
    winnow.put_dataset()
    job = begun(winnow, "killed", recipe=recipe, n_iter=8)
    chance = random.Random(0)

    for _ in range(10):
        with pytest.raises(Killed):
            segment(winnow, job, Deadline(looks=chance.randrange(1, 3), then=killed))
    assert segment(winnow, job, Context(seconds=900))["done"]

    assert written(winnow, job) == uncut(winnow, recipe=recipe, n_iter=8)


def test_the_workflow_loops_until_the_training_is_done(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=4)
    job = winnow.started_job()
    winnow.invoke("functions/training/prepare", job)
    deadlines = iter([Deadline(looks=2), Deadline(looks=2)])
    results = [segment(winnow, job, next(deadlines)), segment(winnow, job, next(deadlines))]
    assert results == [{"done": False, "manifest_sha256": None}] * 2

    assert winnow.run_workflow(job | {"artifact": results[-1]}, start_at="Trained") == "Publish"
    assert winnow.version()["status"] == "ready"


def test_the_version_shows_how_far_it_is(winnow: Winnow) -> None:
    winnow.put_dataset()
    job = begun(winnow, "tc-01", n_iter=4)
    seen = []
    while not segment(winnow, job, Deadline(looks=3))["done"]:
        seen.append(winnow.version()["progress"])

    assert [progress["percent"] for progress in seen] == sorted({progress["percent"] for progress in seen})
    assert {progress["stage"] for progress in seen} == {"training"}
    assert {progress["epochs"] for progress in seen} == {16}
    assert [progress["epoch"] for progress in seen] == sorted(progress["epoch"] for progress in seen)
    assert all(progress["loss"] > 0 and 0 <= progress["score"] <= 1 for progress in seen[1:])
    assert all(progress["eta_seconds"] >= 0 for progress in seen)


@dataclass
class Interrupted(Context):
    """Time enough, and something that happens at one of the looks at the clock."""

    at: int = 5
    what: Callable[[], None] = nothing
    looked: int = field(default=0, init=False)

    def get_remaining_time_in_millis(self) -> int:
        self.looked += 1
        if self.looked == self.at:
            self.what()
        return 900_000


def test_a_segment_of_a_cancelled_training_stops_and_writes_nothing_more(winnow: Winnow) -> None:
    winnow.put_dataset()
    job = begun(winnow, "tc-01", n_iter=50)
    before: dict[str, bytes] = {}

    def cancel() -> None:
        before.update(winnow.objects())
        winnow.call("cancel_version", path={"model_id": "tc-01", "version": "1"}, body="")

    with pytest.raises(JobSupersededError):
        segment(winnow, job, Interrupted(what=cancel))

    assert winnow.objects() == before
    assert winnow.version()["status"] == "cancelled"


def test_a_training_that_comes_no_further_fails_with_advice(winnow: Winnow) -> None:
    winnow.put_dataset()
    job = begun(winnow, "tc-01", n_iter=4)

    with pytest.raises(OutOfTimeError):
        segment(winnow, job, Deadline(looks=0))

    assert winnow.version()["status"] == "failed"
    assert "n_texts" in winnow.version()["error"]


def test_what_ended_a_training_early_is_told(winnow: Winnow) -> None:
    winnow.put_dataset()
    version = winnow.train(recipe="cnn", n_iter=100, patience=1, learn_rate=0.01)
    assert (version["status"], version["evaluation"]["stopped"]) == ("ready", "patience")
    report = winnow.call("get_evaluation", path={"model_id": "tc-01", "version": "1"}).body
    assert report["stopped"] == "patience"
    assert len(report["epochs"]) < 100
    assert winnow.train(force_update=True)["evaluation"]["stopped"] is None


def test_after_its_minutes_the_best_so_far_is_published(winnow: Winnow) -> None:
    winnow.put_dataset()
    version = winnow.train(n_iter=1000, max_minutes=0.001)
    assert (version["status"], version["live"], version["evaluation"]["stopped"]) == ("ready", True, "max_minutes")
    assert version["hyperparameters"]["max_minutes"] == 0.001
    assert winnow.call("predict", "predict_get_body").status == 200
