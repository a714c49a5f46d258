"""Whatever changes what Predict runs makes the deployment lead the alias, which the API calls, to a new version."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.contract import events, functions, template
from tests.support.translated import translated

ALIAS = "PredictAliaslive"
CALLS = [call for call, (name, _) in events().items() if name == "Predict"]
# Of Predict's properties, those that don't change what a version runs: who calls it, what it may, and how it is released itself.
APART = {"Events", "Policies", "AutoPublishAlias", "AutoPublishCodeSha256", "ReservedConcurrentExecutions"}


def release() -> dict[str, Any]:
    properties: dict[str, Any] = template()["Resources"]["PredictRelease"]["Properties"]
    return properties


def released(**packages: str) -> dict[str, Any]:
    """What CloudFormation compares, to see whether the release has to run."""
    properties: dict[str, Any] = translated(packages=packages)["PredictRelease"]["Properties"]
    return properties


def test_the_release_names_every_property_of_predict_and_of_all_functions() -> None:
    named = functions()["Predict"].keys() - APART
    assert named == {"CodeUri", "MemorySize", "Layers", "Environment", "SnapStart"}, "a property that the release has to name too"
    assert {name: release()[name] for name in named - {"CodeUri"}} == {name: functions()["Predict"][name] for name in named - {"CodeUri"}}
    assert template()["Globals"].keys() == {"Function"}
    assert release()["ForAll"] == template()["Globals"]["Function"]


def test_the_release_s_name_of_the_code_changes_with_it() -> None:
    resources = template()["Resources"]
    assert release()["Code"] == {"Ref": "PredictCode"}
    assert resources["PredictCode"]["Properties"]["ContentUri"] == functions()["Predict"]["CodeUri"]
    # Built when Predict is, or it could change at another deployment.
    assert resources["PredictCode"]["Metadata"]["BuildMethod"] == template()["Globals"]["Function"]["Runtime"]
    assert released(Predict="other", PredictCode="other")["Code"] != released()["Code"]


@pytest.mark.parametrize("layer", ["WinnowLayer", "SpacyLayer", "EncoderLayer"])
def test_another_layer_makes_the_release_run(layer: str) -> None:
    assert released(**{layer: "other"})["Layers"] != released()["Layers"]


def test_cloudformation_itself_never_moves_the_alias() -> None:
    # What it went back to after a deployment that failed would be the last version that it knows, and older than what answered before.
    now = translated()
    code, settings = {"Predict": "other", "PredictCode": "other", "WinnowLayer": "other"}, {"Encoder": "none", "SnapStart": "true"}
    for other in (translated(packages=code), translated(settings)):
        for name in ("PredictVersionfirst", ALIAS):
            assert other[name] == now[name]


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
    assert resources[ALIAS]["Properties"]["FunctionName"] == {"Ref": "Predict"}


def test_the_release_runs_after_the_alias_is_made_and_before_cloudformation_gives_up() -> None:
    properties = released()
    assert (properties["Alias"], properties["Version"]) == ({"Ref": ALIAS}, {"Ref": "PredictVersionfirst"})
    assert functions()["ReleasePredict"]["Timeout"] < properties["ServiceTimeout"]


def test_snapshots_are_taken_if_a_parameter_says_so() -> None:
    assert template()["Parameters"]["SnapStart"]["Default"] == "false"
    assert template()["Conditions"]["StartsFromSnapshots"] == {"Equals": [{"Ref": "SnapStart"}, "true"]}
    assert functions()["Predict"]["SnapStart"] == {"ApplyOn": {"If": ["StartsFromSnapshots", "PublishedVersions", "None"]}}


def test_only_versions_can_be_deleted_by_the_release() -> None:
    [policy, _] = functions()["ReleasePredict"]["Policies"]
    allowed = [
        (action, statement["Resource"])
        for statement in policy["Statement"]
        for action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
    ]
    assert [resource for action, resource in allowed if action == "lambda:DeleteFunction"] == [{"Sub": "${Predict.Arn}:*"}]


def test_a_canary_is_watched_by_its_alarm_and_the_workflows_by_theirs() -> None:
    assert {name: released()[name] for name in ("Canary", "CanaryAlarm")} == {
        "Canary": {"Ref": "PredictCanary"},
        "CanaryAlarm": {"Fn::If": ["HasPredictCanary", {"Ref": "AlarmPredictCanary"}, ""]},
    }
    resources = template()["Resources"]
    assert resources["TrainingAlias"]["Properties"]["DeploymentPreference"] == {
        "StateMachineVersionArn": {"Ref": "TrainingVersion"},
        "Type": "CANARY",
        "Percentage": 10,
        "Interval": {"Ref": "TrainCanary"},
        "Alarms": [{"Ref": "AlarmTrainCanary"}],
    }
    # A change of the workflow is another version.
    assert resources["TrainingVersion"]["Properties"]["StateMachineRevisionId"] == {"GetAtt": "TrainingWorkflow.StateMachineRevisionId"}
    assert {resources[name]["Condition"] for name in ("TrainingAlias", "TrainingVersion")} == {"HasTrainCanary"}
    variables = [it.get("Environment", {}).get("Variables", {}) for it in functions().values()]
    started = [each["WORKFLOW_ARN"] for each in variables if "WORKFLOW_ARN" in each]
    assert len(started) > 1
    assert started == [{"If": ["HasTrainCanary", {"Ref": "TrainingAlias"}, {"Ref": "TrainingWorkflow"}]}] * len(started)
