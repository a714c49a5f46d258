"""A deployment's code and settings answer the API: the alias that it calls leads to them, with snapshots and without."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.cloud import LocalCloud
from local.server import CloudError
from tests.e2e.conftest import Deployed, deployed

ALIAS = "live"


@pytest.fixture(scope="module")
def without_encoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A cloud of its own, whose first deployment has no sentence encoder."""
    with LocalCloud(tmp_path_factory.mktemp("release"), port=None) as cloud:
        cloud.deploy({"Encoder": "none"})
        yield cloud


def live(cloud: LocalCloud) -> dict[str, Any]:
    """The version that the API calls."""
    version: dict[str, Any] = cloud.client("lambda").get_function_configuration(FunctionName=cloud.resource("Predict"), Qualifier=ALIAS)
    return version


def weights(cloud: LocalCloud) -> dict[str, float]:
    """The versions that get a part of the API's calls beside the one that gets the others."""
    alias = cloud.client("lambda").get_alias(FunctionName=cloud.resource("Predict"), Name=ALIAS)
    return dict((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})


def wait_for_weights(cloud: LocalCloud) -> dict[str, float]:
    """Those of the canary that a deployment under way begins."""
    end = time.monotonic() + 120
    while not (found := weights(cloud)):
        assert time.monotonic() < end, "no canary began"
        time.sleep(0.5)
    return found


def versions(cloud: LocalCloud) -> list[str]:
    found = cloud.client("lambda").list_versions_by_function(FunctionName=cloud.resource("Predict"))["Versions"]
    return [version["Version"] for version in found if version["Version"] != "$LATEST"]


def predict(api: Deployed) -> int:
    return api.request("POST", "/prediction", json={"model_id": "tc-01", "text": "my rent is due"}).status_code


def test_what_was_deployed_last_answers(without_encoder: LocalCloud, small_dataset: bytes) -> None:
    cloud = without_encoder
    assert (live(cloud)["Version"], live(cloud)["Environment"]["Variables"]["ENCODER"]) == ("1", "none")

    cloud.deploy({"Encoder": "minilm"})
    api = deployed(cloud)
    api.client.train("tc-01", api.client.upload("small.jsonl", small_dataset), recipe="sentence")
    assert api.client.wait("tc-01")["version"]["status"] == "ready"
    # By the layer and the setting that the first deployment left out.
    assert predict(api) == 200
    assert (live(cloud)["Version"], versions(cloud)) == ("2", ["1", "2"])

    cloud.deploy({"SnapStart": "true"})
    # Its environments have been through the hooks around a snapshot.
    assert (live(cloud)["Version"], live(cloud)["SnapStart"]["OptimizationStatus"]) == ("3", "On")
    assert predict(deployed(cloud)) == 200

    cloud.deploy({"SnapStart": "false"})
    assert (live(cloud)["Version"], live(cloud)["SnapStart"]["ApplyOn"]) == ("4", "None")
    assert predict(deployed(cloud)) == 200
    # The stack's first, the one before, and the one that answers.
    assert versions(cloud) == ["1", "3", "4"]


def test_an_alarm_during_the_canary_takes_the_deployment_back(without_encoder: LocalCloud) -> None:
    cloud = without_encoder
    cloud.deploy({"PredictCanary": "1"})
    before = live(cloud)
    with ThreadPoolExecutor() as beside:
        deployment = beside.submit(cloud.deploy, {"PredictCanary": "1", "SnapStart": "true"})
        [new] = wait_for_weights(cloud)
        assert predict(deployed(cloud)) == 200
        cloud.client("cloudwatch").set_alarm_state(AlarmName=cloud.resource("AlarmPredictCanary"), StateValue="ALARM", StateReason="a test")
        with pytest.raises(CloudError, match="went off"):
            deployment.result()
    assert new not in versions(cloud)
    assert weights(cloud) == {}
    assert live(cloud)["SnapStart"]["ApplyOn"] == before["SnapStart"]["ApplyOn"] == "None"
    assert predict(deployed(cloud)) == 200


def test_a_version_that_no_alarm_went_off_for_gets_all_calls(without_encoder: LocalCloud) -> None:
    cloud = without_encoder
    alarm = cloud.resource("AlarmPredictCanary")
    cloud.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="a test")
    with ThreadPoolExecutor() as beside:
        deployment = beside.submit(cloud.deploy, {"PredictCanary": "1", "SnapStart": "true"})
        [new] = wait_for_weights(cloud)
        deployment.result()
    assert (live(cloud)["Version"], weights(cloud)) == (new, {})
    assert predict(deployed(cloud)) == 200
