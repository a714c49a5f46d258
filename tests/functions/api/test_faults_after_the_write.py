"""A request that has written its rows has succeeded. What fails after that is logged, and the sweeper does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.feedback import labelled
from tests.support.metrics import sweep
from winnow.registry.idempotency import AnsweredRequests
from winnow.registry.slots import Slots
from winnow.storage.feedback_objects import FeedbackObjects
from winnow.storage.model_objects import ModelObjects

if TYPE_CHECKING:
    from tests.conftest import Answer, Ready, Winnow
    from tests.support.clock import Clock


def fail(*_: Any) -> None:
    message = "the write was refused again and again"
    raise RuntimeError(message)


def add(winnow: Winnow, headers: dict[str, str] | None = None) -> Answer:
    return winnow.call("add_examples", body={"examples": labelled(2), "retrain": "now"}, headers=headers)


def test_a_registered_version_is_202_and_the_sweeper_starts_it(
    winnow: Winnow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Slots, "give", fail)
        answer = winnow.create()
    assert (answer.status, answer.body["version"], winnow.executions()) == (202, 1, [])

    sweep(winnow, capsys)

    assert winnow.started_job()["job"]["version"] == 1


def test_kept_feedback_is_201_and_the_sweeper_starts_its_training(
    ready: Ready, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    winnow = ready("exclusive.json")
    before = winnow.executions()
    with monkeypatch.context() as broken:
        broken.setattr(Slots, "give", fail)
        answer = add(winnow)
    assert (answer.status, answer.body["retrain"], answer.body["version"]) == (201, "started", 2)
    assert winnow.executions() == before

    sweep(winnow, capsys)

    assert winnow.started_job()["job"]["version"] == 2


def test_kept_feedback_is_201_though_no_version_could_be_registered(
    ready: Ready, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    winnow = ready("exclusive.json")
    with monkeypatch.context() as broken:
        broken.setattr("winnow.registry.training_jobs.Jobs.create_version", fail)
        answer = add(winnow)
    assert (answer.status, answer.body["retrain"], answer.body["waiting"], answer.body["version"]) == (201, "waiting", 2, None)

    assert sweep(winnow, capsys)["RetrainingsStarted"] == 1

    assert winnow.started_job()["job"]["version"] == 2


def test_feedback_whose_answer_could_not_be_kept_is_201(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow = ready("exclusive.json")
    with monkeypatch.context() as broken:
        broken.setattr(AnsweredRequests, "complete", fail)
        first = add(winnow, {"Idempotency-Key": "a-key"})
    again = add(winnow, {"Idempotency-Key": "a-key"})

    assert (first.status, first.body["retrain"], first.body["version"]) == (201, "started", 2)
    assert (again.status, again.body["batch"], again.body["version"]) == (201, first.body["batch"], 2)


@pytest.mark.parametrize("call", ["delete_model", "delete_version"])
def test_what_is_gone_is_202_and_the_sweeper_removes_its_objects(
    ready: Ready, monkeypatch: pytest.MonkeyPatch, clock: Clock, capsys: pytest.CaptureFixture[str], call: str
) -> None:
    winnow = ready("exclusive.json")
    number = "1"
    if call == "delete_version":
        number = str(winnow.train(force_update=True, promote="never")["version"])
    kept = len(winnow.objects())
    with monkeypatch.context() as broken:
        broken.setattr(ModelObjects, "remove_model", fail)
        broken.setattr(ModelObjects, "remove_version", fail)
        answer = winnow.call(call, path={"model_id": "tc-01"} | ({"version": number} if call == "delete_version" else {}))
    assert (answer.status, answer.body["status"], len(winnow.objects())) == (202, "deleting", kept)

    clock.advance(minutes=17)

    assert sweep(winnow, capsys)["DeletionsFinished"] == 1
    assert len(winnow.objects()) < kept


def test_a_batch_that_is_taken_back_is_200_and_the_sweeper_removes_its_object(
    ready: Ready, monkeypatch: pytest.MonkeyPatch, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    winnow = ready("exclusive.json")
    batch = winnow.call("add_examples", body={"examples": labelled(2), "retrain": "no"}).body["batch"]
    with monkeypatch.context() as broken:
        broken.setattr(FeedbackObjects, "remove", fail)
        answer = winnow.call("delete_examples", path={"model_id": "tc-01", "batch": batch})
    assert answer.status == 200

    clock.advance(hours=25)

    assert sweep(winnow, capsys) == {"OrphansRemoved": 1}
