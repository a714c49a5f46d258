"""One local cloud for all end-to-end tests: the real template, deployed by the real `sam deploy`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from local.cloud import LocalCloud
from tests.support.built import build_local
from tests.support.contract import check_answer
from winnow_cli.client import Client

# Short, so that a test can have several. A minute of it is reserved for the checkpoint.
SEGMENT_SECONDS = 80
SAMPLE = Path(__file__).parents[2] / "local" / "sample" / "savings.json"


@dataclass(frozen=True)
class Deployed:
    """The deployed API over HTTP, like any client. Checks every answer against the contract."""

    cloud: LocalCloud
    url: str
    key: str
    datasets_bucket: str
    models_bucket: str
    table: str

    @property
    def client(self) -> Client:
        return Client(self.url, self.key)

    def request(
        self, method: str, path: str, *, key: str | None = "", headers: Mapping[str, str] | None = None, **more: Any
    ) -> requests.Response:
        """Make a call with the API's key, another key, or no key (None)."""
        sent = {"Content-Type": "application/json", **(headers or {})} | ({} if key is None else {"x-api-key": key or self.key})
        answer = requests.request(method, self.url + path, headers=sent, timeout=60, **more)
        is_json = answer.content and answer.headers["Content-Type"].endswith("json")
        body = answer.json() if is_json else answer.text
        check_answer(method, path.split("?", maxsplit=1)[0], answer.status_code, answer.headers, body)
        return answer

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """Put a client's own data set into a bucket."""
        self.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=content)

    def objects(self, bucket: str) -> list[str]:
        """The keys in a bucket."""
        return [entry["Key"] for entry in self.cloud.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]

    def tasks_begun(self, model_id: str) -> list[str]:
        """The names of the functions that the workflow of the model's only training called, in order."""
        client = self.cloud.client("stepfunctions")
        [machine] = [it["stateMachineArn"] for it in client.list_state_machines()["stateMachines"] if "Training" in it["name"]]
        for execution in client.list_executions(stateMachineArn=machine)["executions"]:
            given = json.loads(client.describe_execution(executionArn=execution["executionArn"])["input"])
            if given["job"]["model_id"] == model_id:
                pages = client.get_paginator("get_execution_history").paginate(executionArn=execution["executionArn"])
                details = (event.get("taskScheduledEventDetails") for page in pages for event in page["events"])
                # An ARN ends with STACK-LOGICALID-SUFFIX.
                return [each["resource"].split("-")[-2] for each in details if each]
        raise AssertionError(f"no execution trained {model_id}")


def forget_models(api: Deployed) -> None:
    """Delete the models of earlier tests, for a test that needs the deployment to itself."""
    for model in api.client.call("GET", "/models")["models"]:
        assert api.request("DELETE", f"/models/{model['model_id']}").status_code in {200, 202}


def deployed(cloud: LocalCloud) -> Deployed:
    settings, outputs = cloud.environment(), cloud.outputs()
    return Deployed(
        cloud,
        settings["WINNOW_URL"],
        settings["WINNOW_API_KEY"],
        settings["WINNOW_DATASETS_BUCKET"],
        outputs["ModelsBucket"],
        outputs["RegistryTable"],
    )


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    build_local()


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with LocalCloud(tmp_path_factory.mktemp("cloud"), port=None) as cloud:
        cloud.deploy({"TrainingTimeout": str(SEGMENT_SECONDS)})
        yield cloud


@pytest.fixture(scope="session")
def api(cloud: LocalCloud) -> Deployed:
    return deployed(cloud)


@pytest.fixture(scope="session")
def small_dataset() -> bytes:
    """Every tenth text of the sample data set, as JSON Lines."""
    return "\n".join(json.dumps(example) for example in json.loads(SAMPLE.read_text())[::10]).encode()
