"""Send unique words as texts, labels and file names, with the API's key, and then search everything that was written.

Texts are only where Winnow keeps them on purpose. The key is nowhere.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from local.cloud import LocalCloud
from tests.e2e.conftest import SAMPLE, Deployed, deployed
from tests.support.object_versions import object_versions

TEXT, LABEL, FILE = "xylografikoz", "quokkalabel", "ocelotfile"
# LOGGED has a prediction log. The others have none.
ID, BROKEN, LOGGED = "planted", "planted-broken", "planted-logged"
# Objects with examples or their words: the keys, without the prefix of a model's life.
QUOTING = ("models/*/versions/*/evaluation.json", "models/*/versions/*/suspects.json")  # with keep_texts
WITH_TEXTS = (
    *QUOTING,
    "uploads/*",  # the client's files
    "models/*/versions/*/examples/*.jsonl.gz",  # frozen
    "models/*/versions/*/learnt/examples.jsonl.gz",  # the same, for clients to see again
    "models/*/feedback/*.jsonl.gz",  # labelled later
    "shards/*/texts/*",  # of a running batch
    "log/30/*",  # of a model whose log is on
)
SECONDS = 120


def examples() -> list[dict[str, str]]:
    return [
        {"text": f"{TEXT} {example['text']}", "label": f"{LABEL} {example['label']}"} for example in json.loads(SAMPLE.read_text())[::10]
    ]


def lines(records: Iterable[Any]) -> bytes:
    return "\n".join(json.dumps(record) for record in records).encode()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A cloud of its own: in the shared one, after all other tests, an announcement was missing once."""
    with LocalCloud(tmp_path_factory.mktemp("planted"), port=None) as cloud:
        cloud.deploy()
        yield deployed(cloud)


@pytest.fixture(scope="module")
def used(api: Deployed) -> Iterator[Deployed]:
    """The API after all kinds of calls with planted words: good calls, bad calls, and calls that fail by Winnow's fault."""
    before = faults_of_ours(api)
    queue = listen(api)
    upload = api.client.upload(f"{FILE}.jsonl", lines(examples()))
    train(api, ID, upload)
    # Other examples: Predict knows the files of a loaded artifact by their digests.
    train(api, BROKEN, api.client.upload(f"{FILE}-broken.jsonl", lines(examples()[5:])), keep_texts=False)
    bad = (
        lines([*examples(), {"text": "", "label": LABEL}, {"text": TEXT}, TEXT, {"text": TEXT, "label": 7}])
        + f'\n{{"text": "{TEXT}'.encode()
    )
    api.request("POST", "/models", json={"id": "planted-dry", "dry_run": True, **api.client.upload(f"{FILE}-bad.jsonl", bad)})
    for model_id, content in (("planted-bad", bad), ("planted-few", lines(examples()[:1]))):
        api.client.train(model_id, api.client.upload(f"{FILE}-{model_id}.jsonl", content), recipe="linear")
        assert api.client.wait(model_id)["version"]["status"] == "failed"

    predictions(api)
    broken(api)
    logged(api)
    feedback = {"examples": [{"text": f"{TEXT} taught", "label": f"{LABEL} taught"}] * 4}
    assert api.request("POST", f"/models/{ID}/examples", json=feedback).status_code == 201
    assert api.request("POST", f"/models/{ID}/examples", json={"examples": [{"text": TEXT, LABEL: TEXT}]}).status_code == 422
    batch(api, lines([f"{TEXT} in a batch", {"text": f"{TEXT} again", "id": 7}]) + f'\n{{"text": {TEXT}'.encode())
    told(api, queue, {ID: "ready", BROKEN: "ready", LOGGED: "ready", "planted-bad": "failed", "planted-few": "failed"})
    wait_for(lambda: faults_of_ours(api) == before + 1, "the line of the one fault of ours")
    yield api
    for model_id in (ID, BROKEN, LOGGED, "planted-bad", "planted-few"):
        api.request("DELETE", f"/models/{model_id}")


def train(api: Deployed, model_id: str, dataset: dict[str, str], **more: Any) -> None:
    body = {"id": model_id, **dataset, "recipe": "linear", "n_iter": 2, **more}
    assert api.request("POST", "/models", json=body, headers={"Idempotency-Key": f"{TEXT}-{model_id}"}).status_code == 202
    assert api.client.wait(model_id)["version"]["status"] == "ready"


def predictions(api: Deployed) -> None:
    for status, body in (
        (200, {"model_id": ID, "text": TEXT}),
        (200, {"model_id": ID, "texts": [TEXT, f"{TEXT} of many"]}),
        (200, {"model_id": ID, "text": f"my {TEXT}", "explain": True}),
        (404, {"model_id": f"{TEXT}-absent", "text": TEXT}),
        (422, {"model_id": ID, "text": TEXT, TEXT: TEXT}),
        (422, {"model_id": ID, "text": TEXT, "n_top": TEXT}),
        (422, {"model_id": ID, "text": TEXT * 10_000}),
        (413, {"model_id": ID, "text": TEXT * 100_000}),
    ):
        assert api.request("POST", "/prediction", json=body).status_code == status, body.keys()
    assert api.request("POST", "/prediction", data=f'{{"text": "{TEXT}').status_code == 400
    assert api.request("GET", f"/prediction?model_id={ID}&text={TEXT}").status_code == 200


def broken(api: Deployed) -> None:
    """Overwrite a version's files with the planted word, so that Predict fails by Winnow's fault."""
    uid = uid_of(api, BROKEN)
    for key in api.objects(api.models_bucket):
        if key.startswith(f"models/{uid}/") and "/artifact/" in key:
            api.put(api.models_bucket, key, TEXT.encode())
    assert api.request("POST", "/prediction", json={"model_id": BROKEN, "text": TEXT}).status_code == 500


def logged(api: Deployed) -> None:
    """Train a model whose log keeps every text, classify one, and correct it by its id."""
    train(api, LOGGED, api.client.upload(f"{FILE}-logged.jsonl", lines(examples()[3:])), keep_texts=False)
    assert api.request("PATCH", f"/models/{LOGGED}", json={"log": {"share": 1, "days": 30}}).status_code == 200
    found = api.request("POST", "/prediction", json={"model_id": LOGGED, "text": f"{TEXT} kept"}).json()["prediction_id"]
    uid = uid_of(api, LOGGED)
    wait_for(lambda: any(key.startswith(f"log/30/{uid}/") for key in api.objects(api.models_bucket)), "the log")
    correction = {"examples": [{"prediction_id": found, "label": f"{LABEL} corrected"}]}
    assert api.request("POST", f"/models/{LOGGED}/examples", json=correction).status_code == 201
    assert api.request("POST", f"/models/{ID}/examples", json=correction).status_code == 404


def uid_of(api: Deployed, model_id: str) -> str:
    uid: str = next(row for row in rows(api) if row["sk"] == {"S": model_id})["uid"]["S"]
    return uid


def batch(api: Deployed, content: bytes) -> None:
    uploaded = api.client.upload(f"{FILE}-texts.jsonl", content)
    body = {"s3bucket": uploaded["s3bucket"], "object": uploaded["training_object"]}
    started = api.request("POST", f"/models/{ID}/batches", json=body).json()["batch"]
    wait_for(lambda: api.request("GET", f"/models/{ID}/batches/{started}").json()["status"] == "ready", "the batch")


def wait_for(done: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < end, f"{what} doesn't come in time"
        time.sleep(0.5)


EVENTS: list[str] = []


def listen(api: Deployed) -> str:
    """Send all of Winnow's events to a queue."""
    sqs, events = api.cloud.client("sqs"), api.cloud.client("events")
    queue: str = sqs.create_queue(QueueName="planted")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="planted", EventPattern=json.dumps({"source": ["winnow"]}))
    events.put_targets(Rule="planted", Targets=[{"Id": "queue", "Arn": arn}])
    return queue


def told(api: Deployed, queue: str, ends: dict[str, str]) -> None:
    """Wait for the announcements of these ends."""
    sqs = api.cloud.client("sqs")

    def all_came() -> bool:
        EVENTS.extend(message["Body"] for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []))
        details = [json.loads(event)["detail"] for event in EVENTS]
        return ends.items() <= {detail["model_id"]: detail["status"] for detail in details}.items()

    wait_for(all_came, "an announcement")


# --- everything that was written ---


def logs(api: Deployed) -> Iterator[tuple[str, str]]:
    """Every line of every function's log, with the name of its group."""
    client = api.cloud.client("logs")
    for page in client.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            for events in client.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
                yield from ((group["logGroupName"], event["message"]) for event in events["events"])


def faults_of_ours(api: Deployed) -> int:
    return sum("failed on our side" in line for _, line in logs(api))


def executions(api: Deployed) -> Iterator[tuple[str, str]]:
    """Input, output and history of every execution of every workflow, including a Map's items."""
    client = api.cloud.client("stepfunctions")
    for machine in client.list_state_machines()["stateMachines"]:
        arn = machine["stateMachineArn"]
        runs = [{"stateMachineArn": arn}, *({"mapRunArn": run} for run in map_runs(client, arn))]
        for of in runs:
            for page in client.get_paginator("list_executions").paginate(**of):
                for execution in page["executions"]:
                    found = execution["executionArn"]
                    yield found, json.dumps(client.describe_execution(executionArn=found), default=str)
                    for history in client.get_paginator("get_execution_history").paginate(executionArn=found, includeExecutionData=True):
                        yield found, json.dumps(history["events"], default=str)


def map_runs(client: Any, machine: str) -> Iterator[str]:
    for page in client.get_paginator("list_executions").paginate(stateMachineArn=machine):
        for execution in page["executions"]:
            for run in client.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]:
                yield run["mapRunArn"]


def rows(api: Deployed) -> Iterator[dict[str, Any]]:
    for page in api.cloud.client("dynamodb").get_paginator("scan").paginate(TableName=api.table):
        yield from page["Items"]


def stream(api: Deployed) -> Iterator[tuple[str, str]]:
    """What the registry's stream still holds."""
    client = api.cloud.client("dynamodbstreams")
    for found in client.list_streams(TableName=api.table)["Streams"]:
        for shard in client.describe_stream(StreamArn=found["StreamArn"])["StreamDescription"]["Shards"]:
            of = {"StreamArn": found["StreamArn"], "ShardId": shard["ShardId"]}
            iterator = client.get_shard_iterator(**of, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
            while iterator and (answer := client.get_records(ShardIterator=iterator))["Records"]:
                yield from (("the stream", json.dumps(record, default=str)) for record in answer["Records"])
                iterator = answer.get("NextShardIterator")


def objects(api: Deployed) -> Iterator[tuple[str, str]]:
    """Every version of every object in the stack's buckets, unpacked, with its key."""
    yield from object_versions(api.cloud.client("s3"), (api.datasets_bucket, api.models_bucket))


def having(word: str, written: Iterable[tuple[str, str]]) -> list[str]:
    """The places with the word, each once, with the text around it."""
    places: dict[str, str] = {}
    for place, content in written:
        if found := re.search(re.escape(word), content, re.IGNORECASE):
            places.setdefault(place, f"{place}: …{content[max(0, found.start() - 200) : found.end() + 100]}")
    return list(places.values())


def test_no_log_has_a_text_or_the_key_and_only_what_a_client_is_told_of_its_data_names_a_label(used: Deployed) -> None:
    written = list(logs(used))
    said = "".join(line for _, line in written)
    # These are the right logs: they have lines of good and bad predictions, and of a failed training and batch.
    assert said.count("answered") > 30
    # Lines of Predict, Fail and Announce.
    assert [word for word in ("/prediction", "known", "announced") if word not in said] == []
    for word in (TEXT, used.key):
        assert having(word, written) == []
    # If a training fails because of its data, its error names what to fix, and Lambda logs the error.
    others = [(group, line) for group, line in written if "DatasetError" not in line]
    for word in (LABEL, FILE):
        assert having(word, others) == []


def test_the_local_cloud_saw_nothing_of_it_in_what_functions_wrote(used: Deployed) -> None:
    # (The cloud's own line for each request has the path with its query.)
    lines = [("cloud.log", line) for line in used.cloud.server.log.read_text(errors="replace").splitlines() if " /prediction?" not in line]
    assert lines
    for word in (TEXT, used.key):
        assert having(word, lines) == []


def test_no_workflow_was_told_a_text_or_the_key(used: Deployed) -> None:
    written = list(executions(used))
    assert sum("ExecutionFailed" in content or "FAILED" in content for _, content in written) >= 2
    for word in (TEXT, used.key):
        assert having(word, written) == []


def test_no_row_no_event_and_no_record_of_the_stream_has_a_text_or_the_key(used: Deployed) -> None:
    registry = [("the registry", json.dumps(row, default=str)) for row in rows(used)]
    streamed, events = list(stream(used)), [("an event", event) for event in EVENTS]
    for written in (registry, streamed, events):
        assert having("planted", written), "nothing was written here at all"
        for word in (TEXT, used.key):
            assert having(word, written) == []


def test_texts_lie_where_they_are_kept_on_purpose_and_nowhere_else(used: Deployed) -> None:
    written = list(objects(used))
    on_purpose = [(key, content) for key, content in written if any(fnmatchcase(key, pattern) for pattern in WITH_TEXTS)]
    assert having(TEXT, [it for it in on_purpose if "/feedback/" in it[0]])
    assert having(TEXT, [it for it in on_purpose if "/examples/" in it[0]])
    quoting = [it for it in on_purpose if any(fnmatchcase(it[0], pattern) for pattern in QUOTING)]
    assert having(TEXT, quoting)
    # Without keep_texts nothing is quoted.
    assert having(TEXT, [it for it in quoting if f"/{uid_of(used, BROKEN)}/" in it[0]]) == []
    # (The only objects that are just the word are those that this test overwrote.)
    others = [(key, content) for key, content in written if (key, content) not in on_purpose and content != TEXT]
    assert having(TEXT, others) == []
    assert having(used.key, written) == []
    # Only the log of the model that has one keeps what was classified.
    logs = [it for it in written if it[0].startswith("log/")]
    assert having(f"{TEXT} kept", logs)
    assert all(key.startswith(f"log/30/{uid_of(used, LOGGED)}/") for key, _ in logs)
    assert having(f"{TEXT} of many", written) == []
