"""GET /whoami: the key's name, role and limits, and what is used of them today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.conftest import load_event
from winnow.aws import clients
from winnow.domain import access
from winnow.domain.access import KeyRole, Role
from winnow.domain.clock import now
from winnow.registry.roles import Roles

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow

VALUE = load_event("api/whoami")["headers"]["x-api-key"]
ID, PLAN = "f6g7h8i9j0", "pl4n"
LIMITS = {"classify": (20, 100_000), "predict": (50, 1_000_000), "admin": (50, 1_000_000)}


def give(winnow: Winnow, role: str, plan: str = PLAN) -> None:
    Roles(winnow.table).put(KeyRole(access.digest(VALUE), "clerk", role, ID, now(), plan))


def usage(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[Json]:
    """Let API Gateway give this answer. Returns the requests to it."""
    asked: list[Json] = []

    def get_usage(**request: str) -> Any:
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(clients.apigateway(), "get_usage", get_usage)
    return asked


def who(winnow: Winnow, role: str = "admin", **identity: Any) -> Json:
    context = load_event("api/whoami")["requestContext"]
    context["authorizer"] |= {"role": role}
    context["identity"] |= identity
    answer = winnow.call("whoami", requestContext=context)
    assert answer.status == 200
    found: Json = answer.body
    return found


@pytest.mark.parametrize("role", Role)
def test_a_key_of_any_role_is_told_its_limits_and_its_usage_of_today(winnow: Winnow, monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    give(winnow, role)
    asked = usage(monkeypatch, {"items": {ID: [[417, 999_583]]}})

    answer = who(winnow, role)

    second, day = LIMITS[role]
    assert answer == {
        "kind": "key",
        "name": "clerk",
        "key_id": ID,
        "role": role,
        "limits": {"requests_per_second": second, "requests_per_day": day},
        "used_today": 417,
    }
    assert asked == [{"usagePlanId": PLAN, "keyId": ID, "startDate": now()[:10], "endDate": now()[:10]}]
    assert VALUE not in str(answer)


@pytest.mark.parametrize(
    "answer",
    [
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "GetUsage"),
        ClientError({"Error": {"Code": "TooManyRequestsException", "Message": ""}}, "GetUsage"),
        ReadTimeoutError(endpoint_url="https://apigateway"),
        {"items": {}},
        {},
        {"items": {ID: []}},
    ],
    ids=["denied", "throttled", "late", "no requests", "nothing", "no days"],
)
def test_usage_that_can_t_be_read_is_null_and_no_failure(winnow: Winnow, monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    give(winnow, "predict")
    usage(monkeypatch, answer)
    found = who(winnow, "predict")
    assert (found["used_today"], found["limits"]["requests_per_day"]) == (None, 1_000_000)


def test_a_key_of_an_earlier_release_has_no_plan_in_its_row(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    give(winnow, "admin", plan="")
    asked = usage(monkeypatch, {"items": {ID: [[1, 1]]}})
    assert (who(winnow)["used_today"], asked) == (None, [])


def test_the_parameters_are_the_limits(winnow: Winnow) -> None:
    winnow.parameters |= {"RequestsPerSecond": "0.5", "RequestsPerDay": "7"}
    give(winnow, "predict", plan="")
    assert who(winnow, "predict")["limits"] == {"requests_per_second": 0.5, "requests_per_day": 7}


def test_where_iam_decides_the_principal_is_named_and_the_role_is_none(winnow: Winnow) -> None:
    winnow.parameters["Authorizer"] = "AWS_IAM"
    give(winnow, "predict", plan="")
    answer = who(winnow, userArn="arn:aws:iam::123456789012:user/clerk")
    assert (answer["kind"], answer["name"], answer["key_id"]) == ("iam", "arn:aws:iam::123456789012:user/clerk", ID)
    assert (answer["role"], answer["limits"]["requests_per_second"]) == (None, 50)


def test_a_caller_that_nobody_knows_is_told_so(winnow: Winnow) -> None:
    context = load_event("api/whoami")["requestContext"]
    context["authorizer"] = {"role": "admin"}
    context["identity"]["apiKeyId"] = None
    answer = winnow.call("whoami", requestContext=context)
    assert answer.body == dict.fromkeys(("kind", "name", "key_id", "role", "limits", "used_today"))
