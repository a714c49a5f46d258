"""The workflows: their definitions by the schema, and their retries when Lambda can't start a task's function at the moment."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from operations import definitions
from tests.support.contract import ROOT, definition, functions, template
from winnow.registry.batch_predictions import RUNNING_LEASE
from winnow.registry.training_jobs import WORKING_LEASE

LEASES = {"TrainingWorkflow": WORKING_LEASE, "BatchWorkflow": RUNNING_LEASE}


def tasks(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            yield name, state
        if state["Type"] == "Map":
            yield from tasks(state["ItemProcessor"])


def pauses(retrier: dict[str, Any]) -> Iterator[float]:
    """The seconds before each retry: https://states-language.net/#errors."""
    for attempt in range(retrier["MaxAttempts"]):
        yield min(retrier["IntervalSeconds"] * retrier["BackoffRate"] ** attempt, retrier.get("MaxDelaySeconds", float("inf")))


ALL = [(workflow, *task) for workflow in LEASES for task in tasks(definition(workflow))]
# Tasks that report a failure retry on every error. After that, the rule on ended executions reports it.
# A container has states of its own for that (tests/functions/training/test_large_trainings.py).
OF_LAMBDA = [(workflow, name, task) for workflow, name, task in ALL if "GetAtt" in task["Resource"]]
WORK = [(workflow, name, task) for workflow, name, task in OF_LAMBDA if task["Retry"][-1]["ErrorEquals"] != ["States.ALL"]]


def test_each_task_that_works_is_looked_at() -> None:
    assert [name for _, name, _ in WORK] == ["Prepare", "Train", "Publish", "Split", "Classify", "Join"]


@pytest.mark.parametrize(("workflow", "name", "task"), OF_LAMBDA, ids=[name for _, name, _ in OF_LAMBDA])
def test_a_task_waits_for_concurrency_longer_than_a_segment_and_its_lease_is_longer(workflow: str, name: str, task: dict[str, Any]) -> None:
    [retrier] = [each for each in task["Retry"] if "Lambda.TooManyRequestsException" in each["ErrorEquals"]]
    # Each pause is a random part of its limit: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    assert retrier["JitterStrategy"] == "FULL"
    limits = list(pauses(retrier))
    # A task starts within a minute after Lambda has room again.
    assert max(limits) <= 60
    assert limits[:2] == [2, 4]
    # The sum of the pauses is close to normal. Four deviations below its mean it still is as long as a segment may be.
    mean, deviation = sum(limits) / 2, math.sqrt(sum(limit**2 for limit in limits) / 12)
    assert mean - 4 * deviation > template()["Parameters"]["TrainingTimeout"]["MaxValue"]
    longest = functions()[task["Resource"]["GetAtt"].removesuffix(".Arn")].get("Timeout", template()["Globals"]["Function"]["Timeout"])
    # A training's timeout is a parameter, at most Lambda's own limit: https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
    runs = timedelta(seconds=longest if isinstance(longest, int) else template()["Parameters"][longest["Ref"]]["MaxValue"])
    assert timedelta(seconds=sum(limits)) + runs < LEASES[workflow]


@pytest.mark.parametrize(("workflow", "name", "task"), WORK, ids=[name for _, name, _ in WORK])
def test_a_task_is_tried_again_after_each_error_of_lambda_itself(workflow: str, name: str, task: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html"""
    of_lambda = {"ServiceException", "AWSLambdaException", "SdkClientException", "ClientExecutionTimeoutException"}
    [retrier] = [each for each in task["Retry"] if {f"Lambda.{error}" for error in of_lambda} <= set(each["ErrorEquals"])]
    assert retrier["JitterStrategy"] == "FULL"


def test_the_definitions_are_of_the_amazon_states_language() -> None:
    """Takes 5 seconds of cfn-lint, as does the next."""
    assert definitions.faults(ROOT / "template.yaml") == []


def test_a_fault_in_a_definition_is_found_with_its_place(tmp_path: Path) -> None:
    # `sam validate --lint` finds neither.
    shutil.copy(ROOT / "template.yaml", tmp_path)
    for workflow, right, wrong in (
        ("training", '"Next": "Trained"', '"Next": "Nowhere"'),
        ("batch", "MaxConcurrencyPath", "MostAtOncePath"),
    ):
        file = Path("functions", workflow, "workflow.asl.json")
        written = (ROOT / file).read_text(encoding="utf-8")
        assert right in written
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(written.replace(right, wrong), encoding="utf-8")
    found = "\n".join(definitions.faults(tmp_path / "template.yaml"))
    assert "'MostAtOncePath' was unexpected" in found
    assert "TrainingWorkflow/Candidates: there is no state Nowhere" in found
    assert "TrainingWorkflow/Candidates: nothing leads to the state Trained" in found
