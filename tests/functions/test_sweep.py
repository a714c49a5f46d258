"""The scheduled sweep: it starts the trainings that never started. (Deletions: test_delete_model.py.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import Context, load_event

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow

SWEEP = "functions/upkeep/sweep"


@pytest.fixture
def broken(winnow: Winnow) -> pytest.MonkeyPatch:
    """Start no workflow until undone."""
    patched = pytest.MonkeyPatch()
    patched.setattr(winnow, "names", {**winnow.names, "TrainingWorkflow": f"{winnow.names['TrainingWorkflow']}-that-is-gone"})
    return patched


def test_a_training_whose_workflow_did_not_start_is_started_by_the_sweep(winnow: Winnow, broken: pytest.MonkeyPatch) -> None:
    winnow.put_dataset()
    answer = winnow.create(n_iter=1)
    broken.undo()
    assert (answer.status, winnow.version()["status"], winnow.executions()) == (202, "queued", [])

    winnow.invoke(SWEEP, load_event("upkeep/sweep"))

    assert len(winnow.executions()) == 1
    winnow.run_workflow(winnow.started_job())
    assert winnow.version()["status"] == "ready"


def test_what_was_started_is_not_started_twice(winnow: Winnow) -> None:
    winnow.create()

    winnow.invoke(SWEEP, load_event("upkeep/sweep"))

    assert len(winnow.executions()) == 1


def test_a_name_that_was_used_before_does_not_end_the_sweep(winnow: Winnow) -> None:
    winnow.create()
    [execution] = winnow.executions()
    winnow.stepfunctions.stop_execution(executionArn=execution["executionArn"])

    winnow.invoke(SWEEP, load_event("upkeep/sweep"))

    assert len(winnow.executions()) == 1


def test_what_is_training_or_ended_is_left_alone(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.create(id="tc-02")
    winnow.invoke("functions/training/prepare", winnow.started_job())
    winnow.create(id="tc-03")
    winnow.call("cancel_version", path={"model_id": "tc-03", "version": "1"})
    before = [winnow.version(model_id) for model_id in ("tc-01", "tc-02", "tc-03")]
    executions = len(winnow.executions())

    winnow.invoke(SWEEP, load_event("upkeep/sweep"))

    assert [winnow.version(model_id) for model_id in ("tc-01", "tc-02", "tc-03")] == before
    assert len(winnow.executions()) == executions


def test_deletions_are_finished_though_a_training_cannot_be_started(ready: Ready, broken: pytest.MonkeyPatch) -> None:
    winnow = ready("exclusive.json")
    winnow.invoke("functions/api/delete_model", load_event("api/delete_model"), Context(seconds=5))
    winnow.create(id="tc-02")
    assert winnow.objects()

    winnow.invoke(SWEEP, load_event("upkeep/sweep"))

    assert winnow.objects() == {}
