"""The permissions of each function and workflow, from template.yaml. This module writes the table of docs/permissions.md:

python -m tests.support.permissions
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.contract import ROOT, template

DOCUMENT = ROOT / "docs" / "permissions.md"
OWNERS = ("AWS::Serverless::Function", "AWS::Serverless::StateMachine", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")


@dataclass(frozen=True)
class Grant:
    """A policy statement. owner: the logical id of the policy's owner. condition: the template's. where: IAM's condition."""

    owner: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    where: str
    condition: str


def grants() -> list[Grant]:
    """Every statement of the template's policies for functions and workflows, in order."""
    return [grant for name, it in template()["Resources"].items() if it["Type"] in OWNERS for grant in _of(name, it)]


def table() -> str:
    """The table of docs/permissions.md."""
    rows = ["| | may | of | if |", "| --- | --- | --- | --- |"]
    owner = ""
    for grant in grants():
        ifs = "; ".join(each for each in (grant.condition, grant.where) if each)
        may = ("**not** " if grant.effect == "Deny" else "") + ", ".join(grant.actions)
        rows.append(f"| {grant.owner if grant.owner != owner else ''} | {may} | {', '.join(grant.resources)} | {ifs} |")
        owner = grant.owner
    return "\n".join(rows)


def _of(owner: str, resource: dict[str, Any]) -> Iterator[Grant]:
    properties = resource["Properties"]
    condition = resource.get("Condition", "")
    if "PolicyDocument" in properties:
        yield from _statements(owner, properties["PolicyDocument"], condition)
    for policy in properties.get("Policies", []):
        match policy:
            case {"If": [name, {"Statement": _} as document, {"Ref": "AWS::NoValue"}]}:
                yield from _statements(owner, document, name)
            case {"Statement": _}:
                yield from _statements(owner, policy, condition)
            case other:
                raise AssertionError(f"{owner} has a policy that isn't written out: {other}")


def _statements(owner: str, document: dict[str, Any], condition: str) -> Iterator[Grant]:
    for statement in _list(document["Statement"]):
        if "If" in statement:
            name, inner, otherwise = statement["If"]
            assert otherwise == {"Ref": "AWS::NoValue"}
            yield from _statements(owner, {"Statement": inner}, f"{condition} and {name}")
            continue
        assert set(statement) <= {"Effect", "Action", "Resource", "Condition"}, f"{owner} has a statement with {sorted(statement)}"
        where = ", ".join(
            f"{key} {operator} {', '.join(_named(value) for value in _list(values))}"
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
        actions, resources = tuple(_list(statement["Action"])), tuple(_named(each) for each in _list(statement["Resource"]))
        yield Grant(owner, statement["Effect"], actions, resources, where, condition)


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _named(value: Any) -> str:
    """A resource or value in readable form: with logical ids and parameters."""
    match value:
        case (str() as name) | {"Ref": str() as name}:
            return name
        case {"GetAtt": str() as name}:
            return name.removesuffix(".Arn")
        case {"Sub": str() as pattern}:
            return pattern.replace(".Arn}", "}").replace("${AWS::", "${")
        case {"Split": [_, {"Join": [_, parts]}]}:
            return ", ".join(_named(part) for part in _list(parts))
        case {"Split": [_, {"Sub": [pattern, {"Names": {"Join": [_, {"Ref": parameter}]}}]}]}:
            return str(pattern).replace("${Names}", f"${{{parameter}}}")
        case {"Join": [_, part]}:
            return _named(part)
    raise AssertionError(f"{value} has no name yet")


if __name__ == "__main__":
    DOCUMENT.write_text(DOCUMENT.read_text(encoding="utf-8").partition("| | may |")[0] + table() + "\n", encoding="utf-8")
