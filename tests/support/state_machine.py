"""What the Amazon States Language means, as far as our workflows speak it: choices, paths, results (https://states-language.net)."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]


class MapRunFailedError(Exception):
    """An item of a Distributed Map failed: States.ExceedToleratedFailureThreshold."""


def choose(state: Json, data: Json) -> str:
    """The state that a Choice of the workflow leads to."""
    for choice in state["Choices"]:
        if at_path(data, choice["Variable"]) is choice["BooleanEquals"]:
            return str(choice["Next"])
    return str(state["Default"])


def at_path(data: Any, path: str) -> Any:
    """What lies at a path of the workflow, such as $.candidate.done."""
    for member in path.split(".")[1:]:
        data = data[member]
    return data


def with_result(data: Json, path: str | None, result: Any) -> Any:
    """A state's input with its result at this path: "$" in its place, None nowhere."""
    if path is None:
        return data
    members = path.split(".")[1:]
    if not members:
        return result
    return data | {members[0]: with_result(data.get(members[0], {}), ".".join(["$", *members[1:]]), result)}


def failure(error: Exception, request_id: str) -> Json:
    """What Step Functions hands to a Catch when a Python Lambda raised the error."""
    name = type(error).__name__
    cause = {"errorMessage": str(error), "errorType": name, "requestId": request_id, "stackTrace": []}
    return {"Error": name, "Cause": json.dumps(cause)}
