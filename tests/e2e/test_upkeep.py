"""Trainings that were stopped from outside, on the local cloud."""

from __future__ import annotations

import time
from typing import Any

from tests.e2e.conftest import Deployed


def executions(api: Deployed, uid: str) -> dict[str, Any]:
    """The executions of a model's trainings, by name."""
    client = api.cloud.client("stepfunctions")
    [machine] = [it for it in client.list_state_machines()["stateMachines"] if "Training" in it["name"]]
    listed = client.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
    return {execution["name"]: execution for execution in listed if execution["name"].startswith(uid)}


def row(api: Deployed, model_id: str) -> dict[str, Any]:
    [found] = [item for item in api.cloud.client("dynamodb").scan(TableName=api.table)["Items"] if item["sk"]["S"] == model_id]
    return dict(found)


def sweep(api: Deployed) -> None:
    """Invoke the sweeper."""
    client = api.cloud.client("lambda")
    pages = client.get_paginator("list_functions").paginate()
    [name] = [it["FunctionName"] for page in pages for it in page["Functions"] if "-Sweep-" in it["FunctionName"]]
    answer = client.invoke(FunctionName=name, Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()


def test_a_training_whose_workflow_is_stopped_from_outside_fails(api: Deployed, small_dataset: bytes) -> None:
    api.client.train("halted", api.client.upload("small.jsonl", small_dataset), recipe="linear", n_iter=1000)
    while api.client.call("GET", "/models/halted")["version"]["status"] == "queued":
        time.sleep(0.1)
    [execution] = executions(api, row(api, "halted")["uid"]["S"]).values()

    api.cloud.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])

    model = api.client.wait("halted", seconds=60)
    assert model["version"]["status"] == "failed"
    assert "stopped from outside" in model["version"]["error"]
    api.request("DELETE", "/models/halted")


def test_what_ended_and_is_still_queued_is_started_again(api: Deployed, small_dataset: bytes) -> None:
    dataset = api.client.upload("small.jsonl", small_dataset)
    api.client.train("again", dataset, recipe="linear", n_iter=1)
    assert api.client.wait("again")["version"]["status"] == "ready"
    uid = row(api, "again")["uid"]["S"]
    # As if its execution had ended in silence: queued, without a sign of life for long.
    table = api.cloud.client("dynamodb")
    table.update_item(
        TableName=api.table,
        Key={"pk": {"S": f"VERSIONS#{uid}"}, "sk": {"S": "000001"}},
        UpdateExpression="SET #status = :queued, lease_until = :long_ago, dataset = :asked",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={
            ":queued": {"S": "queued"},
            ":long_ago": {"S": "2020-01-01T00:00:00.000Z"},
            ":asked": {"M": {name: {"S": value} for name, value in dataset.items()}},
        },
    )
    table.update_item(
        TableName=api.table,
        Key={"pk": {"S": "MODELS"}, "sk": {"S": "again"}},
        UpdateExpression="SET training_version = :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )

    sweep(api)
    sweep(api)

    assert api.client.wait("again", seconds=60)["version"]["status"] == "ready"
    assert sorted(executions(api, uid)) == [f"{uid}-1-1", f"{uid}-1-2"]
    api.request("DELETE", "/models/again")
