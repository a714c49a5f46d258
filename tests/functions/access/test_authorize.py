"""What a key may call: the authorizer's answer, and the endpoints' own check of it."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest

from tests.conftest import ROOT, Context, Json, Winnow, load_event
from tests.support.contract import events, functions
from winnow.domain import access
from winnow.domain.access import KeyRole, Role
from winnow.registry.roles import Roles

KEY = "8b7f2c9d1e0a4f6385c2d1b0a9f8e7d6c5b4a392"
ARN = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/v1"
EVENTS = [file.stem for file in sorted((ROOT / "events" / "api").glob("*.json"))]
OPEN_EVENTS = ["get_console", "get_console_file", "get_contract", "get_docs", "get_docs_file", "health"]
# Its route is open too, and the function itself asks for a key: test_health.py.
KEY_OF_ITS_OWN = ["health_deep"]


def give(winnow: Winnow, role: str, key: str = KEY) -> None:
    Roles(winnow.table).put(KeyRole(access.digest(key), "clerk", role, "f6g7h8i9j0", "2026-11-24T10:00:00Z"))


def authorize(winnow: Winnow, headers: dict[str, list[str]] | None = None, **members: Any) -> Json:
    event = load_event("access/authorize") | {"multiValueHeaders": {"x-api-key": [KEY]} if headers is None else headers} | members
    answer: Json = json.loads(json.dumps(winnow.invoke("functions/access/authorize", event)))
    return answer


def allowed(answer: Json, call: str) -> bool:
    """Whether API Gateway lets the call through with this answer, which may be for another call."""
    method, _, path = call.partition(" ")
    arn = f"{ARN}/{method}{re.sub(r'{(\w+)}', r'a-\1', path)}"
    effects = set()
    for statement in answer["policyDocument"]["Statement"]:
        assert statement["Action"] == "execute-api:Invoke"
        if any(re.fullmatch(re.escape(each).replace(r"\*", ".*"), arn) for each in statement["Resource"]):
            effects.add(statement["Effect"])
    return effects == {"Allow"}


@pytest.mark.parametrize("role", Role)
def test_a_key_may_call_what_its_role_may(winnow: Winnow, role: Role) -> None:
    give(winnow, role)
    answer = authorize(winnow)
    assert answer["context"] == {"role": role, "key": "clerk"}
    for call in set(events()) - access.OPEN_CALLS:
        assert allowed(answer, call) == access.may(role, call), call


def test_the_answer_is_for_every_call_since_api_gateway_keeps_it(winnow: Winnow) -> None:
    give(winnow, Role.PREDICT)
    first = authorize(winnow, methodArn=f"{ARN}/GET/models")
    assert first == authorize(winnow, methodArn=f"{ARN}/DELETE/models/tc-01")
    assert len(json.dumps(first["policyDocument"])) < 8_000  # the limit of API Gateway


def test_the_answer_is_for_this_api_and_stage_alone(winnow: Winnow) -> None:
    give(winnow, Role.ADMIN)
    assert authorize(winnow)["policyDocument"]["Statement"][0]["Resource"] == [f"{ARN}/*"]


@pytest.mark.parametrize("role", [None, "owner", "", "Admin", "admin "])
def test_a_key_without_a_role_that_is_known_may_call_nothing(winnow: Winnow, role: str | None) -> None:
    if role is not None:
        give(winnow, role)
    answer = authorize(winnow)
    assert not [call for call in events() if allowed(answer, call)]
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"


def test_a_row_that_lost_its_role_lets_nobody_in(winnow: Winnow) -> None:
    give(winnow, Role.ADMIN)
    [row] = winnow.table.scan()["Items"]
    del row["role"]
    winnow.table.put_item(Item=row)
    assert authorize(winnow)["policyDocument"]["Statement"][0]["Effect"] == "Deny"


@pytest.mark.parametrize(
    ("headers", "effect"),
    [
        ({"X-API-Key": [KEY]}, "Allow"),
        ({"x-api-key": [KEY, "another"]}, "Deny"),
        ({"x-api-key": ["another", KEY]}, "Deny"),
        ({"x-api-key": [KEY], "X-Api-Key": [KEY]}, "Deny"),
        ({"x-api-key": [f"{KEY} "]}, "Deny"),
        ({"x-api-key": [""]}, "Deny"),
        ({"authorization": [KEY]}, "Deny"),
        ({}, "Deny"),
    ],
)
def test_the_key_is_the_one_of_its_header(winnow: Winnow, headers: dict[str, list[str]], effect: str) -> None:
    give(winnow, Role.ADMIN)
    assert authorize(winnow, headers)["policyDocument"]["Statement"][0]["Effect"] == effect


@pytest.mark.parametrize(
    ("members", "effect"),
    [
        ({"headers": {"X-Api-Key": KEY}}, "Allow"),
        ({"headers": {"X-Api-Key": KEY, "x-api-key": KEY}}, "Deny"),
        ({"headers": {"X-Api-Key": KEY}, "multiValueHeaders": {}}, "Deny"),
        ({"headers": None}, "Deny"),
        ({}, "Deny"),
    ],
)
def test_an_event_without_lists_of_headers_has_the_key_in_its_headers(winnow: Winnow, members: Json, effect: str) -> None:
    give(winnow, Role.ADMIN)
    event = {name: value for name, value in load_event("access/authorize").items() if not name.lower().endswith("headers")}
    answer = winnow.invoke("functions/access/authorize", event | members)
    assert answer["policyDocument"]["Statement"][0]["Effect"] == effect


def test_neither_the_answer_nor_the_log_nor_the_registry_has_the_key(winnow: Winnow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    give(winnow, Role.PREDICT)
    answers = [authorize(winnow), authorize(winnow, {"x-api-key": ["another-secret"]})]
    records = " ".join(str(vars(record)) for record in caplog.records)
    assert "clerk" in records
    for secret in (KEY, "another-secret"):
        assert secret not in records
        assert secret not in str(answers)
        assert secret not in str(winnow.table.scan()["Items"])


def test_a_role_that_cannot_be_read_is_an_error_and_no_answer(winnow: Winnow) -> None:
    winnow.table.delete()
    with pytest.raises(Exception, match="ResourceNotFound"):
        authorize(winnow)


# --- the endpoints ---


def answered(winnow: Winnow, name: str, authorizer: Any, **members: Any) -> int:
    """The status of an event of events/api after this answer of the authorizer. None: no answer."""
    event = load_event(f"api/{name}") | members
    event["requestContext"] = {**event["requestContext"], "authorizer": authorizer}
    if authorizer is None:
        del event["requestContext"]["authorizer"]
    call = f"{event['httpMethod']} {event['resource']}"
    raw = winnow.invoke(functions()[events()[call][0]]["CodeUri"], event, Context())
    if raw["statusCode"] == 403:
        assert json.loads(raw["body"])["type"] == "urn:winnow:problem:forbidden"
    return int(raw["statusCode"])


@pytest.mark.parametrize("name", [name for name in EVENTS if name not in OPEN_EVENTS + KEY_OF_ITS_OWN])
def test_an_endpoint_looks_at_the_role_itself(winnow: Winnow, name: str) -> None:
    event = load_event(f"api/{name}")
    call = f"{event['httpMethod']} {event['resource']}"
    for authorizer in (None, {}, {"role": None}, {"role": "owner"}, {"principalId": "admin"}, {"role": ""}):
        assert answered(winnow, name, authorizer) == 403
    for role, calls in access.CALLS.items():
        assert (answered(winnow, name, {"role": role}) == 403) == (call not in calls)
    assert answered(winnow, name, {"role": "admin"}) != 403


def test_what_a_client_sends_is_no_role(winnow: Winnow) -> None:
    forged = {"role": ["admin"], "x-amzn-authorizer-role": ["admin"], "authorizer": ['{"role": "admin"}']}
    assert answered(winnow, "list_models", None, multiValueHeaders=forged, queryStringParameters={"role": "admin"}) == 403


@pytest.mark.parametrize("name", OPEN_EVENTS)
def test_what_is_open_asks_for_no_role(winnow: Winnow, name: str) -> None:
    assert answered(winnow, name, None) == 200


def test_where_iam_decides_no_role_is_asked_for(winnow: Winnow) -> None:
    winnow.parameters["Authorizer"] = "AWS_IAM"
    assert answered(winnow, "list_models", None) == 200
    winnow.parameters["Authorizer"] = "AWS_IAM "
    assert answered(winnow, "list_models", None) == 403
