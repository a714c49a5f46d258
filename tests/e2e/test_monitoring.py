"""`make monitoring`: the alarms and the dashboard, from their own template, beside a deployed stack."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from local.server import CREDENTIALS, REGION
from operations import monitoring
from tests.e2e.conftest import Deployed
from tests.support.contract import ROOT

EMAIL = "operator@example.org"


@pytest.fixture
def operator(api: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    """A person who runs `make monitoring`: sam is on the path, and the local cloud replaces AWS.

    MiniStack takes no alarm on an expression of metrics, so the one that there is gets a single metric here.
    """
    plain = "Namespace: AWS/ApiGateway\n      MetricName: 5XXError\n      Statistic: Average\n      Period: 300\n"
    changed, alarms = re.subn(r"Metrics:\n(?: {8,}.*\n)+", plain, monitoring.TEMPLATE.read_text(encoding="utf-8"))
    assert alarms == 1
    monkeypatch.setattr(monitoring, "TEMPLATE", tmp_path / "monitoring.yaml")
    monitoring.TEMPLATE.write_text(changed, encoding="utf-8")
    monkeypatch.setenv("PATH", f"{ROOT / '.tools' / 'sam' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    for name, value in {
        **CREDENTIALS,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": api.cloud.endpoint,
        "SAM_CLI_TELEMETRY": "0",
    }.items():
        monkeypatch.setenv(name, value)
    return api


def test_alarms_watch_the_stack_and_notify_the_operator(operator: Deployed) -> None:
    watched = "winnow-local"
    assert monitoring.main(["--stack", watched, "--email", EMAIL]) == 0
    cloud = operator.cloud
    [stack] = cloud.client("cloudformation").describe_stacks(StackName=f"{watched}-monitoring")["Stacks"]
    [topic] = [output["OutputValue"] for output in stack["Outputs"]]
    alarms = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert len(alarms) == 12
    assert all(alarm["AlarmActions"] == [topic] for alarm in alarms)
    [slow] = [alarm for alarm in alarms if "AlarmSlow" in alarm["AlarmName"]]
    assert slow["Dimensions"] == [{"Name": "FunctionName", "Value": cloud.resource("Predict")}]
    [subscription] = cloud.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert subscription["Endpoint"] == EMAIL
    assert len(cloud.client("cloudwatch").list_dashboards()["DashboardEntries"]) == 1

    # Without EMAIL the address doesn't change.
    assert monitoring.main(["--stack", watched]) == 0
    assert cloud.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == [subscription]


def test_a_stack_that_is_not_there_is_named(operator: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    assert monitoring.main(["--stack", "none"]) == 1
    assert "there is no stack none" in capsys.readouterr().err
