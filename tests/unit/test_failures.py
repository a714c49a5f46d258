"""The sentences for failures that no task expected."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.contract import definition
from winnow.aws.tasks import unforeseen


@pytest.mark.parametrize("error", ["Sandbox.Timedout", "States.Timeout", "Runtime.ExitError", "Runtime.OutOfMemory", "Lambda.Unknown"])
def test_running_out_of_time_or_memory_comes_with_advice(error: str) -> None:
    sentence = unforeseen({"Error": error, "Cause": '{"errorMessage":"2026-11-23T15:40:00.000Z Task timed out after 900.00 seconds"}'})

    assert error in sentence
    assert "n_texts" in sentence
    assert "n_iter" in sentence
    assert "TrainingMemory" in sentence
    assert "internal error" not in sentence


@pytest.mark.parametrize("workflow", ["TrainingWorkflow", "BatchWorkflow"])
def test_each_error_after_which_a_killed_task_runs_again_is_one_of_time_or_memory(workflow: str) -> None:
    killed = re.findall(r"'((?:Sandbox|Runtime)\.\w+|Lambda\.Unknown)'", str(definition(workflow)))
    assert {"Sandbox.Timedout", "Lambda.Unknown", "Runtime.ExitError", "Runtime.OutOfMemory"} == set(killed)
    assert all("ran out of time or memory" in unforeseen({"Error": error}) for error in killed)


@pytest.mark.parametrize(
    ("failure", "name"),
    [
        ({"Error": "KeyError", "Cause": '{"errorMessage":"\'job\'","errorType":"KeyError"}'}, "KeyError"),
        ({"Error": "Runtime.HandlerError", "Cause": '{"errorMessage":"x","errorType":"KeyError"}'}, "KeyError"),
        ({"Error": "States.Runtime", "Cause": ""}, "States.Runtime"),
        ({"Error": "States.TaskFailed"}, "States.TaskFailed"),
        ({"Error": "E", "Cause": None}, "E"),
        ({"Error": "E", "Cause": "[1, 2]"}, "E"),
        ({"Error": "E", "Cause": "null"}, "E"),
        ({}, "unknown"),
    ],
)
def test_any_other_is_named_by_its_class(failure: dict[str, Any], name: str) -> None:
    assert f"an internal error ({name})" in unforeseen(failure)


def test_the_message_of_an_unforeseen_error_is_not_shown() -> None:
    assert "s3cret" not in unforeseen({"Error": "ValueError", "Cause": '{"errorMessage":"s3cret","errorType":"ValueError"}'})
