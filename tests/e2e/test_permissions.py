"""The local cloud enforces the functions' roles, so a missing permission makes a call fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Deployed


@contextmanager
def without(api: Deployed, function: str, action: str) -> Iterator[None]:
    """Remove this permission from the function's role inside the `with` block."""
    iam = api.cloud.client("iam")
    role = api.cloud.resource(f"{function}Role")
    before = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    changed = {name: _lacking(document, action) for name, document in before.items()}
    assert changed != before, f"{function} never had {action}"
    try:
        _put(iam, role, changed)
        yield
    finally:
        _put(iam, role, before)


def _lacking(document: dict[str, Any], action: str) -> dict[str, Any]:
    statements = document["Statement"]
    kept = []
    for statement in statements if isinstance(statements, list) else [statements]:
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        left = [each for each in actions if each != action]
        kept += [{**statement, "Action": left}] if left else []
    return {**document, "Statement": kept}


def _put(iam: Any, role: str, documents: dict[str, dict[str, Any]]) -> None:
    for name, document in documents.items():
        if document["Statement"]:
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
        else:
            iam.delete_role_policy(RoleName=role, PolicyName=name)


@pytest.fixture(scope="module")
def model(api: Deployed, small_dataset: bytes) -> str:
    api.client.train("permitted", api.client.upload("small.jsonl", small_dataset), recipe="linear", n_iter=2)
    assert api.client.wait("permitted")["status"] == "ready"
    return "permitted"


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    ("function", "action", "call"),
    [
        ("Predict", "s3:GetObject", ("POST", "/prediction", {"model_id": "permitted", "text": "my rent is due"})),
        ("GetModel", "dynamodb:GetItem", ("GET", "/models/permitted", None)),
        ("ListModels", "dynamodb:Query", ("GET", "/models", None)),
        ("GetEvaluation", "s3:GetObject", ("GET", "/models/permitted/versions/1/evaluation", None)),
        ("ListDatasets", "s3:ListBucket", ("GET", "/datasets", None)),
    ],
)
def test_a_call_fails_while_a_right_that_it_needs_is_missing(api: Deployed, function: str, action: str, call: tuple[str, str, Any]) -> None:
    method, path, body = call
    with without(api, function, action):
        assert api.request(method, path, json=body).status_code == 500
    # With its permission it answers again.
    assert api.request(method, path, json=body).status_code == 200


def test_a_training_fails_while_a_right_that_it_needs_is_missing(api: Deployed, small_dataset: bytes) -> None:
    with without(api, "Train", "s3:PutObject"):
        api.client.train("hindered", api.client.upload("small.jsonl", small_dataset), recipe="linear", n_iter=2)
        assert api.client.wait("hindered")["version"]["status"] == "failed"
    api.request("DELETE", "/models/hindered")


def test_an_upload_is_refused_while_the_function_that_signed_it_may_not_write(api: Deployed) -> None:
    upload = api.request("POST", "/datasets", json={"name": "texts.jsonl"}).json()
    with without(api, "CreateDataset", "s3:PutObject"):
        assert requests.put(upload["upload_url"], data=b"x", headers=upload["headers"], timeout=60).status_code == 403


def test_no_bucket_is_read_that_the_role_does_not_name_whatever_the_code_thinks(api: Deployed) -> None:
    bucket, function = "a-bucket-of-others", api.cloud.resource("CreateModel")
    api.cloud.client("s3").create_bucket(Bucket=bucket)
    api.put(bucket, "texts.jsonl", b'{"text": "a", "label": "b"}')
    functions = api.cloud.client("lambda")
    before = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    functions.update_function_configuration(FunctionName=function, Environment={"Variables": {**before, "DATASET_BUCKETS": bucket}})
    try:
        body = {"id": "of-others", "s3bucket": bucket, "training_object": "texts.jsonl", "dry_run": True}
        refused = api.request("POST", "/models", json=body)
    finally:
        functions.update_function_configuration(FunctionName=function, Environment={"Variables": before})
    assert refused.status_code == 422
    assert "this deployment may not read the bucket" in refused.json()["detail"]
