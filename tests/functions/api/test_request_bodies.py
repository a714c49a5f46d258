"""Bodies that can't be read, are too large, or come in two ways: one check for all endpoints."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from winnow.aws import clients
from winnow.training import dry_run

if TYPE_CHECKING:
    from tests.conftest import Winnow

VALID = '"s3bucket": "albert-textcats", "training_object": "trainingSet.json"'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"id": "tc-01",', "column 16"),
        ("{'id': 'tc-01'}", "column 2"),
        ('{"id": "tc-01"} {}', "column 17"),
        (f'{{"id": "a", "id": "b", {VALID}}}', "'id'"),
        (f'{{"id": "tc-01", "n_iter": NaN, {VALID}}}', "NaN"),
        (f'{{"id": "tc-01", "n_iter": -Infinity, {VALID}}}', "Infinity"),
        ("[" * 100_000, "deep"),
        ('{"a":' * 100_000, "deep"),
        (f'{{"id": "tc-\\ud800", {VALID}}}', "surrogate"),
        (f'{{"n\\udfff": 1, {VALID}}}', "surrogate"),
        (f'{{"id": "tc-01", "n_iter": {"9" * 5000}, {VALID}}}', "JSON"),
    ],
    ids=[
        "cut off",
        "single quotes",
        "two values",
        "key twice",
        "NaN",
        "infinity",
        "deep arrays",
        "deep objects",
        "surrogate",
        "in key",
        "digits",
    ],
)
def test_what_is_not_proper_json_is_unreadable(winnow: Winnow, body: str, said: str) -> None:
    answer = winnow.call("create_model", body=body)

    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert said in answer.body["detail"]
    assert winnow.executions() == []


@pytest.mark.parametrize("body", ["[]", '"tc-01"', "7", "null", "true"])
def test_json_that_is_no_object_is_refused(winnow: Winnow, body: str) -> None:
    answer = winnow.call("create_model", body=body)

    assert answer.status == 422
    assert "object" in answer.body["detail"]


@pytest.mark.parametrize("event", ["create_model", "get_model"])  # the second's body is null
def test_no_body_at_all_is_told_by_the_first_field_it_lacks(winnow: Winnow, event: str) -> None:
    body = "" if event == "create_model" else None
    answer = winnow.call("create_model", event, body=body, httpMethod="POST", path={}, resource="/models")

    assert (answer.status, answer.body["field"]) == (422, "id")


def test_a_body_may_come_in_base64(winnow: Winnow) -> None:
    body = base64.b64encode(f'{{"id": "tc-é"[:5], {VALID}}}'.encode()).decode()
    assert winnow.call("create_model", body=body, isBase64Encoded=True).status == 400

    body = base64.b64encode(f'{{"id": "tc-01", {VALID}}}'.encode()).decode()
    assert winnow.call("create_model", body=body, isBase64Encoded=True).status == 202


@pytest.mark.parametrize("body", ["%%%", base64.b64encode(b'{"id": "\xff"}').decode()])
def test_base64_that_does_not_hold_utf_8_is_unreadable(winnow: Winnow, body: str) -> None:
    assert winnow.call("create_model", body=body, isBase64Encoded=True).status == 400


@pytest.mark.parametrize(("letter", "count"), [("a", 1_000_001), ("é", 500_001)])
def test_a_body_over_a_megabyte_is_too_large(winnow: Winnow, letter: str, count: int) -> None:
    answer = winnow.call("create_model", body=letter * count)

    assert answer.status == 413
    assert "1,000,000 bytes" in answer.body["detail"]


def test_query_parameters_beside_a_body_are_refused_by_name(winnow: Winnow) -> None:
    answer = winnow.call("create_model", query={"force_update": "True"})

    assert (answer.status, answer.body["field"]) == (422, "force_update")


@pytest.mark.parametrize(
    ("call", "event", "name"),
    [("predict", "predict_get_query", "text"), ("list_models", "list_models", "limit"), ("create_model", "create_model", "id")],
)
def test_a_query_parameter_that_comes_twice_is_refused_by_name(winnow: Winnow, call: str, event: str, name: str) -> None:
    answer = winnow.call(call, event, queryStringParameters={name: "2"}, multiValueQueryStringParameters={name: ["1", "2"]})

    assert (answer.status, answer.body["field"]) == (422, name)
    assert answer.body["detail"] == f"The query has {name} more than once: send each parameter once."


def test_an_unexpected_fault_is_a_problem_without_its_details(winnow: Winnow) -> None:
    winnow.table.delete()

    answer = winnow.call("list_models")

    assert answer.status == 500
    assert "ResourceNotFound" not in answer.body["detail"]
    assert "Traceback" not in answer.body["detail"]


@pytest.mark.parametrize(("code", "status"), [("TooManyRequestsException", 503), ("ValidationException", 500)])
def test_a_call_that_aws_refuses_for_now_is_503_and_says_when_to_try_again(
    winnow: Winnow, monkeypatch: pytest.MonkeyPatch, code: str, status: int
) -> None:
    refused = ClientError({"Error": {"Code": code, "Message": "Rate exceeded"}}, "Invoke")
    monkeypatch.setattr(dry_run, "MOST_BYTES_AT_ONCE", 10)
    monkeypatch.setattr(clients.lambda_(), "invoke", Mock(side_effect=refused))
    winnow.put_dataset()

    answer = winnow.create("create_model_dry_run")

    assert answer.status == status
    assert answer.headers.get("Retry-After") == ("5" if status == 503 else None)
