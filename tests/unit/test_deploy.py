"""`make deploy`, over moto: which parameters change, who agrees to it, and what sam is asked to do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operations import deploy, doctor, settings
from operations.doctor import GUARDED
from tests.support.contract import template

FRONT = {"Authorizer": "AWS_IAM", "BatchDays": "7"}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[list[str]]]:
    """The commands of sam. samconfig.toml puts back what the stack winnow has of its own."""
    for name, value in {"AWS_ACCESS_KEY_ID": "fake", "AWS_SECRET_ACCESS_KEY": "fake"}.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "samconfig.toml"
    overrides = 'parameter_overrides = ["Authorizer=KeyRoles", "BatchDays=30"]'
    file.write_text(
        f'[default.global.parameters]\nregion = "eu-west-1"\n[default.deploy.parameters]\n{overrides}\n'
        f'[dev.global.parameters]\nstack_name = "winnow-dev"\nregion = "eu-west-1"\n[dev.deploy.parameters]\n{overrides}\n'
    )
    monkeypatch.setattr(settings, "FILE", file)
    monkeypatch.setattr(deploy, "layers", lambda _: doctor.Finding(doctor.Verdict.OK, "they fit"))
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 7)

    monkeypatch.setattr(subprocess, "run", run)
    with mock_aws():
        yield commands


def make_stack(parameters: Mapping[str, str], name: str = "winnow") -> None:
    body = {"Parameters": {each: {"Type": "String"} for each in parameters}, "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    given: Any = [{"ParameterKey": each, "ParameterValue": value} for each, value in parameters.items()]
    client = boto3.client("cloudformation", region_name="eu-west-1")
    client.create_stack(StackName=name, TemplateBody=json.dumps(body), Parameters=given)


def answer(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    """What the operator types; None: there is no terminal."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: text is not None, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: text)


def test_a_new_stack_is_deployed_without_a_question_and_sam_says_how_it_went(ran: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, None)
    assert deploy.main([]) == 7
    assert ran == [["sam", "deploy", "--config-env", "default", "--stack-name", "winnow"]]


def test_a_stage_is_deployed_by_its_section_with_what_github_gives(ran: list[list[str]]) -> None:
    make_stack({"Authorizer": "KeyRoles"}, "winnow-dev")
    deploy.main(["--stack", "winnow-dev", "--options=--no-confirm-changeset --role-arn arn:aws:iam::1:role/a"])
    assert ran == [
        [
            "sam",
            "deploy",
            "--config-env",
            "dev",
            "--stack-name",
            "winnow-dev",
            "--no-confirm-changeset",
            "--role-arn",
            "arn:aws:iam::1:role/a",
        ]
    ]


@pytest.mark.parametrize(("typed", "deployed"), [("y", True), ("YES", True), ("", False), ("n", False)])
def test_a_guarded_parameter_changes_after_a_yes(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, deployed: bool
) -> None:
    make_stack(FRONT)
    answer(monkeypatch, typed)
    deploy.main([])
    assert bool(ran) is deployed
    shown = capsys.readouterr()
    assert shown.out.splitlines() == ["  CAUTION Authorizer from AWS_IAM to KeyRoles", "  BatchDays from 7 to 30"]
    assert ("nothing was deployed" in shown.err) is not deployed


def test_without_a_terminal_it_is_refused_unless_its_name_is_given(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_stack({**FRONT, "CorsOrigin": "*"})
    answer(monkeypatch, None)
    for agreed in ([], ["--change", "CorsOrigin,BatchDays"]):
        assert deploy.main(agreed) == 1
        assert "run `make deploy CHANGE=Authorizer`" in capsys.readouterr().err
    assert ran == []
    assert deploy.main(["--change", "CorsOrigin,Authorizer"]) == 7


def test_what_nobody_guards_changes_without_a_question(ran: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    make_stack({"Authorizer": "KeyRoles", "BatchDays": "7"})
    answer(monkeypatch, None)
    assert deploy.main([]) == 7


@pytest.mark.parametrize("options", ["--parameter-overrides Tracing=Active", "--parameter-overrides=Tracing=Active", "--guided"])
def test_parameters_have_one_place(ran: list[list[str]], capsys: pytest.CaptureFixture[str], options: str) -> None:
    assert deploy.main([f"--options={options}"]) == 1
    assert "samconfig.toml, and nowhere else" in capsys.readouterr().err
    assert ran == []


def test_layers_of_another_processor_are_refused(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(deploy, "layers", lambda _: doctor.Finding(doctor.Verdict.WRONG, "they are for x86_64"))
    assert deploy.main([]) == 1
    assert capsys.readouterr().err == "winnow: they are for x86_64\n"
    assert ran == []


def test_what_is_guarded_are_parameters() -> None:
    parameters = template()["Parameters"].keys()
    assert parameters >= GUARDED
    assert {name for name in parameters if name.startswith("Encoder")} <= GUARDED
