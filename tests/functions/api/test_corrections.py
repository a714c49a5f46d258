"""Feedback that names examples: corrected labels, texts that are dropped, and suspects that are dismissed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import load_dataset
from tests.functions.training.test_suspects import rows
from tests.support import objects
from tests.support.feedback import add, frozen, labelled
from tests.support.races import before_write
from winnow.domain.dataset import example_id
from winnow.recipes.catalogue import COSTS
from winnow.training import learnt_examples

if TYPE_CHECKING:
    from tests.conftest import Json, Once, Ready, Winnow

EXCLUSIVE = load_dataset("exclusive.json")
UNKNOWN = "0123456789abcdef"


@pytest.fixture(autouse=True)
def _cold() -> None:
    """No index is in memory."""
    learnt_examples._kept.clear()


@pytest.fixture
def held_out(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> Winnow:
    """A version with test examples."""
    monkeypatch.setattr("winnow.recipes.catalogue._MOST_CROSS_VALIDATED", dict.fromkeys(COSTS, 10))
    winnow.put_dataset()
    winnow.train()
    return winnow


@pytest.fixture
def suspicious(winnow: Winnow, once: Once) -> Winnow:
    """A version with four suspects or more."""

    def train() -> None:
        examples = rows("baking", "cycling", "gardening", "sailing")
        for row, label in {3: "cycling", 20: "sailing", 34: "baking", 50: "gardening"}.items():
            examples[row - 1]["label"] = label
        winnow.put_dataset(examples)
        winnow.train(n_iter=8, keep_texts=True)

    return once("suspicious examples", train)


def ids(winnow: Winnow, *texts: str) -> list[str]:
    [row] = [row for row in winnow.table.scan()["Items"] if row["pk"] == "MODELS"]
    return [example_id(str(row["uid"]), text) for text in texts]


def retrained(winnow: Winnow, examples: list[Json]) -> Json:
    """The version that a training on these lines makes."""
    answer = add(winnow, examples, retrain="now")
    assert answer.status == 201, answer.body
    winnow.run_workflow(winnow.started_job())
    version: Json = winnow.version()
    return version


def learnt(winnow: Winnow, version: int) -> dict[str, list[str]]:
    """The labels of the texts that the version learnt or was tested on."""
    return {each["text"]: each["labels"] for part in ("train", "test") for each in frozen(winnow, version, part)}


def listed(winnow: Winnow, version: int) -> list[Json]:
    examples: list[Json] = winnow.call(
        "list_version_examples", path={"model_id": "tc-01", "version": str(version)}, query={"limit": "1000"}
    ).body["examples"]
    return examples


def suspects(winnow: Winnow, version: int = 1, **query: str) -> Json:
    body: Json = winnow.call("get_suspects", path={"model_id": "tc-01", "version": str(version)}, query=query).body
    return body


def test_named_examples_get_labels_are_dropped_or_stay(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    texts = [each["text"] for each in EXCLUSIVE]
    relabelled, dropped, kept = ids(winnow, texts[0], texts[1], texts[2])
    other = next(each["label"] for each in EXCLUSIVE if each["label"] != EXCLUSIVE[0]["label"])

    version = retrained(
        winnow,
        [
            {"example": relabelled, "label": other},
            {"example": dropped, "drop": True},
            {"example": kept, "keep": True},
            {"text": "Quite another text", "label": other},
        ],
    )

    assert version["status"] == "ready", version["error"]
    now = learnt(winnow, 2)
    assert (now.pop(texts[0]), now.pop("Quite another text")) == ([other], [other])
    assert now == {each["text"]: [each["label"]] for each in EXCLUSIVE[2:]}
    told = version["dataset"]
    assert (told["feedback_examples"], told["removed"], told["relabelled"], told["examples"]) == (2, 1, 1, len(EXCLUSIVE))
    # What was kept is still the data set's own.
    [same] = [each for each in listed(winnow, 2) if each["example"] == kept]
    assert (same["source"], same["row"]) == ("training_object", 3)


def test_a_text_of_the_test_set_is_dropped_there(held_out: Winnow) -> None:
    tested = [each for each in listed(held_out, 1) if each["split"] == "test"]

    version = retrained(held_out, [{"example": tested[0]["example"], "drop": True}])

    assert version["dataset"]["test_examples"] == len(tested) - 1
    assert [each["example"] for each in listed(held_out, 2) if each["split"] == "test"] == [each["example"] for each in tested[1:]]
    assert version["dataset"]["examples"] == len(EXCLUSIVE) - 1


def test_the_newest_word_on_a_text_counts(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    first, second, third = (each["text"] for each in EXCLUSIVE[:3])
    one, two, three = ids(winnow, first, second, third)
    label = EXCLUSIVE[0]["label"]
    add(
        winnow,
        [{"example": one, "drop": True}, {"example": two, "label": "cycling"}, {"text": "never learnt", "label": label}],
        retrain="no",
    )
    add(
        winnow,
        [{"text": first.upper(), "label": "cycling"}, {"example": two, "drop": True}, {"example": three, "drop": True}],
        retrain="no",
    )

    version = retrained(winnow, [{"example": three, "keep": True}, *labelled(2, label, "more ")])

    assert version["status"] == "ready", version["error"]
    now = learnt(winnow, 2)
    assert now[first.upper()] == ["cycling"]
    assert second not in now
    assert now[third] == [label]


def test_several_labels_are_corrected_too(ready: Ready) -> None:
    winnow = ready("multilabel.jsonl")
    several = load_dataset("multilabel.jsonl")
    one, two = ids(winnow, several[0]["text"], several[1]["text"])
    labels = sorted({label for each in several for label in each["labels"]})[:2]

    version = retrained(winnow, [{"example": one, "labels": labels}, {"example": two, "labels": []}])

    assert version["status"] == "ready", version["error"]
    assert (learnt(winnow, 2)[several[0]["text"]], learnt(winnow, 2)[several[1]["text"]]) == (labels, [])


def test_dropped_feedback_is_not_learnt_and_may_come_again(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    version = retrained(winnow, labelled(3, "card"))
    assert version["live"], version["gate"]
    [first] = ids(winnow, "card text number 0")

    assert retrained(winnow, [{"example": first, "drop": True}])["dataset"]["removed"] == 1
    assert "card text number 0" not in learnt(winnow, 3)
    retrained(winnow, [{"text": "card text number 0", "label": "card"}])
    assert learnt(winnow, 4)["card text number 0"] == ["card"]


def test_kept_suspects_are_gone_at_once_and_for_good(suspicious: Winnow) -> None:
    before = suspects(suspicious)
    worst, *others = before["suspects"]
    assert worst["example"] == ids(suspicious, worst["text"])[0]
    add(suspicious, [{"example": worst["example"], "keep": True}], retrain="no")

    after = suspects(suspicious)

    assert after["suspects"] == others
    assert after["found"] == before["found"] - 1
    # A cursor from before leads on where it did.
    page = suspects(suspicious, limit="1")
    assert page["suspects"] == others[:1]
    assert suspects(suspicious, limit="1", next=page["next"])["suspects"] == others[1:2]
    version = retrained(suspicious, labelled(2, "baking", "new "))
    assert version["status"] == "ready", version["error"]
    again = suspects(suspicious, 2)
    assert worst["example"] not in {each.get("example") for each in again["suspects"]}
    assert {each["example"] for each in others} & {each.get("example") for each in again["suspects"]}


def test_what_was_dismissed_is_not_among_those_that_a_new_version_keeps(suspicious: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.evaluation.suspects.MOST_FINDINGS", 1)
    [worst] = retrained_suspects(suspicious, 2)
    add(suspicious, [{"example": worst["example"], "keep": True}], retrain="no")

    [next_one] = retrained_suspects(suspicious, 3)

    assert next_one["example"] != worst["example"]


def retrained_suspects(winnow: Winnow, version: int) -> list[Json]:
    assert winnow.train(force_update=True, n_iter=8, keep_texts=True)["version"] == version
    found: list[Json] = suspects(winnow, version)["suspects"]
    return found


def test_a_batch_that_is_taken_back_brings_its_suspects_back(suspicious: Winnow) -> None:
    before = suspects(suspicious)
    batch = add(suspicious, [{"example": each["example"], "keep": True} for each in before["suspects"][:2]], retrain="no").body["batch"]
    assert suspects(suspicious)["found"] == before["found"] - 2

    suspicious.call("delete_examples", path={"model_id": "tc-01", "batch": batch})

    assert suspects(suspicious) == before
    assert not [row for row in suspicious.table.scan()["Items"] if row["pk"].startswith("KEPT#")]


def test_a_deleted_model_leaves_nothing_dismissed(suspicious: Winnow) -> None:
    add(suspicious, [{"example": suspects(suspicious)["suspects"][0]["example"], "keep": True}], retrain="no")

    assert suspicious.call("delete_model").status == 200

    assert not [row for row in suspicious.table.scan()["Items"] if row["pk"].startswith(("KEPT#", "FEEDBACK#"))]


def test_there_is_a_limit_of_dismissed_suspects(suspicious: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.training.feedback.MOST_KEPT", 2)
    found = [each["example"] for each in suspects(suspicious)["suspects"]]
    add(suspicious, [{"example": each, "keep": True} for each in found[:2]], retrain="no")

    refused = add(suspicious, [{"example": found[2], "keep": True}], retrain="no")

    assert (refused.status, refused.body["field"]) == (422, "examples")
    assert "at most 2 dismissed suspects" in refused.body["detail"]
    assert add(suspicious, [{"example": found[1], "keep": True}], retrain="no").status == 201


@pytest.mark.parametrize("what", [{"label": "baking"}, {"drop": True}, {"keep": True}])
def test_an_unknown_id_is_named(ready: Ready, what: Json) -> None:
    winnow = ready("exclusive.json")
    [known] = ids(winnow, EXCLUSIVE[0]["text"])

    answer = add(winnow, [{"example": known, "keep": True}, {"example": UNKNOWN, **what}])

    assert (answer.status, answer.body["type"], answer.body["field"]) == (
        404,
        "urn:winnow:problem:example-not-found",
        "examples[1].example",
    )
    assert f"Version 1 of model 'tc-01', which feedback builds on, has no example '{UNKNOWN}'" in answer.body["detail"]
    assert winnow.model()["waiting_examples"] == 0
    assert not [key for key in winnow.objects() if "/feedback/" in key]


def test_another_model_s_id_is_unknown(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    own = ids(winnow, EXCLUSIVE[0]["text"])
    winnow.train(id="tc-02")

    answer = winnow.call("add_examples", path={"model_id": "tc-02"}, body={"examples": [{"example": own[0], "drop": True}]})

    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:example-not-found")


@pytest.mark.parametrize(
    "item",
    [
        {"example": UNKNOWN},
        {"example": UNKNOWN, "drop": False},
        {"example": UNKNOWN, "drop": True, "keep": True},
        {"example": UNKNOWN, "drop": True, "label": "a"},
        {"example": UNKNOWN, "text": "a", "label": "a"},
        {"text": "a", "drop": True},
        {"text": "a", "keep": True},
        {"example": "x", "drop": True},
        {"example": UNKNOWN.upper(), "drop": True},
        {"example": UNKNOWN, "label": " "},
    ],
)
def test_an_item_says_one_thing(ready: Ready, item: Json) -> None:
    answer = add(ready("exclusive.json"), [item])

    assert (answer.status, answer.body["type"]) == (422, "urn:winnow:problem:invalid-field")
    assert answer.body["field"].startswith("examples[0]")


def test_an_exclusive_model_s_example_has_one_label(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    [known] = ids(winnow, EXCLUSIVE[0]["text"])

    answer = add(winnow, [{"example": known, "labels": ["baking", "cycling"]}])

    assert (answer.status, answer.body["field"]) == (422, "examples[0]")


def test_a_label_left_with_too_few_texts_is_said_at_once(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    label = EXCLUSIVE[0]["label"]
    texts = [each["text"] for each in EXCLUSIVE if each["label"] == label]
    all_but_one = ids(winnow, *texts[1:])

    for what in ({"drop": True}, {"label": "another"}):
        answer = add(winnow, [{"example": each, **what} for each in all_but_one])
        assert (answer.status, answer.body["field"]) == (422, "examples")
        assert f"fewer than 2 would be left of '{label}'" in answer.body["detail"]
    # The request itself may bring another text.
    assert (
        add(winnow, [*({"example": each, "drop": True} for each in all_but_one), {"text": "x", "label": label}], retrain="no").status == 201
    )


def test_a_label_left_with_too_few_texts_by_several_batches_is_said_by_the_training(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    label = EXCLUSIVE[0]["label"]
    texts = [each["text"] for each in EXCLUSIVE if each["label"] == label]
    add(winnow, [{"text": "x", "label": "cycling"}], retrain="no")

    version = retrained(winnow, [{"example": each, "drop": True} for each in ids(winnow, *texts[1:])])

    assert version["status"] == "failed"
    assert f"fewer than 2 are left of '{label}'" in version["error"]
    assert winnow.model()["waiting_examples"] == len(texts)


def test_a_version_of_an_earlier_release_has_no_examples_to_name(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    known = ids(winnow, EXCLUSIVE[0]["text"])
    objects.forget_digests(winnow)

    answer = add(winnow, [{"example": known[0], "drop": True}])

    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:examples-not-found")
    assert add(winnow, labelled(1)).status == 201


def test_ids_are_of_the_version_that_is_live_when_they_are_written(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    retrained(winnow, labelled(3, "card"))
    [new] = ids(winnow, "card text number 0")

    with before_write(lambda: winnow.call("promote_version", body={"version": 1})) as others:
        answer = add(winnow, [{"example": new, "drop": True}], retrain="no")
    assert (others[0].status, answer.status) == (200, 201), "the registry took it while version 2 was live"
    # Version 1 doesn't know it.
    assert add(winnow, [{"example": new, "drop": True}], retrain="no").status == 404


def test_a_batch_shows_what_it_says(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    known = ids(winnow, EXCLUSIVE[0]["text"], EXCLUSIVE[1]["text"], "new")
    sent: list[Json] = [{"example": known[0], "drop": True}, {"example": known[1], "keep": True}, {"text": "new", "label": "cycling"}]
    batch = add(winnow, sent, retrain="no").body["batch"]
    path = {"model_id": "tc-01", "batch": batch}

    first = winnow.call("get_feedback_batch", path=path, query={"limit": "2"}).body
    second = winnow.call("get_feedback_batch", path=path, query={"limit": "2", "next": first["next"]}).body

    assert (first["batch"], first["pending"], second["next"]) == (batch, True, None)
    assert [*first["examples"], *second["examples"]] == [
        {"example": known[0], "action": "drop", "labels": [EXCLUSIVE[0]["label"]]},
        {"example": known[1], "action": "keep", "labels": [EXCLUSIVE[1]["label"]]},
        {"example": known[2], "action": "label", "labels": ["cycling"]},
    ]
    retrained(winnow, labelled(1))
    assert winnow.call("get_feedback_batch", path=path).body["pending"] is False


def test_a_batch_has_texts_if_they_are_kept_and_only_as_many_as_fit(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow.put_dataset()
    winnow.train(keep_texts=True)
    batch = add(winnow, labelled(5), retrain="no").body["batch"]
    monkeypatch.setattr("winnow.api.paging.MOST_BYTES", 250)
    path = {"model_id": "tc-01", "batch": batch}

    found: list[Json] = []
    query: dict[str, str] = {}
    while True:
        page = winnow.call("get_feedback_batch", path=path, query=query).body
        assert 0 < len(page["examples"]) < 5
        found += page["examples"]
        if page["next"] is None:
            break
        query = {"next": page["next"]}

    assert [each["text"] for each in found] == [each["text"] for each in labelled(5)]


def test_a_batch_that_is_not_there_or_has_changed(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    answer = winnow.call("get_feedback_batch")
    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:batch-not-found")
    path = {"model_id": "tc-01", "batch": add(winnow, labelled(1), retrain="no").body["batch"]}
    objects.replace(winnow, ".jsonl.gz".join([f"/feedback/{path['batch']}", ""]), b"x")

    assert winnow.call("get_feedback_batch", path=path).body["type"] == "urn:winnow:problem:artifact"
    assert winnow.call("get_feedback_batch", path=path | {"model_id": "tc-09"}).body["type"] == "urn:winnow:problem:model-not-found"
