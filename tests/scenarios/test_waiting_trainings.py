"""A limit on trainings at once and on their time: trainings without a slot wait for their turn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.conftest import load_event
from tests.support.metrics import sweep
from winnow.aws import resources
from winnow.domain.job import Progress, Stage, TrainingJob
from winnow.domain.model import VersionStatus

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow
    from tests.support.clock import Clock


@pytest.fixture
def two_at_once(winnow: Winnow) -> Winnow:
    """A deployment that trains at most two versions at once, and five models, requested in this order."""
    winnow.parameters["MostTrainings"] = "2"
    winnow.put_dataset()
    for name in "edcba":
        assert winnow.create(id=name, n_iter=1, recipe="linear").status == 202
    return winnow


def started(winnow: Winnow) -> list[str]:
    """The models whose workflow was started, in order."""
    return [job["job"]["model_id"] for job in jobs(winnow)]


def jobs(winnow: Winnow) -> list[Json]:
    found = [winnow.stepfunctions.describe_execution(executionArn=each["executionArn"]) for each in winnow.executions()]
    return [json.loads(each["input"]) for each in sorted(found, key=lambda each: each["startDate"])]


def one_ended(winnow: Winnow) -> None:
    """Send the event of the registry's stream when a training ended."""
    winnow.invoke("functions/upkeep/start_waiting", load_event("upkeep/start_waiting"))


def status(winnow: Winnow, model_id: str) -> str:
    return str(winnow.version(model_id)["status"])


def test_so_many_start_and_the_others_wait_in_the_order_in_which_they_were_asked_for(two_at_once: Winnow) -> None:
    assert started(two_at_once) == ["e", "d"]
    assert {status(two_at_once, name) for name in "edcba"} == {"queued"}

    two_at_once.run_workflow(jobs(two_at_once)[1])
    one_ended(two_at_once)
    assert started(two_at_once) == ["e", "d", "c"]
    one_ended(two_at_once)
    assert started(two_at_once) == ["e", "d", "c"]

    two_at_once.run_workflow(jobs(two_at_once)[0])
    two_at_once.run_workflow(jobs(two_at_once)[2])
    one_ended(two_at_once)
    assert started(two_at_once) == ["e", "d", "c", "b", "a"]


@pytest.mark.parametrize("end", ["cancel", "delete", "fail"])
def test_however_a_training_ends_its_slot_is_free(two_at_once: Winnow, end: str) -> None:
    [first, _] = jobs(two_at_once)
    match end:
        case "cancel":
            assert two_at_once.call("cancel_version", path={"model_id": "e", "version": "1"}).status == 200
        case "delete":
            assert two_at_once.call("delete_model", path={"model_id": "e"}).status in {200, 202}
        case "fail":
            two_at_once.invoke("functions/training/fail", first | {"failure": load_event("training/fail")["failure"]})
    one_ended(two_at_once)

    assert started(two_at_once) == ["e", "d", "c"]


def test_what_was_cancelled_or_deleted_while_it_waited_loses_its_turn(two_at_once: Winnow) -> None:
    two_at_once.call("cancel_version", path={"model_id": "c", "version": "1"})
    two_at_once.call("delete_model", path={"model_id": "b"})
    two_at_once.run_workflow(jobs(two_at_once)[0])
    one_ended(two_at_once)

    assert started(two_at_once) == ["e", "d", "a"]


def test_the_sweep_counts_those_that_wait_and_leaves_them_waiting_for_as_long_as_it_takes(
    two_at_once: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    clock.advance(minutes=4)
    assert sweep(two_at_once, capsys) == {"WaitingTrainings": 3}
    for job in jobs(two_at_once):
        note(two_at_once, job)
    clock.advance(minutes=15)
    assert sweep(two_at_once, capsys) == {"WaitingTrainings": 3}
    assert {status(two_at_once, name) for name in "cba"} == {"queued"}
    assert len(jobs(two_at_once)) == 2


def test_the_sweep_starts_what_no_stream_told_of(two_at_once: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    for job in jobs(two_at_once):
        two_at_once.run_workflow(job)
    clock.advance(days=3)

    assert sweep(two_at_once, capsys) == {"WaitingTrainings": 1}
    assert started(two_at_once) == ["e", "d", "c", "b"]
    # A wait of days does not count: they run as if they were new.
    for job in jobs(two_at_once)[2:]:
        assert two_at_once.run_workflow(job) == "Publish"
    assert status(two_at_once, "b") == "ready"


def test_a_training_fails_that_takes_longer_than_the_deployment_allows(
    winnow: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    winnow.parameters["LongestTraining"] = "30"
    winnow.create()
    job = winnow.started_job()
    for _ in range(3):
        note(winnow, job)
        clock.advance(minutes=9)
        assert sweep(winnow, capsys) == {}
    note(winnow, job)
    clock.advance(minutes=4)
    assert sweep(winnow, capsys) == {"TrainingsFailed": 1}

    version = winnow.version()
    assert version["status"] == "failed"
    assert "longer than the 30 minutes that this deployment allows" in version["error"]
    assert [execution["status"] for execution in winnow.executions()] == ["ABORTED"]


def test_versions_from_feedback_wait_for_their_turn_too(two_at_once: Winnow) -> None:
    for job in jobs(two_at_once):
        two_at_once.run_workflow(job)
    one_ended(two_at_once)
    body = {"examples": [{"text": "a new text", "labels": ["saving"]}], "retrain": "now"}
    answer = two_at_once.call("add_examples", path={"model_id": "e"}, body=body)
    assert (answer.status, answer.body["retrain"]) == (201, "started")

    assert started(two_at_once) == ["e", "d", "c", "b"]
    for job in jobs(two_at_once)[2:]:
        two_at_once.run_workflow(job)
    one_ended(two_at_once)
    assert started(two_at_once) == ["e", "d", "c", "b", "a", "e"]


def note(winnow: Winnow, job: Json) -> None:
    """Note that the training goes on, as each of its tasks does."""
    with winnow.settings("functions/training/train"):
        resources.jobs().note(TrainingJob.from_event(job["job"]), VersionStatus.TRAINING, Progress.of(Stage.TRAINING))
