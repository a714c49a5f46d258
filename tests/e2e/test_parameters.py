"""A deployment with another value than the default for every parameter of the template. It trains and answers."""

from __future__ import annotations

import json
import time

import pytest
import requests

from local.cloud import LocalCloud
from tests.e2e.conftest import Deployed, deployed
from tests.support.contract import template
from tests.support.other_parameters import OTHERS

# Architecture must be the machine's. The local cloud translates the template without the values of parameters, so tests/contract tests
# Authorizer (test_access.py), Tracing (test_operations.py), DeploymentPreference (test_release.py) and VpcEndpoints (test_deployments.py).
NOT_HERE = {"Architecture", "Authorizer", "Tracing", "DeploymentPreference", "VpcEndpoints"}


def test_every_parameter_has_another_value_here() -> None:
    parameters = template()["Parameters"]
    assert set(OTHERS) | NOT_HERE == set(parameters)
    assert not [name for name, value in OTHERS.items() if str(parameters[name]["Default"]) == value and name != "KeepData"]


def check_cors(api: Deployed) -> None:
    """Scripts of pages of that origin can send a preflight and a call, and read answers, even the gateway's own."""
    asked = {"Origin": OTHERS["CorsOrigin"], "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    preflight = requests.options(f"{api.url}/prediction", headers=asked, timeout=60)
    assert preflight.status_code == 200
    assert {"GET", "POST"} <= set(preflight.headers["Access-Control-Allow-Methods"].split(","))
    assert "x-api-key" in preflight.headers["Access-Control-Allow-Headers"].split(",")
    for answer in (preflight, api.request("GET", "/models"), api.request("GET", "/models/none"), api.request("GET", "/models", key=None)):
        assert answer.headers["Access-Control-Allow-Origin"] == OTHERS["CorsOrigin"], answer.status_code


def check_inbox(api: Deployed) -> None:
    """A file is classified, and one that can't be is told why, by S3's own events."""
    s3, name = api.cloud.client("s3"), "Zwei Wörter + 100%.csv"
    s3.put_object(Bucket=api.datasets_bucket, Key=f"inbox/other/{name}", Body=b"text\nmy rent is due\n")
    s3.put_object(Bucket=api.datasets_bucket, Key="inbox/nobody/texts.csv", Body=b"text\nmy rent is due\n")
    wanted = {f"outbox/other/{name}", "inbox/nobody/texts.csv.error.json"}
    end = time.monotonic() + 180
    while not wanted <= (keys := {each["Key"] for each in s3.list_objects_v2(Bucket=api.datasets_bucket)["Contents"]}):
        assert time.monotonic() < end, keys
        time.sleep(1)
    result = s3.get_object(Bucket=api.datasets_bucket, Key=f"outbox/other/{name}")["Body"].read().decode()
    assert result.splitlines()[1].startswith("my rent is due,")
    told = json.loads(s3.get_object(Bucket=api.datasets_bucket, Key="inbox/nobody/texts.csv.error.json")["Body"].read())
    assert told["error"].startswith("There is no model 'nobody'")


def test_a_deployment_of_other_values_trains_and_answers(tmp_path_factory: pytest.TempPathFactory, small_dataset: bytes) -> None:
    with LocalCloud(tmp_path_factory.mktemp("others"), port=None) as cloud:
        cloud.deploy(OTHERS)
        api = deployed(cloud)
        api.client.train("other", api.client.upload("small.jsonl", small_dataset))
        model = api.client.wait("other")
        assert (model["status"], model["version"]["recipe"]) == ("ready", "linear"), model["version"]["error"]
        prediction = api.client.call("POST", "/prediction", {"model_id": "other", "text": "my rent is due", "n_top": 1})
        assert prediction["version"] == 1
        check_cors(api)
        check_inbox(api)

        table = cloud.client("dynamodb").describe_table(TableName=api.table)["Table"]
        assert table["DeletionProtectionEnabled"] is True
        function = cloud.client("lambda").get_function_configuration(FunctionName=cloud.resource("Predict"))
        assert function["LoggingConfig"]["LogGroup"] == cloud.resource("Logs")
        # The nested stack, of which the workflow knows the cluster.
        machine = cloud.client("stepfunctions").describe_state_machine(stateMachineArn=cloud.resource("TrainingWorkflow"))
        assert cloud.client("ecs").list_clusters()["clusterArns"][0] in machine["definition"]
