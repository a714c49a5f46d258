"""The feedback of versions that fail or are deleted. (Versions that succeed: test_retraining.py.)"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.conftest import load_event
from tests.support.feedback import add, frozen, labelled, set_properties, told
from tests.support.metrics import sweep

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow
    from tests.support.clock import Clock


# --- versions that fail ---


def fail(winnow: Winnow) -> None:
    winnow.invoke("functions/training/fail", winnow.started_job() | {"failure": load_event("training/fail")["failure"]})


def cancel(winnow: Winnow) -> None:
    number = winnow.model()["latest_version"]
    assert winnow.call("cancel_version", path={"model_id": "tc-01", "version": str(number)}).status == 200


def expire(winnow: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    winnow.invoke("functions/training/prepare", winnow.started_job())
    clock.advance(minutes=66)
    assert sweep(winnow, capsys) == {"TrainingsFailed": 1}


@pytest.mark.parametrize("how", ["fail", "cancel", "expire"])
def test_what_a_failed_training_took_waits_again_and_is_not_tried_until_more_comes(
    ready: Ready, clock: Clock, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    winnow = ready("exclusive.json")
    set_properties(winnow, retrain_after=3)
    ends = {"fail": lambda: fail(winnow), "cancel": lambda: cancel(winnow), "expire": lambda: expire(winnow, clock, capsys)}
    for number in (2, 3):
        assert add(winnow, labelled(3, prefix=f"{number} ")).body["version"] == number
        ends[how]()
        assert told(winnow) == (number, 3 * (number - 1), 1)
        clock.advance(minutes=6)
        assert sweep(winnow, capsys) == {}

    answer = add(winnow, labelled(1, "atm")).body

    assert (answer["retrain"], answer["version"]) == ("started", 4)
    winnow.run_workflow(winnow.started_job())
    assert winnow.version()["dataset"]["feedback_examples"] == 7
    assert told(winnow) == (4, 0, 4)


def test_what_came_while_a_training_failed_counts_with_what_it_took(ready: Ready, capsys: pytest.CaptureFixture[str]) -> None:
    winnow = ready("exclusive.json")
    set_properties(winnow, retrain_after=3)
    add(winnow, labelled(3))
    assert add(winnow, labelled(1, "atm")).body["retrain"] == "waiting"
    cancel(winnow)

    assert sweep(winnow, capsys) == {"RetrainingsStarted": 1}
    winnow.run_workflow(winnow.started_job())
    assert winnow.version()["dataset"]["feedback_examples"] == 4


def test_a_job_that_was_cancelled_writes_nothing_of_what_it_took(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    add(winnow, retrain="now")
    job = winnow.started_job()
    cancel(winnow)

    assert winnow.run_workflow(job) == "Failed"

    assert told(winnow) == (2, 2, 1)


def test_where_the_base_is_deleted_meanwhile_the_version_says_so_and_the_feedback_waits(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.train(promote="never")
    add(winnow, retrain="now")
    job = winnow.started_job()
    assert winnow.call("delete_version", path={"model_id": "tc-01", "version": "1"}).status == 200

    assert winnow.run_workflow(job) == "Failed"

    assert "Version 1, whose examples this version builds on, was deleted:" in winnow.version()["error"]
    assert told(winnow) == (2, 2, None)


def test_where_nothing_is_left_to_build_on_the_sweeper_passes_it_over(winnow: Winnow, capsys: pytest.CaptureFixture[str]) -> None:
    winnow.put_dataset()
    winnow.train(promote="never")
    winnow.create(force_update=True)
    add(winnow, retrain="now")
    winnow.call("cancel_version", path={"model_id": "tc-01", "version": "2"})
    winnow.call("delete_version", path={"model_id": "tc-01", "version": "1"})

    assert sweep(winnow, capsys) == {}


def test_what_no_version_can_be_made_of_is_said(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    add(winnow, [{"text": f"t {number}", "label": f"label {number}"} for number in range(999)], retrain="now")

    assert winnow.run_workflow(winnow.started_job()) == "Failed"

    assert "With the feedback there are 1,002 labels: at most 1,000" in winnow.version()["error"]
    assert told(winnow) == (2, 999, 1)


def test_a_repeated_prepare_changes_nothing(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    add(winnow, labelled(7), retrain="now")
    job = winnow.started_job()
    winnow.invoke("functions/training/prepare", job)
    first, dataset = frozen(winnow, 2, "train"), winnow.version()["dataset"]
    add(winnow, labelled(7, "atm"), retrain="no")

    winnow.invoke("functions/training/prepare", job)

    assert (frozen(winnow, 2, "train"), winnow.version()["dataset"]) == (first, dataset)


# --- versions that are deleted ---


def test_deleting_a_model_removes_its_feedback(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    add(winnow)
    add(winnow, retrain="now")

    assert winnow.call("delete_model", path={"model_id": "tc-01"}).status == 200

    assert {row["pk"] for row in winnow.table.scan()["Items"]} == {"DELETIONS", "TRAININGS", "HISTORY#tc-01"}
    assert winnow.objects() == {}


def test_an_object_of_feedback_without_a_row_goes_after_a_day(ready: Ready, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    winnow = ready("exclusive.json")
    batch = add(winnow).body["batch"]
    [key] = [key for key in winnow.objects() if "/feedback/" in key]
    lost = key.replace(batch, "20260302T091641007-1a2b3c4d")
    winnow.s3.copy_object(Bucket=winnow.names["Models"], CopySource={"Bucket": winnow.names["Models"], "Key": key}, Key=lost)
    before = set(winnow.objects())

    clock.ahead = timedelta(hours=23)
    assert sweep(winnow, capsys) == {}
    clock.ahead = timedelta(hours=47)
    assert sweep(winnow, capsys) == {"OrphansRemoved": 1}

    assert before - set(winnow.objects()) == {lost}
