"""`make monitoring`: deploys alarms and a dashboard for a stack, as a second stack (docs/operations.md)."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations import settings
from operations.settings import OperationError, Settings

TEMPLATE = Path(__file__).with_suffix(".yaml")
# Outputs of the watched stack. The monitoring template has parameters of the same names.
FROM_OUTPUTS = ("Stage", "PredictFunction", "SweepFunction", "TrainingWorkflow")


def parameters(stack: str, cloudformation: Any) -> dict[str, str]:
    """The parameters that describe the stack of this name. Raises OperationError if there is no such stack."""
    outputs = settings.outputs(stack, cloudformation)
    if missing := [name for name in FROM_OUTPUTS if name not in outputs]:
        raise OperationError(f"the stack {stack} has no output {missing[0]}: deploy this version of template.yaml first")
    return {"Stack": stack, **{name: outputs[name] for name in FROM_OUTPUTS}}


def deploy(watched: Settings, given: Mapping[str, str]) -> None:
    """Deploy the monitoring of a stack, beside it. Parameters that aren't given keep their values. Raises OperationError if it fails."""
    # sam looks for samconfig.toml in the template's folder and finds none. So the settings for Winnow's own stack don't apply.
    command: list[str | Path] = ["sam", "deploy", "--template-file", TEMPLATE, "--stack-name", f"{watched.stack}-monitoring"]
    command += [part for name in ("region", "profile") if (value := getattr(watched, name)) for part in (f"--{name}", value)]
    command += ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"]
    command += ["--parameter-overrides", *(f"{name}={value}" for name, value in given.items())]
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - sam, and what the operator gave
        raise OperationError("sam could not deploy operations/monitoring.yaml: its output says why")


def main(arguments: list[str] | None = None) -> int:
    """Run the command. A failure prints one line on stderr and returns 1."""
    parser = argparse.ArgumentParser(prog="make monitoring", description=__doc__)
    parser.add_argument("--stack")
    parser.add_argument("--email")
    parser.add_argument("--dashboard", choices=["true", "false"])
    given = parser.parse_args(arguments)
    wanted = {name: value for name, value in (("Email", given.email), ("Dashboard", given.dashboard)) if value is not None}
    try:
        watched = settings.of_stack(given.stack)
        deploy(watched, parameters(watched.stack, watched.session().client("cloudformation")) | wanted)
    except (OperationError, ClientError, BotoCoreError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
