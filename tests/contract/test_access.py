"""Each call has the same roles in the package, the contract and docs/keys.md, and the deployed API requires what they say."""

import re
from typing import Any

import pytest

from tests.support import contract
from tests.support.contract import ROOT, operations, template
from tests.support.translated import translated
from winnow.domain import access
from winnow.domain.access import Role

# Calls about the API itself: its health and its documentation.
OPEN_CALLS = {"GET /health", "GET /docs", "GET /docs/{file}", "GET /console", "GET /console/{asset}", "GET /openapi.json"}

# A browser sends these before the call of a page's script.
PREFLIGHTS = {f"OPTIONS {call.split()[1]}" for call in contract.events()}

# What has a limit above those of the usage plans: every call without a line of its own, and predictions.
ANY_NUMBER_OF_KEYS = {"* *", "GET /prediction", "POST /prediction"}


def of_the_contract() -> dict[str, list[str]]:
    return {call: operation.get("x-winnow-roles", []) for call, operation in operations().items()}


def definition(authorizer: str) -> dict[str, Any]:
    """The API's definition, as CloudFormation gets it for this value of the parameter."""
    body: dict[str, Any] = translated({"Authorizer": authorizer})["Api"]["Properties"]["Body"]
    return body


def test_every_call_but_the_open_ones_has_its_roles() -> None:
    # A new route without roles accepts only admins' keys and fails this test.
    assert {call for call, roles in of_the_contract().items() if not roles} == access.OPEN_CALLS == OPEN_CALLS
    assert all(Role.ADMIN in roles for call, roles in of_the_contract().items() if call not in access.OPEN_CALLS)
    assert all({*roles} <= {*Role} for roles in of_the_contract().values())


def test_the_roles_of_the_contract_are_those_that_are_held() -> None:
    assert all(calls <= set(contract.events()) for calls in access.CALLS.values())
    for call, roles in of_the_contract().items():
        if call not in access.OPEN_CALLS:
            assert roles == [role for role in Role if access.may(role, call)], call


def test_classify_classifies_and_says_whose_key_it_is_and_nothing_else() -> None:
    # Everyone who opens a web page can read its key, so it may not list models, or read data by a batch prediction.
    assert access.CALLS[Role.CLASSIFY] == {"GET /prediction", "POST /prediction", "GET /whoami"}


def test_predict_classifies_and_reads_and_admin_does_the_rest() -> None:
    # The review queue hands out texts to those who label them, and a receipt tells where a person's texts were: both need an admin key.
    kept = {"GET /models/{model_id}/queue", "GET /forget/{forgetting}"}
    reads = {call for call in contract.events() if call.startswith("GET ")} - access.OPEN_CALLS - kept
    batch = "/models/{model_id}/batches"
    assert reads | {"POST /prediction", f"POST {batch}", f"POST {batch}/{{batch}}/cancel"} == access.CALLS[Role.PREDICT]


def test_a_call_that_has_no_roles_yet_is_no_predict_key_s() -> None:
    for call in ("GET /models/{model_id}/secrets", "POST /models/{model_id}/batches/{batch}", "get /models", "GET /models/", "GET None"):
        assert not access.may(Role.CLASSIFY, call)
        assert not access.may(Role.PREDICT, call)
        assert not access.may(None, call)
        assert not access.may("owner", call)


@pytest.mark.parametrize("authorizer", template()["Parameters"]["Authorizer"]["AllowedValues"])
def test_the_deployed_api_asks_for_a_key_and_for_who_decides_on_every_route_but_the_open_ones(authorizer: str) -> None:
    api = definition(authorizer)
    operations = {f"{method.upper()} {path}": it for path, item in api["paths"].items() for method, it in item.items()}
    # A browser sends these without a key. No function answers them.
    asked = {call: operations.pop(call) for call in PREFLIGHTS}
    assert {(it.get("security"), it["x-amazon-apigateway-integration"]["type"]) for it in asked.values()} == {(None, "mock")}
    security = {call: it["security"] for call, it in operations.items()}
    everywhere: list[dict[str, list[str]]] = [{authorizer: []}, {"api_key": []}]
    assert security == {call: [] if call in access.OPEN_CALLS else everywhere for call in contract.events()}
    assert api["securityDefinitions"]["api_key"] == {"type": "apiKey", "name": "x-api-key", "in": "header"}


def test_what_asks_for_no_key_has_a_limit_of_its_own_for_all_callers_together() -> None:
    # No usage plan counts these calls. Each can cost a Lambda and half a megabyte of answer.
    settings = contract.template()["Resources"]["Api"]["Properties"]["MethodSettings"]
    throttled = contract.method_settings()
    assert len(settings) == len(throttled), "a call comes twice"
    assert throttled.keys() == access.OPEN_CALLS | ANY_NUMBER_OF_KEYS
    for call in access.OPEN_CALLS:
        assert 0 < throttled[call]["ThrottlingRateLimit"] <= 50
        assert throttled[call]["ThrottlingBurstLimit"] <= 200


def test_one_key_of_each_plan_may_use_up_its_plan_with_one_call() -> None:
    together = sum(int(template()["Parameters"][f"{plan}RequestsPerSecond"]["Default"]) for plan in ("Classify", "", "Admin"))
    for call in ANY_NUMBER_OF_KEYS:
        limits = contract.method_settings()[call]
        assert together <= limits["ThrottlingRateLimit"] <= limits["ThrottlingBurstLimit"]


def test_one_update_of_the_stage_can_change_all_limits() -> None:
    """A patch operation for each limit. API Gateway has refused updates with 80."""
    limits = [name for settings in contract.method_settings().values() for name in settings if name not in {"HttpMethod", "ResourcePath"}]
    assert len(limits) <= 60


def test_the_deployed_authorizer_is_the_function_that_knows_roles_and_iam_is_iam() -> None:
    roles = definition("KeyRoles")["securityDefinitions"]["KeyRoles"]
    assert roles["x-amazon-apigateway-authtype"] == "custom"
    authorizer = roles["x-amazon-apigateway-authorizer"]
    assert (authorizer["type"], authorizer["identitySource"]) == ("request", "method.request.header.x-api-key")
    assert authorizer["authorizerUri"]["Fn::Sub"][1] == {"__FunctionArn__": {"Fn::GetAtt": ["Authorize", "Arn"]}}
    assert 0 < authorizer["authorizerResultTtlInSeconds"] <= 60

    assert definition("AWS_IAM")["securityDefinitions"]["AWS_IAM"]["x-amazon-apigateway-authtype"] == "awsSigv4"


@pytest.mark.parametrize("authorizer", template()["Parameters"]["Authorizer"]["AllowedValues"])
def test_callers_need_not_be_allowed_to_invoke_the_functions(authorizer: str) -> None:
    integrations = [it["x-amazon-apigateway-integration"] for item in definition(authorizer)["paths"].values() for it in item.values()]
    assert not [it for it in integrations if "credentials" in it]


def test_the_authorizer_and_health_read_roles_and_no_other_row() -> None:
    [policy] = template()["Resources"]["Authorize"]["Properties"]["Policies"]
    [same, others] = template()["Resources"]["Health"]["Properties"]["Policies"]
    assert same == policy
    assert "dynamodb" not in str(others)
    assert policy["Statement"] == {
        "Effect": "Allow",
        "Action": "dynamodb:GetItem",
        "Resource": {"GetAtt": "Registry.Arn"},
        "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ROLES"]}},
    }
    assert template()["Globals"]["Function"]["Environment"]["Variables"]["AUTHORIZER"] == {"Ref": "Authorizer"}


def test_the_stack_makes_no_key_of_its_own_and_a_plan_for_each_role() -> None:
    kinds = [it["Type"] for it in template()["Resources"].values()]
    assert not {"AWS::ApiGateway::ApiKey", "AWS::ApiGateway::UsagePlanKey"} & {*kinds}
    assert kinds.count("AWS::ApiGateway::UsagePlan") == len(Role)


def test_the_documented_table_is_that_of_the_roles() -> None:
    # tests/e2e/test_roles.py checks the deployed API's answers to each role.
    text = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z]+ /\S*)` \| (\w+) \| (\w+) \| (\w+) \| (\w+) \| (\w+) \| (\w+) \|$", text, re.MULTILINE)

    def answers(call: str) -> tuple[str, ...]:
        if call in access.OPEN_CALLS:
            return ("yes",) * (3 + len(Role))
        return "403", "403", "403", *("yes" if access.may(role, call) else "403" for role in Role)

    assert {call: tuple(answered) for call, *answered in rows} == {call: answers(call) for call in contract.events()}
