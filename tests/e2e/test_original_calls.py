"""The user's original calls, exactly as in their document: method, path, headers and body."""

from __future__ import annotations

import json
from urllib.parse import urljoin

import pytest
import requests

from tests.e2e.conftest import SAMPLE, Deployed
from tests.support.contract import check_answer

BUCKETS = ("albert-textcats", "albert-textcats-best")


@pytest.fixture(scope="module", autouse=True)
def _their_buckets(api: Deployed) -> None:
    # A quarter of the sample: the calls are the same.
    texts = json.dumps(json.loads(SAMPLE.read_text())[::4]).encode()
    for bucket in BUCKETS:
        api.cloud.client("s3").create_bucket(Bucket=bucket)
        api.put(bucket, "trainingSet.json", texts)


def send(api: Deployed, method: str, path: str, body: str | None = None) -> requests.Response:
    headers = {"Content-Type": "application/json", "x-api-key": api.key}
    answer = requests.request(method, api.url + path, headers=headers, data=body, timeout=60)
    check_answer(method, path, answer.status_code, answer.headers, answer.json())
    return answer


def test_the_original_calls(api: Deployed) -> None:
    created = send(api, "POST", "/models", '{"id":"tc-01", "s3bucket":"albert-textcats", "training_object":"trainingSet.json"}')
    assert (created.status_code, created.json()) == (202, {"model_id": "tc-01", "version": 1, "status": "queued"})
    followed = requests.get(urljoin(created.url, created.headers["Location"]), headers={"x-api-key": api.key}, timeout=60)
    assert followed.json()["model_id"] == "tc-01"
    assert int(created.headers["Retry-After"]) > 0
    assert api.client.wait("tc-01")["status"] == "ready"

    best = '{"force_update":"True", "id":"tc-01", "s3bucket":"albert-textcats-best", "training_object":"trainingSet.json"}'
    updated = send(api, "POST", "/models", best)
    assert (updated.status_code, updated.json()["version"]) == (202, 2)

    send(api, "POST", "/models", '{"id":"tc-02", "s3bucket":"albert-textcats", "training_object":"trainingSet.json"}')
    assert send(api, "DELETE", "/models/tc-02").status_code == 200

    listed = send(api, "GET", "/models").json()["models"]
    assert "tc-01" in [model["model_id"] for model in listed]
    assert "tc-02" not in [model["model_id"] for model in listed]

    answer = send(api, "GET", "/prediction", '{"model_id":"tc-01", "text":"I want to save for vacation!"}').json()
    assert answer["labels"][0]["label"] == "saving"
    assert len(answer["labels"]) == 5
    top = send(api, "GET", "/prediction", '{"n_top": "1", "model_id":"tc-01", "text":"I want to save for vacation!"}').json()
    assert top["labels"] == answer["labels"][:1]
    assert api.client.wait("tc-01")["live_version"] == 2
    send(api, "DELETE", "/models/tc-01")


CALLS = [
    ("POST", "/models"),
    ("GET", "/models"),
    ("GET", "/models/tc-01"),
    ("DELETE", "/models/tc-01"),
    ("POST", "/models/tc-01/versions/1/cancel"),
    ("GET", "/models/tc-01/versions/1/evaluation"),
    ("GET", "/prediction"),
    ("POST", "/prediction"),
    ("POST", "/datasets"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("key", [None, "not-a-key"])
def test_without_its_key_a_call_is_refused(api: Deployed, method: str, path: str, key: str | None) -> None:
    assert api.request(method, path, key=key).status_code == 403


def test_health_needs_no_key(api: Deployed) -> None:
    answer = api.request("GET", "/health", key=None)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
