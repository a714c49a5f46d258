"""The parts of the Amazon States Language that our workflows use (https://states-language.net)."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

Json = dict[str, Any]

# The same for every invocation. Lambda gives each its own.
REQUEST_ID = "2c3d4b6e-cf8f-4b3f-944d-2ed928e84f9d"


class MapRunFailedError(Exception):
    """An item of a Distributed Map failed: States.ExceedToleratedFailureThreshold."""


@dataclass(frozen=True)
class StateMachine:
    """A state machine of the template, or the one of a Map's items, run in this process.

    invoke(FUNCTION, INPUT): calls a task's function, by its name in the template. get_object(Bucket=, Key=): reads for an ItemReader.
    """

    definition: Json
    invoke: Callable[[str, Json], Any]
    get_object: Callable[..., bytes]

    def run(self, data: Json, start_at: str) -> tuple[str, Json]:
        """Run from this state with this input. Raises an error that no Catch handles.

        Returns the name of the last state and its output.
        """
        name = start_at
        while (state := self.definition["States"][name])["Type"] in {"Task", "Map", "Choice"}:
            if state["Type"] == "Choice":
                name = _choose(state, data)
                continue
            after = state
            try:
                result = self._map(state, data) if state["Type"] == "Map" else self._task(state, data)
            except Exception as error:
                if "Catch" not in state:
                    raise
                [after] = state["Catch"]
                result = _failure(error)
            data = json.loads(json.dumps(_with_result(data, after.get("ResultPath", "$"), result)))
            if after.get("End"):
                break
            name = after["Next"]
        return name, _at_path(data, state.get("OutputPath", "$"))

    def _task(self, state: Json, data: Json) -> Any:
        return self.invoke(state["Resource"]["GetAtt"].removesuffix(".Arn"), data)

    def _map(self, state: Json, data: Json) -> list[Json]:
        """The results of a Map, one item after the other."""
        machine, made = replace(self, definition=state["ItemProcessor"]), []
        for item in self._items(state, data):
            whole = data | {"$Map": {"Item": {"Value": item}}}
            selected = {
                name.removesuffix(".$"): _at_path(whole, path.replace("$$.Map", "$.$Map")) for name, path in state["ItemSelector"].items()
            }
            end, output = machine.run(deepcopy(selected), machine.definition["StartAt"])
            if machine.definition["States"][end]["Type"] == "Fail":
                raise MapRunFailedError
            made.append(output)
        return made

    def _items(self, state: Json, data: Json) -> Any:
        if "ItemReader" not in state:
            return _at_path(data, state["ItemsPath"])
        where = {name.removesuffix(".$"): _at_path(data, path) for name, path in state["ItemReader"]["Parameters"].items()}
        return json.loads(self.get_object(**where))


def _choose(state: Json, data: Json) -> str:
    """The next state of a Choice."""
    for choice in state["Choices"]:
        if _at_path(data, choice["Variable"]) is choice["BooleanEquals"]:
            return str(choice["Next"])
    return str(state["Default"])


def _at_path(data: Any, path: str) -> Any:
    """The value at a path of the workflow, such as $.candidate.done."""
    for member in path.split(".")[1:]:
        data = data[member]
    return data


def _with_result(data: Json, path: str | None, result: Any) -> Any:
    """A state's input with its result at this path: "$" replaces the input, None drops the result."""
    if path is None:
        return data
    members = path.split(".")[1:]
    if not members:
        return result
    return data | {members[0]: _with_result(data.get(members[0], {}), ".".join(["$", *members[1:]]), result)}


def _failure(error: Exception) -> Json:
    """What Step Functions gives to a Catch after a Python Lambda raised this error."""
    name = type(error).__name__
    cause = {"errorMessage": str(error), "errorType": name, "requestId": REQUEST_ID, "stackTrace": []}
    return {"Error": name, "Cause": json.dumps(cause)}
