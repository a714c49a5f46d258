"""Batch predictions on the local cloud: the whole workflow, with real shards, roles and a real link."""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.e2e.conftest import SAMPLE

if TYPE_CHECKING:
    from tests.e2e.conftest import Deployed

ID = "batches"
LINES = 25_000
# One line in this many is not JSON.
BAD_EVERY = 4_999


@pytest.fixture(scope="module")
def texts(api: Deployed) -> list[str]:
    """The texts of the sample. A model is trained on them."""
    api.client.train(ID, api.client.upload("savings.json", SAMPLE.read_bytes()), recipe="linear")
    assert api.client.wait(ID)["version"]["status"] == "ready"
    return [example["text"] for example in json.loads(SAMPLE.read_text())]


def wait(api: Deployed, batch: str) -> dict[str, Any]:
    end = time.monotonic() + 300
    while time.monotonic() < end:
        found: dict[str, Any] = api.request("GET", f"/models/{ID}/batches/{batch}").json()
        if found["status"] not in {"queued", "running"}:
            return found
        time.sleep(0.5)
    pytest.fail(f"still {found}")


def post(api: Deployed, content: bytes, **more: Any) -> str:
    uploaded = api.client.upload("texts.jsonl.gz", content)
    body = {"s3bucket": uploaded["s3bucket"], "object": uploaded["training_object"], **more}
    batch: str = api.request("POST", f"/models/{ID}/batches", json=body).json()["batch"]
    return batch


def test_thousands_of_lines_come_back_in_order_with_an_error_for_each_bad_one(api: Deployed, texts: list[str]) -> None:
    sent = [texts[line % len(texts)] for line in range(LINES)]
    bad = set(range(BAD_EVERY, LINES + 1, BAD_EVERY))
    lines = ["{" if line in bad else json.dumps({"text": text, "id": line}) for line, text in enumerate(sent, start=1)]

    batch = wait(api, post(api, gzip.compress("\n".join(lines).encode()), n_top=3))

    assert (batch["status"], batch["error"], batch["lines"]) == ("ready", None, LINES)
    progress = batch["progress"]
    assert (progress["percent"], progress["all_lines"], progress["all_errors"], progress["all_shards"]) == (100, LINES, len(bad), 3)
    answer = requests.get(batch["result"]["url"], timeout=60)
    assert len(answer.content) == batch["result"]["bytes"]
    found = [json.loads(line) for line in answer.content.splitlines()]
    assert [line["line"] for line in found] == list(range(1, LINES + 1))
    assert {line["line"] for line in found if "error" in line} == bad
    part = sent[:20]
    predicted = api.request("POST", "/prediction", json={"model_id": ID, "texts": part, "n_top": 3}).json()["predictions"]
    assert [line["labels"] for line in found[: len(part)]] == [prediction["labels"] for prediction in predicted]
    assert [key for key in api.objects(api.models_bucket) if key.startswith("shards/")] == []


def test_one_that_is_cancelled_stays_so_and_one_that_cannot_be_read_says_why(api: Deployed, texts: list[str]) -> None:
    cancelled = post(api, "\n".join(json.dumps(text) for text in texts).encode())
    answer = api.request("POST", f"/models/{ID}/batches/{cancelled}/cancel")
    failed = wait(api, post(api, b""))
    assert "is empty" in failed["error"]
    if answer.status_code == 200:
        assert wait(api, cancelled)["status"] == "cancelled"
    listed = api.request("GET", f"/models/{ID}/batches").json()["batches"]
    assert [batch["batch"] for batch in listed[:2]] == [failed["batch"], cancelled]


def test_those_that_wait_start_when_one_ends(api: Deployed, texts: list[str]) -> None:
    """With the default of MostBatches, 1. The sweeper runs every five minutes: only the registry's stream is as fast as this test."""
    content = "\n".join(json.dumps(text) for text in texts).encode()
    uploaded = api.client.upload("texts.jsonl", content)
    body = {"s3bucket": uploaded["s3bucket"], "object": uploaded["training_object"]}
    batches = [str(api.request("POST", f"/models/{ID}/batches", json=body).json()["batch"]) for _ in range(5)]
    begun = time.monotonic()
    ahead = [api.request("GET", f"/models/{ID}/batches/{batch}").json()["ahead"] for batch in batches]
    ended = [wait(api, batch) for batch in batches]

    assert ahead[-1] is not None, "the last of five waits at first"
    assert [batch["status"] for batch in ended] == ["ready"] * 5
    print(f"ahead at first: {ahead}; all ended after {time.monotonic() - begun:.0f} s")
    finished = [batch["finished_at"] for batch in ended]
    assert finished[0] < max(finished[1:])
