"""GET /health: without a key whether the API answers, and with `deep` and a key whether all its parts do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from winnow.aws import clients, health
from winnow.domain import access
from winnow.domain.access import KeyRole, Role
from winnow.registry.roles import Roles

if TYPE_CHECKING:
    from tests.conftest import Answer, Winnow

KEY = "8b7f2c9d1e0a4f6385c2d1b0a9f8e7d6c5b4a392"
ALL = dict.fromkeys(("registry", "datasets", "models", "training", "batches"), "ok")
# What is broken, by the part that then fails: the client, the operation, and a piece of its arguments.
BROKEN: dict[str, tuple[Callable[[], Any], str, str]] = {
    "registry": (lambda: clients.registry_table().meta.client, "dynamodb.GetItem", "ROLES"),
    "datasets": (clients.s3, "s3.ListObjectsV2", "winnow-datasets"),
    "models": (clients.s3, "s3.ListObjectsV2", "winnow-models"),
    "training": (clients.stepfunctions, "stepfunctions.DescribeStateMachine", "TrainingWorkflow"),
    "batches": (clients.stepfunctions, "stepfunctions.DescribeStateMachine", "BatchWorkflow"),
}


def deep(winnow: Winnow, role: str | None = Role.PREDICT, **more: Any) -> Answer:
    """GET /health?deep=1 with a key of this role."""
    if role is not None:
        Roles(winnow.table).put(KeyRole(access.digest(KEY), "monitor", role, "f6g7h8i9j0", "2026-11-24T10:00:00Z"))
    return winnow.call("health", "health_deep", **{"headers": {"x-api-key": KEY}} | more)


@contextmanager
def failing(winnow: Winnow, part: str, fail: Callable[[], object]) -> Iterator[None]:
    """A part whose calls do this instead of answering."""
    client, operation, about = BROKEN[part]
    with winnow.settings("functions/api/health"):
        events, name = client().meta.events, f"before-call.{operation}"

    def broken(params: dict[str, Any], **_: Any) -> None:
        if winnow.names.get(about, about) in str(params):
            fail()

    events.register(name, broken, unique_id="broken")
    try:
        yield
    finally:
        events.unregister(name, unique_id="broken")


def refuse() -> None:
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not for arn:aws:s3:::winnow-models"}}, "any")


def test_health_answers_without_a_key(winnow: Winnow) -> None:
    answer = winnow.call("health")

    assert (answer.status, answer.body) == (200, {"status": "ok"})
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("query", [None, {"deep": "0"}])
def test_without_deep_nothing_else_is_asked_whatever_is_down(winnow: Winnow, query: dict[str, str] | None) -> None:
    boto3.client("dynamodb").delete_table(TableName=winnow.names["Registry"])

    assert winnow.call("health", query=query).body == {"status": "ok"}


@pytest.mark.parametrize("given", ["2", "true", "", "yes"])
def test_another_deep_is_refused(winnow: Winnow, given: str) -> None:
    answer = winnow.call("health", query={"deep": given})

    assert (answer.status, answer.body["detail"]) == (422, "deep must be 0 or 1.")


@pytest.mark.parametrize("role", [Role.PREDICT, Role.ADMIN])
def test_deep_asks_every_part(winnow: Winnow, role: str) -> None:
    answer = deep(winnow, role)

    assert (answer.status, answer.body) == (200, {"status": "ok", "parts": ALL})


def test_deep_is_for_keys_with_a_role_also_where_iam_decides_on_other_calls(winnow: Winnow) -> None:
    assert deep(winnow, None).status == 403
    assert deep(winnow, "owner").status == 403
    winnow.parameters["Authorizer"] = access.BY_IAM
    assert deep(winnow, "owner").status == 403
    assert deep(winnow).status == 200
    assert winnow.call("health", query={"deep": "1"}).status == 403
    assert deep(winnow, multiValueHeaders={"x-api-key": [KEY, KEY]}, headers=None).status == 403


@pytest.mark.parametrize("part", BROKEN)
def test_the_part_that_fails_is_named_with_its_reason(winnow: Winnow, part: str) -> None:
    with failing(winnow, part, refuse):
        answer = deep(winnow)

    asked = {"registry"} if part == "registry" else ALL.keys()
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.body["parts"] == {name: "AccessDenied" if name == part else "ok" for name in ALL if name in asked}
    assert answer.body["detail"].startswith(f"These parts don't answer: {part} (AccessDenied). ")
    assert "arn:" not in str(answer.body)


def test_all_that_fail_are_named(winnow: Winnow) -> None:
    winnow.s3.delete_bucket(Bucket=winnow.names["Datasets"])
    winnow.stepfunctions.delete_state_machine(stateMachineArn=winnow.names["BatchWorkflow"])

    answer = deep(winnow)

    assert answer.status == 503
    assert answer.body["parts"] == ALL | {"datasets": "NoSuchBucket", "batches": "StateMachineDoesNotExist"}


def time_out() -> None:
    raise ConnectTimeoutError(endpoint_url="https://s3.amazonaws.com")


def test_a_part_that_cannot_be_reached_is_named(winnow: Winnow) -> None:
    with failing(winnow, "models", time_out):
        assert deep(winnow).body["parts"] == ALL | {"models": "ConnectTimeoutError"}


@pytest.mark.parametrize("part", BROKEN)
def test_a_part_that_is_silent_holds_up_nothing(winnow: Winnow, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_PATIENCE_SECONDS", 0.2)
    answered = Event()
    try:
        with failing(winnow, part, answered.wait):
            answer = deep(winnow)
    finally:
        answered.set()

    assert answer.status == 503
    assert answer.body["parts"][part] == "no answer within 0.2 s"
