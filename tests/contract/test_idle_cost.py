"""A stack with default parameters bills nothing by the hour: every kind of its resources is free without requests."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient

from tests.conftest import Context, load_event
from tests.contract.test_template import own_code
from tests.support.contract import ROOT
from tests.support.translated import deployment
from winnow.batch.requests import BatchCare
from winnow.training.requests import Care

if TYPE_CHECKING:
    from tests.conftest import Winnow
    from tests.support.clock import Clock

Resource = dict[str, Any]

# Other kinds fail: a new kind needs an entry with the reason why it costs nothing.
FREE = {
    "AWS::ApiGateway::ApiKey": "no charge",
    "AWS::ApiGateway::Deployment": "no charge",
    "AWS::ApiGateway::RestApi": "by the call",
    "AWS::ApiGateway::Stage": "no charge without a cache",
    "AWS::ApiGateway::UsagePlan": "no charge",
    "AWS::ApiGateway::UsagePlanKey": "no charge",
    "AWS::DynamoDB::Table": "on demand: by the request, and by what lies in it",
    "AWS::Events::Rule": "no charge for events of AWS's own services and for schedules; what a schedule starts is reckoned below",
    "AWS::IAM::ManagedPolicy": "no charge",
    "AWS::IAM::Policy": "no charge",
    "AWS::IAM::Role": "no charge",
    "AWS::Lambda::Alias": "no charge without provisioned concurrency",
    "AWS::Lambda::EventSourceMapping": "a function's reads of a table's stream are free",
    "AWS::Lambda::Function": "by the call and its milliseconds",
    "AWS::Lambda::LayerVersion": "no charge below the account's 75 GB of code",
    "AWS::Lambda::Permission": "no charge",
    "AWS::Lambda::Version": "no charge without provisioned concurrency or a snapshot",
    "AWS::Logs::LogGroup": "by what is written, and by what is kept",
    "AWS::S3::Bucket": "by the request, and by what lies in it",
    "AWS::S3::BucketPolicy": "no charge",
    "AWS::StepFunctions::StateMachine": "by the transition",
    "Custom::EncodersInUse": "a call of a function at a deployment",
}

# Properties that are billed by the hour, the month or the object, at any depth of a resource.
TRAPS: dict[str, Callable[[Any], bool]] = {
    "ProvisionedConcurrencyConfig": lambda _: True,
    "ProvisionedPollerConfig": lambda _: True,
    "CapacityProviderConfig": lambda _: True,
    "SnapStart": lambda value: value.get("ApplyOn") != "None",
    "FileSystemConfigs": bool,
    "VpcConfig": bool,  # needs a NAT gateway or endpoints to reach AWS
    "CacheClusterEnabled": bool,
    "CanarySetting": lambda value: bool(value.get("UseStageCache")),
    "ProvisionedThroughput": lambda _: True,
    "ContributorInsightsSpecification": lambda value: bool(value.get("Enabled")),
    "KinesisStreamSpecification": lambda _: True,
    "KMSMasterKeyId": bool,  # a key is a dollar a month
    "KMSMasterKeyID": bool,
    "KmsKeyArn": bool,
    "KmsKeyId": bool,
    "ReplicationConfiguration": lambda _: True,
    "IntelligentTieringConfigurations": bool,
    "InventoryConfigurations": bool,
    "MetricsConfigurations": bool,
    "AnalyticsConfigurations": bool,
}

# The conditions under which a kind is free.
NEEDED: dict[str, Callable[[dict[str, Any]], bool]] = {
    "AWS::DynamoDB::Table": lambda table: table["BillingMode"] == "PAY_PER_REQUEST",
    "AWS::Lambda::EventSourceMapping": lambda source: source["EventSourceArn"] == {"Fn::GetAtt": ["Registry", "StreamArn"]},
    "AWS::Logs::LogGroup": lambda group: "RetentionInDays" in group,
}


def faults(resource: Resource) -> list[str]:
    """The reasons why a resource may bill without requests."""
    kind, properties = resource["Type"], resource.get("Properties", {})
    if kind not in FREE:
        return [f"{kind} isn't known to be free"]
    lacks = [f"{kind} isn't as it has to be, to be free"] if kind in NEEDED and not NEEDED[kind](properties) else []
    return lacks + [name for name, value in members(properties) if name in TRAPS and TRAPS[name](value)]


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """All members of all objects in a JSON value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name, inner
            yield from members(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from members(inner)


def test_no_resource_of_a_default_deployment_bills_while_nobody_asks() -> None:
    # (Custom resources name properties of Predict, which Predict itself has.)
    found = {name: faults(resource) for name, resource in deployment().items()}
    assert {name: why for name, why in found.items() if why} == {}


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"SnapStart": "true"}, "Predict"),
        ({"DeploymentPreference": "Canary10Percent10Minutes"}, "AlarmPredictCanary"),
        ({"KmsKey": "a key"}, "Registry"),
    ],
)
def test_what_a_parameter_adds_that_bills_is_found(parameters: dict[str, str], name: str) -> None:
    assert faults(deployment(parameters)[name])


@pytest.mark.parametrize(
    "resource",
    [
        {"Type": "AWS::CloudWatch::Alarm"},
        {"Type": "AWS::CloudWatch::Dashboard"},
        {"Type": "AWS::KMS::Key"},
        {"Type": "AWS::Logs::LogGroup", "Properties": {}},
        {"Type": "AWS::Lambda::Alias", "Properties": {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 1}}},
        {"Type": "AWS::ApiGateway::Stage", "Properties": {"CacheClusterEnabled": True}},
        {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PROVISIONED"}},
        {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"EventSourceArn": "a queue"}},
    ],
    ids=lambda resource: resource["Type"],
)
def test_what_bills_by_the_hour_or_grows_without_bound_is_found(resource: Resource) -> None:
    assert faults(resource)


# Dollars: AWS's list prices in us-east-1, aws.amazon.com/lambda/pricing (arm64), /dynamodb/pricing/on-demand, /s3/pricing.
LAMBDA_CALL, LAMBDA_GB_SECOND = 0.20e-6, 0.0000133334
READ, WRITE, LIST = 0.125e-6, 0.625e-6, 5e-6
REQUESTS = {"Query": READ, "GetItem": READ, "UpdateItem": WRITE, "ListObjectsV2": LIST}
RUNS, HOURS, DAYS = 12 * 24 * 30, 24 * 30, 30
# The time of a run in a warm environment, as in docs/deploy.md.
SECONDS = 0.1


def test_one_function_runs_by_the_clock() -> None:
    schedules = {name: it["Properties"] for name, it in deployment().items() if "ScheduleExpression" in it.get("Properties", {})}
    assert {name: schedule["ScheduleExpression"] for name, schedule in schedules.items()} == {"SweepSchedule": "rate(5 minutes)"}
    [target] = schedules["SweepSchedule"]["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["Sweep", "Arn"]}


def test_what_runs_by_the_clock_costs_less_than_a_cent_a_month(
    winnow: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    make = BaseClient._make_api_call  # type: ignore[attr-defined]

    def priced(client: BaseClient, operation: str, given: dict[str, Any]) -> Any:
        asked.append(price(operation, given))
        return make(client, operation, given)

    def of_a_run(minute: int) -> float:
        asked.clear()
        sweep_in_silence(winnow, capsys, minute)
        clock.advance(minutes=5)
        return sum(asked)

    monkeypatch.setattr(BaseClient, "_make_api_call", priced)
    first_of_the_day, hourly, other = of_a_run(40), of_a_run(0), of_a_run(5)
    assert first_of_the_day > hourly > other

    function = deployment()["Sweep"]["Properties"]
    assert function["Architectures"] == ["arm64"]
    lambda_ = RUNS * (LAMBDA_CALL + SECONDS * function["MemorySize"] / 1024 * LAMBDA_GB_SECOND)
    assert lambda_ + RUNS * other + HOURS * (hourly - other) + DAYS * (first_of_the_day - other) < 0.01


def sweep_in_silence(winnow: Winnow, capsys: pytest.CaptureFixture[str], minute: int) -> None:
    """Run the sweep without output: each line of the log is billed, and each metric for the hour in which it is counted."""
    capsys.readouterr()
    event = load_event("upkeep/sweep") | {"time": f"2026-11-23T16:{minute:02d}:00Z"}
    winnow.invoke("functions/upkeep/sweep", event, Context(seconds=240))
    assert capsys.readouterr() == ("", "")


def price(operation: str, given: dict[str, Any]) -> float:
    """The price of a request with a small or empty result, in dollars. An operation without a price fails."""
    half = operation in {"Query", "GetItem"} and not given.get("ConsistentRead")
    return REQUESTS[operation] / (2 if half else 1)


def test_the_metrics_of_a_stack_are_listed_with_what_they_cost() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    listed = re.findall(r"`(\w+)`", page.partition("**Metrics.**")[2].partition("CloudWatch")[0])
    assert sorted(listed) == sorted(metrics())
    number = len(metrics())
    assert f"${0.30 * (number - 10):.2f} per month, or ${0.30 * number:.2f}" in page
    assert f"if all {number} are written" in page


def metrics() -> set[str]:
    """The names that are given to count(), and those that the sweep counts."""
    counted = {*Care, *BatchCare}
    for module in own_code().values():
        for node in ast.walk(module):
            match node:
                case ast.Call(func=ast.Name(id="count"), args=[ast.Constant(value=str(name)), *_]):
                    counted.add(name)
                case ast.Call(func=ast.Name(id="Counter"), keywords=keywords):
                    counted |= {it.arg for it in keywords if it.arg}
    [swept] = [module for path, module in own_code().items() if str(path).endswith("upkeep/sweep.py")]
    for node in ast.walk(swept):
        match node:
            case ast.Dict(keys=keys):
                counted |= {key.value for key in keys if isinstance(key, ast.Constant) and str(key.value)[0].isupper()}
    return counted
