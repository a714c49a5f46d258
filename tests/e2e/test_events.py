"""The end of a training as an event, on the local cloud: from the registry's stream to a queue that a rule feeds."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.e2e.conftest import Deployed


def test_whoever_waits_for_the_end_of_a_training_is_told(api: Deployed, small_dataset: bytes) -> None:
    queue = listening(api, "told")
    api.client.train("told", api.client.upload("small.jsonl", small_dataset), recipe="linear", n_iter=2)
    ready = api.client.wait("told")["version"]
    api.client.train("told", {"s3bucket": api.datasets_bucket, "training_object": "absent.json"}, force_update=True)
    failed = api.client.wait("told")["version"]

    details = received(api, queue, 2)
    assert [(detail["version"], detail["status"], detail["live"]) for detail in details] == [(1, "ready", True), (2, "failed", False)]
    assert details[0]["evaluation"] == ready["evaluation"]
    assert details[1]["error"] == failed["error"]
    api.request("DELETE", "/models/told")


def listening(api: Deployed, model_id: str) -> str:
    """The URL of a queue of the ends of a model's trainings, from now on."""
    name = f"trainings-of-{model_id}"
    queue = api.cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    arn = api.cloud.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = json.dumps({"source": ["winnow"], "detail-type": ["Winnow Training Ended"], "detail": {"model_id": [model_id]}})
    api.cloud.client("events").put_rule(Name=name, EventPattern=pattern)
    api.cloud.client("events").put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    return str(queue)


def received(api: Deployed, queue: str, number: int) -> list[dict[str, Any]]:
    """The details of this number of events, each once, in the order of their versions."""
    client, end = api.cloud.client("sqs"), time.monotonic() + 60
    found: dict[int, dict[str, Any]] = {}
    while len(found) < number:
        assert time.monotonic() < end, f"only {sorted(found)} were announced"
        for message in client.receive_message(QueueUrl=queue, WaitTimeSeconds=1, MaxNumberOfMessages=10).get("Messages", []):
            event = json.loads(message["Body"])
            assert event["detail-type"] == "Winnow Training Ended"
            found[event["detail"]["version"]] = event["detail"]
    return [found[version] for version in sorted(found)]
