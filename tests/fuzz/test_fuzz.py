"""Thousands of requests that schemathesis makes from the contract, sent to the local cloud: `make test-fuzz`.

No answer is Winnow's fault or outside the contract, every call succeeds at least once, and nothing is left behind.
REQUESTS is their number (default 1,000), SEED their choice.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Tell
from tests.e2e.conftest import Deployed
from tests.e2e.test_upkeep import sweep
from tests.fuzz import cases
from tests.fuzz.known import KEPT, Known
from tests.fuzz.run import WRONG_KEY, Run, table
from tests.support.contract import operations

WORKERS = 4
# The wait for the end of everything that the run started: trainings wait for one another.
_MOST_SECONDS = 300
_MOST_EXAMPLES = 3
# Calls that succeed only while something runs or is pending: certain in a run of this many requests.
MANY = 5_000
NEED_MANY = {
    "POST /models/{model_id}/batches/{batch}/cancel",
    "POST /models/{model_id}/versions/{version}/cancel",
    "DELETE /models/{model_id}/examples/{batch}",
}
# Rows that stay after every model and upload is deleted: those of keys, the order of trainings and the sweeper. Others expire.
STAYS = {"ROLES", "SLOTS", "TRAININGS", "UPKEEP", "FORGETTINGS"}
# Objects that expire or, of a forgetting, go when it ends: a quarter of an hour after it began, at the earliest.
EXPIRES = ("reports/", "forgettings/")


@pytest.fixture(scope="module")
def run(api: Deployed, keys: dict[str, str | None], known: Known) -> Run:
    """The finished run."""
    count, seed = int(os.environ.get("REQUESTS", "1000")), int(os.environ.get("SEED", "0"))
    began = time.monotonic()
    planned = cases.plan(cases.schema(), count, seed)
    made = time.monotonic()
    run = Run(api.url, {**keys, "no key": None, "wrong key": WRONG_KEY}, known, seed)
    run.drive(planned, WORKERS)
    took = time.monotonic() - made
    pace = f"made in {made - began:.0f} s, answered in {took:.0f} s: {count / took:.0f} a second"
    run.told += [*table(run.statuses), f"{count} requests of SEED={seed}, {pace}"]
    return run


def test_every_answer_is_as_the_contract_says(run: Run, tell: Tell) -> None:
    tell("\n".join(["", *run.told]))
    shown = [f"{kind} ({len(faults)} times)\n" + "\n".join(faults[:_MOST_EXAMPLES]) for kind, faults in run.faults.items()]
    assert not shown, "\n\n".join(shown)


def test_every_call_succeeded_at_least_once(run: Run) -> None:
    never = {call for call in operations() if not any(200 <= status < 300 for status in run.statuses[call])}
    never -= NEED_MANY if sum(count.total() for count in run.statuses.values()) < MANY else set()
    assert not never, f"never succeeded: {', '.join(sorted(never))}"


@pytest.mark.parametrize("model_id", KEPT)
@pytest.mark.usefixtures("run")
def test_a_model_from_before_the_run_still_classifies(api: Deployed, model_id: str) -> None:
    answer = api.request("POST", "/prediction", json={"model_id": model_id, "text": "my rent is due"})
    assert (answer.status_code, len(answer.json()["labels"])) == (200, 5 if model_id == KEPT[0] else 3)


@pytest.mark.usefixtures("run")
def test_nothing_is_left_when_the_models_and_uploads_are_deleted(api: Deployed) -> None:
    for model_id in _all(api, "/models", "models", "model_id"):
        assert api.request("DELETE", f"/models/{model_id}").status_code in {200, 202}
    for name in _all(api, "/datasets", "datasets", "name"):
        assert api.request("DELETE", f"/datasets/{name}").status_code == 200

    end = time.monotonic() + _MOST_SECONDS
    while _running(api) and time.monotonic() < end:
        time.sleep(1)
        sweep(api)
    _as_if_no_training_could_write_any_more(api)
    while (left := [*_running(api), *_left(api)]) and time.monotonic() < end:
        sweep(api)

    assert not left


def _all(api: Deployed, path: str, name: str, member: str) -> list[str]:
    found: list[str] = []
    query: dict[str, str] = {}
    while True:
        page = api.request("GET", path, params=query).json()
        found += [each[member] for each in page[name]]
        if page["next"] is None:
            return found
        query = {"next": page["next"]}


def _running(api: Deployed) -> list[str]:
    """The executions of both workflows that have not ended."""
    client = api.cloud.client("stepfunctions")
    return [
        execution["name"]
        for machine in client.list_state_machines()["stateMachines"]
        for page in client.get_paginator("list_executions").paginate(stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING")
        for execution in page["executions"]
    ]


def _as_if_no_training_could_write_any_more(api: Deployed) -> None:
    """Let deletions be final now. The sweeper keeps the note of a deletion as long as a Lambda may still write for the model."""
    client = api.cloud.client("dynamodb")
    for page in client.get_paginator("scan").paginate(TableName=api.table):
        for row in page["Items"]:
            if row["pk"]["S"] == "DELETIONS":
                key = {name: row[name] for name in ("pk", "sk")}
                past = {":past": {"S": "2020-01-01T00:00:00.000Z"}}
                client.update_item(TableName=api.table, Key=key, UpdateExpression="SET final_after = :past", ExpressionAttributeValues=past)


def _left(api: Deployed) -> Iterator[Any]:
    """Rows and objects that should be gone."""
    for page in api.cloud.client("dynamodb").get_paginator("scan").paginate(TableName=api.table):
        for row in page["Items"]:
            if row["pk"]["S"] not in STAYS and "expires" not in row and not row["sk"]["S"].startswith("forget#"):
                yield row
            if row["pk"]["S"] in {"SLOTS", "TRAININGS"}:
                yield from row.get("since", {}).get("M", {})
    for bucket in (api.models_bucket, api.datasets_bucket):
        for page in api.cloud.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket):
            yield from (each["Key"] for each in page.get("Versions", []) if not each["Key"].startswith(EXPIRES))
