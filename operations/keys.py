"""`make key`, `make keys`, `make key-remove`: the API keys of a deployment and their roles (docs/keys.md).

A key is made in three steps: create it in API Gateway, add it to the usage plan of its role, add it to the registry. It works only after
the last step. If a step fails, run the same command again: it finishes the key.
"""

from __future__ import annotations

import argparse
import re
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operations import settings
from operations.settings import OperationError
from winnow.domain import access
from winnow.domain.access import KeyRole, Role
from winnow.domain.clock import now
from winnow.registry.roles import Roles

_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
# 160 random bits, as hexadecimal digits: no shell or URL has to escape them.
_KEY_BYTES = 20
# The output of the stack that names the usage plan of each role.
_PLANS = {Role.CLASSIFY: "ClassifyPlan", Role.PREDICT: "PredictPlan", Role.ADMIN: "AdminPlan"}


class KeysError(OperationError):
    """The key can't be made, found or removed."""


class NameTakenError(KeysError):
    """A finished key of this name exists."""

    def __init__(self, key: KeyRole) -> None:
        remove = f"make key-remove NAME={key.name}"
        super().__init__(f"the name {key.name} is taken by a key with the role {key.role}: choose another name, or run `{remove}` first")


@dataclass(frozen=True, slots=True)
class Deployment:
    """The keys of a stack. They are in API Gateway, where their names begin with the stack's name, and in the registry."""

    stack: str
    gateway: Any
    roles: Roles
    plans: Mapping[Role, str]

    @classmethod
    def of(cls, stack: str, session: boto3.Session, **options: Any) -> Self:
        """The stack of this name. options: for each client. Raises OperationError if there is no such stack."""
        outputs = settings.outputs(stack, session.client("cloudformation", **options))
        if not {"RegistryTable", *_PLANS.values()} <= outputs.keys():
            raise KeysError(f"the stack {stack} lacks a usage plan for a role: deploy this version of template.yaml first")
        table = session.resource("dynamodb", **options).Table(outputs["RegistryTable"])
        plans = {role: outputs[plan] for role, plan in _PLANS.items()}
        return cls(stack, session.client("apigateway", **options), Roles(table), plans)

    def add(self, name: str, role: Role) -> str:
        """Make a key, or finish one that is half done. Returns its value. Raises NameTakenError if a finished key has the name."""
        if not _NAME.fullmatch(name):
            raise KeysError("NAME must have 1 to 64 letters, digits, - or _, and begin with a letter or digit")
        found = list(self._in_gateway(name))
        for each in found:
            if known := self.roles.find(access.digest(each["value"])):
                raise NameTakenError(known)
        key = found[0] if found else self._create(name)
        self._put_into_plan(key["id"], role)
        self.roles.put(KeyRole(access.digest(key["value"]), name, role, key["id"], now(), self.plans[role]))
        return str(key["value"])

    def value(self, name: str) -> str:
        """The value of the key of this name. Raises KeysError if there is none."""
        for key in self._in_gateway(name):
            return str(key["value"])
        raise KeysError(f"there is no key {name}: `make keys` lists the keys")

    def remove(self, name: str) -> None:
        """Remove the key of this name. Its role goes first, so it stops working at once. Raises KeysError if there is no such key."""
        found = list(self._in_gateway(name))
        digests = {access.digest(key["value"]) for key in found} | {key.digest for key in self.roles.all() if key.name == name}
        if not digests:
            raise KeysError(f"there is no key {name}: `make keys` lists the keys")
        for digest in digests:
            self.roles.remove(digest)
        for key in found:
            self.gateway.delete_api_key(apiKey=key["id"])

    def table(self) -> list[tuple[str, str, str, str]]:
        """Name, role, id and creation time of each key. A half-done key has "(half done)" as its role."""
        whole = self.roles.all()
        ids = {key.key_id for key in whole}
        half = [key for key in self._in_gateway() if key["id"] not in ids]
        return [(key.name, key.role, key.key_id, key.created_at) for key in whole] + [
            (key["name"].removeprefix(self._gateway_name("")), "(half done)", key["id"], "") for key in half
        ]

    def _gateway_name(self, name: str) -> str:
        # The dot is a safe separator: stack names have none.
        return f"{self.stack}.{name}"

    def _in_gateway(self, name: str | None = None) -> Iterator[dict[str, Any]]:
        """The keys of this name, with values. Without a name, all keys of the stack, without values."""
        asked = self._gateway_name(name or "")
        pages = self.gateway.get_paginator("get_api_keys").paginate(nameQuery=asked, includeValues=name is not None)
        for page in pages:
            # API Gateway also finds longer names that begin with this one.
            yield from (key for key in page["items"] if key["name"] == asked or (name is None and key["name"].startswith(asked)))

    def _create(self, name: str) -> dict[str, Any]:
        value = secrets.token_hex(_KEY_BYTES)
        made = self.gateway.create_api_key(name=self._gateway_name(name), value=value, enabled=True)
        return {"id": made["id"], "value": value}

    def _put_into_plan(self, key_id: str, role: Role) -> None:
        """Add the key to the plan of its role, and remove it from any other plan, where an earlier try may have put it."""
        for each, plan in self.plans.items():
            if each is not role and key_id in self._keys_of(plan):
                self.gateway.delete_usage_plan_key(usagePlanId=plan, keyId=key_id)
        if key_id not in self._keys_of(self.plans[role]):
            self.gateway.create_usage_plan_key(usagePlanId=self.plans[role], keyId=key_id, keyType="API_KEY")

    def _keys_of(self, plan: str) -> set[str]:
        pages = self.gateway.get_paginator("get_usage_plan_keys").paginate(usagePlanId=plan)
        return {key["id"] for page in pages for key in page["items"]}


def main(arguments: list[str] | None = None) -> int:
    """Run the command. A failure prints one line on stderr and returns 1."""
    parser = argparse.ArgumentParser(prog="make key", description=__doc__)
    parser.add_argument("--stack")
    commands = parser.add_subparsers(dest="command", required=True)
    adding = commands.add_parser("add", help="make a key and print it once")
    adding.add_argument("name")
    adding.add_argument("role")
    commands.add_parser("list", help="list the keys, without their values")
    commands.add_parser("remove", help="remove a key").add_argument("name")
    given = parser.parse_args(arguments)
    try:
        of_stack = settings.of_stack(given.stack)
        deployment = Deployment.of(of_stack.stack, of_stack.session())
        match given.command:
            case "add":
                print(deployment.add(given.name, _role(given.role)))
                print(f"winnow: made the key {given.name} with the role {given.role}; its value is not shown again", file=sys.stderr)
            case "list":
                for row in [("name", "role", "id", "created"), *deployment.table()]:
                    print("{:<24} {:<12} {:<12} {}".format(*row))
            case "remove":
                deployment.remove(given.name)
                print(f"winnow: removed the key {given.name}")
    except (OperationError, ClientError, BotoCoreError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    return 0


def _role(value: str) -> Role:
    try:
        return Role(value)
    except ValueError:
        *others, last = Role
        raise KeysError(f"ROLE must be {', '.join(others)} or {last}") from None


if __name__ == "__main__":
    sys.exit(main())
