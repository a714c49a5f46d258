"""`make monitoring`: deploys alarms and a dashboard for a stack, as a second stack (docs/operations.md)."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

TEMPLATE = Path(__file__).with_suffix(".yaml")
# Outputs of the watched stack. The monitoring template has parameters of the same names.
FROM_OUTPUTS = ("Stage", "PredictFunction", "SweepFunction", "TrainingWorkflow")


class MonitoringError(Exception):
    """The deployment failed. The message is one sentence for the operator."""


def parameters(stack: str, cloudformation: Any) -> dict[str, str]:
    """The parameters that describe the stack of this name. Raises MonitoringError if there is no such stack."""
    try:
        [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        raise MonitoringError(f"there is no stack {stack} (set STACK=…): {error}") from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    if missing := [name for name in FROM_OUTPUTS if name not in outputs]:
        raise MonitoringError(f"the stack {stack} has no output {missing[0]}: deploy this version of template.yaml first")
    return {"Stack": stack, **{name: outputs[name] for name in FROM_OUTPUTS}}


def deploy(stack: str, given: Mapping[str, str]) -> None:
    """Deploy the monitoring of a stack. Parameters that aren't given keep their values. Raises MonitoringError if it fails."""
    # sam looks for samconfig.toml in the template's folder and finds none. So the settings for Winnow's own stack don't apply.
    command: list[str | Path] = ["sam", "deploy", "--template-file", TEMPLATE, "--stack-name", f"{stack}-monitoring"]
    command += ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"]
    command += ["--parameter-overrides", *(f"{name}={value}" for name, value in given.items())]
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - sam, and what the operator gave
        raise MonitoringError("sam could not deploy operations/monitoring.yaml: its output says why")


def main(arguments: list[str] | None = None) -> int:
    """Run the command. A failure prints one line on stderr and returns 1."""
    parser = argparse.ArgumentParser(prog="make monitoring", description=__doc__)
    parser.add_argument("--stack", default="winnow")
    parser.add_argument("--email")
    parser.add_argument("--dashboard", choices=["true", "false"])
    given = parser.parse_args(arguments)
    wanted = {name: value for name, value in (("Email", given.email), ("Dashboard", given.dashboard)) if value is not None}
    try:
        deploy(given.stack, parameters(given.stack, boto3.client("cloudformation")) | wanted)
    except (MonitoringError, ClientError, BotoCoreError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
