"""The stack's monitoring: each alarm notifies somebody and has a section in docs/operations.md."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest

from operations.monitoring import FROM_OUTPUTS
from tests.contract.test_template import own_code
from tests.support.contract import ROOT, functions, monitoring, template
from tests.support.translated import translated

DOCUMENT = ROOT / "docs" / "operations.md"


def alarms() -> dict[str, dict[str, Any]]:
    return {name: it for name, it in monitoring()["Resources"].items() if it["Type"] == "AWS::CloudWatch::Alarm"}


def headings() -> set[str]:
    return {heading.lower() for heading in re.findall(r"^### (.+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)}


def check_explained(name: str, alarm: dict[str, Any]) -> None:
    [section] = re.findall(r"docs/operations.md#(\w+)", alarm["Properties"]["AlarmDescription"])
    assert section in headings()
    assert f"`{name}`" in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", alarms())
def test_an_alarm_is_explained_and_notifies_of_its_begin_and_end(name: str) -> None:
    alarm = alarms()[name]
    assert "Condition" not in alarm
    assert alarm["Properties"]["AlarmActions"] == alarm["Properties"]["OKActions"] == [{"Ref": "AlarmTopic"}]
    check_explained(name, alarm)


def test_the_one_alarm_of_the_stack_itself_is_the_canary_s() -> None:
    resources = template()["Resources"]
    [name] = [name for name, it in resources.items() if it["Type"] == "AWS::CloudWatch::Alarm"]
    assert (name, resources[name]["Condition"]) == ("AlarmPredictCanary", "ReleasesGradually")
    check_explained(name, resources[name])


def test_what_the_monitoring_has_to_know_of_a_stack_is_in_its_outputs() -> None:
    known = {"Stack", *FROM_OUTPUTS}
    without_default = {name for name, it in monitoring()["Parameters"].items() if "Default" not in it}
    assert without_default == known
    assert set(FROM_OUTPUTS) <= template()["Outputs"].keys()
    # SAM names the API after the stack, and our own metrics have the stack's name as their service.
    assert template()["Globals"]["Function"]["Environment"]["Variables"]["STACK"] == {"Ref": "AWS::StackName"}
    assert "Name" not in template()["Resources"]["Api"]["Properties"]


def test_the_metrics_of_ours_that_alarms_look_at_are_counted_by_the_code() -> None:
    constants = {node.value for module in own_code().values() for node in ast.walk(module) if isinstance(node, ast.Constant)}
    keywords = {node.arg for module in own_code().values() for node in ast.walk(module) if isinstance(node, ast.keyword)}
    looked_at = {it["Properties"]["MetricName"] for it in alarms().values() if it["Properties"].get("Namespace") == "Winnow"}
    assert looked_at == {"WaitingTrainings", "SweepFaults", "DamagedRows", "RefusedArtifacts", "DriftedModels"}
    assert looked_at <= constants | keywords


@pytest.mark.parametrize("name", ["AlarmErrors", "AlarmPredictCanary"])
def test_an_alarm_for_errors_does_not_count_the_calls_that_lambda_refused(name: str) -> None:
    alarm = (alarms() | template()["Resources"])[name]["Properties"]
    share, *rest = alarm["Metrics"]
    read = {it["Id"]: (it["MetricStat"]["Metric"]["Namespace"], it["MetricStat"]["Metric"]["MetricName"], it["ReturnData"]) for it in rest}
    assert read == {
        "failed": ("AWS/ApiGateway", "5XXError", False),
        "requests": ("AWS/ApiGateway", "Count", False),
        "throttled": ("AWS/Lambda", "Throttles", False),
    }
    formula = share["Expression"].replace("FILL(throttled, 0)", "throttled")
    assert eval(formula, {"failed": 30, "throttled": 30, "requests": 1000}) == 0  # noqa: S307
    assert eval(formula, {"failed": 41, "throttled": 30, "requests": 1000}) > alarm["Threshold"]  # noqa: S307


@pytest.mark.parametrize(
    ("parameter", "off"),
    [
        ("Tracing", "Disabled"),
        ("AccessLogs", "false"),
        ("SnapStart", "false"),
        ("LargeTrainings", ""),
        ("DeploymentPreference", "AllAtOnce"),
    ],
)
def test_what_costs_is_off_by_default(parameter: str, off: str) -> None:
    assert template()["Parameters"][parameter]["Default"] == off


@pytest.mark.parametrize(("tracing", "mode"), [("Active", "Active"), ("Disabled", None)])
def test_functions_are_traced_and_may_write_traces_only_if_a_parameter_says_so(tracing: str, mode: str | None) -> None:
    resources = translated({"Tracing": tracing})
    modes = [resources[name]["Properties"].get("TracingConfig", {}).get("Mode") for name in functions()]
    # SAM keeps the reference to the parameter.
    assert modes == [mode and {"Ref": "Tracing"}] * len(modes)
    managed = json.dumps([resources[f"{name}Role"]["Properties"]["ManagedPolicyArns"] for name in functions()])
    assert ("AWSXrayWriteOnlyAccess" in managed) == (tracing == "Active")


@pytest.mark.parametrize("workflow", ["TrainingWorkflow", "BatchWorkflow"])
def test_workflows_are_traced_and_may_write_traces_only_if_a_parameter_says_so(workflow: str) -> None:
    resources = translated({"Tracing": "Active"})
    assert resources[workflow]["Properties"]["TracingConfiguration"] == {"Enabled": {"Fn::If": ["Traces", True, False]}}
    [of_tracing] = [it for it in resources[f"{workflow}Role"]["Properties"]["Policies"] if "xray" in json.dumps(it)]
    [condition, policy, otherwise] = of_tracing["Fn::If"]
    assert (condition, otherwise) == ("Traces", {"Ref": "AWS::NoValue"})
    # https://docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html
    allowed = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"}
    assert set(policy["PolicyDocument"]["Statement"]["Action"]) == allowed


def test_executions_are_counted_where_alarms_and_dashboard_look() -> None:
    # CloudWatch may count executions that an alias started under the alias. Here is none: everything starts the state machine itself.
    kinds = {it["Type"] for it in translated().values()}
    assert not kinds & {"AWS::StepFunctions::StateMachineAlias", "AWS::StepFunctions::StateMachineVersion"}


def test_the_dashboard_is_json_and_names_what_there_is() -> None:
    body = monitoring()["Resources"]["Overview"]["Properties"]["DashboardBody"]["Sub"]
    assert set(re.findall(r"\$\{(\w+)\}", body)) <= monitoring()["Parameters"].keys()
    widgets = json.loads(re.sub(r"\$\{[^}]+\}", "x", body))["widgets"]
    assert [widget["properties"]["title"] for widget in widgets] == ["Requests", "Predictions, ms", "Trainings", "Upkeep"]


def test_the_access_log_has_nothing_of_what_was_sent() -> None:
    [_, setting, _] = template()["Resources"]["Api"]["Properties"]["AccessLogSetting"]["If"]
    logged = set(json.loads(setting["Format"]).values())
    assert not [each for each in logged if "apiKey" in each and each != "$context.identity.apiKeyId"]
    assert all(each.startswith("$context.") for each in logged)


def test_every_function_logs_into_the_one_group_that_has_an_end() -> None:
    assert template()["Globals"]["Function"]["LoggingConfig"]["LogGroup"] == {"Ref": "Logs"}
    assert not [name for name, properties in functions().items() if "LoggingConfig" in properties]
    groups = [it for it in template()["Resources"].values() if it["Type"] == "AWS::Logs::LogGroup"]
    assert [group["Properties"]["RetentionInDays"] for group in groups] == [{"Ref": "LogDays"}] * len(groups)
