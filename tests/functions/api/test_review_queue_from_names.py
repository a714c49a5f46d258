"""POST and GET /models/{model_id}/queue of a model that knows only the names of its labels: each label soon gets its two texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.feedback import add
from tests.support.review import get, make
from winnow.evaluation import review_order

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow

LABELS = ("baking", "cycling", "gardening")
# Many of one label, few of the others.
BAKING = (
    "how do I whisk egg whites",
    "the dough did not rise at all",
    "can butter be frozen for a cake",
    "is parchment paper the same as foil in the oven",
    "my muffins are dry",
    "which flour makes good bread",
    "how long does a sponge cake bake",
    "icing runs off the biscuits",
    "the pie crust is soggy",
    "what does yeast need",
)
CYCLING = ("my bicycle chain fell off on the hill", "which bike saddle hurts least", "bicycle brakes squeal when it rains")
GARDENING = ("when should tomatoes be planted out in the garden", "a garden hedge that stays green", "prune the roses in the garden")
TEXTS = (*BAKING, *CYCLING, *GARDENING)


@pytest.fixture
def named(winnow: Winnow) -> Winnow:
    winnow.parameters["Encoder"] = "minilm"
    assert winnow.create(s3bucket=None, training_object=None, labels=[*LABELS]).status == 202
    winnow.run_workflow(winnow.started_job())
    return winnow


def first(winnow: Winnow, limit: int) -> list[str]:
    """The labels that the version would choose for the first texts of a new queue."""
    assert make(winnow, TEXTS).status == 201
    return [item["labels"][0]["label"] for item in get(winnow, limit)["items"]]


def answers(texts: tuple[str, ...], label: str) -> list[Json]:
    return [{"text": text, "label": label} for text in texts]


def test_each_label_is_asked_for_once_before_any_is_twice(named: Winnow) -> None:
    assert first(named, 6) == [*LABELS, *LABELS]


def test_labels_with_feedback_are_asked_for_only_until_they_have_two_texts(named: Winnow) -> None:
    add(named, [*answers(BAKING[:2], "baking"), *answers(CYCLING[:1], "cycling")])

    assert first(named, 3) == ["gardening", "cycling", "gardening"]


def test_the_newest_feedback_on_a_text_counts(named: Winnow) -> None:
    add(named, [*answers(BAKING[:2], "baking"), *answers(CYCLING[:2], "cycling"), *answers(GARDENING[:2], "gardening")])
    add(named, answers(BAKING[:1], "cycling"))

    assert first(named, 1) == ["baking"]


def test_texts_that_say_the_same_as_one_with_feedback_are_left_out(named: Winnow) -> None:
    add(named, [{"text": "How do I whisk the egg whites?", "label": "baking"}])

    assert make(named, TEXTS).body["queued"] == len(TEXTS) - 1
    assert BAKING[0] not in {item["text"] for item in get(named, 50)["items"]}


def test_a_version_with_examples_hands_out_the_least_certain_texts_as_before(named: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_order, "without_examples", lambda *_, **__: pytest.fail("the order of a version without examples"))
    few = [*answers(BAKING[:2], "baking"), *answers(CYCLING[:2], "cycling"), *answers(GARDENING[:2], "gardening")]
    add(named, few, retrain="now")
    named.run_workflow(named.started_job())
    named.call("promote_version", body={"version": 2})

    made = make(named, [*TEXTS, "How do I whisk the egg whites?"])

    assert (made.body["version"], made.body["queued"]) == (2, len(TEXTS) - len(few) + 1), "what nearly repeats an example is there"
