"""template.yaml as CloudFormation gets it: translated by SAM's own translator, which is sam's and not of the tests' environment."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.support.contract import ROOT

_TRANSLATE = """
import json, sys
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

class NoPolicies:
    def load(self):
        return {}

# By JSON, so that what the anchors share is no longer one object.
template = json.loads(json.dumps(yaml_parse(open("template.yaml").read())))
parameters, packages = json.load(sys.stdin)
for name, resource in template["Resources"].items():
    for uri in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
        resource["Properties"][uri] = "s3://artifacts/" + packages.get(name, resource["Properties"][uri])
print(json.dumps(transform(template, parameters, NoPolicies())["Resources"]))
"""


@cache
def _translated(given: str) -> str:
    command = [str(ROOT / ".tools" / "sam" / "bin" / "python"), "-c", _TRANSLATE]
    environment = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(command, input=given, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def translated(parameters: Mapping[str, str] | None = None, packages: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The resources by their logical ids. packages: what was uploaded for a function or a layer, where that is another than at first."""
    resources: dict[str, Any] = json.loads(_translated(json.dumps([parameters or {}, packages or {}])))
    return resources
