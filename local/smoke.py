"""`make smoke URL=… KEY=…`: train, use and delete a small model on any deployed stack."""

from __future__ import annotations

import argparse
import sys
from uuid import uuid4

import requests

from local.demo import SAMPLE
from winnow_cli.client import ApiError, Client


class SmokeError(Exception):
    """The stack gave an unexpected answer."""


def main() -> int:
    """Make the calls and print one line each. Stops with 1 at the first failure. Always deletes its model."""
    parser = argparse.ArgumentParser(prog="make smoke", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("key")
    arguments = parser.parse_args()
    client, model_id = Client(arguments.url, arguments.key), f"smoke-{uuid4().hex[:12]}"
    try:
        _before(client, arguments.url, model_id)
        try:
            _life(client, model_id)
        finally:
            _expect("DELETE /models/…: deleted", client.call("DELETE", f"/models/{model_id}")["status"] in {"deleted", "deleting"})
        _expect_refusal(client, 404, "GET", f"/models/{model_id}")
    except (ApiError, SmokeError, TimeoutError, requests.RequestException) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    print("smoke: all calls gave the expected answer")
    return 0


def _before(client: Client, url: str, model_id: str) -> None:
    # First the call that a proxy or an edge-optimised API would refuse: GET with a body.
    _expect_refusal(client, 404, "GET", "/prediction", {"model_id": model_id, "text": "I want to save for vacation!"})
    _expect("GET /health without a key: ok", requests.get(f"{url.rstrip('/')}/health", timeout=60).json() == {"status": "ok"})
    script = requests.get(f"{url.rstrip('/')}/docs/swagger-ui-bundle.js", timeout=60)
    _expect("GET /docs/… without a key: the page's script is compressed", script.ok and script.headers.get("Content-Encoding") == "gzip")
    refused = requests.get(f"{url.rstrip('/')}/models", timeout=60)
    _expect("GET /models without a key: 403", refused.status_code == 403)


def _life(client: Client, model_id: str) -> None:
    dataset = client.upload("smoke.json", SAMPLE.read_bytes())
    _expect("POST /models: queued", client.train(model_id, dataset, n_iter=2, n_texts=200)["status"] == "queued")
    _expect_refusal(client, 409, "POST", "/models", {"id": model_id, **dataset})
    version = client.wait(model_id)["version"]
    _expect(f"GET /models/…: {version['status']} {version['error'] or ''}", version["status"] == "ready")
    listed = client.call("GET", "/models", query={"limit": "1000"})["models"]
    _expect("GET /models: lists the model", any(model["model_id"] == model_id for model in listed))
    with_body = client.call("GET", "/prediction", {"model_id": model_id, "text": "I want to save for vacation!", "n_top": "1"})
    with_query = client.call("GET", "/prediction", query={"model_id": model_id, "text": "I want to save for vacation!", "n_top": "1"})
    with_post = client.call("POST", "/prediction", {"model_id": model_id, "texts": ["I want to save for vacation!"], "n_top": 1})
    _expect("GET /prediction with a body: one label", len(with_body["labels"]) == 1)
    _expect("GET /prediction with a query: the same answer", with_query == with_body)
    _expect("POST /prediction: the same labels", with_post["predictions"][0]["labels"] == with_body["labels"])


def _expect(what: str, holds: bool) -> None:
    print(f"  {'ok' if holds else 'NO'}  {what}", flush=True)
    if not holds:
        message = f"unexpected answer: {what}"
        raise SmokeError(message)


def _expect_refusal(client: Client, status: int, method: str, path: str, body: dict[str, str] | None = None) -> None:
    try:
        client.call(method, path, body)
        answered = 200
    except ApiError as error:
        answered = error.status
    what = f"{method} /{path.split('/')[1]}: {status}"
    _expect(what if answered == status else f"{what}, not {answered}", answered == status)


if __name__ == "__main__":
    sys.exit(main())
