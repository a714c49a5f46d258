"""What `sam deploy` reads from samconfig.toml about a stack. The other commands of an operator read it too, to ask in the same Region.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

FILE = Path(__file__).parents[1] / "samconfig.toml"
_DEFAULT = "default"


class OperationError(Exception):
    """A command of an operator failed. The message is one sentence."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A section of samconfig.toml. region and profile are None where the environment decides. parameters: those that sam sends."""

    section: str
    stack: str
    region: str | None = None
    profile: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

    def session(self) -> boto3.Session:
        """As `sam deploy` does: samconfig.toml comes before the environment. Raises OperationError without a Region."""
        session = boto3.Session(region_name=self.region, profile_name=self.profile)
        if session.region_name is None:
            raise OperationError(
                f"there is no Region: set region in samconfig.toml ([{self.section}.global.parameters]), such as eu-central-1"
            )
        return session


def of_stack(name: str | None) -> Settings:
    """The section of this stack. Without a name, or if no section has it, the section default. OperationError if the file isn't TOML."""
    try:
        read = tomllib.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise OperationError(f"{FILE.name} can't be read, so `sam deploy` fails too: {error}") from error
    sections = {section: _merged(it) for section, it in read.items() if isinstance(it, dict)}
    section = next((section for section, it in sections.items() if name is not None and it.get("stack_name") == name), _DEFAULT)
    found = sections.get(section, {})
    stack = name or found.get("stack_name", "winnow")
    return Settings(section, stack, found.get("region"), found.get("profile"), _parameters(found.get("parameter_overrides", [])))


def _merged(section: Mapping[str, Any]) -> dict[str, Any]:
    return {**section.get("global", {}).get("parameters", {}), **section.get("deploy", {}).get("parameters", {})}


def _parameters(given: str | list[Any]) -> dict[str, str]:
    """sam's parameter_overrides: a text or a list of NAME=VALUE, where values may have quotes."""
    pairs = [pair.partition("=") for each in ([given] if isinstance(given, str) else given) for pair in shlex.split(str(each))]
    if strange := next(("".join(pair) for pair in pairs if not pair[1] or not pair[0].isalnum() or pair[0] == "ParameterKey"), None):
        raise OperationError(f'parameter_overrides in {FILE.name} must be a list such as ["KeepData=true", "LogDays=90"]: {strange}')
    return {name: value for name, _, value in pairs}


def described(stack: str, cloudformation: Any) -> dict[str, Any] | None:
    """The stack of this name, as CloudFormation describes it; None if there is none."""
    try:
        [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        # CloudFormation's word for it.
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    return dict(found)


def outputs(stack: str, cloudformation: Any) -> dict[str, str]:
    """The outputs of the stack of this name. Raises OperationError if there is no such stack."""
    found = described(stack, cloudformation)
    if found is None:
        raise OperationError(
            f"there is no stack {stack} in {cloudformation.meta.region_name}: set STACK=…, or the region of its section in samconfig.toml"
        )
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
