"""The parts of the Amazon States Language that our workflows use (https://states-language.net)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

Json = dict[str, Any]

# The same for every invocation. Lambda gives each its own.
REQUEST_ID = "2c3d4b6e-cf8f-4b3f-944d-2ed928e84f9d"


class MapRunFailedError(Exception):
    """An item of a Distributed Map failed: States.ExceedToleratedFailureThreshold."""


class TaskFailedError(Exception):
    """What Step Functions gives to a Catch if a task of another service than Lambda failed. error: its name."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(cause)
        self.error, self.cause = error, cause


def no_containers(_: Json) -> None:
    """For tests without containers."""
    message = "this test has no containers"
    raise AssertionError(message)


@dataclass(frozen=True)
class StateMachine:
    """A state machine of the template, or the one of a Map's items, run in this process.

    invoke(FUNCTION, INPUT): calls a task's function, by its name in the template. get_object(Bucket=, Key=): reads for an ItemReader.
    run_container(PARAMETERS): runs a task of ECS; a TaskFailedError is its failure.
    """

    definition: Json
    invoke: Callable[[str, Json], Any]
    get_object: Callable[..., bytes]
    run_container: Callable[[Json], Any] = no_containers

    def run(self, data: Json, start_at: str) -> tuple[str, Json]:
        """Run from this state with this input. Raises an error that no Catch handles.

        Returns the name of the last state and its output.
        """
        name = start_at
        while (state := self.definition["States"][name])["Type"] in {"Task", "Map", "Choice"} or "Next" in state:
            if state["Type"] == "Choice":
                name = _choose(state, data)
                continue
            if state["Type"] in {"Pass", "Wait"}:
                result = _made(state["Parameters"], data) if "Parameters" in state else data
                data, name = _with_result(data, state.get("ResultPath", "$"), result), state["Next"]
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
        if "Sub" in state["Resource"]:
            assert state["Resource"]["Sub"].endswith(":states:::ecs:runTask.sync")
            return self.run_container(_made(state["Parameters"], data))
        return self.invoke(state["Resource"]["GetAtt"].removesuffix(".Arn"), data)

    def _map(self, state: Json, data: Json) -> list[Json]:
        """The results of a Map, one item after the other."""
        machine, made = replace(self, definition=state["ItemProcessor"]), []
        for item in self._items(state, data):
            whole = data | {"$Map": {"Item": {"Value": item}}}
            paths = {
                name: path.replace("$$.Map", "$.$Map") if name.endswith(".$") else path for name, path in state["ItemSelector"].items()
            }
            selected = _made(paths, whole)
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
        if _holds(choice, data):
            return str(choice["Next"])
    return str(state["Default"])


def _holds(choice: Json, data: Json) -> bool:
    """Whether a rule of a Choice applies. A variable that isn't there ends the execution, as in Step Functions."""
    match choice:
        case {"Not": rule}:
            return not _holds(rule, data)
        case {"Variable": path, "IsPresent": bool(wanted)}:
            return _is_present(data, path) is wanted
        case {"Variable": path, "BooleanEquals": bool(wanted)}:
            return _at_path(data, path) is wanted
        case {"Variable": path, "StringEquals": str(wanted)}:
            return bool(_at_path(data, path) == wanted)
        case {"Variable": path, "StringMatches": str(pattern)}:
            # Only * is special there.
            return fnmatchcase(_at_path(data, path), pattern.replace("[", "[[]").replace("?", "[?]"))
        case {"Variable": path, "NumericGreaterThanEquals": int(least)}:
            return bool(_at_path(data, path) >= least)
    message = f"this rule isn't known here: {choice}"
    raise AssertionError(message)


def _is_present(data: Json, path: str) -> bool:
    try:
        _at_path(data, path)
    except KeyError:
        return False
    return True


def _made(template: Any, data: Json) -> Any:
    """A state's Parameters: each member whose name ends with .$ has the value of its path or its intrinsic function."""
    if isinstance(template, list):
        return [_made(each, data) for each in template]
    if not isinstance(template, dict):
        return template
    return {name.removesuffix(".$"): _value(each, data) if name.endswith(".$") else _made(each, data) for name, each in template.items()}


def _value(written: str, data: Json) -> Any:
    """The value of a path, a text in quotes, a number, or an intrinsic function."""
    found = re.fullmatch(r"States\.(\w+)\((.*)\)", written)
    if found is None:
        return _at_path(data, written) if written.startswith("$") else json.loads(written.replace("'", '"'))
    given = [_value(each, data) for each in _arguments(found[2])]
    match found[1]:
        case "Array":
            return given
        case "ArrayGetItem":
            return given[0][given[1]]
        case "JsonToString":
            return json.dumps(given[0], separators=(",", ":"))
        case "MathAdd":
            return given[0] + given[1]
        case "StringSplit":
            return given[0].split(given[1])
    message = f"this function isn't known here: {written}"
    raise AssertionError(message)


def _arguments(written: str) -> list[str]:
    """The arguments of an intrinsic function: what commas outside of parentheses and quotes divide."""
    depth, quoted, found = 0, False, [""]
    for character in written:
        quoted ^= character == "'"
        depth += (character == "(") - (character == ")")
        if character == "," and not depth and not quoted:
            found.append("")
        else:
            found[-1] += character
    return [each.strip() for each in found]


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
    """What Step Functions gives to a Catch after a Python Lambda raised this error, or a task of another service failed."""
    if isinstance(error, TaskFailedError):
        return {"Error": error.error, "Cause": error.cause}
    name = type(error).__name__
    cause = {"errorMessage": str(error), "errorType": name, "requestId": REQUEST_ID, "stackTrace": []}
    return {"Error": name, "Cause": json.dumps(cause)}
