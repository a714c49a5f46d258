"""Feedback on the local cloud: a model of Banking77 that lacks ten labels learns them, and wrong labels do it no harm."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import batched
from pathlib import Path
from typing import Any

import pytest

from benchmarks.splits import banking77
from tests.e2e.conftest import Deployed
from winnow.domain.dataset import Example

DATA = Path(__file__).parents[3] / "shared" / "data" / "banking77"
ID = "banking"
MISSING = 10


@pytest.mark.skipif(not DATA.is_dir(), reason=f"Banking77 (train.csv and test.csv) is not in the folder {DATA}")
def test_feedback_teaches_new_labels_and_the_gate_refuses_poison(api: Deployed) -> None:
    split = banking77(DATA)
    labels = sorted({example.labels[0] for example in split.train})
    missing, swapped = set(labels[:MISSING]), dict(zip(labels[20:28], [*labels[21:28], labels[20]], strict=True))
    base = [example for example in split.train if example.labels[0] not in missing]
    dataset = api.client.upload("banking77.jsonl", "\n".join(json.dumps(shown(example)) for example in base).encode())
    # Each of the three trainings uses the cheapest recipe: the recipe doesn't matter here.
    api.client.train(ID, dataset, recipe="linear")
    assert api.client.wait(ID)["version"]["dataset"]["labels"] == len(labels) - MISSING
    asked = [example for example in split.test if example.labels[0] in missing]
    assert accuracy(api, asked) == 0

    taught = send(api, [shown(example) for example in split.train if example.labels[0] in missing])
    assert set(taught["new_labels"]) <= missing
    model = api.client.wait(ID)
    assert (model["live_version"], model["version"]["version"], model["version"]["source"]) == (2, 2, "feedback"), model["version"]["gate"]
    assert model["version"]["gate"]["passed"]
    assert model["waiting_examples"] == 0
    assert accuracy(api, asked) > 0.8

    send(api, [{**shown(example), "label": swapped[example.labels[0]]} for example in base if example.labels[0] in swapped])
    model = api.client.wait(ID)
    gate = model["version"]["gate"]
    assert (model["live_version"], model["version"]["version"], model["version"]["status"], gate["passed"]) == (2, 3, "ready", False)
    assert "less than" in gate["reason"]
    compared = api.request("GET", f"/models/{ID}/versions/2/compare?to=3").json()
    # compare can't know that the newest labels are wrong. It says whose labels it counts; by them, the swapped labels changed the most.
    assert compared["labels_of"] == 3
    assert {change["label"] for change in compared["per_label"][-4:]} <= set(swapped)
    api.request("DELETE", f"/models/{ID}")


def shown(example: Example) -> dict[str, Any]:
    return {"text": example.text, "label": example.labels[0]}


def send(api: Deployed, examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Send feedback, at most 1,000 examples per request. The last request asks for the training."""
    parts = list(batched(examples, 1000, strict=False))
    for number, part in enumerate(parts, start=1):
        body = {"examples": list(part), "retrain": "now" if number == len(parts) else "no"}
        answer = api.request("POST", f"/models/{ID}/examples", json=body)
        assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    # Examples in training are no longer pending.
    assert (told["retrain"], told["waiting"]) == ("started", 0)
    return told


def accuracy(api: Deployed, examples: Sequence[Example]) -> float:
    right = 0
    for part in batched(examples, 100, strict=False):
        body = {"model_id": ID, "texts": [example.text for example in part], "n_top": 1}
        predictions = api.request("POST", "/prediction", json=body).json()["predictions"]
        right += sum(found["labels"][0]["label"] == example.labels[0] for found, example in zip(predictions, part, strict=True))
    return right / len(examples)
