"""operations/webhook.yaml on a local cloud without Winnow: an event on the bus is signed, posted and verified."""

from __future__ import annotations

import json
import time
from pathlib import Path

from local.cloud import LocalCloud
from tests.support.contract import ROOT
from tests.support.webhook import receiver

STACK = "webhook"


def test_an_event_is_posted_and_verified(tmp_path: Path) -> None:
    with LocalCloud(tmp_path / "cloud", port=None) as cloud:
        cloudformation = cloud.client("cloudformation")
        cloudformation.create_stack(
            StackName=STACK,
            TemplateBody=(ROOT / "operations" / "webhook.yaml").read_text(encoding="utf-8"),
            Parameters=[{"ParameterKey": "Url", "ParameterValue": "https://example.com/winnow"}],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
        [stack] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        secret = cloud.client("secretsmanager").get_secret_value(SecretId=outputs["SecretArn"])["SecretString"]
        assert len(secret) == 64

        with receiver(tmp_path, secret) as running:
            cloudformation.update_stack(
                StackName=STACK,
                UsePreviousTemplate=True,
                Parameters=[{"ParameterKey": "Url", "ParameterValue": running.url}],
                Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            )
            cloudformation.get_waiter("stack_update_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
            detail = {"model_id": "savings", "version": 1, "status": "ready"}
            entry = {"Source": "winnow", "DetailType": "Winnow Training Ended", "Detail": json.dumps(detail)}
            cloud.client("events").put_events(Entries=[entry | {"DetailType": "of somebody else"}, entry])

            end = time.monotonic() + 120
            while not running.lines():
                assert time.monotonic() < end, "the receiver got nothing"
                time.sleep(0.5)
            assert [line.partition(" ")[2] for line in running.lines()] == ["Winnow Training Ended savings"]
