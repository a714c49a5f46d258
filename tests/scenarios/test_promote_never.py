"""POST /models with "promote": "never": the version is trained, but not promoted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Json, Ready, Winnow


def train(winnow: Winnow, **fields: Any) -> Json:
    winnow.put_dataset()
    return winnow.train(force_update=True, **fields)


def promote(winnow: Winnow, number: int) -> Json:
    answer = winnow.call("promote_version", body={"version": number})
    assert answer.status == 200
    body: Json = answer.body
    return body


def test_the_version_is_ready_and_the_live_one_stays(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    version = train(winnow, promote="never")

    assert (version["version"], version["status"], version["live"], version["promote"]) == (2, "ready", False, "never")
    assert (winnow.model()["live_version"], winnow.model()["labels"]) == (1, 3)
    assert winnow.call("predict", "predict_get_body").body["version"] == 1
    assert promote(winnow, 2)["live_version"] == 2


def test_not_even_the_first_goes_live_and_a_prediction_says_what_to_do(winnow: Winnow) -> None:
    assert train(winnow, promote="never")["status"] == "ready"

    model = winnow.model()
    assert (model["status"], model["live_version"], model["labels"]) == ("ready", None, None)
    answer = winnow.call("predict", "predict_get_body")
    assert (answer.status, answer.body["type"]) == (409, "urn:winnow:problem:model-not-ready")
    assert 'PUT /models/tc-01/live {"version": 1}' in answer.body["detail"]

    assert promote(winnow, 1)["status"] == "ready"
    winnow.environments.clear()
    assert winnow.call("predict", "predict_get_body").body["version"] == 1


def test_while_the_next_is_trained_the_model_is_training_and_after_it_failed_it_is_failed(winnow: Winnow) -> None:
    train(winnow, promote="never")
    winnow.create(force_update=True)
    assert winnow.model()["status"] == "training"
    assert 'PUT /models/tc-01/live {"version": 1}' in winnow.call("predict", "predict_get_body").body["detail"]

    winnow.invoke("functions/training/fail", winnow.started_job() | {"failure": {"Error": "States.Timeout", "Cause": "{}"}})
    assert winnow.model()["status"] == "failed"
    assert promote(winnow, 1)["status"] == "ready"


def test_auto_is_what_is_done_when_nothing_is_said(winnow: Winnow) -> None:
    assert [train(winnow, **given)["promote"] for given in ({}, {"promote": "auto"})] == ["auto", "auto"]
    assert winnow.model()["live_version"] == 2


@pytest.mark.parametrize("given", ["Never", "", True, 1, []])
def test_another_word_is_refused(winnow: Winnow, given: Any) -> None:
    answer = winnow.create(promote=given)

    assert (answer.status, answer.body["field"]) == (422, "promote")
