"""A deployment publishes a version of Predict if and only if Predict's code or settings change. The API calls it by an alias."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.contract import events, functions, template
from tests.support.other_parameters import EVERY
from tests.support.translated import deployment, translated

ALIAS = "PredictAliaslive"
CALLS = [call for call, (name, _) in events().items() if name == "Predict"]
# Not part of a version, but of the function as a whole: https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
OF_NO_VERSION = {"ReservedConcurrentExecutions", "Role"}
CANARY = {"DeploymentPreference": "Canary10Percent10Minutes"}
SEEN = {"Architecture", "Encoder", "EncoderBucket", "Authorizer", "CorsOrigin", "SnapStart", "Tracing"}


def runs(resources: Mapping[str, Any]) -> dict[str, Any]:
    """Predict's code and settings."""
    return {name: value for name, value in resources["Predict"]["Properties"].items() if name not in OF_NO_VERSION}


def version(resources: Mapping[str, Any]) -> tuple[str, Any]:
    """The version's logical id and description. If either changes, CloudFormation makes another version:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-version.html"""
    [(name, it)] = [(name, it) for name, it in resources.items() if it["Type"] == "AWS::Lambda::Version"]
    assert it["Properties"].keys() == {"FunctionName", "Description"}
    return name, it["Properties"]["Description"]


def test_another_code_is_another_version() -> None:
    assert version(translated(packages={"Predict": "other"})) != version(translated())


@pytest.mark.parametrize("layer", ["WinnowLayer", "SpacyLayer", "EncoderLayer"])
def test_another_layer_is_another_version(layer: str) -> None:
    other = deployment(packages={layer: "other"})
    assert runs(other) != runs(deployment())
    assert version(other) != version(deployment())


@pytest.mark.parametrize(
    ("name", "value"),
    [("MemorySize", 2048), ("Timeout", 20), ("Runtime", "python3.14"), ("Environment", {"Variables": {"MORE": "x"}})],
)
def test_another_setting_in_the_template_is_another_version(name: str, value: Any) -> None:
    assert version(translated(changes={"Predict": {name: value}})) != version(translated())


def test_what_is_no_part_of_predict_s_code_or_settings_is_no_other_version() -> None:
    # Lambda refuses to publish the same code and settings twice, so the deployment would fail.
    packages = {name: "other" for name in (*functions(), "DocsLayer") if name != "Predict"}
    assert version(translated(packages=packages)) == version(translated())


@pytest.mark.parametrize("parameter", EVERY)
def test_another_value_of_a_parameter_is_another_version_if_predict_sees_it(parameter: str) -> None:
    other = deployment({parameter: EVERY[parameter]})
    assert (runs(other) != runs(deployment())) == (parameter in SEEN)
    assert (version(other) != version(deployment())) == (parameter in SEEN)


def test_every_parameter_is_tried() -> None:
    assert set(EVERY) == set(template()["Parameters"])


def test_the_description_of_a_version_is_never_too_long() -> None:
    parameters = template()["Parameters"]
    longest = {
        **{name: max(map(str, parameters[name]["AllowedValues"]), key=len) for name in SEEN if "AllowedValues" in parameters[name]},
        "Encoder": "f" * 64,
        "EncoderBucket": "b" * 63,
        "CorsOrigin": "c" * parameters["CorsOrigin"]["MaxLength"],
    }
    assert set(longest) == SEEN
    _, description = version(deployment(longest))
    [separator, parts] = description["Fn::Join"]
    numbers = ["12345"] * 3  # the layers' versions
    values = [part for part in parts if isinstance(part, str)]
    assert len(numbers) + len(values) == len(parts)
    assert len(separator.join([*numbers, *values])) <= 256


@pytest.mark.parametrize("call", CALLS)
def test_the_api_calls_the_alias_and_may(call: str) -> None:
    resources = translated()
    method, path = call.split()
    [permission] = [
        it["Properties"]
        for it in resources.values()
        if it["Type"] == "AWS::Lambda::Permission" and f"/{method}{path}'" in str(it["Properties"]["SourceArn"])
    ]
    assert permission["FunctionName"] == {"Ref": ALIAS}
    integration = resources["Api"]["Properties"]["Body"]["paths"][path][method.lower()]["x-amazon-apigateway-integration"]
    assert integration["uri"]["Fn::Sub"].endswith(f"/functions/${{{ALIAS}}}/invocations")
    alias = resources[ALIAS]["Properties"]
    name, _ = version(resources)
    assert (alias["FunctionName"], alias["FunctionVersion"]) == ({"Ref": "Predict"}, {"Fn::GetAtt": [name, "Version"]})


def test_a_version_goes_when_the_next_one_answers() -> None:
    [it] = [it for it in translated().values() if it["Type"] == "AWS::Lambda::Version"]
    assert it["DeletionPolicy"] == "Delete"
    assert "UpdateReplacePolicy" not in it


def test_snapshots_are_taken_if_a_parameter_says_so() -> None:
    assert deployment()["Predict"]["Properties"]["SnapStart"] == {"ApplyOn": "None"}
    assert deployment({"SnapStart": "true"})["Predict"]["Properties"]["SnapStart"] == {"ApplyOn": "PublishedVersions"}


def test_codedeploy_has_no_part_in_a_default_deployment() -> None:
    resources = deployment()
    assert not [name for name, it in resources.items() if "CodeDeploy" in it["Type"]]
    assert "UpdatePolicy" not in resources[ALIAS]
    assert "AlarmPredictCanary" not in resources


def test_codedeploy_moves_predictions_gradually_by_parameter_and_watches_the_alarm() -> None:
    resources = deployment(CANARY)
    group = resources["PredictDeploymentGroup"]["Properties"]
    assert resources[ALIAS]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"] == {"Ref": "PredictDeploymentGroup"}
    assert group["DeploymentConfigName"]["Fn::Sub"] == ["CodeDeployDefault.Lambda${ConfigName}", {"ConfigName": "Canary10Percent10Minutes"}]
    assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": {"Ref": "AlarmPredictCanary"}}]}
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
