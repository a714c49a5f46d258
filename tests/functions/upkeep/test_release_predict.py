"""The deployment's step that leads the alias of Predict, which the API calls, to what was deployed."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.awslambda.models import lambda_backends

from tests.conftest import REGION, Context, load_event
from tests.support.custom_resource import answer_of
from winnow.aws import clients

if TYPE_CHECKING:
    from tests.conftest import Json, Ready, Winnow

RELEASE = "functions/upkeep/release_predict"
EVENT = load_event("upkeep/release_predict")
FUNCTION, ALIAS = EVENT["ResourceProperties"]["Function"], "live"
ACCOUNT = "123456789012"
ALARM = "winnow-AlarmPredictCanary"
CANARY = {"Canary": "1", "CanaryAlarm": ALARM}
CRASH = -1


@dataclass
class Predict:
    """The function as a stack's creation leaves it: one version, to which the alias leads."""

    winnow: Winnow
    monkeypatch: pytest.MonkeyPatch
    client: Any

    def change(self, memory: int) -> None:
        """Deploy other settings."""
        self.client.update_function_configuration(FunctionName=FUNCTION, MemorySize=memory)

    def release(self, kind: str = "Update", seconds: float = 900, canary: bool = False) -> Json:
        """What the deployment is told."""
        event = EVENT | {"RequestType": kind, "ResourceProperties": EVENT["ResourceProperties"] | (CANARY if canary else {})}
        return answer_of(self.winnow, self.monkeypatch, RELEASE, event, Context(seconds=seconds))

    def is_asked(self, answer: Callable[[str, str], int | None]) -> list[tuple[str, str]]:
        """Let a version answer with answer(version, model), None: as the function does. The list is filled with who was asked for what."""
        asked: list[tuple[str, str]] = []

        def invoke(FunctionName: str, Qualifier: str, Payload: str) -> Json:  # noqa: N803 - as boto3 names them
            assert FunctionName == FUNCTION
            event = json.loads(Payload)
            model = json.loads(event["body"])["model_id"]
            asked.append((Qualifier, model))
            status = answer(Qualifier, model)
            if status == CRASH:
                return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorType": "Runtime.ExitError"}')}
            told = self.winnow.invoke("functions/api/predict", event, Context()) if status is None else {"statusCode": status}
            return {"Payload": io.BytesIO(json.dumps(told).encode())}

        self.monkeypatch.setattr(self.client, "invoke", invoke)
        return asked

    def alarm(self, *states: str) -> list[Json]:
        """Let the canary's alarm be in these states, look by look. The list is filled with where the alias led meanwhile."""
        client = clients.cloudwatch()
        client.put_metric_alarm(
            AlarmName=ALARM,
            Namespace="AWS/ApiGateway",
            MetricName="5XXError",
            Statistic="Average",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0.01,
            ComparisonOperator="GreaterThanThreshold",
        )
        coming = iter(states)
        led_to: list[Json] = []
        now = [0.0]

        def look(seconds: float) -> None:
            now[0] += seconds
            led_to.append(self.led_to)
            client.set_alarm_state(AlarmName=ALARM, StateValue=next(coming, states[-1]), StateReason="a test")

        client.set_alarm_state(AlarmName=ALARM, StateValue=next(coming), StateReason="a test")
        self.monkeypatch.setattr(time, "sleep", look)
        self.monkeypatch.setattr(time, "monotonic", lambda: now[0])
        return led_to

    @property
    def led_to(self) -> dict[str, float]:
        """The versions that the alias leads to, with the shares of its calls."""
        alias = self.client.get_alias(FunctionName=FUNCTION, Name=ALIAS)
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {})
        return {alias["FunctionVersion"]: 1 - sum(weights.values()), **weights}

    @property
    def versions(self) -> dict[str, int]:
        """The versions that there are, with their memory."""
        found = self.client.list_versions_by_function(FunctionName=FUNCTION)["Versions"]
        return {version["Version"]: version["MemorySize"] for version in found if version["Version"] != "$LATEST"}

    def becomes(self, *states: str, reason: str = "") -> None:
        """Let the next version be pending, and then, look by look, in these states."""
        backend = lambda_backends[ACCOUNT][REGION]
        backend.get_function(FUNCTION).state = "Pending"
        coming = iter(states)

        def look(seconds: float) -> None:
            [*_, last] = backend.list_versions_by_function(FUNCTION)
            last.state = next(coming, "Pending")

        def configuration(**asked: str) -> Json:
            return {**found(**asked), **({"StateReason": reason} if reason else {})}

        found = self.client.get_function_configuration
        self.monkeypatch.setattr(self.client, "get_function_configuration", configuration)
        self.monkeypatch.setattr(time, "sleep", look)


@pytest.fixture
def predict(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> Predict:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    role = boto3.client("iam").create_role(RoleName="predict", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("app.py", "def handler(event, context): ...")
    client = clients.lambda_()
    given = {"Runtime": "python3.13", "Handler": "app.handler", "MemorySize": 1000}
    client.create_function(FunctionName=FUNCTION, Role=role, Code={"ZipFile": archive.getvalue()}, **given)
    first = client.publish_version(FunctionName=FUNCTION)["Version"]
    client.create_alias(FunctionName=FUNCTION, Name=ALIAS, FunctionVersion=first)
    predict = Predict(winnow, monkeypatch, client)
    predict.is_asked(lambda version, model: None)
    return predict


def refuse(operation: str, code: str, message: str) -> Callable[..., None]:
    def refused(**asked: str) -> None:
        raise ClientError({"Error": {"Code": code, "Message": message}}, operation)

    return refused


def test_the_first_deployment_answers_by_its_first_version(predict: Predict) -> None:
    assert predict.release("Create")["Status"] == "SUCCESS"
    assert predict.led_to == {"1": 1}
    assert set(predict.versions) == {"1"}


def test_where_nothing_changed_there_is_no_other_version(predict: Predict) -> None:
    predict.change(2000)
    predict.release()
    assert predict.release()["Status"] == "SUCCESS"
    assert predict.led_to == {"2": 1}
    assert set(predict.versions) == {"1", "2"}


def test_what_changed_answers_and_versions_that_nobody_needs_go(predict: Predict) -> None:
    for memory in (2000, 3000, 4000):
        predict.change(memory)
        assert predict.release() == {
            "Status": "SUCCESS",
            "Reason": "",
            "PhysicalResourceId": "PredictRelease",
            **{name: EVENT[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
        }
        [version] = predict.led_to
        assert predict.versions[version] == memory
    # The one that the stack's template knows, the one that calls may still be on their way to, and the one that answers.
    assert predict.versions == {"1": 1000, "3": 3000, "4": 4000}


def test_both_versions_of_a_weighted_alias_stay_and_it_leads_to_the_new_one_alone(predict: Predict) -> None:
    for memory in (2000, 3000, 4000):
        predict.change(memory)
        predict.client.publish_version(FunctionName=FUNCTION)
    predict.client.update_alias(
        FunctionName=FUNCTION, Name=ALIAS, FunctionVersion="3", RoutingConfig={"AdditionalVersionWeights": {"4": 0.1}}
    )
    predict.change(5000)
    assert predict.release()["Status"] == "SUCCESS"
    assert predict.led_to == {"5": 1}
    assert set(predict.versions) == {"1", "3", "4", "5"}


def test_the_alias_waits_until_the_version_is_ready(predict: Predict) -> None:
    predict.change(2000)
    predict.becomes("Pending", "Pending", "Active")
    assert predict.release()["Status"] == "SUCCESS"
    assert predict.led_to == {"2": 1}


def test_a_version_whose_snapshot_fails_is_told_and_goes_and_the_alias_stays(predict: Predict) -> None:
    predict.change(2000)
    predict.becomes("Pending", "Failed", reason="before_snapshot raised EncoderError")
    answer = predict.release()
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == f"Version 2 of {FUNCTION} can't start: before_snapshot raised EncoderError"
    assert predict.led_to == {"1": 1}
    assert set(predict.versions) == {"1"}


def test_a_version_that_is_not_ready_in_time_is_told_before_the_function_ends(predict: Predict) -> None:
    predict.change(2000)
    predict.becomes("Pending")
    answer = predict.release(seconds=60)
    assert answer["Status"] == "FAILED"
    assert "is not ready in the time" in answer["Reason"]
    assert predict.led_to == {"1": 1}


def test_why_no_version_can_be_published_is_told(predict: Predict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict.client, "publish_version", refuse("PublishVersion", "CodeStorageExceededException", "Code storage limit."))
    answer = predict.release()
    assert (answer["Status"], answer["Reason"]) == ("FAILED", f"No version of {FUNCTION} could be published: Code storage limit.")


def test_a_fault_of_ours_is_an_answer_too(predict: Predict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict.client, "update_alias", refuse("UpdateAlias", "ServiceException", "secret"))
    answer = predict.release()
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == "PredictRelease failed with an internal error: its function's log has the details."


def test_a_version_that_cannot_be_deleted_fails_no_deployment(predict: Predict, monkeypatch: pytest.MonkeyPatch) -> None:
    for memory in (2000, 3000):
        predict.change(memory)
        predict.client.publish_version(FunctionName=FUNCTION)
    monkeypatch.setattr(predict.client, "delete_function", refuse("DeleteFunction", "ResourceConflictException", "an alias leads there"))
    assert predict.release()["Status"] == "SUCCESS"
    assert predict.led_to == {"3": 1}
    assert set(predict.versions) == {"1", "2", "3"}


def test_the_removal_of_the_stack_changes_nothing(predict: Predict) -> None:
    predict.change(2000)
    assert predict.release("Delete")["Status"] == "SUCCESS"
    assert predict.led_to == {"1": 1}
    assert set(predict.versions) == {"1"}


def test_a_version_is_asked_for_predictions_by_live_models_before_it_gets_calls(predict: Predict, ready: Ready) -> None:
    ready("exclusive.json")
    asked = predict.is_asked(lambda version, model: None)
    predict.change(2000)
    assert predict.release()["Status"] == "SUCCESS"
    assert predict.led_to == {"2": 1}
    [(version, _), *models] = asked
    assert version == "2"
    assert models == [("2", "tc-01")]


def test_a_version_that_does_not_reach_the_registry_gets_no_call(predict: Predict) -> None:
    predict.is_asked(lambda version, model: 500)
    predict.change(2000)
    answer = predict.release()
    assert (answer["Status"], predict.led_to, set(predict.versions)) == ("FAILED", {"1": 1}, {"1"})
    assert answer["Reason"] == f"Version 2 of {FUNCTION} answers 500 where a model doesn't exist: the log has the details."


@pytest.mark.parametrize(("status", "told"), [(500, 500), (409, 409), (CRASH, 500)])
def test_a_version_that_cannot_classify_by_a_model_as_the_one_before_can_gets_no_call(
    predict: Predict, ready: Ready, status: int, told: int
) -> None:
    ready("exclusive.json")
    predict.is_asked(lambda version, model: status if (version, model) == ("2", "tc-01") else None)
    predict.change(2000)
    answer = predict.release()
    assert (answer["Status"], predict.led_to, set(predict.versions)) == ("FAILED", {"1": 1}, {"1"})
    reason = f"Version 2 of {FUNCTION} answers {told} for the model tc-01, with which the version before it classifies"
    assert answer["Reason"].startswith(reason)


def test_a_model_whose_files_are_damaged_stops_no_deployment(predict: Predict, ready: Ready) -> None:
    ready("exclusive.json")
    asked = predict.is_asked(lambda version, model: 500 if model == "tc-01" else None)
    predict.change(2000)
    assert predict.release()["Status"] == "SUCCESS"
    assert predict.led_to == {"2": 1}
    assert asked[1:] == [("2", "tc-01"), (ALIAS, "tc-01")]


def test_a_deployment_that_is_taken_back_is_asked_nothing(predict: Predict) -> None:
    # What failed in the middle was published, and the function is as it was again.
    predict.change(2000)
    predict.client.publish_version(FunctionName=FUNCTION)
    predict.change(1000)
    asked = predict.is_asked(lambda version, model: 500)
    assert predict.release(canary=True)["Status"] == "SUCCESS"
    assert not asked
    assert predict.led_to == {"3": 1}


def test_a_version_gets_a_tenth_of_the_calls_for_the_time_of_its_canary(predict: Predict) -> None:
    led_to = predict.alarm("OK")
    predict.change(2000)
    assert predict.release(canary=True)["Status"] == "SUCCESS"
    assert len(led_to) > 1
    assert all(each == {"1": 0.9, "2": 0.1} for each in led_to)
    assert predict.led_to == {"2": 1}


def test_an_alarm_during_its_canary_takes_the_version_back(predict: Predict) -> None:
    predict.alarm("INSUFFICIENT_DATA", "OK", "ALARM")
    predict.change(2000)
    answer = predict.release(canary=True)
    assert (answer["Status"], predict.led_to, set(predict.versions)) == ("FAILED", {"1": 1}, {"1"})
    assert answer["Reason"] == f"While the new version answered a part of the calls, the alarm {ALARM} went off."


def test_what_may_mend_a_fault_is_not_kept_waiting_by_its_alarm(predict: Predict) -> None:
    led_to = predict.alarm("ALARM")
    predict.change(2000)
    assert predict.release(canary=True)["Status"] == "SUCCESS"
    assert (led_to, predict.led_to) == ([], {"2": 1})


def test_a_canary_that_would_outlast_the_deployment_is_not_begun(predict: Predict) -> None:
    led_to = predict.alarm("OK")
    predict.change(2000)
    answer = predict.release(seconds=100, canary=True)
    assert (answer["Status"], led_to, predict.led_to) == ("FAILED", [], {"1": 1})
    assert answer["Reason"].endswith("make PredictCanary smaller, and deploy again.")
