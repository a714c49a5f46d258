"""Executions of a workflow that is called by its alias."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from winnow.aws.workflow import Workflow

if TYPE_CHECKING:
    from tests.conftest import Winnow

PASS = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}


def test_an_execution_is_found_and_stopped_by_the_name_of_its_workflow(winnow: Winnow) -> None:
    client = winnow.stepfunctions
    role = "arn:aws:iam::123456789012:role/winnow"
    machine = client.create_state_machine(name="winnow", definition=json.dumps(PASS), roleArn=role)["stateMachineArn"]
    client.start_execution(stateMachineArn=machine, name="a-1-1", input="{}")
    workflow = Workflow(client, f"{machine}:live")
    assert workflow.status("a-1-1") == "RUNNING"
    workflow.try_to_stop("a-1-1")
    assert workflow.status("a-1-1") == "ABORTED"
    assert workflow.status("a-1-2") is None
