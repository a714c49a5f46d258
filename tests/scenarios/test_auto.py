"""`"recipe": "auto"`, the default: all recipes are trained side by side. The best becomes the version, which gives the reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import CLIENT_BUCKET, Context
from tests.support.feedback import add, labelled
from winnow.domain.errors import ArtifactError, JobSupersededError
from winnow.domain.job import Hyperparameters
from winnow.training import segment
from winnow.training.fit import Training, settings_for
from winnow.training.folds import Folds

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow
    from tests.support.clock import Clock

ALIKE = {"linear": 0.8, "best": 0.805}
BEST_BETTER = {"linear": 0.8, "best": 0.81}


@pytest.fixture
def two(winnow: Winnow) -> Winnow:
    """A deployment with a data set and two recipes to try."""
    winnow.parameters["Encoder"] = "minilm"
    winnow.put_dataset()
    return winnow


def scored(monkeypatch: pytest.MonkeyPatch, scores: dict[str, float]) -> None:
    """Give the candidates these held-out scores, whatever they learn."""
    monkeypatch.setattr(Folds, "held_out_score", lambda folds: scores[folds.plan.recipe])


def without_seconds(selection: Json) -> list[Json]:
    return [{name: tried[name] for name in tried if name != "seconds"} for tried in selection["candidates"]]


def prepared(winnow: Winnow, **fields: Any) -> Json:
    winnow.create(**{"n_iter": 1} | fields)
    return winnow.run_task("prepare", winnow.started_job())


def of_candidates(winnow: Winnow) -> list[str]:
    """The candidates' objects in the bucket, without those of versions."""
    objects = winnow.objects()
    of_candidates = [key for key in objects if "/checkpoints/" in key]
    manifests = [key for key in objects if key.endswith("/artifact/manifest.json") and key not in of_candidates]
    of_versions = [file["key"] for key in manifests for file in json.loads(objects[key]).values()]
    files = [key for key in objects if "/artifact/" in key and not key.endswith("manifest.json")]
    return of_candidates + [key for key in files if not any(key.endswith(each) for each in of_versions)]


def test_without_an_encoder_linear_is_the_only_candidate(winnow: Winnow) -> None:
    winnow.put_dataset()
    job = prepared(winnow)
    assert job["candidates"] == [{"recipe": "linear"}]
    underway = winnow.version()
    assert (underway["recipe"], underway["selection"]) == ("auto", None)

    winnow.run_workflow(winnow.started_job())

    version = winnow.version()
    assert (version["status"], version["recipe"]) == ("ready", "linear")
    [candidate] = version["selection"]["candidates"]
    assert (candidate["recipe"], 0 <= candidate["score"] <= 1, candidate["seconds"] >= 0) == ("linear", True, True)
    assert version["selection"]["reason"] == "Chose linear, the only candidate."


def test_the_best_candidate_becomes_the_version(two: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    scored(monkeypatch, BEST_BETTER)
    version = two.train(n_iter=2)

    assert (version["status"], version["recipe"], version["live"]) == ("ready", "best", True)
    assert without_seconds(version["selection"]) == [{"recipe": "linear", "score": 0.8}, {"recipe": "best", "score": 0.81}]
    assert version["selection"]["reason"] == "Chose best (0.810) over linear (0.800)."
    # Each candidate began with the client's settings, not with linear's.
    filled = settings_for("best", Hyperparameters(n_iter=2), version["dataset"]["train_examples"], 3, exclusive=True)
    assert (version["hyperparameters"]["learn_rate"], version["hyperparameters"]["n_iter"]) == (filled.learn_rate, 2)
    assert two.call("predict", "predict_get_body").status == 200
    assert two.call("get_artifact", path={"model_id": "tc-01", "version": "1"}).status == 200


def test_a_dearer_candidate_has_to_be_a_point_better(two: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    scored(monkeypatch, ALIKE)
    version = two.train(n_iter=2)

    assert (version["status"], version["recipe"]) == ("ready", "linear")
    assert version["selection"]["reason"] == "Chose linear (0.8000): best (0.8050) costs more and is less than 0.01 better."
    assert version["hyperparameters"]["learn_rate"] == 2


def test_the_version_is_the_same_as_where_the_client_names_the_winner(two: Winnow) -> None:
    chosen = two.train(n_iter=4, seed=7)
    named = two.train(n_iter=4, seed=7, recipe=chosen["recipe"], force_update=True)

    assert (named["recipe"], named["selection"]) == (chosen["recipe"], None)
    same = ("hyperparameters", "evaluation", "dataset")
    assert {name: chosen[name] for name in same} == {name: named[name] for name in same}


def test_nothing_is_left_of_the_candidate_that_was_not_chosen(two: Winnow) -> None:
    job = two.run_task("train", prepared(two))
    # The manifest, epochs and the folds' answers of each; description and weights, those of best in three parts.
    assert len(of_candidates(two)) == 2 * 3 + 2 + 4

    two.run_task("publish", job)

    assert two.version()["status"] == "ready"
    assert of_candidates(two) == []


def test_the_test_set_has_no_part_in_the_choice(two: Winnow) -> None:
    """A test set and its opposite: the evaluation differs, the scores are the same."""
    versions = []
    for a, b in (("baking", "cycling"), ("cycling", "baking")):
        rows = [row for number in range(3) for row in (f"bread dough and yeast {number},{a}", f"a flat tyre on my bike {number},{b}")]
        two.s3.put_object(Bucket=CLIENT_BUCKET, Key="test.csv", Body="\n".join(["text,label", *rows]).encode())
        versions.append(two.train(n_iter=8, test_object="test.csv", force_update=True))

    one, other = versions
    assert one["evaluation"]["accuracy"] != other["evaluation"]["accuracy"]
    assert without_seconds(one["selection"]) == without_seconds(other["selection"])


def test_patience_and_minutes_hold_for_each_candidate(two: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, tuple[Any, Any]] = {}
    steps = Training.steps

    def looked_at(training: Training) -> Any:
        given[training._recipe] = (training.settings.patience, training.settings.max_minutes)
        return steps(training)

    monkeypatch.setattr(Training, "steps", looked_at)
    assert two.train(n_iter=50, patience=1, max_minutes=5)["status"] == "ready"
    assert given == {"linear": (1, 5), "best": (1, 5)}


# --- candidates that fail ---


def broken(monkeypatch: pytest.MonkeyPatch, error: BaseException, *recipes: str) -> None:
    """The training of these recipes fails at its end."""
    result = Training.result

    def failing(training: Training) -> Any:
        if training._recipe in recipes:
            raise error
        return result(training)

    monkeypatch.setattr(Training, "result", failing)


def test_a_candidate_that_fails_unforeseen_leaves_the_others(two: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, MemoryError(), "best")
    version = two.train()

    assert (version["status"], version["recipe"], version["error"]) == ("ready", "linear", None)
    linear, best = version["selection"]["candidates"]
    assert linear.keys() == {"recipe", "score", "seconds"}
    assert (best.keys(), best["recipe"], "MemoryError" in best["failed"]) == ({"recipe", "failed"}, "best", True)
    assert version["selection"]["reason"] == "Chose linear: all other candidates failed."
    assert of_candidates(two) == []


def test_where_the_cheapest_fails_a_dearer_one_is_taken(two: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, MemoryError(), "linear")
    assert (two.train()["recipe"], two.version()["status"]) == ("best", "ready")


def test_where_all_fail_so_does_the_version(two: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, MemoryError(), "linear", "best")
    two.create(n_iter=1)

    assert two.run_workflow(two.started_job()) == "Failed"

    version = two.version()
    assert (version["status"], version["recipe"], version["selection"]) == ("failed", "auto", None)
    assert "an internal error (MemoryError)" in version["error"]


def test_what_a_candidate_fails_of_on_purpose_fails_the_version(two: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, ArtifactError("It isn't what it was."), "best")
    two.create(n_iter=1)

    assert two.run_workflow(two.started_job()) == "Failed"

    assert (two.version()["status"], two.version()["error"]) == ("failed", "It isn't what it was.")


class OutOfTime(Context):
    """A Lambda with no time left."""

    def __init__(self) -> None:
        super().__init__(seconds=1)


def test_a_candidate_that_comes_no_further_leaves_the_others(two: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    job = prepared(two)
    # No step makes visible progress.
    monkeypatch.setattr(Training, "share", property(lambda _: 0.5))
    linear, best = (
        two.invoke("functions/training/train", job | {"candidate": candidate}, context)
        for candidate, context in zip(job["candidates"], (Context(seconds=900), OutOfTime()), strict=True)
    )
    assert (linear["done"], best["done"]) == (True, True)

    two.run_task("publish", job | {"candidates": [linear, best]})

    version = two.version()
    assert (version["status"], version["recipe"]) == ("ready", "linear")
    assert "n_texts" in version["selection"]["candidates"][1]["failed"]


# --- during the training ---


def test_only_the_dearest_says_how_far_the_training_is_and_each_renews_the_lease(
    two: Winnow, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment, "_SECONDS_BETWEEN_NOTES", 0.0)
    job = prepared(two, n_iter=4)
    seen = []
    for candidate in job["candidates"]:
        clock.advance(minutes=1)
        two.invoke("functions/training/train", job | {"candidate": candidate})
        seen.append((two.version()["progress"], two.table.scan()["Items"]))

    (of_linear, rows), (of_best, later) = seen
    assert (of_linear["percent"], of_linear["epoch"]) == (5, None)
    # Seven trainings of 4 epochs: five folds, one on all examples, and one without a fifth of the labels.
    assert (of_best["percent"] > 90, of_best["epoch"], of_best["epochs"]) == (True, 28, 28)
    assert lease(rows) < lease(later)
    assert two.version()["hyperparameters"]["learn_rate"] is None


def lease(rows: list[Json]) -> str:
    [found] = [row["lease_until"] for row in rows if "lease_until" in row]
    return str(found)


@pytest.mark.parametrize("at", ["linear", "best"])
def test_a_cancelled_training_stops_all_its_candidates(two: Winnow, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    monkeypatch.setattr(segment, "_SECONDS_BETWEEN_NOTES", 0.0)
    steps, before, refused = Training.steps, {}, []

    def cancelled(training: Training) -> Any:
        if training._recipe == at:
            before.update(two.objects())
            two.call("cancel_version", path={"model_id": "tc-01", "version": "1"}, body="")
        return steps(training)

    monkeypatch.setattr(Training, "steps", cancelled)
    given = two.invoke

    def invoke(folder: str, event: Json, context: Context | None = None) -> Any:
        try:
            return given(folder, event, context)
        except JobSupersededError:
            refused.append(event.get("candidate", {}).get("recipe", "publish"))
            raise

    monkeypatch.setattr(two, "invoke", invoke)
    two.create(n_iter=4)

    assert two.run_workflow(two.started_job()) == "Failed"

    assert two.version()["status"] == "cancelled"
    assert refused == (["linear", "best", "publish"] if at == "linear" else ["best", "publish"])
    assert two.objects() == before


# --- feedback ---


def retrained(winnow: Winnow) -> Json:
    add(winnow, labelled(4), retrain="now")
    assert winnow.run_workflow(winnow.started_job()) == "Publish"
    return winnow.version()


def test_a_version_from_feedback_chooses_anew_where_its_base_was_chosen(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow.put_dataset()
    base = winnow.train(n_iter=3, seed=5)
    assert base["hyperparameters"]["learn_rate"] == 2
    winnow.parameters["Encoder"] = "minilm"
    scored(monkeypatch, BEST_BETTER)

    version = retrained(winnow)

    assert (version["status"], version["source"], version["recipe"]) == ("ready", "feedback", "best")
    assert len(version["selection"]["candidates"]) == 2
    # The client's settings, not those that linear filled in.
    filled = settings_for("best", Hyperparameters(), 100, 3, exclusive=True)
    assert {name: version["hyperparameters"][name] for name in ("n_iter", "seed", "learn_rate")} == {
        "n_iter": 3,
        "seed": 5,
        "learn_rate": filled.learn_rate,
    }
    winnow.call("promote_version", body={"version": 2})
    scored(monkeypatch, ALIKE)
    assert retrained(winnow)["recipe"] == "linear"


def test_a_version_from_feedback_is_of_its_base_s_recipe_where_the_client_named_it(two: Winnow) -> None:
    base = two.train(recipe="best", n_iter=3)

    version = retrained(two)

    assert (version["status"], version["recipe"], version["selection"]) == ("ready", "best", None)
    assert version["hyperparameters"] == base["hyperparameters"]
