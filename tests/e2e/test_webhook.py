"""operations/webhook.yaml on the local cloud: an event on the bus is signed and posted, and what the URL refuses is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Deployed
from tests.support.contract import ROOT
from tests.support.webhook import receiver

STACK = "webhook"


def test_an_event_is_posted_and_verified(api: Deployed, tmp_path: Path) -> None:
    cloudformation = api.cloud.client("cloudformation")
    with receiver(tmp_path) as running:
        cloudformation.create_stack(
            StackName=STACK,
            TemplateBody=(ROOT / "operations" / "webhook.yaml").read_text(encoding="utf-8"),
            Parameters=[{"ParameterKey": "Url", "ParameterValue": running.url}],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
        [stack] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        secret = api.cloud.client("secretsmanager").get_secret_value(SecretId=outputs["SecretArn"])["SecretString"]
        assert len(secret) == 64
    with receiver(tmp_path, secret) as running:
        # The port may be another one.
        function = cloudformation.describe_stack_resource(StackName=STACK, LogicalResourceId="Post")["StackResourceDetail"][
            "PhysicalResourceId"
        ]
        variables = {"URL": running.url, "SECRET": outputs["SecretArn"]}
        api.cloud.client("lambda").update_function_configuration(FunctionName=function, Environment={"Variables": variables})
        detail = {"model_id": "savings", "version": 1, "status": "ready"}
        entry = {"Source": "winnow", "DetailType": "Winnow Training Ended", "Detail": json.dumps(detail)}
        api.cloud.client("events").put_events(Entries=[entry, entry | {"DetailType": "of somebody else"}])

        until(lambda: running.lines() or None, "the receiver got nothing")
        time.sleep(1)
        assert [line.partition(" ")[2] for line in running.lines()] == ["Winnow Training Ended savings"]
    cloudformation.delete_stack(StackName=STACK)


def until(found: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + 120
    while (it := found()) is None:
        assert time.monotonic() < end, what
        time.sleep(0.5)
    return it
