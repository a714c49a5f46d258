"""`make key`, `make keys` and `make key-remove`, over moto's API Gateway and registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from operations import keys
from operations.keys import Deployment, KeysError, NameTakenError
from operations.settings import OperationError
from tests.conftest import Winnow
from winnow.domain import access
from winnow.domain.access import Role
from winnow.registry.roles import Roles


class Crash(BaseException):
    """The process is killed."""


@pytest.fixture
def deployment(winnow: Winnow) -> Deployment:
    gateway = boto3.client("apigateway")
    plans = {role: gateway.create_usage_plan(name=role)["id"] for role in Role}
    return Deployment("winnow", gateway, Roles(winnow.table), plans)


def in_plan(deployment: Deployment, role: Role) -> list[str]:
    return [key["name"] for key in deployment.gateway.get_usage_plan_keys(usagePlanId=deployment.plans[role])["items"]]


@pytest.mark.parametrize("role", Role)
def test_a_key_is_made_with_its_role_and_plan(deployment: Deployment, role: Role) -> None:
    key = deployment.add("clerk", role)
    assert len(key) >= 20
    known = deployment.roles.find(access.digest(key))
    assert known is not None
    assert (known.name, known.role, known.plan) == ("clerk", role, deployment.plans[role])
    assert deployment.gateway.get_api_key(apiKey=known.key_id, includeValue=True)["value"] == key
    assert {each: in_plan(deployment, each) for each in Role} == {each: ["winnow.clerk"] if each is role else [] for each in Role}
    assert deployment.value("clerk") == key


def test_no_two_keys_are_alike(deployment: Deployment) -> None:
    assert deployment.add("one", Role.PREDICT) != deployment.add("two", Role.PREDICT)


def test_a_name_that_is_taken_is_refused_and_its_key_stays_what_it_was(deployment: Deployment) -> None:
    key = deployment.add("clerk", Role.PREDICT)
    with pytest.raises(NameTakenError, match="clerk is taken by a key with the role predict"):
        deployment.add("clerk", Role.ADMIN)
    known = deployment.roles.find(access.digest(key))
    assert known is not None
    assert known.role == Role.PREDICT
    assert len(deployment.table()) == 1


@pytest.mark.parametrize("name", ["", "-clerk", "the clerk", "a.b", "a/b", "x" * 65, "clerk\n"])
def test_a_name_that_could_be_mistaken_is_refused(deployment: Deployment, name: str) -> None:
    with pytest.raises(KeysError, match="NAME must have"):
        deployment.add(name, Role.PREDICT)
    assert deployment.table() == []


def test_a_key_of_another_stack_or_of_a_longer_name_is_another(deployment: Deployment) -> None:
    other = Deployment("winnow-2", deployment.gateway, Roles(deployment.roles._table), deployment.plans)
    made = {deployment.add("clerk", Role.PREDICT), deployment.add("clerk-2", Role.PREDICT), other.add("clerk", Role.PREDICT)}
    assert len(made) == 3
    deployment.remove("clerk")
    assert other.value("clerk") in made
    assert deployment.value("clerk-2") in made
    with pytest.raises(KeysError, match="no key clerk"):
        deployment.value("clerk")


@pytest.mark.parametrize("crashing", ["create_usage_plan_key", "put"])
def test_a_key_that_was_left_half_done_is_none_and_the_same_command_mends_it(
    deployment: Deployment, crashing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(deployment.gateway if crashing != "put" else Roles, crashing, raising(Crash))
        with pytest.raises(Crash):
            deployment.add("clerk", Role.ADMIN)
    assert deployment.roles.all() == []
    assert [row[:2] for row in deployment.table()] == [("clerk", "(half done)")]

    key = deployment.add("clerk", Role.PREDICT)
    assert len(deployment.gateway.get_api_keys()["items"]) == 1
    known = deployment.roles.find(access.digest(key))
    assert known is not None
    assert known.role == Role.PREDICT
    assert {role: in_plan(deployment, role) for role in Role} == {Role.CLASSIFY: [], Role.PREDICT: ["winnow.clerk"], Role.ADMIN: []}


def test_a_key_is_removed_its_role_first(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    key = deployment.add("clerk", Role.ADMIN)
    with monkeypatch.context() as patch:
        patch.setattr(deployment.gateway, "delete_api_key", raising(Crash))
        with pytest.raises(Crash):
            deployment.remove("clerk")
    assert deployment.roles.find(access.digest(key)) is None
    deployment.remove("clerk")
    assert deployment.gateway.get_api_keys()["items"] == []
    assert deployment.table() == []
    with pytest.raises(KeysError, match="no key clerk"):
        deployment.remove("clerk")


def test_a_role_whose_key_was_deleted_in_api_gateway_is_removed_too(deployment: Deployment) -> None:
    deployment.add("clerk", Role.ADMIN)
    [(_, _, key_id, _)] = deployment.table()
    deployment.gateway.delete_api_key(apiKey=key_id)
    deployment.remove("clerk")
    assert deployment.roles.all() == []


def test_the_list_has_names_roles_and_ids_and_no_keys(deployment: Deployment) -> None:
    made = [deployment.add("b", Role.ADMIN), deployment.add("a", Role.PREDICT)]
    assert [row[:2] for row in deployment.table()] == [("a", "predict"), ("b", "admin")]
    assert not [key for key in made if key in str(deployment.table())]


def test_the_command_prints_the_key_once_and_what_is_wrong_in_a_line(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Deployment, "of", lambda *_: deployment)
    assert keys.main(["add", "clerk", "predict"]) == 0
    assert capsys.readouterr().out.strip() == deployment.value("clerk")
    for arguments, complaint in (
        (["add", "clerk", "predict"], "taken"),
        (["add", "other", "owner"], "ROLE must be classify, predict or admin"),
        (["add", "other", ""], "ROLE must be classify, predict or admin"),
        (["remove", "nobody"], "no key nobody"),
    ):
        assert keys.main(arguments) == 1
        shown = capsys.readouterr()
        assert shown.out == ""
        assert complaint in shown.err
        assert shown.err.count("\n") == 1
    assert keys.main(["list"]) == 0
    listed = capsys.readouterr().out
    assert "clerk" in listed
    assert deployment.value("clerk") not in listed
    assert keys.main(["remove", "clerk"]) == 0


def test_a_stack_that_is_not_there_is_said(winnow: Winnow) -> None:
    with pytest.raises(OperationError, match="no stack elsewhere"):
        Deployment.of("elsewhere", boto3.DEFAULT_SESSION)  # type: ignore[arg-type]


def raising(error: type[BaseException]) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail
