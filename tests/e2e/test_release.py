"""The API uses the last deployment's code and settings: its alias points to a version of them, with and without snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local.cloud import LocalCloud
from tests.e2e.conftest import Deployed, deployed

ALIAS = "live"


@pytest.fixture(scope="module")
def without_encoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A cloud of its own. Its first deployment has no sentence encoder."""
    with LocalCloud(tmp_path_factory.mktemp("release"), port=None) as cloud:
        cloud.deploy({"Encoder": "none"})
        yield cloud


def live(cloud: LocalCloud) -> dict[str, Any]:
    """The version that the API calls."""
    version: dict[str, Any] = cloud.client("lambda").get_function_configuration(FunctionName=cloud.resource("Predict"), Qualifier=ALIAS)
    return version


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
    # This needs the layer and the setting that the first deployment lacked.
    assert predict(api) == 200
    assert live(cloud)["Version"] == "2"

    cloud.deploy({"SnapStart": "true"})
    # Its environments have run the hooks around a snapshot.
    assert (live(cloud)["Version"], live(cloud)["SnapStart"]["OptimizationStatus"]) == ("3", "On")
    assert predict(deployed(cloud)) == 200

    # A change that Predict doesn't see makes no new version.
    cloud.deploy({"SnapStart": "true", "MostTrainings": "3"})
    assert live(cloud)["Version"] == "3"

    cloud.deploy({"SnapStart": "false"})
    assert (live(cloud)["Version"], live(cloud)["SnapStart"]["ApplyOn"]) == ("4", "None")
    assert predict(deployed(cloud)) == 200
    assert versions(cloud) == ["4"]
