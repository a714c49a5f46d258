"""The state machines of a template, each in a file of its own, against the schema of the Amazon States Language that cfn-lint carries.

`sam validate --lint` passes them over. https://states-language.net/spec.html
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_CFN_LINT = Path(__file__).parents[1] / ".tools" / "sam" / "bin" / "cfn-lint"
_ARN = "arn:aws:lambda:us-east-1:123456789012:function:a"
_SUBSTITUTED = re.compile(r"\$\{\w+\}")
_ROLE = "arn:aws:iam::123456789012:role/a"


class DefinitionsError(Exception):
    """cfn-lint didn't run. The message is one sentence for the operator."""


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's tags. Each is an ARN: in our definitions nothing else depends on a deployment."""


_Loader.add_multi_constructor("!", lambda loader, tag, node: _ARN)


def read(template: Path) -> dict[str, Any]:
    """Read a SAM template. Each of CloudFormation's tags becomes an ARN, because only a deployment knows its value."""
    loaded: dict[str, Any] = yaml.load(template.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - it is a safe loader
    return loaded


def faults(template: Path) -> list[str]:
    """A sentence for each fault in the definitions of a SAM template, with its state. DefinitionsError if cfn-lint is missing or fails."""
    machines = {
        name: json.loads(_SUBSTITUTED.sub(_ARN, (template.parent / it["Properties"]["DefinitionUri"]).read_text(encoding="utf-8")))
        for name, it in read(template)["Resources"].items()
        if it["Type"] == "AWS::Serverless::StateMachine"
    }
    linted = [f"{'/'.join(map(str, match['Location']['Path'] or []))}: {match['Message']}" for match in _linted(machines)]
    return [*linted, *(fault for name, machine in machines.items() for fault in _lost_states(machine, name))]


def _lost_states(machine: dict[str, Any], where: str) -> Iterator[str]:
    """The names of states that aren't there, and states that nothing leads to: cfn-lint looks at StartAt alone."""
    states = machine["States"]
    after = [each.get("Next") for state in states.values() for each in (state, *state.get("Catch", []), *state.get("Choices", []))]
    named = {machine["StartAt"], *after, *(state.get("Default") for state in states.values())} - {None}
    yield from (f"{where}: there is no state {name}" for name in sorted(named - states.keys()))
    yield from (f"{where}: nothing leads to the state {name}" for name in sorted(states.keys() - named))
    for name, state in states.items():
        for inner in (*state.get("Branches", []), *filter(None, [state.get("ItemProcessor")])):
            yield from _lost_states(inner, f"{where}/{name}")


def _linted(machines: dict[str, Any]) -> list[dict[str, Any]]:
    plain = {
        "Resources": {
            name: {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"RoleArn": _ROLE, "Definition": definition}}
            for name, definition in machines.items()
        }
    }
    command: list[str | Path] = [_CFN_LINT, "--format", "json", "--regions", "us-east-1", "--ignore-checks", "W"]
    try:
        done = subprocess.run(command, input=json.dumps(plain), capture_output=True, text=True, check=False)  # noqa: S603
        matches: list[dict[str, Any]] = json.loads(done.stdout)
    except (OSError, ValueError) as error:
        raise DefinitionsError(f"cfn-lint can't be run: `make env` installs it ({error})") from error
    return matches
