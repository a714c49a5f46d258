"""The API has one stage, and a deployment of the stack reaches it."""

from __future__ import annotations

from typing import Any

from tests.support.translated import translated


def deployments(**parameters: str) -> dict[str, Any]:
    return {name: it["Properties"] for name, it in translated(parameters).items() if it["Type"] == "AWS::ApiGateway::Deployment"}


def test_there_is_no_stage_beside_the_one_that_has_throttles_a_log_and_alarms() -> None:
    # By default SAM also makes a stage called Stage: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html
    [made] = deployments().values()
    assert "StageName" not in made
    assert [it["Properties"]["StageName"] for it in translated().values() if it["Type"] == "AWS::ApiGateway::Stage"] == ["v1"]


def test_another_origin_reaches_the_stage() -> None:
    # A stage serves the API as of its deployment: https://docs.aws.amazon.com/apigateway/latest/developerguide/updating-api.html
    assert deployments(CorsOrigin="https://a.example.com").keys() != deployments(CorsOrigin="https://b.example.com").keys()
