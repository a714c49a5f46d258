"""Labels without examples: from a request with names alone to a version that answers, and to an ordinary model by feedback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import DATA, load_dataset
from tests.support.batches import done, put, result
from winnow.domain.job import TrainingJob
from winnow.domain.keys import version_of_label_list_key
from winnow.domain.label_names import LabelList, NamedLabel
from winnow.storage.bucket import Bucket
from winnow.storage.label_lists import LabelLists

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Winnow

LABELS = ["baking", {"name": "gardening", "description": "Plants, soil and seeds"}, {"name": "cycling"}]
TEXTS = {"How do I make bread dough rise?": "baking", "When do I water tomato plants?": "gardening", "My bike has a flat tyre": "cycling"}


@pytest.fixture(autouse=True)
def encoder(winnow: Winnow) -> None:
    winnow.parameters["Encoder"] = "minilm"


def named(winnow: Winnow, labels: Any = LABELS, **fields: Any) -> Answer:
    return winnow.create(s3bucket=None, training_object=None, labels=labels, **fields)


def made(winnow: Winnow, labels: Any = LABELS, **fields: Any) -> Json:
    assert named(winnow, labels, **fields).status == 202
    winnow.run_workflow(winnow.started_job())
    return winnow.version()


def predict(winnow: Winnow, texts: list[str], **fields: Any) -> list[list[Json]]:
    answer = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": texts, **fields})
    return [prediction["labels"] for prediction in answer.body["predictions"]]


def add(winnow: Winnow, examples: list[Json], retrain: str = "now") -> Json:
    answer = winnow.call("add_examples", body={"examples": examples, "retrain": retrain}, path={"model_id": "tc-01"})
    assert answer.status == 201, answer.body
    if answer.body["retrain"] == "started":
        winnow.run_workflow(winnow.started_job())
    body: Json = answer.body
    return body


def examples(*labels: str) -> list[Json]:
    return [record for record in load_dataset("exclusive.json") if record["label"] in labels]


def view(winnow: Winnow, call: str, **more: str) -> Answer:
    return winnow.call(call, path={"model_id": "tc-01", "version": "1", **more})


# --- from names to a version ---


def test_names_make_a_version_that_answers_and_accepts_nothing(winnow: Winnow) -> None:
    version = made(winnow)

    assert (version["status"], version["live"], version["recipe"]) == ("ready", True, "zero-shot")
    assert (version["evaluation"], version["selection"], version["encoder"]["name"]) == (None, None, "all-MiniLM-L6-v2")
    assert {"examples": 0, "labels": 3, "exclusive": True, "s3bucket": None, "warnings": 0}.items() <= version["dataset"].items()
    [warning] = version["warnings"]
    assert "Nothing was measured" in warning
    assert "POST /models/tc-01/examples" in warning
    answers = predict(winnow, [*TEXTS])
    assert [labels[0]["label"] for labels in answers] == [*TEXTS.values()]
    assert [label["accepted"] for labels in answers for label in labels] == [False] * 9
    assert all(sum(label["score"] for label in labels) == pytest.approx(1, abs=1e-5) for labels in answers)
    # A guess that nobody checked doesn't look certain.
    assert all(0.34 < labels[0]["score"] < 0.98 for labels in answers)
    assert winnow.model()["labels"] == 3


def test_a_description_decides_where_names_mean_nothing(winnow: Winnow) -> None:
    described = [
        {"name": "L1", "description": "Bread, cakes and ovens"},
        {"name": "L2", "description": "Plants, soil and seeds"},
        {"name": "L3", "description": "Bicycles, tyres and brakes"},
    ]
    version = made(winnow, described)

    assert len(version["warnings"]) == 1
    assert [labels[0]["label"] for labels in predict(winnow, [*TEXTS])] == ["L1", "L2", "L3"]


def test_names_that_mean_nothing_are_warned_of_before_and_after(winnow: Winnow) -> None:
    labels = ["baking", "L1", "class 7"]
    dry = named(winnow, labels, dry_run=True)
    version = made(winnow, labels)

    assert dry.status == 200
    [problem] = dry.body["report"]["problems"]
    assert (problem["kind"], problem["refuses"], problem["count"]) == ("meaningless-label", False, 2)
    assert [row["labels"] for row in problem["rows"]] == [["L1"], ["class 7"]]
    assert "L1, class 7: " in version["warnings"][1]
    assert version["dataset"]["warnings"] == dry.body["report"]["warnings"] == 2
    assert view(winnow, "get_report").body["report"] == dry.body["report"]


def test_a_dry_run_makes_nothing(winnow: Winnow) -> None:
    report = named(winnow, dry_run=True).body["report"]

    assert (report["trainable"], report["rows"], report["examples"], report["problems"]) == (True, 3, 0, [])
    assert report["labels"][1] == {"label": "gardening", "description": "Plants, soil and seeds", "examples": 0, "texts": 0}
    assert (winnow.executions(), winnow.objects()) == ([], {})


def test_several_labels_per_text_with_names_that_are_read_as_words(winnow: Winnow) -> None:
    version = made(winnow, ["bread_baking", "plantsAndGardens", " bike/repair "], exclusive=False)

    assert version["dataset"]["exclusive"] is False
    [labels] = predict(winnow, ["My bike has a flat tyre"])
    assert labels[0]["label"] == "bike/repair"
    assert {label["label"] for label in labels} == {"bread_baking", "plantsAndGardens", "bike/repair"}
    assert [label["accepted"] for label in labels] == [False] * 3


def test_labels_in_a_language_that_minilm_does_not_speak_get_the_multilingual_encoder(winnow: Winnow) -> None:
    version = made(winnow, ["Brot und Kuchen backen", "Pflanzen im Garten", "Fahrrad fahren"])

    assert version["encoder"]["name"] == "use-multilingual"
    assert version["dataset"]["languages"] == [{"language": "de", "share": 1.0}]
    texts = ["Mein Reifen ist platt", "Wann gieße ich die Tomaten?", "Der Teig geht nicht auf"]
    best = [labels[0]["label"] for labels in predict(winnow, texts)]
    assert best == ["Fahrrad fahren", "Pflanzen im Garten", "Brot und Kuchen backen"]


@pytest.mark.slow
def test_the_language_of_the_texts_may_be_said(winnow: Winnow) -> None:
    assert made(winnow, spacy_model="de")["encoder"]["name"] == "use-multilingual"


@pytest.mark.slow
def test_as_many_labels_as_an_item_could_not_hold(winnow: Winnow) -> None:
    many = [{"name": f"bread {number} " + "ü" * 180, "description": "d" * 400} for number in range(600)]
    answer = named(winnow, many)

    assert answer.status == 202
    [key] = winnow.objects()
    assert version_of_label_list_key(key)
    assert len(winnow.objects()[key]) > 400_000


@pytest.mark.slow
def test_the_labels_of_another_request_for_the_same_version_change_nothing(winnow: Winnow) -> None:
    named(winnow)
    job = TrainingJob.from_event(winnow.started_job()["job"])
    # The loser of two requests at the same time has written its list too.
    LabelLists(Bucket(winnow.s3, winnow.names["Models"])).write(job, LabelList((NamedLabel("x"), NamedLabel("y"))))
    winnow.run_workflow(winnow.started_job())
    [labels] = predict(winnow, ["My bike has a flat tyre"])
    assert {label["label"] for label in labels} == {"baking", "gardening", "cycling"}


# --- what a request may not say ---


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"labels": []}, "labels", "a list of 2 to 1000 labels"),
        ({"labels": ["one"]}, "labels", "a list of 2 to 1000 labels"),
        ({"labels": "one, two"}, "labels", "a list of 2 to 1000 labels"),
        ({"labels": ["one", ""]}, "labels[1]", "not all white space"),
        ({"labels": ["one", "  "]}, "labels[1]", "not all white space"),
        ({"labels": ["one", "\u200b"]}, "labels[1]", "characters that nobody sees"),
        ({"labels": ["one", {"name": "\u200b"}]}, "labels[1].name", "characters that nobody sees"),
        ({"labels": ["one", {"name": " "}]}, "labels[1].name", "a label of 1 to 200 characters"),
        ({"labels": ["one", {"description": "two"}]}, "labels[1]", '{"name": "…", "description": "…"}'),
        ({"labels": ["one", {"name": "two", "text": "2"}]}, "labels[1]", '{"name": "…", "description": "…"}'),
        ({"labels": ["one", 2]}, "labels[1]", "the name of a label"),
        ({"labels": ["one", "x" * 201]}, "labels[1]", "1 to 200 characters"),
        ({"labels": ["one", {"name": "two", "description": "x" * 1001}]}, "labels[1].description", "at most 1000 characters"),
        ({"labels": ["one", {"name": "two", "description": None}]}, "labels[1].description", "at most 1000 characters"),
        ({"labels": ["one", "two", " one "]}, "labels[2]", "like labels[0]"),
        ({"labels": ["caf\u00e9", {"name": "cafe\u0301"}]}, "labels[1].name", "like labels[0]"),
        ({"s3bucket": "albert-textcats", "training_object": "trainingSet.json"}, "s3bucket", "labels are sent instead of a data set"),
        ({"test_object": "testSet.json"}, "test_object", "labels are sent instead of a data set"),
        ({"text_column": "text"}, "text_column", "labels are sent instead of a data set"),
        ({"recipe": "linear"}, "recipe", "learns from examples"),
    ],
)
def test_a_wrong_request_names_the_field(winnow: Winnow, fields: Json, field: str, said: str) -> None:
    for dry_run in (False, True):
        given: Json = {"s3bucket": None, "training_object": None, "labels": LABELS, "dry_run": dry_run}
        answer = winnow.create(**given | fields)
        assert (answer.status, answer.body["field"]) == (422, field), answer.body
        assert said in answer.body["detail"]
    assert winnow.executions() == []


def test_a_request_with_neither_labels_nor_a_data_set_says_what_is_missing(winnow: Winnow) -> None:
    answer = winnow.create(s3bucket=None, training_object=None)
    assert (answer.status, answer.body["field"]) == (422, "s3bucket")
    answer = winnow.create(recipe="zero-shot")
    assert (answer.status, answer.body["field"]) == (422, "recipe")
    assert "needs labels" in answer.body["detail"]


def test_the_deployment_s_limit_of_labels_holds(winnow: Winnow) -> None:
    winnow.parameters["MostLabels"] = "2"
    answer = named(winnow)
    assert (answer.status, answer.body["field"]) == (422, "labels")
    assert "at most 2" in answer.body["detail"]


def test_without_an_encoder_labels_alone_are_refused(winnow: Winnow) -> None:
    winnow.parameters["Encoder"] = "none"
    answer = named(winnow)
    assert (answer.status, answer.body["field"]) == (422, "labels")
    assert "sentence encoder" in answer.body["detail"]


@pytest.mark.slow
def test_an_existing_model_needs_force_update_and_keeps_its_live_version_with_promote_never(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.train(recipe="linear")

    assert named(winnow).status == 409
    version = made(winnow, force_update=True, promote="never")
    assert (version["version"], version["recipe"], version["live"]) == (2, "zero-shot", False)


@pytest.mark.slow
def test_if_better_measures_it_on_the_live_version_s_examples(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.train(recipe="linear")
    version = made(winnow, force_update=True, promote="if-better")

    assert (version["status"], version["gate"]["against"], version["gate"]["examples"]) == ("ready", 1, 36)
    assert version["live"] is version["gate"]["passed"]
    assert version["gate"]["macro_f1"] > 0.8


# --- everything that reads an evaluation ---


def test_what_was_not_measured_says_so(winnow: Winnow) -> None:
    made(winnow)

    for call, more in (("get_evaluation", {}), ("get_suspects", {}), ("get_figure", {"figure": "confusion.svg"})):
        answer = view(winnow, call, **more)
        assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:not-measured"), call
        assert "POST /models/tc-01/examples" in answer.body["detail"]
    assert view(winnow, "get_version").body["evaluation"] is None
    assert view(winnow, "get_artifact").status == 200
    answer = winnow.call("promote_version", body={"version": 1}, path={"model_id": "tc-01"})
    assert (answer.status, winnow.model()["labels"]) == (200, 3)
    # A batch accepts nothing either.
    put(winnow, [*TEXTS])
    lines = result(winnow, done(winnow))
    assert [line["labels"][0]["label"] for line in lines] == [*TEXTS.values()]
    assert {line["labels"][0]["accepted"] for line in lines} == {False}


# --- feedback ---


@pytest.fixture
def without_examples(winnow: Winnow) -> Winnow:
    """A live version of three labels. Further trainings try only linear, which takes less time."""
    # With so few examples the names alone are better: the gate would say no.
    made(winnow, tolerance=1)
    winnow.parameters["Encoder"] = "none"
    return winnow


def test_feedback_makes_it_an_ordinary_model(without_examples: Winnow) -> None:
    winnow = without_examples
    received = add(winnow, examples("baking", "gardening", "cycling"))
    version = winnow.version()

    assert (received["new_labels"], received["version"]) == ([], 2)
    assert (version["status"], version["live"], version["warnings"], version["recipe"]) == ("ready", True, [], "linear")
    assert version["evaluation"]["measured_by"] == "cross-validation"
    whole = {"s3bucket": None, "base": {"version": 1}, "examples": 36, "feedback_examples": 36, "labels": 3}
    assert whole.items() <= version["dataset"].items()
    # The gate asked the version without examples the same held-out texts.
    assert (version["gate"]["passed"], version["gate"]["against"], version["gate"]["examples"]) == (True, 1, 36)
    assert version["gate"]["live_macro_f1"] > 0.8
    compared = winnow.call("compare_versions", path={"model_id": "tc-01", "version": "1"}, query={"to": "2"})
    assert (compared.status, compared.body["examples"]) == (200, 36)
    # And on: feedback on the ordinary version builds on its examples.
    add(winnow, [{"text": "My saddle is too low", "label": "cycling"}])
    assert {"examples": 37, "base": {"version": 2}}.items() <= winnow.version()["dataset"].items()


def test_labels_without_examples_do_not_vanish_silently(without_examples: Winnow) -> None:
    winnow = without_examples
    add(winnow, [*examples("baking", "gardening"), *examples("cycling")[:1]])
    version = winnow.version()

    assert (version["status"], version["live"], winnow.model()["live_version"]) == ("ready", False, 1)
    assert version["warnings"] == ["The version doesn't know 'cycling', which had fewer than 2 texts: send examples."]
    assert "But it doesn't know 'cycling'" in version["gate"]["reason"]
    # The examples that the refused version learnt count again.
    add(winnow, examples("cycling")[1:])
    version = winnow.version()
    assert (version["live"], version["dataset"]["examples"], version["dataset"]["labels"]) == (True, 36, 3)
    assert version["warnings"] == []


@pytest.mark.slow
def test_feedback_from_before_the_names_is_not_learnt_again(winnow: Winnow) -> None:
    winnow.parameters["Encoder"] = "none"
    winnow.put_dataset()
    winnow.train(tolerance=1)
    add(winnow, [{"text": "Spam and eggs", "label": "cooking"}, {"text": "Eggs and spam", "label": "cooking"}])
    winnow.parameters["Encoder"] = "minilm"
    assert made(winnow, force_update=True)["live"] is True
    winnow.parameters["Encoder"] = "none"
    add(winnow, examples("baking", "gardening", "cycling"))
    assert (winnow.version()["dataset"]["examples"], winnow.version()["dataset"]["labels"]) == (36, 3)


@pytest.mark.slow
@pytest.mark.parametrize("labels", [("baking",), ("baking", "gardening", "cycling")])
def test_too_little_feedback_is_refused_and_kept(without_examples: Winnow, labels: tuple[str, ...]) -> None:
    winnow = without_examples
    few = [record for label in labels for record in examples(label)[: 1 if len(labels) > 1 else 12]]
    add(winnow, few)
    version = winnow.version()

    assert version["status"] == "failed"
    assert f"2 texts or more of {1 if len(labels) == 1 else 0} labels" in version["error"]
    assert (winnow.model()["live_version"], winnow.model()["waiting_examples"]) == (1, len(few))
    rest = [record for record in examples("baking", "gardening", "cycling") if record not in few]
    add(winnow, rest)
    assert (winnow.version()["live"], winnow.version()["dataset"]["examples"]) == (True, 36)


@pytest.mark.slow
def test_a_handful_of_feedback_trains(without_examples: Winnow) -> None:
    winnow = without_examples
    add(winnow, [record for label in ("baking", "gardening", "cycling") for record in examples(label)[:2]])
    assert winnow.version()["status"] == "ready", winnow.version()["error"]


@pytest.mark.slow
def test_feedback_with_several_labels(winnow: Winnow) -> None:
    made(winnow, ["travel", "money", "food"], exclusive=False)
    winnow.parameters["Encoder"] = "none"
    add(winnow, [json.loads(line) for line in (DATA / "multilabel.jsonl").read_text().splitlines()])
    version = winnow.version()
    assert (version["status"], version["dataset"]["exclusive"]) == ("ready", False)
