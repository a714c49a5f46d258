"""A text unlike all training texts has no accepted label: "none of these"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from winnow.recipes.catalogue import COSTS

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow

STARTS = [
    "How do I start with",
    "Which tools are best for",
    "I have a problem with",
    "Who can help me with",
    "Is it hard to learn about",
    "Please explain",
]
TOPICS = {
    "baking": ["bread dough and yeast", "a sponge cake in the oven", "flour and butter for pastry", "rising sourdough bread"],
    "cycling": ["a flat tyre on my bike", "the brakes of a bike", "bike chains and gears", "the back wheel of a racing bike"],
    "gardening": ["tulip bulbs in the garden", "pruning roses in spring", "weeds in a flower bed", "seeds in garden soil"],
}
# Of each label, a text that isn't learnt.
KNOWN = [f"{STARTS[0]} {topics[0]}" for topics in TOPICS.values()]
STRANGE = ["The parliament voted on the new budget", "def main(): return 0", "Our lawyer wrote that contract", "ﷺ ﷺ ﷺ"]


@pytest.fixture
def deployed(winnow: Winnow) -> Winnow:
    winnow.parameters["Encoder"] = "minilm"
    texts = [(f"{start} {rest}", label) for start in STARTS for label, topics in TOPICS.items() for rest in topics]
    winnow.put_dataset([{"text": text, "label": label} for text, label in texts if text not in KNOWN])
    return winnow


def accepted(winnow: Winnow, texts: list[str]) -> list[bool]:
    answer = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": texts, "n_top": 1})
    assert answer.status == 200, answer.body
    return [prediction["labels"][0]["accepted"] for prediction in answer.body["predictions"]]


@pytest.mark.parametrize("recipe", COSTS)
def test_a_text_of_none_of_the_labels_has_none_accepted(deployed: Winnow, recipe: str) -> None:
    deployed.train(recipe=recipe, n_iter=8)

    assert accepted(deployed, KNOWN) == [True] * 3
    assert accepted(deployed, [*STRANGE, "asdf qwer", ".", "Der Zug nach Köln fährt heute später"]) == [False] * 7


@pytest.mark.parametrize("recipe", ["linear", "best"])
def test_the_evaluation_says_what_is_let_through_and_what_is_refused(deployed: Winnow, recipe: str) -> None:
    version = deployed.train(recipe=recipe, n_iter=8)
    report: Json = deployed.call("get_evaluation", path={"model_id": "tc-01", "version": "1"}).body

    strangers = report["strangers"]
    assert strangers["labels"] == 1  # a fifth of three, and at least one
    assert strangers["texts"] >= 8
    assert strangers["let_through"] < strangers["let_through_by_score"]
    assert strangers["refused"] >= strangers["refused_by_score"]
    headline = version["evaluation"]
    assert headline["let_through"] == strangers["let_through"]
    assert 0 < headline["least_familiarity"] < 1.3
