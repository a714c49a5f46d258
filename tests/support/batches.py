"""Start, run and read batch predictions in tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from tests.conftest import CLIENT_BUCKET, Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import Answer, Winnow

TEXTS = ["How deep do tulip bulbs go?", "a flat tyre", "prune the roses", "change the oil", "water the lawn at night"]


def put(winnow: Winnow, body: bytes | Sequence[Any], key: str = "texts.jsonl") -> None:
    """Put an object into the client's bucket: bytes as they are, or records as JSON Lines."""
    lines = body if isinstance(body, bytes) else "".join(json.dumps(record) + "\n" for record in body).encode()
    winnow.s3.put_object(Bucket=CLIENT_BUCKET, Key=key, Body=lines)


def post(winnow: Winnow, key: str | None = None, **fields: Any) -> Answer:
    body = {"s3bucket": CLIENT_BUCKET, "object": "texts.jsonl", **fields}
    return winnow.call("create_batch", body=body, headers={} if key is None else {"Idempotency-Key": key})


def get(winnow: Winnow, batch: str) -> Answer:
    return winnow.call("get_batch", path={"model_id": "tc-01", "batch": batch})


def cancel(winnow: Winnow, batch: str) -> Answer:
    return winnow.call("cancel_batch", path={"model_id": "tc-01", "batch": batch})


def started(winnow: Winnow, **fields: Any) -> Json:
    """Start a batch. Returns the input of its workflow."""
    answer = post(winnow, **fields)
    assert answer.status == 202, answer.body
    return winnow.started_job("BatchWorkflow")


def done(winnow: Winnow, **fields: Any) -> Json:
    """Start a batch and run its workflow. Returns the batch."""
    job = started(winnow, **fields)
    winnow.run_batch(job)
    body: Json = get(winnow, job["batch"]["batch"]).body
    return body


def saved(winnow: Winnow, batch: Json) -> bytes:
    """The object behind the batch's link."""
    path = unquote(urlsplit(batch["result"]["url"]).path)
    [body] = [body for key, body in winnow.objects().items() if path.endswith(key)]
    assert batch["result"]["bytes"] == len(body)
    return body


def result(winnow: Winnow, batch: Json) -> list[Json]:
    """The lines behind the batch's link."""
    return [json.loads(line) for line in saved(winnow, batch).splitlines()]


def predicted(winnow: Winnow, texts: Sequence[str], n_top: int = 1) -> list[list[Json]]:
    answer = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": list(texts), "n_top": n_top})
    labels: list[list[Json]] = [prediction["labels"] for prediction in answer.body["predictions"]]
    return labels


def marks(winnow: Winnow) -> list[Json]:
    return [row for row in winnow.table.scan()["Items"] if row["pk"] == "BATCHES"]


TASKS = ["split", "classify", "join"]


def up_to(winnow: Winnow, job: Json, task: str) -> Json:
    """Run the tasks before this one. Returns its input."""
    given = job
    if task != "split":
        given = job | {"split": winnow.invoke("functions/batch/split", job), "shard": "000000-5-0"}
    if task == "join":
        winnow.invoke("functions/batch/classify", given)
    return given
