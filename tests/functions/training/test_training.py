"""The workflow's functions, from a request to a version that answers, and how a training can fail."""

from __future__ import annotations

import gzip
import json
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from tests.conftest import CLIENT_BUCKET, load_dataset, load_event
from tests.support.metrics import counted
from winnow.domain.errors import ArtifactError, DatasetError, JobSupersededError
from winnow.evaluation import figures
from winnow.recipes.catalogue import COSTS

if TYPE_CHECKING:
    from tests.conftest import Json, Ready, Winnow


@pytest.mark.parametrize(("dataset", "exclusive", "examples"), [("exclusive.json", True, 36), ("multilabel.jsonl", False, 26)])
def test_a_training_makes_a_version_that_answers(ready: Ready, dataset: str, exclusive: bool, examples: int) -> None:
    winnow = ready(dataset)

    version = winnow.version()

    assert (version["status"], version["live"]) == ("ready", True)
    assert (version["dataset"]["examples"], version["dataset"]["exclusive"]) == (examples, exclusive)
    assert winnow.call("predict", "predict_get_body").status == 200


def test_few_examples_are_frozen_and_all_learnt_and_each_is_measured(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    train = frozen(winnow, "train")

    assert sorted(train) == sorted((record["text"], record["label"]) for record in load_dataset("exclusive.json"))
    assert frozen(winnow, "test") == []
    version, report = winnow.version(), evaluation(winnow)
    assert (version["dataset"]["train_examples"], version["dataset"]["test_examples"]) == (36, 0)
    assert (report["examples"], report["measured_by"]) == (36, "cross-validation")
    assert "In 5 folds, classifiers answered 36 examples" in report["measured_how"]
    assert version["evaluation"]["measured_by"] == "cross-validation"
    winnow.train(force_update=True)
    assert frozen(winnow, "train", version=2) == train


@pytest.mark.parametrize("dataset", ["exclusive.json", "multilabel.jsonl"])
def test_the_learning_curve_ends_at_the_accuracy(ready: Ready, dataset: str) -> None:
    report = evaluation(ready(dataset))
    points = report["learning_curve"]["points"]

    assert len(points) >= 2
    assert [point["examples"] for point in points] == sorted({point["examples"] for point in points})
    assert (points[-1]["accuracy"], points[-1]["interval"]) == (report["accuracy"], report["intervals"]["accuracy"])
    assert " learnt examples, accuracy went from " in report["learning_curve"]["conclusion"]


def test_of_many_examples_a_part_is_held_out(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.recipes.catalogue._MOST_CROSS_VALIDATED", dict.fromkeys(COSTS, 35))
    winnow.put_dataset()
    winnow.train()
    train, test = frozen(winnow, "train"), frozen(winnow, "test")

    assert sorted(train + test) == sorted((record["text"], record["label"]) for record in load_dataset("exclusive.json"))
    assert {label for _, label in train} == {label for _, label in test} == {"baking", "cycling", "gardening"}
    report = evaluation(winnow)
    assert (report["examples"], report["measured_by"]) == (len(test), "held-out")
    winnow.train(force_update=True)
    assert frozen(winnow, "test", version=2) == test


def evaluation(winnow: Winnow) -> Json:
    report: Json = winnow.call("get_evaluation", path={"model_id": "tc-01", "version": "1"}).body
    return report


def test_the_full_evaluation_lies_beside_the_artifact(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    [report] = [json.loads(body) for key, body in winnow.objects().items() if key.endswith("/evaluation.json")]

    assert set(report["per_label"]) == {"baking", "cycling", "gardening"}
    headline = winnow.version()["evaluation"]
    assert {name: report[name] for name in ("examples", "accuracy", "macro_f1", "micro_f1", "weighted_f1")}.items() <= headline.items()
    assert headline["ece"] == report["calibration"]["after"]["ece"]
    assert [epoch["epoch"] for epoch in report["epochs"]] == list(range(1, 9))
    assert all(0 <= epoch["score"] <= 1 for epoch in report["epochs"])


@pytest.mark.parametrize("dataset", ["exclusive.json", "multilabel.jsonl"])
def test_the_figures_lie_beside_the_evaluation_they_are_drawn_from(winnow: Winnow, dataset: str) -> None:
    winnow.put_dataset(dataset)
    winnow.train()
    objects = winnow.objects()
    [report] = [json.loads(body) for key, body in objects.items() if key.endswith("/evaluation.json")]

    drawn = {key.rpartition("/evaluation/")[2]: body.decode() for key, body in objects.items() if key.endswith(".svg")}
    assert drawn == figures.draw(report)
    types = {winnow.s3.head_object(Bucket=winnow.names["Models"], Key=key)["ContentType"] for key in objects if key.endswith(".svg")}
    assert types == {"image/svg+xml"}


@pytest.mark.parametrize("keep_texts", [False, True])
def test_what_went_wrong_is_quoted_only_where_the_request_said_so(winnow: Winnow, keep_texts: bool) -> None:
    winnow.put_dataset()
    # It learns so slowly that its answers are wrong.
    winnow.train(keep_texts=keep_texts, learn_rate=1e-9, recipe="cnn")
    [report] = [json.loads(body) for key, body in winnow.objects().items() if key.endswith("/evaluation.json")]
    texts = {number: record["text"] for number, record in enumerate(load_dataset("exclusive.json"), start=1)}

    assert report["most_wrong"]
    for wrong in report["most_wrong"]:
        assert wrong.get("text") == (texts[wrong["row"]] if keep_texts else None)


@pytest.mark.parametrize("recipe", [pytest.param(name, marks=pytest.mark.slow) if name in {"sentence", "best"} else name for name in COSTS])
def test_each_recipe_makes_a_version_that_answers(winnow: Winnow, recipe: str) -> None:
    winnow.parameters["Encoder"] = "minilm"
    winnow.put_dataset()
    version = winnow.train(recipe=recipe, n_iter=2, seed=3)
    assert (version["status"], version["recipe"], version["selection"], version["hyperparameters"]["seed"]) == ("ready", recipe, None, 3)
    assert winnow.call("predict", "predict_get_body").status == 200


def test_labels_that_are_not_exclusive_can_be_stated_and_the_reverse_is_checked(winnow: Winnow) -> None:
    winnow.put_dataset()
    assert winnow.train(exclusive=False)["dataset"]["exclusive"] is False
    winnow.put_dataset("multilabel.jsonl")
    version = winnow.train(exclusive=True, force_update=True)
    assert version["status"] == "failed"
    assert "example 16 of the data set does not have exactly one label" in version["error"]


def test_n_texts_takes_a_part_of_the_data_set(winnow: Winnow) -> None:
    winnow.put_dataset()

    version = winnow.train(n_texts=15)

    assert (version["status"], version["dataset"]["examples"], version["dataset"]["labels"]) == ("ready", 15, 3)


def test_a_failed_update_leaves_the_live_version_answering(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.put_dataset(b"[]")

    assert winnow.train(force_update=True)["status"] == "failed"
    assert (winnow.model()["status"], winnow.model()["live_version"], winnow.model()["latest_version"]) == ("ready", 1, 2)
    assert winnow.call("predict", "predict_get_body").body["version"] == 1


def test_a_failed_model_is_trained_again_with_force_update(winnow: Winnow) -> None:
    winnow.put_dataset(b"[]")
    assert winnow.train()["status"] == "failed"
    assert winnow.model()["status"] == "failed"
    assert winnow.create().status == 409

    winnow.put_dataset()
    version = winnow.train(force_update="True")

    assert (version["version"], version["status"], version["error"]) == (2, "ready", None)


def test_the_workflow_ends_as_failed_when_a_task_does(winnow: Winnow) -> None:
    winnow.create()

    assert winnow.run_workflow(winnow.started_job()) == "Failed"
    assert winnow.version()["finished_at"] is not None


def test_an_artifact_that_changed_before_publishing_is_not_published(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    job = winnow.started_job()
    winnow.run_task("train", winnow.run_task("prepare", job))

    with pytest.raises(ArtifactError, match=r"manifest\.json"):
        winnow.invoke("functions/training/publish", load_event("training/publish") | job)

    assert (winnow.version()["status"], winnow.version()["live"]) == ("failed", False)


@pytest.mark.parametrize("task", ["prepare", "train"])
def test_a_task_may_be_run_again(winnow: Winnow, task: str) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    job = winnow.started_job()
    prepared = winnow.run_task("prepare", job)
    if task == "train":
        winnow.run_task("train", prepared)

    assert winnow.run_workflow(job) == "Publish"
    assert winnow.version()["status"] == "ready"


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (load_event("training/fail")["failure"], "out of time or memory (Runtime.ExitError)"),
        ({"Error": "Sandbox.Timedout", "Cause": '{"errorMessage":"Task timed out after 900.00 seconds"}'}, "out of time or memory"),
        ({"Error": "Lambda.Unknown", "Cause": "The cause could not be determined"}, "out of time or memory (Lambda.Unknown)"),
        (
            {"Error": "KeyError", "Cause": '{"errorMessage":"secret","errorType":"KeyError","stackTrace":[]}'},
            "an internal error (KeyError)",
        ),
    ],
)
def test_what_no_task_foresaw_gets_its_sentence_from_fail_and_is_counted(
    winnow: Winnow, capsys: pytest.CaptureFixture[str], failure: dict[str, str], said: str
) -> None:
    winnow.create()

    winnow.invoke("functions/training/fail", winnow.started_job() | {"failure": failure})

    assert winnow.version()["status"] == "failed"
    assert said in winnow.version()["error"]
    assert "secret" not in winnow.version()["error"]
    assert counted(capsys.readouterr().out) == {"WorkflowFaults": 1}


@pytest.mark.parametrize("ended", ["cancelled", "ready"])
def test_fail_is_silent_about_a_job_that_has_ended(winnow: Winnow, capsys: pytest.CaptureFixture[str], ended: str) -> None:
    winnow.put_dataset()
    if ended == "ready":
        winnow.train()
    else:
        winnow.create()
        winnow.call("cancel_version")

    winnow.invoke("functions/training/fail", winnow.started_job() | {"failure": load_event("training/fail")["failure"]})

    assert (winnow.version()["status"], winnow.version()["error"]) == (ended, None)
    assert counted(capsys.readouterr().out) == {}


def test_a_task_that_fails_on_purpose_says_so_itself(winnow: Winnow) -> None:
    """Not every cloud gives a Catch the error's own name and message."""
    winnow.create()

    with pytest.raises(DatasetError):
        winnow.invoke("functions/training/prepare", winnow.started_job())

    assert winnow.version()["status"] == "failed"
    assert "s3://albert-textcats/trainingSet.json" in winnow.version()["error"]


@pytest.mark.parametrize("task", ["prepare", "train", "publish", "fail"])
def test_the_recorded_inputs_have_the_shape_that_the_workflow_gives(winnow: Winnow, task: str) -> None:
    """Their job isn't in the registry: Fail does nothing, and the others stop."""
    with nullcontext() if task == "fail" else pytest.raises(JobSupersededError):
        winnow.invoke(f"functions/training/{task}", load_event(f"training/{task}"))

    winnow.create()
    assert winnow.started_job().keys() <= load_event(f"training/{task}").keys()
    assert winnow.started_job()["job"].keys() == load_event(f"training/{task}")["job"].keys()


def test_nothing_is_written_to_the_data_set_bucket(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    assert winnow.s3.list_objects_v2(Bucket=CLIENT_BUCKET)["KeyCount"] == 1


def frozen(winnow: Winnow, part: str, version: int = 1) -> list[tuple[str, str]]:
    """The frozen examples of a part ("train" or "test"), as pairs of text and label."""
    [body] = [
        body for key, body in winnow.objects().items() if f"/versions/{version}/" in key and key.endswith(f"examples/{part}.jsonl.gz")
    ]
    records = [json.loads(line) for line in gzip.decompress(body).splitlines()]
    return [(record["text"], *record["labels"]) for record in records]
