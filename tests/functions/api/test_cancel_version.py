"""POST /models/{model_id}/versions/{version}/cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from winnow.domain.errors import JobSupersededError

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow


def test_a_training_is_cancelled_and_its_workflow_stopped(winnow: Winnow) -> None:
    winnow.create()

    answer = winnow.call("cancel_version")

    assert answer.status == 200
    assert (answer.body["model_id"], answer.body["version"], answer.body["status"]) == ("tc-01", 1, "cancelled")
    assert [execution["status"] for execution in winnow.executions()] == ["ABORTED"]
    assert winnow.create("create_model_force_update").body["version"] == 2


def test_what_a_cancelled_job_still_writes_is_refused(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    job = winnow.started_job()
    job = winnow.run_task("prepare", job)
    winnow.call("cancel_version")

    with pytest.raises(JobSupersededError):
        winnow.run_task("train", job)

    assert winnow.version()["status"] == "cancelled"


def test_the_live_version_stays(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.create("create_model_force_update")

    answer = winnow.call("cancel_version", path={"model_id": "tc-01", "version": "2"})

    assert (answer.status, answer.body["version"], answer.body["live"]) == (200, 2, False)
    assert (winnow.model()["status"], winnow.model()["live_version"]) == ("ready", 1)
    assert winnow.call("predict", "predict_get_body").status == 200


def test_a_version_that_is_ready_or_cancelled_is_not_cancelled(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    answer = winnow.call("cancel_version")
    assert answer.status == 409
    assert "ready" in answer.body["detail"]

    winnow.create("create_model_force_update")
    second = {"model_id": "tc-01", "version": "2"}
    winnow.call("cancel_version", path=second)
    answer = winnow.call("cancel_version", path=second)
    assert answer.status == 409
    assert "cancelled" in answer.body["detail"]


def test_a_model_or_version_that_is_not_there_is_not_found(winnow: Winnow) -> None:
    assert winnow.call("cancel_version").status == 404

    winnow.create()
    answer = winnow.call("cancel_version", path={"model_id": "tc-01", "version": "2"})
    assert answer.status == 404
    assert "version 2" in answer.body["detail"]


@pytest.mark.parametrize("version", ["0", "01", "latest", "1.0", "1000000"])
def test_a_version_is_a_number(winnow: Winnow, version: str) -> None:
    answer = winnow.call("cancel_version", path={"model_id": "tc-01", "version": version})

    assert (answer.status, answer.body["field"]) == (422, "version")


def test_the_call_takes_no_fields(winnow: Winnow) -> None:
    winnow.create()

    assert winnow.call("cancel_version", body="{}").status == 200
    answer = winnow.call("cancel_version", body={"force": True})
    assert (answer.status, answer.body["field"]) == (422, "force")
