"""samconfig.toml, as `sam deploy` reads it, and the commands of an operator that ask where it says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operations import keys, monitoring, settings
from operations.settings import OperationError, Settings
from tests.support.contract import ROOT

STAGES = """
version = 0.1
[default.global.parameters]
stack_name = "winnow"
region = "eu-west-1"
[default.deploy.parameters]
parameter_overrides = "Architecture=\\"x86_64\\" CorsOrigin=\\"\\""
[dev.global.parameters]
stack_name = "winnow-dev"
[dev.deploy.parameters]
region = "eu-north-1"
parameter_overrides = ["KeepData=false", "LogDays=7"]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "samconfig.toml"
    file.write_text(STAGES)
    monkeypatch.setattr(settings, "FILE", file)
    return file


@pytest.mark.usefixtures("file")
def test_a_stack_has_the_settings_of_its_section_and_any_other_those_of_the_default() -> None:
    default = Settings("default", "winnow", "eu-west-1", None, {"Architecture": "x86_64", "CorsOrigin": ""})
    assert settings.of_stack(None) == settings.of_stack("winnow") == default
    assert settings.of_stack("winnow-dev") == Settings("dev", "winnow-dev", "eu-north-1", None, {"KeepData": "false", "LogDays": "7"})
    assert settings.of_stack("elsewhere") == Settings("default", "elsewhere", "eu-west-1", None, default.parameters)


@pytest.mark.parametrize("stack", [None, "winnow", "winnow-dev", "winnow-prod"])
def test_the_sections_of_this_project_are_found(stack: str | None) -> None:
    assert settings.of_stack(stack).stack == (stack or "winnow")


def test_a_file_that_is_no_toml_or_has_other_parameters_is_a_sentence(file: Path) -> None:
    file.write_text("[default")
    with pytest.raises(OperationError, match=r"samconfig\.toml can't be read"):
        settings.of_stack(None)
    for strange in ('["KeepData"]', '["Encoder=none x"]', '"file://parameters.yaml"', '["ParameterKey=A,ParameterValue=B"]', "[{A = 1}]"):
        file.write_text(f"[default.deploy.parameters]\nparameter_overrides = {strange}")
        with pytest.raises(OperationError, match="must be a list such as"):
            settings.of_stack(None)


GIVEN = (
    ["KeepData=false", "LogDays=7"],
    ['VpcEndpoints=""'],
    ["DatasetBuckets=a,b", "CorsOrigin=https://app.example.org:8443"],
    'Architecture="x86_64" CorsOrigin="" LogDays="7"',
    "KeepData='true' LogDays=90",
    ["KeepData=false LogDays=7"],
)


def test_parameters_are_read_as_sam_reads_them() -> None:
    sam = "import json, sys; from samcli.cli.types import CfnParameterOverridesType as T; print(json.dumps([T().convert(*each, None, None)"
    command = [str(ROOT / ".tools/sam/bin/python"), "-c", f"{sam} for each in json.load(sys.stdin)]))"]
    asked = json.dumps([[each] for each in GIVEN])
    answered = subprocess.run(command, input=asked, capture_output=True, text=True, check=True).stdout
    assert [settings._parameters(each) for each in GIVEN] == json.loads(answered)


# --- the commands ---


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(("arguments", "region"), [([], "eu-west-1"), (["--stack", "winnow-dev"], "eu-north-1")])
@pytest.mark.parametrize("command", [lambda given: keys.main([*given, "list"]), monitoring.main])
def test_they_ask_in_the_region_of_samconfig_and_name_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], region: str, command: Any
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    stack = arguments[-1] if arguments else "winnow"
    with mock_aws():
        # Another stack of this name, in the Region of the environment.
        queue = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
        boto3.client("cloudformation").create_stack(StackName=stack, TemplateBody=json.dumps(queue))
        assert command(arguments) == 1
    assert f"there is no stack {stack} in {region}: set STACK=…" in capsys.readouterr().err


@pytest.mark.usefixtures("file")
def test_the_monitoring_is_deployed_in_the_region_of_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    run: list[list[str]] = []

    def note(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        run.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", note)
    stack = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}, "Outputs": {name: {"Value": "x"} for name in monitoring.FROM_OUTPUTS}}
    with mock_aws():
        boto3.client("cloudformation", region_name="eu-north-1").create_stack(StackName="winnow-dev", TemplateBody=json.dumps(stack))
        assert monitoring.main(["--stack", "winnow-dev"]) == 0
    [command] = run
    assert command[command.index("--stack-name") + 1] == "winnow-dev-monitoring"
    assert command[command.index("--region") + 1] == "eu-north-1"
    assert "--profile" not in command


def test_without_a_region_they_say_where_to_set_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: Path) -> None:
    file.write_text('[default.global.parameters]\nstack_name = "winnow"\n')
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file.parent / "none"))
    assert keys.main(["list"]) == 1
    assert capsys.readouterr().err == (
        "winnow: there is no Region: set region in samconfig.toml ([default.global.parameters]), such as eu-central-1\n"
    )
