"""The rule on ends of the workflow's executions: it reports ends of trainings that nothing else reported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Json, load_event
from tests.support.contract import functions
from tests.support.metrics import counted

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow

ENDED = "functions/upkeep/execution_ended"


def ended(job: Json, status: str = "ABORTED", **more: str) -> Json:
    """The event of the end of the job's execution with this status."""
    event = load_event("upkeep/execution_ended")
    return event | {"detail": event["detail"] | {"status": status, "input": json.dumps(job), **more}}


@pytest.mark.parametrize(
    ("status", "more", "said"),
    [
        ("ABORTED", {}, "stopped from outside"),
        ("TIMED_OUT", {}, "longer than three days"),
        ("FAILED", {"error": "States.Runtime", "cause": "The choice state's condition is null"}, "an internal error (States.Runtime)"),
        ("FAILED", {"error": "Sandbox.Timedout"}, "out of time or memory"),
    ],
)
@pytest.mark.parametrize("under_way", [False, True])
def test_a_training_whose_execution_ended_without_a_word_fails(
    winnow: Winnow, capsys: pytest.CaptureFixture[str], *, status: str, more: dict[str, str], said: str, under_way: bool
) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    job = winnow.started_job()
    if under_way:
        winnow.invoke("functions/training/prepare", job)

    winnow.invoke(ENDED, ended(job, status, **more))

    assert (winnow.version()["status"], winnow.model()["status"]) == ("failed", "failed")
    assert said in winnow.version()["error"]
    # Only a failure counts as a fault: a person who stops an execution knows about it.
    assert counted(capsys.readouterr().out) == ({"WorkflowFaults": 1} if status == "FAILED" else {})
    assert winnow.create("create_model_force_update").body["version"] == 2


@pytest.mark.parametrize("known", ["ready", "cancelled", "failed"])
def test_what_the_registry_knows_already_stays(ready: Ready, known: str) -> None:
    winnow = ready("exclusive.json")
    if known != "ready":
        winnow.create("create_model_force_update")
    job = winnow.started_job() if known != "ready" else {"job": {**job_of_row(winnow), "fence": 1}}
    if known == "cancelled":
        winnow.call("cancel_version", path={"model_id": "tc-01", "version": "2"})
    if known == "failed":
        winnow.invoke("functions/training/fail", job | {"failure": load_event("training/fail")["failure"]})
    before = winnow.table.scan()["Items"]

    for _ in range(3):
        winnow.invoke(ENDED, ended(job))

    assert winnow.version()["status"] == known
    assert winnow.table.scan()["Items"] == before


def test_the_end_of_an_execution_before_the_restart_is_of_no_interest(winnow: Winnow) -> None:
    winnow.create()
    job = winnow.started_job()
    winnow.table.update_item(
        Key={"pk": f"VERSIONS#{job['job']['uid']}", "sk": "000001"},
        UpdateExpression="SET fence = :two",
        ExpressionAttributeValues={":two": 2},
    )

    winnow.invoke(ENDED, ended(job))

    assert winnow.version()["status"] == "queued"


def test_a_deleted_model_is_of_no_interest(winnow: Winnow) -> None:
    winnow.create()
    job = winnow.started_job()
    winnow.call("delete_model")
    winnow.create()

    winnow.invoke(ENDED, ended(job))

    assert winnow.version()["status"] == "queued"


def test_the_rule_is_for_the_workflows_and_for_the_ends_that_nobody_wanted() -> None:
    [rule] = [event["Properties"]["Pattern"] for event in functions()["ExecutionEnded"]["Events"].values()]
    event = load_event("upkeep/execution_ended")

    assert rule["detail"]["stateMachineArn"] == [{"Ref": "TrainingWorkflow"}, {"Ref": "BatchWorkflow"}]
    assert sorted(rule["detail"]["status"]) == ["ABORTED", "FAILED", "TIMED_OUT"]
    assert (rule["source"], rule["detail-type"]) == ([event["source"]], [event["detail-type"]])


def job_of_row(winnow: Winnow) -> Json:
    [row] = [row for row in winnow.table.scan()["Items"] if row["pk"].startswith("VERSIONS#")]
    return {"model_id": "tc-01", "uid": row["uid"], "version": int(row["version"])}
