"""The recipe best through the API: its two encoders in the registry, the stages of its answers, of a batch and of its evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.conftest import load_event
from tests.support.batches import TEXTS, done, put, result
from tests.support.custom_resource import answer_of
from tests.support.word_vectors import LIGHT, MAIN, WordVectors
from winnow.recipes import contrast, encoder
from winnow.recipes.encoder import MINILM, MULTILINGUAL
from winnow.training import cascade

if TYPE_CHECKING:
    from tests.conftest import Winnow

CHECK = "functions/upkeep/check_encoders"
IN_LAYER = {MINILM: MAIN, MULTILINGUAL: LIGHT}
BOTH = [{"name": LIGHT.name, "digest": LIGHT.digest}, {"name": MAIN.name, "digest": MAIN.digest}]


@pytest.fixture
def deployed(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> Winnow:
    """A deployment with a data set and two encoders that know words only."""
    monkeypatch.setattr(contrast, "_STEPS", 3)
    # 36 examples prove so little that no stage but the last would answer.
    monkeypatch.setattr(cascade, "_MOST_LOST", 0.5)
    monkeypatch.setattr(encoder, "installed", in_layer(IN_LAYER))
    winnow.parameters["Encoder"] = "minilm"
    winnow.put_dataset()
    return winnow


def in_layer(encoders: dict[str, WordVectors]) -> Callable[..., WordVectors]:
    return lambda name=MINILM: encoders[name]


def test_the_answers_of_its_versions_and_batches_name_their_stages(deployed: Winnow) -> None:
    version = deployed.train(recipe="best", n_iter=4)
    assert (version["status"], version["encoder"], version["encoders"]) == ("ready", BOTH[1], BOTH)

    answer = deployed.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": TEXTS, "n_top": 1})
    stages = [prediction["stage"] for prediction in answer.body["predictions"]]
    assert len(set(stages)) > 1
    alone = deployed.call("predict", body={"model_id": "tc-01", "text": TEXTS[0]}, event="predict_post_text")
    assert alone.body["stage"] == stages[0]

    put(deployed, TEXTS)
    assert [line["stage"] for line in result(deployed, done(deployed))] == stages

    told = deployed.call("get_evaluation", path={"model_id": "tc-01", "version": "1"}).body
    assert [(stage["stage"], stage["encoder"]) for stage in told["stages"]] == [
        ("linear", None),
        ("light", LIGHT.name),
        ("best", MAIN.name),
    ]
    assert sum(stage["texts"] for stage in told["stages"]) == told["examples"]


def test_suspects_are_what_the_last_stage_says(deployed: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed.put_dataset("multilabel.jsonl")
    found = []
    for number, lost in enumerate([50.0, -1.0], start=1):
        # The first version's early stages answer most texts, the second one's none.
        monkeypatch.setattr(cascade, "_MOST_LOST", lost)
        deployed.train(recipe="best", n_iter=4, force_update=True)
        told = deployed.call("get_evaluation", path={"model_id": "tc-01", "version": str(number)}).body
        assert (told["stages"][-1]["texts"] == told["examples"]) == (lost < 0)
        found.append(deployed.call("get_suspects", path={"model_id": "tc-01", "version": str(number)}).body)

    assert found[0] | {"version": 2} == found[1]


def test_versions_of_other_recipes_have_no_stages(deployed: Winnow) -> None:
    version = deployed.train(recipe="light", n_iter=4)
    assert (version["encoder"], version["encoders"]) == (BOTH[0], BOTH[:1])

    assert "stage" not in deployed.call("predict", "predict_post_text").body
    assert deployed.call("get_evaluation", path={"model_id": "tc-01", "version": "1"}).body["stages"] is None


def test_no_deployment_removes_either_encoder(deployed: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed.create(recipe="best")
    deployed.run_task("train", deployed.run_task("prepare", deployed.started_job()))
    # The next release's layer has another multilingual encoder.
    monkeypatch.setattr(encoder, "installed", in_layer(IN_LAYER | {MULTILINGUAL: WordVectors(MULTILINGUAL, "3" * 64, 40)}))
    deployed.environments.clear()
    refused = answer_of(deployed, monkeypatch, CHECK, load_event("upkeep/check_encoders") | {"RequestType": "Update"})

    assert refused["Status"] == "FAILED"
    assert refused["Reason"].startswith(
        "1 version (tc-01 1) would stop answering: This version was trained with the sentence encoder use-m"
    )


def test_german_texts_are_read_by_the_encoder_that_speaks_german(deployed: Winnow) -> None:
    german = ["Wie tief setze ich die Zwiebeln in die Erde", "Mein Fahrrad hat einen platten Reifen und ich finde keine Pumpe"]
    labels = ("garten", "rad")
    deployed.put_dataset(
        [{"text": f"{german[kind]} {word}", "label": labels[kind]} for kind in (0, 1) for word in ["heute", "morgen", "gestern"]]
    )

    assert deployed.train(recipe="best", n_iter=2)["encoders"] == BOTH[:1]
    report = deployed.call("get_report", path={"model_id": "tc-01", "version": "1"}).body
    assert [found for found in report["report"]["problems"] if found["kind"] == "foreign-language"] == []
