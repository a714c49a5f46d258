"""What cfn-lint finds in template.yaml as CloudFormation gets it: python -m tests.support.linted

`sam validate --lint` translates the template with the default parameters alone. Here cfn-lint reads that translation and one with another
value for each parameter, for both architectures and several Regions. It tries conditions that SAM leaves in the template both ways.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from tests.support.contract import ROOT
from tests.support.other_parameters import EVERY
from tests.support.translated import whole

REGIONS = ("us-east-1", "eu-central-1", "eu-west-1", "ap-northeast-1", "sa-east-1")
EXPLAINED = {
    "W7001 Mapping 'Releases' is defined but not used": "SAM reads the mapping while it translates",
}


def template(parameters: Mapping[str, str]) -> str:
    """A template whose parameters have these values by default."""
    made = whole(parameters)
    for name, declared in made["Parameters"].items():
        declared["Default"] = type(declared["Default"])(parameters.get(name, declared["Default"]))
    # As `sam deploy` writes it.
    made["Resources"]["LargeTrainingsStack"]["Properties"]["TemplateURL"] = "https://s3.amazonaws.com/artifacts/large-trainings.yaml"
    for resource in made["Resources"].values():
        if "TracingConfig" in resource["Properties"]:
            # SAM writes it only where the parameter isn't "Disabled", which Lambda wouldn't take. cfn-lint tries all values.
            resource["Properties"]["TracingConfig"] = {"Mode": parameters["Tracing"]}
    return json.dumps(made)


def _started(text: str) -> subprocess.Popen[str]:
    command = [str(ROOT / ".tools" / "sam" / "bin" / "cfn-lint"), "--format", "json", "--regions", *REGIONS]
    linter = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert linter.stdin is not None
    linter.stdin.write(text)
    linter.stdin.close()
    return linter


def findings() -> set[str]:
    """Each error and warning, with what it is about."""
    found: list[dict[str, Any]] = []
    # At the same time: each takes some ten seconds of a processor.
    for linter in [_started(template(parameters)) for parameters in ({}, EVERY)]:
        assert linter.stdout is not None
        found += json.load(linter.stdout)
        linter.wait()
    return {f"{it['Rule']['Id']} {it['Message']}" for it in found}


if __name__ == "__main__":
    for finding in sorted(found := findings()):
        print(f"{finding} ({EXPLAINED[finding]})" if finding in EXPLAINED else finding)
    gone = EXPLAINED.keys() - found
    for finding in sorted(gone):
        print(f"cfn-lint does not find this any more: {finding}")
    sys.exit(1 if gone or found - EXPLAINED.keys() else 0)
