"""What `sam local start-api` begins with. The calls to it are in tests/sam_local."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from local import sam_local
from tests.support.contract import ROOT, template


def test_the_copy_of_the_template_finds_all_files_of_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = tmp_path / ".aws-sam" / "local"
    build.mkdir(parents=True)
    monkeypatch.setattr(sam_local, "PROJECT", tmp_path)
    (build / "template.yaml").write_text(yaml.safe_dump(template()))
    (tmp_path / "copy").mkdir()
    copied = yaml.safe_load(sam_local._template(tmp_path / "copy").read_text())

    found = set()
    for name, resource in template()["Resources"].items():
        for key, value in resource.get("Properties", {}).items():
            # sam local runs no workflows, and reads no definitions of them.
            if key != "DefinitionUri" and isinstance(value, str) and "/" in value and (ROOT / value).exists():
                assert copied["Resources"][name]["Properties"][key] == str(build / value)
                found.add(key)
    assert {"CodeUri", "ContentUri", "TemplateURL"} <= found


def test_the_tool_finds_the_python_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, machine, tool = ROOT / ".venv" / "bin", tmp_path / "bin", tmp_path / "tool"
    machine.mkdir()
    for python in (machine / "python3", tool):
        python.write_text('#!/bin/sh\necho "export DOCKER_HOST=$(command -v python3) LAMBDA_IMAGE=x"\n')
        python.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(ours), str(machine), os.environ["PATH"]]))
    assert sam_local._started_by(str(tool)) == sam_local.Engine({"DOCKER_HOST": str(machine / "python3")}, "x")
