"""template.yaml as CloudFormation gets it, translated by SAM's own translator in sam's environment.

python -m tests.support.translated writes a default deployment as a template.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.support.contract import ROOT

_TRANSLATE = """
import itertools, json, logging, sys
from types import SimpleNamespace
from samtranslator.model import apigateway
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

class NoPolicies:
    def load(self):
        return {}

# Warnings about what the translator itself lacks outside of AWS.
logging.disable(logging.WARNING)
# AlwaysDeploy tells deployments apart by the second in which each was translated. Here no two are in the same second.
apigateway.time = SimpleNamespace(time=itertools.count().__next__)
# By JSON, so that what the anchors share is no longer one object.
written = json.dumps(yaml_parse(open("template.yaml").read()))
for line in sys.stdin:
    template = json.loads(written)
    parameters, packages, changes = json.loads(line)
    for name, resource in template["Resources"].items():
        for uri in {"CodeUri", "ContentUri", "DefinitionUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][uri] = "s3://artifacts/" + packages.get(name, resource["Properties"][uri])
        resource.get("Properties", {}).update(changes.get(name, {}))
    print(json.dumps(transform(template, parameters, NoPolicies())), flush=True)
"""

_NO_VALUE = object()


@cache
def _translator() -> subprocess.Popen[str]:
    """SAM's translator, which takes longer to start than to translate. It ends with the tests, when its input does."""
    command = [str(ROOT / ".tools" / "sam" / "bin" / "python"), "-c", _TRANSLATE]
    environment = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)


@cache
def _translated(given: str) -> str:
    translator = _translator()
    assert translator.stdin is not None
    assert translator.stdout is not None
    translator.stdin.write(given + "\n")
    translator.stdin.flush()
    answer = translator.stdout.readline()
    assert answer, "SAM's translator failed: its error is in the output of the tests"
    return answer


def translated(
    parameters: Mapping[str, str] | None = None,
    packages: Mapping[str, str] | None = None,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The resources by their logical ids. packages: uploads for functions or layers, if not the default. changes: properties of
    a resource that replace those in template.yaml."""
    resources: dict[str, Any] = whole(parameters, packages, changes)["Resources"]
    return resources


def deployment(parameters: Mapping[str, str] | None = None, packages: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The resources of a deployment by their logical ids, with conditions and parameters replaced by their values. Parameters default to
    the template's."""
    template = whole(parameters, packages)
    defaults = {name: declared["Default"] for name, declared in template["Parameters"].items()}
    decide = _Decisions(defaults | dict(parameters or {}), template["Conditions"])
    return {name: decide.value(it) for name, it in template["Resources"].items() if "Condition" not in it or decide.holds(it["Condition"])}


def whole(
    parameters: Mapping[str, str] | None,
    packages: Mapping[str, str] | None = None,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The same, as a template."""
    template: dict[str, Any] = json.loads(_translated(json.dumps([parameters or {}, packages or {}, changes or {}])))
    return template


class _Decisions:
    """The values of a template's conditions with these parameters."""

    def __init__(self, parameters: Mapping[str, Any], conditions: Mapping[str, Any]) -> None:
        self._parameters = parameters
        self._conditions = conditions

    def holds(self, name: str) -> bool:
        return bool(self.value(self._conditions[name]))

    def value(self, of: Any) -> Any:
        """The value, with the template's functions replaced by their results if these are known before the deployment."""
        decided: Any
        match of:
            case {"Fn::If": [condition, one, other]}:
                decided = self.value(one if self.holds(condition) else other)
            case {"Fn::Not": [condition]}:
                decided = not self.value(condition)
            case {"Fn::And": conditions}:
                decided = all(map(self.value, conditions))
            case {"Fn::Or": conditions}:
                decided = any(map(self.value, conditions))
            case {"Fn::Equals": [one, other]}:
                decided = str(self.value(one)) == str(self.value(other))
            case {"Condition": str(name)} if len(of) == 1:
                decided = self.holds(name)
            case {"Fn::Join": [separator, {"Ref": name}]} if name in self._parameters:  # a list of names is written with commas
                decided = separator.join(self._parameters[name].split(","))
            case {"Ref": "AWS::NoValue"}:
                decided = _NO_VALUE
            case {"Ref": name} if name in self._parameters:
                decided = self._parameters[name]
            case dict():
                decided = {key: value for key, value in ((key, self.value(it)) for key, it in of.items()) if value is not _NO_VALUE}
            case list():
                decided = [value for value in map(self.value, of) if value is not _NO_VALUE]
            case _:
                decided = of
        return decided


if __name__ == "__main__":
    print(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": deployment()}, indent=1))
