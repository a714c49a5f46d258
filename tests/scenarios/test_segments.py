"""Train in segments: a training goes on from its last checkpoint, whether the Lambda's deadline or a crash ended the segment."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import Context
from tests.support import small_features
from tests.support.deadline import Deadline, nothing
from tests.support.hostile_labels import HOSTILE_LABELS
from tests.support.short_trainings import shorten
from winnow.domain.errors import JobSupersededError
from winnow.recipes import features
from winnow.recipes.catalogue import AUTO, OF_ENCODER, RECIPES, ZERO_SHOT, candidates

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow


class Killed(BaseException):
    """Lambda kills the function: no code catches this."""


def killed() -> None:
    raise Killed


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Checkpoints and notes of progress after every step: a short run would have none. The bucket keeps each of them."""
    monkeypatch.setattr("winnow.training.segment._SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    monkeypatch.setattr("winnow.training.segment._SECONDS_BETWEEN_NOTES", 0.0)
    # One share: a fitting of the learning curve goes on like any other, and three took half of the time.
    shorten(monkeypatch, (1 / 2,))
    small_features.shrink(monkeypatch)
    yield
    features._words.cache_clear()


def looks(recipe: str) -> int:
    """The number of looks at the clock in a segment that makes little progress. A kernel's factor is computed in one segment."""
    return 16 if recipe in OF_ENCODER else 3


@pytest.fixture(params=[recipe for recipe in RECIPES if recipe not in {ZERO_SHOT, *candidates(AUTO, has_encoder=True)}])
def recipe(request: pytest.FixtureRequest, winnow: Winnow) -> str:
    """Each recipe that learns from examples: alone, or as a candidate of auto."""
    winnow.parameters["Encoder"] = "minilm"
    return str(request.param)


def begun(winnow: Winnow, model_id: str, **fields: Any) -> Json:
    """Start and prepare a training. Returns the input of its Candidates."""
    assert winnow.create(id=model_id, **fields).status == 202
    return winnow.run_task("prepare", winnow.started_job())


def segment(winnow: Winnow, job: Json, context: Context, candidate: int = 0) -> Json:
    # Each segment has its own execution environment, as after a crash.
    winnow.environments.pop("functions/training/train", None)
    result: Json = winnow.invoke("functions/training/train", job | {"candidate": job["candidates"][candidate]}, context)
    return result


def uncut(winnow: Winnow, **fields: Any) -> dict[str, bytes]:
    job = begun(winnow, "uncut", **fields)
    for candidate in range(len(job["candidates"])):
        assert segment(winnow, job, Context(seconds=900), candidate)["done"]
    return written(winnow, job)


def written(winnow: Winnow, job: Json) -> dict[str, bytes]:
    """The results of a training: artifacts and their epochs, by the name below the job's prefix."""
    prefix = f"models/{job['job']['uid']}/versions/1/1/"
    objects = {key.removeprefix(prefix): body for key, body in winnow.objects().items() if key.startswith(prefix)}
    return {name: body for name, body in objects.items() if name.endswith("epochs.json") or "artifact/" in name}


def test_a_training_cut_at_every_boundary_makes_the_same_artifact(winnow: Winnow, recipe: str) -> None:
    winnow.put_dataset()
    job = begun(winnow, "cut", recipe=recipe, n_iter=4)

    for candidate in range(len(job["candidates"])):
        segments = 1
        deadline = looks(job["candidates"][candidate]["recipe"])
        while not segment(winnow, job, Deadline(looks=deadline), candidate)["done"]:
            segments += 1
        assert segments >= 3

    assert written(winnow, job) == uncut(winnow, recipe=recipe, n_iter=4)


def test_cnn_goes_on_whatever_labels_are_called(winnow: Winnow) -> None:
    # Those that mean something in the config of spaCy, which a checkpoint is read with.
    labels = sorted(HOSTILE_LABELS.values(), key=lambda label: "$" not in label)[:8]
    winnow.put_dataset([{"text": f"word{number} {more}", "label": label} for number, label in enumerate(labels) for more in ("one", "two")])
    job = begun(winnow, "cut", recipe="cnn", n_iter=1)

    segments = 1
    while not segment(winnow, job, Deadline(looks=5))["done"]:
        segments += 1
    assert segments >= 3

    assert written(winnow, job) == uncut(winnow, recipe="cnn", n_iter=1)


def test_a_training_killed_at_ten_places_makes_the_same_artifact(winnow: Winnow, recipe: str) -> None:
    winnow.put_dataset()
    job = begun(winnow, "killed", recipe=recipe, n_iter=4)
    chance = random.Random(0)

    # Take turns, as if they ran side by side.
    side_by_side = range(len(job["candidates"]))
    for _ in range(10):
        for candidate in side_by_side:
            with pytest.raises(Killed):
                segment(winnow, job, Deadline(looks=chance.randrange(1, 3), then=killed), candidate)
    assert all(segment(winnow, job, Context(seconds=900), candidate)["done"] for candidate in side_by_side)

    assert written(winnow, job) == uncut(winnow, recipe=recipe, n_iter=4)


@pytest.mark.parametrize("encoder", ["none", "minilm"])
def test_the_workflow_loops_until_every_candidate_is_done(winnow: Winnow, encoder: str) -> None:
    winnow.parameters["Encoder"] = encoder
    winnow.put_dataset()
    winnow.create(n_iter=4)
    begun_at: list[str] = []
    given = winnow.invoke

    def invoke(folder: str, event: Json, _: Context | None = None) -> Any:
        begun_at.append(event["candidate"]["recipe"] if folder.endswith("/train") else folder.rpartition("/")[2])
        return given(folder, event, Deadline(looks(begun_at[-1])))

    winnow.invoke = invoke  # type: ignore[method-assign, assignment]
    assert winnow.run_workflow(winnow.started_job()) == "Publish"

    tried = list(dict.fromkeys(begun_at))
    assert tried == ["prepare", "linear", *(["best"] if encoder == "minilm" else []), "publish"]
    assert all(begun_at.count(recipe) > 1 for recipe in tried[1:-1])
    assert winnow.version()["status"] == "ready"


def test_the_version_shows_how_far_it_is(winnow: Winnow) -> None:
    winnow.put_dataset()
    job = begun(winnow, "tc-01", n_iter=4)
    seen = []
    while not segment(winnow, job, Deadline(looks=3))["done"]:
        seen.append(winnow.version()["progress"])

    # Whole numbers: a short segment may add less than one.
    percents = [progress["percent"] for progress in seen]
    assert percents == sorted(percents)
    assert len(set(percents)) > len(percents) / 2
    assert {progress["stage"] for progress in seen} == {"training"}
    assert {progress["epochs"] for progress in seen} == {28}
    assert [progress["epoch"] for progress in seen] == sorted(progress["epoch"] for progress in seen)
    assert all(progress["loss"] > 0 and 0 <= progress["score"] <= 1 for progress in seen[1:])
    assert all(progress["eta_seconds"] >= 0 for progress in seen)


@dataclass
class Interrupted(Context):
    """Enough time. Something happens at one of the looks at the clock."""

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
    winnow.create(n_iter=4)

    assert winnow.run_workflow(winnow.started_job(), Deadline(looks=0)) == "Failed"

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
