"""Check requests and answers against the contract, openapi.yaml. Also reads template.yaml to compare it with the contract.

A test checks an answer with one line:

check_answer("GET", "/models/tc-01", 200, headers, body)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

ROOT = Path(__file__).parents[2]
PROBLEM = "application/problem+json"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_MOST_FAULTS_SHOWN = 5


@cache
def document() -> dict[str, Any]:
    """openapi.yaml as written. Tests must not change it."""
    # The C loader: in Python alone this takes most of a second.
    loaded: dict[str, Any] = yaml.load((ROOT / "openapi.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    return loaded


@cache
def contract() -> dict[str, Any]:
    """openapi.yaml with every $ref replaced by its target, so that each part is complete."""
    resolved: dict[str, Any] = _resolved(document())
    return resolved


@cache
def template(name: str = "template.yaml") -> dict[str, Any]:
    """A template, with CloudFormation's tags as objects with one member: !Ref X is {"Ref": "X"}."""
    # _CloudFormation is a safe loader.
    loaded: dict[str, Any] = yaml.load((ROOT / name).read_text(encoding="utf-8"), _CloudFormation)  # noqa: S506
    return loaded


@cache
def definition(workflow: str) -> dict[str, Any]:
    """A workflow's state machine. The Resource of a task is what the template substitutes for its name: {"GetAtt": "Train.Arn"}."""
    properties = template()["Resources"][workflow]["Properties"]
    resources = {f"${{{name}}}": to for name, to in properties["DefinitionSubstitutions"].items()}

    def with_resource(state: dict[str, Any]) -> dict[str, Any]:
        return state | {"Resource": resources.get(state["Resource"], state["Resource"])} if "Resource" in state else state

    read: dict[str, Any] = json.loads((ROOT / properties["DefinitionUri"]).read_text(encoding="utf-8"), object_hook=with_resource)
    return read


def monitoring() -> dict[str, Any]:
    """The template of the alarms and the dashboard, in the same form."""
    return template("operations/monitoring.yaml")


def functions() -> dict[str, dict[str, Any]]:
    """The properties of the template's functions, by logical id."""
    return {name: it["Properties"] for name, it in template()["Resources"].items() if it["Type"] == "AWS::Serverless::Function"}


def events() -> dict[str, tuple[str, dict[str, Any]]]:
    """The template's routes as "METHOD /path/{name}", each with its function's logical id and the event's properties."""
    return {
        f"{event['Properties']['Method']} {event['Properties']['Path']}": (name, event["Properties"])
        for name, properties in functions().items()
        for event in properties.get("Events", {}).values()
        if event["Type"] == "Api"
    }


def method_settings() -> dict[str, dict[str, Any]]:
    """The template's settings for single routes, by "METHOD /path/{name}", and "* *" for all others."""
    settings: list[dict[str, Any]] = template()["Resources"]["Api"]["Properties"]["MethodSettings"]
    return {f"{it['HttpMethod']} {it['ResourcePath'].removeprefix('/').replace('~1', '/')}": it for it in settings}


def operations() -> dict[str, dict[str, Any]]:
    """The operations by "METHOD /path/{name}", each with the parameters of its path."""
    return {
        f"{method.upper()} {path}": {**item[method], "parameters": [*item.get("parameters", []), *item[method].get("parameters", [])]}
        for path, item in contract()["paths"].items()
        for method in METHODS
        if method in item
    }


def check_answer(method: str, path: str, status: int, headers: Mapping[str, str], body: Any) -> None:
    """Fail unless the contract allows this answer to this call. path: below the base URL, without a query. body: parsed JSON or text."""
    call, operation = _operation(method, path)
    answer = operation["responses"].get(str(status))
    assert answer is not None, f"{call} answered {status}; openapi.yaml has {', '.join(operation['responses'])}. The body was: {body!r}"
    where = f"{call} → {status}"
    given = {name.lower(): value for name, value in headers.items()}
    for name, header in answer.get("headers", {}).items():
        assert name.lower() in given or not header.get("required"), f"{where} lacks the header {name}."
        if name.lower() in given:
            _check(given[name.lower()], header["schema"], f"{where}: the header {name}")
    if "content" not in answer:
        assert not body, f"{where} has no body in openapi.yaml. It was: {body!r}"
        return
    media_type = given.get("content-type", "").partition(";")[0].strip().lower()
    assert media_type in answer["content"], f"{where} has the content type {media_type!r}; openapi.yaml has {', '.join(answer['content'])}."
    _check(body, answer["content"][media_type]["schema"], f"{where}: the body")
    if status >= 400:
        assert body["status"] == status, f"{where}: the problem says that its status is {body['status']}."


def check_request(method: str, path: str, query: Mapping[str, str] | None, body: Any) -> None:
    """Fail unless the contract allows this call. body: parsed, or None."""
    call, operation = _operation(method, path)
    found = _path_pattern(call.partition(" ")[2]).fullmatch(path)
    assert found is not None
    query = query or {}
    parameters = {(parameter["in"], parameter["name"]): parameter for parameter in operation["parameters"]}
    for name in query:
        assert ("query", name) in parameters, f"{call} takes no query parameter {name!r}."
    for (place, name), parameter in parameters.items():
        if place == "header":
            continue
        given = found.groupdict() if place == "path" else query
        assert name in given or not parameter.get("required"), f"{call} lacks the {place} parameter {name!r}."
        if name in given:
            _check(given[name], parameter["schema"], f"{call}: the {place} parameter {name!r}")
    request = operation.get("requestBody")
    if request is None:
        assert body is None, f"{call} takes no body."
        return
    schema = request["content"]["application/json"]["schema"]
    if body is not None:
        assert not query, f"{call}: the fields must be in the query or in the body, not in both."
        _check(body, schema, f"{call}: the body")
    else:
        assert not request.get("required"), f"{call} lacks its body."
        _check(dict(query), schema, f"{call}: the query parameters")


def faults(instance: Any, schema: Mapping[str, Any]) -> list[str]:
    """The instance's faults, each with its place. Empty if it matches the schema."""
    return [fault for error in Draft202012Validator(schema).iter_errors(instance) for fault in _faults(error)]


class _CloudFormation(yaml.CSafeLoader):
    """YAML with CloudFormation's tags."""


def _tagged(loader: yaml.CSafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    match node:
        case yaml.ScalarNode():
            return {tag: loader.construct_scalar(node)}
        case yaml.SequenceNode():
            return {tag: loader.construct_sequence(node, deep=True)}
        case yaml.MappingNode():
            return {tag: loader.construct_mapping(node, deep=True)}
    raise AssertionError(node)


_CloudFormation.add_multi_constructor("!", _tagged)


def _faults(error: ValidationError) -> Iterator[str]:
    """The fault. If the instance matches none of several schemas, the faults under the likeliest one."""
    if not error.context:
        yield f"{error.json_path}: {error.message}"
        return
    branches: dict[int | str, list[ValidationError]] = {}
    for cause in error.context:
        branches.setdefault(cause.schema_path[0], []).append(cause)
    fewest = min(len(causes) for causes in branches.values())
    for causes in branches.values():
        if len(causes) == fewest:
            for cause in causes:
                yield from _faults(cause)


def _check(instance: Any, schema: Mapping[str, Any], what: str) -> None:
    found = faults(instance, schema)
    lines = "".join(f"\n  {fault}" for fault in found[:_MOST_FAULTS_SHOWN])
    assert not found, f"{what} is not as openapi.yaml says:{lines}\n  It was: {instance!r}"


def _operation(method: str, path: str) -> tuple[str, dict[str, Any]]:
    """The operation for a real path, and its name: "METHOD /path/{name}"."""
    for call, operation in operations().items():
        its_method, _, its_path = call.partition(" ")
        if its_method == method.upper() and _path_pattern(its_path).fullmatch(path):
            return call, operation
    raise AssertionError(f"openapi.yaml has no {method.upper()} {path}; it has {', '.join(operations())}.")


def _path_pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template)))


def _resolved(node: Any) -> Any:
    if isinstance(node, list):
        return [_resolved(member) for member in node]
    if not isinstance(node, dict):
        return node
    beside = {name: _resolved(member) for name, member in node.items() if name != "$ref"}
    if "$ref" not in node:
        return beside
    target = _resolved(_target(node["$ref"]))
    # The members beside a schema's $ref hold as well (JSON Schema 2020-12, 8.2.3.1).
    return {**beside, "allOf": [target]} if beside else target


def _target(reference: str) -> Any:
    assert reference.startswith("#/"), f"openapi.yaml points outside itself: {reference}"
    target: Any = document()
    for name in reference.removeprefix("#/").split("/"):
        target = target[name.replace("~1", "/").replace("~0", "~")]
    return target
