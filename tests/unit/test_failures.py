"""The sentences for failures that no task expected."""

from __future__ import annotations

from typing import Any

import pytest

from winnow.aws.tasks import unforeseen


@pytest.mark.parametrize("error", ["Sandbox.Timedout", "States.Timeout", "Runtime.ExitError", "Runtime.OutOfMemory"])
def test_running_out_of_time_or_memory_comes_with_advice(error: str) -> None:
    sentence = unforeseen({"Error": error, "Cause": '{"errorMessage":"2026-11-23T15:40:00.000Z Task timed out after 900.00 seconds"}'})

    assert error in sentence
    assert "n_texts" in sentence
    assert "n_iter" in sentence


@pytest.mark.parametrize(
    ("failure", "name"),
    [
        ({"Error": "KeyError", "Cause": '{"errorMessage":"\'job\'","errorType":"KeyError"}'}, "KeyError"),
        ({"Error": "Runtime.HandlerError", "Cause": '{"errorMessage":"x","errorType":"KeyError"}'}, "KeyError"),
        ({"Error": "Lambda.Unknown", "Cause": "The cause could not be determined"}, "Lambda.Unknown"),
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
