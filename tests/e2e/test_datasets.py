"""Data sets over HTTP, on the local cloud: uploads of a signed length, lists, and reports before and after a training."""

from __future__ import annotations

import gzip
import json
import time

import requests

from tests.e2e.conftest import Deployed


def test_an_upload_has_the_length_that_was_signed_and_is_written_once_and_can_be_deleted(api: Deployed, small_dataset: bytes) -> None:
    upload = api.request("POST", "/datasets", json={"name": "small.jsonl", "bytes": len(small_dataset)}).json()

    def put(content: bytes, headers: dict[str, str]) -> int:
        return requests.put(upload["upload_url"], data=content, headers=headers, timeout=60).status_code

    assert put(small_dataset + b"\n", upload["headers"]) == 403
    assert put(small_dataset, {}) == 403
    assert put(small_dataset, upload["headers"]) == 200
    # Other data of the same length.
    assert put(small_dataset[::-1], upload["headers"]) == 412

    [listed] = [each for each in api.request("GET", "/datasets").json()["datasets"] if each["name"] == upload["name"]]
    assert (listed["bytes"], listed["training_object"]) == (len(small_dataset), upload["training_object"])

    assert api.request("DELETE", f"/datasets/{upload['name']}").json()["status"] == "deleted"
    assert api.request("DELETE", f"/datasets/{upload['name']}").status_code == 404


def test_a_dry_run_reports_at_once_and_trains_nothing(api: Deployed, small_dataset: bytes) -> None:
    dataset = api.client.upload("small.jsonl", small_dataset + b'\n{"text": "", "label": "saving"}')
    answer = api.request("POST", "/models", json={"id": "dry", **dataset, "dry_run": True})

    assert answer.status_code == 200
    report = answer.json()["report"]
    assert (report["trainable"], report["format"], report["examples"]) == (False, "json-lines", 80)
    [problem] = [problem for problem in report["problems"] if problem["refuses"]]
    assert (problem["kind"], problem["rows"][0]["row"]) == ("empty-text", 81)
    assert api.request("GET", "/models/dry").status_code == 404


def test_a_large_dry_run_is_reported_on_later(api: Deployed) -> None:
    lines = (json.dumps({"text": f"text number {number} " + "of many words " * 20, "label": "ab"[number % 2]}) for number in range(180_000))
    dataset = api.client.upload("large.jsonl.gz", gzip.compress("\n".join(lines).encode(), compresslevel=1))
    answer = api.request("POST", "/models", json={"id": "dry", **dataset, "dry_run": True})
    assert (answer.status_code, answer.json()["status"]) == (202, "running")

    path, end = f"/{answer.headers['Location']}", time.monotonic() + 120
    while (told := api.request("GET", path).json())["status"] == "running":
        assert time.monotonic() < end, "the report isn't ready in time"
        time.sleep(0.5)
    assert (told["status"], told["report"]["rows"], told["report"]["trainable"]) == ("ready", 180_000, True)


def test_a_training_keeps_its_report_and_one_of_csv_is_like_any_other(api: Deployed, small_dataset: bytes) -> None:
    rows = [json.loads(line) for line in small_dataset.splitlines()]
    quoted = "\n".join(["text,label", *('"' + row["text"].replace('"', '""') + '",' + row["label"] for row in rows)])
    api.client.train("of-csv", api.client.upload("small.csv", quoted.encode()), recipe="linear", n_iter=2)
    assert api.client.wait("of-csv")["status"] == "ready"

    report = api.request("GET", "/models/of-csv/versions/1/report").json()["report"]
    assert (report["format"], report["rows"], report["trainable"]) == ("csv", len(rows), True)
    api.request("DELETE", "/models/of-csv")
