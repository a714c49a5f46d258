"""Scores on new texts are as high as the share of right answers, and as in the folds, also if a few labels are wrong."""

from __future__ import annotations

import json
import random
from itertools import batched
from typing import TYPE_CHECKING

import pytest

from tests.support.contract import ROOT
from winnow.recipes.catalogue import COSTS

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow

pytestmark = pytest.mark.slow

LABELS, OF_LABEL, WRONG = 4, 24, 8


def parted() -> tuple[list[Json], list[Json]]:
    """Some examples of the sample's first labels, a few of them with a wrong label, and all other examples of these labels."""
    chance = random.Random(0)
    examples = json.loads((ROOT / "local/sample/savings.json").read_text(encoding="utf-8"))
    labels = sorted({example["label"] for example in examples})[:LABELS]
    chance.shuffle(examples)
    of_label = {label: [example for example in examples if example["label"] == label] for label in labels}
    learnt = [example for label in labels for example in of_label[label][:OF_LABEL]]
    for example in chance.sample(learnt, WRONG):
        example["label"] = chance.choice([label for label in labels if label != example["label"]])
    return learnt, [example for label in labels for example in of_label[label][OF_LABEL:]]


def mean_confidence(report: Json) -> float:
    bins = [each for each in report["calibration"]["after"]["bins"] if each["count"]]
    return float(sum(each["confidence"] * each["count"] for each in bins) / sum(each["count"] for each in bins))


@pytest.mark.parametrize("recipe", COSTS)
def test_new_texts_have_scores_as_in_the_folds_and_as_often_right(winnow: Winnow, recipe: str) -> None:
    winnow.parameters["Encoder"] = "minilm"
    learnt, new = parted()
    winnow.put_dataset(learnt)
    winnow.train(recipe=recipe, n_iter=15)

    best = []
    for part in batched([example["text"] for example in new], 100, strict=False):
        answer = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": list(part), "n_top": 1})
        best += [prediction["labels"][0] for prediction in answer.body["predictions"]]

    confidence = sum(label["score"] for label in best) / len(best)
    right = sum(label["label"] == example["label"] for label, example in zip(best, new, strict=True)) / len(best)
    report = winnow.call("get_evaluation", path={"model_id": "tc-01", "version": "1"}).body
    assert abs(confidence - right) < 0.1, (confidence, right)
    assert abs(confidence - mean_confidence(report)) < 0.06, (confidence, mean_confidence(report))
    assert sum(label["accepted"] for label in best) > 0.1 * len(best)
