"""`make key`, `make keys`, `make key-remove`: a deployment's API keys, each with its role (docs/keys.md).

A key is made in three steps: in API Gateway, into the usage plan of its role, into the registry. The last makes it good; what was left half
done is none, and the same command again brings it to its end.
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

from winnow.domain import access
from winnow.domain.access import KeyRole, Role
from winnow.domain.clock import now
from winnow.registry.roles import Roles

_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
# 160 bits at random, as characters that nothing has to escape.
_KEY_BYTES = 20


class KeysError(Exception):
    """It can't be done; the message is one sentence for the operator."""


class NameTakenError(KeysError):
    """A key of this name is there, whole."""

    def __init__(self, key: KeyRole) -> None:
        remove = f"make key-remove NAME={key.name}"
        super().__init__(f"the name {key.name} is taken by a key of the role {key.role}: take another, or `{remove}` first")


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the keys of a stack are: in API Gateway, by names that begin with the stack's, and in its registry."""

    stack: str
    gateway: Any
    roles: Roles
    plans: Mapping[Role, str]

    @classmethod
    def of(cls, stack: str, session: boto3.Session, **options: Any) -> Self:
        """The stack of this name. options: of each client. KeysError where there is none."""
        try:
            [found] = session.client("cloudformation", **options).describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            raise KeysError(f"there is no stack {stack} (STACK=…): {error}") from error
        outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
        if not {"RegistryTable", "PredictPlan", "AdminPlan"} <= outputs.keys():
            raise KeysError(f"the stack {stack} has no plans for keys with roles: deploy this version of template.yaml first")
        table = session.resource("dynamodb", **options).Table(outputs["RegistryTable"])
        plans = {Role.PREDICT: outputs["PredictPlan"], Role.ADMIN: outputs["AdminPlan"]}
        return cls(stack, session.client("apigateway", **options), Roles(table), plans)

    def add(self, name: str, role: Role) -> str:
        """Make a key, or bring one to its end that was left half done. Returns the key. NameTakenError where there is one."""
        if not _NAME.fullmatch(name):
            raise KeysError("NAME must be 1 to 64 letters, digits, - and _, the first a letter or a digit")
        found = list(self._in_gateway(name))
        for each in found:
            if known := self.roles.find(access.digest(each["value"])):
                raise NameTakenError(known)
        key = found[0] if found else self._create(name)
        self._put_into_plan(key["id"], role)
        self.roles.put(KeyRole(access.digest(key["value"]), name, role, key["id"], now()))
        return str(key["value"])

    def value(self, name: str) -> str:
        """The key of this name. KeysError where there is none."""
        for key in self._in_gateway(name):
            return str(key["value"])
        raise KeysError(f"there is no key {name}: `make keys` lists those there are")

    def remove(self, name: str) -> None:
        """Remove the key of this name, its role first: so it is good for nothing from then on. KeysError where there is none."""
        found = list(self._in_gateway(name))
        digests = {access.digest(key["value"]) for key in found} | {key.digest for key in self.roles.all() if key.name == name}
        if not digests:
            raise KeysError(f"there is no key {name}: `make keys` lists those there are")
        for digest in digests:
            self.roles.remove(digest)
        for key in found:
            self.gateway.delete_api_key(apiKey=key["id"])

    def table(self) -> list[tuple[str, str, str, str]]:
        """Of each key its name, role, id and when it was made; and of one that was left half done, that it was."""
        whole = self.roles.all()
        ids = {key.key_id for key in whole}
        half = [key for key in self._in_gateway() if key["id"] not in ids]
        return [(key.name, key.role, key.key_id, key.created_at) for key in whole] + [
            (key["name"].removeprefix(self._gateway_name("")), "(half done)", key["id"], "") for key in half
        ]

    def _gateway_name(self, name: str) -> str:
        # A stack's name has no dot.
        return f"{self.stack}.{name}"

    def _in_gateway(self, name: str | None = None) -> Iterator[dict[str, Any]]:
        """The keys of this name, with their values; without a name all of the stack's, without values."""
        asked = self._gateway_name(name or "")
        pages = self.gateway.get_paginator("get_api_keys").paginate(nameQuery=asked, includeValues=name is not None)
        for page in pages:
            # API Gateway takes the name for the beginning of one.
            yield from (key for key in page["items"] if key["name"] == asked or (name is None and key["name"].startswith(asked)))

    def _create(self, name: str) -> dict[str, Any]:
        value = secrets.token_hex(_KEY_BYTES)
        made = self.gateway.create_api_key(name=self._gateway_name(name), value=value, enabled=True)
        return {"id": made["id"], "value": value}

    def _put_into_plan(self, key_id: str, role: Role) -> None:
        """Into the plan of its role, and out of another's, where an earlier try put it: a key counts in one."""
        for each, plan in self.plans.items():
            if each is not role and key_id in self._keys_of(plan):
                self.gateway.delete_usage_plan_key(usagePlanId=plan, keyId=key_id)
        if key_id not in self._keys_of(self.plans[role]):
            self.gateway.create_usage_plan_key(usagePlanId=self.plans[role], keyId=key_id, keyType="API_KEY")

    def _keys_of(self, plan: str) -> set[str]:
        pages = self.gateway.get_paginator("get_usage_plan_keys").paginate(usagePlanId=plan)
        return {key["id"] for page in pages for key in page["items"]}


def main(arguments: list[str] | None = None) -> int:
    """One line on stderr, and 1, where it can't be done."""
    parser = argparse.ArgumentParser(prog="make key", description=__doc__)
    parser.add_argument("--stack", default="winnow")
    commands = parser.add_subparsers(dest="command", required=True)
    adding = commands.add_parser("add", help="make a key, and print it this once")
    adding.add_argument("name")
    adding.add_argument("role")
    commands.add_parser("list", help="the keys, without their values")
    commands.add_parser("remove").add_argument("name")
    given = parser.parse_args(arguments)
    try:
        deployment = Deployment.of(given.stack, boto3.Session())
        match given.command:
            case "add":
                print(deployment.add(given.name, _role(given.role)))
                print(f"winnow: the key {given.name}, of the role {given.role}: it isn't shown again", file=sys.stderr)
            case "list":
                for row in [("name", "role", "id", "created"), *deployment.table()]:
                    print("{:<24} {:<12} {:<12} {}".format(*row))
            case "remove":
                deployment.remove(given.name)
                print(f"winnow: the key {given.name} is removed")
    except (KeysError, ClientError, BotoCoreError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    return 0


def _role(value: str) -> Role:
    try:
        return Role(value)
    except ValueError:
        raise KeysError(f"ROLE must be {' or '.join(Role)}") from None


if __name__ == "__main__":
    sys.exit(main())
