"""`make smoke URL=… KEY=…`: check a deployed stack from upload to deletion, in at most ten minutes, with a model and uploads of its own.

It prints a line for each step. A failed step doesn't stop those that don't need it, and what was made is always removed.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import requests

from local.demo import SAMPLE
from winnow_cli.client import ApiError, Client
from winnow_client import WinnowError

# Of the ten minutes, the last is for removing what was made.
SECONDS = 540
# A rollback reaches warm predictors within two seconds.
_ROLLBACK_SECONDS = 15
_TEXT = "I want to save for vacation!"
# So many copies of the sample give more than 5 MiB of results, which S3 takes in parts.
_COPIES, _N_TOP = 32, 5
_ONE_PART = 5 << 20


class SmokeError(Exception):
    """The stack gave an unexpected answer."""


class Smoke:
    """The steps. Each returns a sentence on what it saw, and raises an error if the stack isn't as it should be."""

    def __init__(self, url: str, key: str, seconds: float = SECONDS) -> None:
        self.model_id = f"smoke-{uuid4().hex[:12]}"
        self._url = url.rstrip("/")
        self._client = Client(url, key)
        self._end = time.monotonic() + seconds
        self._dataset: dict[str, str] = {}
        self._uploads: list[str] = []

    def open_calls(self) -> str:
        """What answers without a key, and that nothing else does."""
        _expect(self._open("/health").json() == {"status": "ok"}, "GET /health doesn't say ok")
        script = self._open("/docs/swagger-ui-bundle.js")
        _expect(script.ok and script.headers.get("Content-Encoding") == "gzip", "GET /docs/… isn't compressed")
        _expect("console/app.js" in self._open("/console").text, "GET /console isn't the page")
        _expect(self._open("/openapi.json").json()["openapi"].startswith("3."), "GET /openapi.json isn't the contract")
        _expect(self._open("/models").status_code == 403, "GET /models answers without a key")
        return "health, docs, console and contract answer without a key, and nothing else"

    def key(self) -> str:
        """That the key may do everything, and that GET may have a body, which a proxy or an edge-optimised API refuses."""
        self._expect_refusal(404, "DELETE", f"/models/{self.model_id}")
        self._expect_refusal(404, "GET", "/prediction", {"model_id": self.model_id, "text": _TEXT})
        return "it is an admin's, and GET /prediction takes a body"

    def upload(self) -> str:
        """A data set by a signed URL."""
        content = SAMPLE.read_bytes()
        self._dataset = self._upload("smoke.json", content)
        listed = {each["name"] for each in self._client.pages("/datasets", "datasets")}
        _expect(self._uploads[0] in listed, "GET /datasets doesn't list the upload")
        return f"{len(content):,} bytes, and GET /datasets lists them"

    def train(self) -> str:
        """A first version, by every recipe that the deployment has."""
        self._client.train(self.model_id, self._dataset, n_iter=2, n_texts=200)
        self._expect_refusal(409, "POST", "/models", {"id": self.model_id, **self._dataset})
        version = self._trained(1)
        return f"version 1 by {version['recipe']}, accuracy {version['evaluation']['accuracy']:.2f}"

    def classify(self) -> str:
        """The three forms of a prediction, which answer the same."""
        given = {"model_id": self.model_id, "text": _TEXT, "n_top": "1"}
        with_body, with_query = self._client.call("GET", "/prediction", given), self._client.call("GET", "/prediction", query=given)
        texts = self._client.call("POST", "/prediction", {"model_id": self.model_id, "texts": [_TEXT], "n_top": 1})
        _expect(len(with_body["labels"]) == 1, "GET /prediction with n_top 1 doesn't answer one label")
        # Each answer has an id of its own.
        alike = {**with_query, "prediction_id": ""} == {**with_body, "prediction_id": ""}
        _expect(alike, "GET /prediction answers otherwise with a query than with a body")
        _expect(texts["predictions"][0]["labels"] == with_body["labels"], "POST /prediction answers otherwise than GET")
        return f"“{_TEXT}” is {with_body['labels'][0]['label']}"

    def retrain(self) -> str:
        """A second version, which goes live."""
        self._client.train(self.model_id, self._dataset, force_update=True, recipe="linear", n_iter=1, n_texts=200)
        self._trained(2)
        return "version 2 is live"

    def batch(self) -> str:
        """A file of texts, whose results need more than one part of an upload to S3."""
        lines = [json.dumps({"text": each["text"]}) for each in json.loads(SAMPLE.read_bytes())] * _COPIES
        file = self._upload("smoke.jsonl", "\n".join(lines).encode())
        # By the version that is linear, so that it takes seconds.
        wanted = {"s3bucket": file["s3bucket"], "object": file["training_object"], "version": 2, "n_top": _N_TOP}
        started = self._client.call("POST", f"/models/{self.model_id}/batches", wanted)
        ended = self._client.follow(f"/models/{self.model_id}/batches/{started['batch']}", seconds=self.seconds_left(), longest_pause=2)
        _expect(ended["status"] == "ready", f"the batch is {ended['status']}: {ended['error']}")
        result = requests.get(ended["result"]["url"], timeout=60)
        result.raise_for_status()
        _expect(result.content.count(b"\n") == len(lines), "the result hasn't a line for each text")
        _expect(len(result.content) > _ONE_PART, "the result fits into one part: the sample has become shorter")
        return f"{len(lines):,} texts, {len(result.content):,} bytes of results"

    def roll_back(self) -> str:
        """Predictions by the first version again."""
        self._client.call("PUT", f"/models/{self.model_id}/live", {"version": 1})
        end = time.monotonic() + _ROLLBACK_SECONDS
        while (answering := self._client.call("POST", "/prediction", {"model_id": self.model_id, "text": _TEXT})["version"]) != 1:
            _expect(time.monotonic() < end, f"version {answering} answers {_ROLLBACK_SECONDS} s after the rollback to 1")
            time.sleep(0.5)
        return "version 1 answers again"

    def remove_model(self) -> str:
        """The model, with its versions and batches."""
        try:
            deleted = self._client.call("DELETE", f"/models/{self.model_id}")
        except ApiError as error:
            if error.status != 404:
                raise
            return "there was none"
        _expect(deleted["status"] in {"deleted", "deleting"}, f"DELETE /models/… says {deleted['status']}")
        self._expect_refusal(404, "GET", f"/models/{self.model_id}")
        return f"{self.model_id} is gone"

    def remove_uploads(self) -> str:
        """The uploads, each also if another one can't be removed."""
        failures = []
        for name in self._uploads:
            try:
                self._client.call("DELETE", f"/datasets/{name}")
                self._expect_refusal(404, "DELETE", f"/datasets/{name}")
            except (WinnowError, SmokeError, requests.RequestException) as error:
                failures.append(str(error))
        _expect(not failures, "; ".join(failures))
        return f"{len(self._uploads)} are gone" if self._uploads else "there were none"

    def _open(self, path: str) -> requests.Response:
        return requests.get(self._url + path, timeout=60)

    def _upload(self, name: str, content: bytes) -> dict[str, str]:
        where = self._client.upload(name, content)
        self._uploads.append(where["training_object"].removeprefix("uploads/"))
        return where

    def _trained(self, number: int) -> dict[str, Any]:
        model = self._client.wait(self.model_id, seconds=self.seconds_left())
        version: dict[str, Any] = model["version"]
        _expect(version["status"] == "ready", f"version {number} is {version['status']}: {version['error']}")
        _expect(model["live_version"] == number, f"version {model['live_version']} is live, and not {number}")
        return version

    def seconds_left(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def _expect_refusal(self, status: int, method: str, path: str, body: dict[str, str] | None = None) -> None:
        try:
            self._client.call(method, path, body)
        except ApiError as error:
            if error.status == status:
                return
            raise
        raise SmokeError(f"{method} {path} answers, and should say {status}")


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SmokeError(otherwise)


@dataclass(frozen=True, slots=True)
class Step:
    """A step: its name, what does it, and the step that it needs."""

    name: str
    do: Callable[[Smoke], str]
    needs: str | None = None


STEPS = (
    Step("open calls", Smoke.open_calls),
    Step("key", Smoke.key),
    Step("upload", Smoke.upload, "key"),
    Step("train", Smoke.train, "upload"),
    Step("classify", Smoke.classify, "train"),
    Step("retrain", Smoke.retrain, "train"),
    Step("batch", Smoke.batch, "retrain"),
    Step("roll back", Smoke.roll_back, "retrain"),
)
# These are tried whatever happened before.
REMOVALS = (Step("delete model", Smoke.remove_model), Step("delete uploads", Smoke.remove_uploads))


def run(smoke: Smoke) -> bool:
    """Make all steps, print a line for each, and remove what was made. Whether all passed."""
    passed: set[str] = set()
    try:
        for step in STEPS:
            if step.needs is not None and step.needs not in passed:
                print(f"  --  {step.name:<15} {'':>7}  not tried: it needs the step {step.needs}", flush=True)
            elif not smoke.seconds_left():
                print(f"  --  {step.name:<15} {'':>7}  not tried: no time was left", flush=True)
            else:
                _make(step, smoke, passed)
    finally:
        for step in REMOVALS if "key" in passed else ():
            _make(step, smoke, passed)
    return {step.name for step in (*STEPS, *REMOVALS)} <= passed


def _make(step: Step, smoke: Smoke, passed: set[str]) -> None:
    begin = time.monotonic()
    try:
        mark, sentence = "ok", step.do(smoke)
        passed.add(step.name)
    except (KeyError, TypeError, IndexError) as error:
        mark, sentence = "NO", f"an answer without what it should have: {type(error).__name__} {error}"
    except (WinnowError, SmokeError, TimeoutError, ValueError, requests.RequestException) as error:
        mark, sentence = "NO", str(error)
    print(f"  {mark}  {step.name:<15} {time.monotonic() - begin:>5.1f} s  {sentence}", flush=True)


def main() -> int:
    """Run the command. 0 only if every step passed."""
    parser = argparse.ArgumentParser(prog="make smoke", description=__doc__)
    parser.add_argument("url", help="the stack's output ApiUrl")
    parser.add_argument("key", help="an API key with the role admin")
    arguments = parser.parse_args()
    if not arguments.url.startswith(("http://", "https://")):
        parser.error("URL must be the stack's output ApiUrl, such as https://….execute-api.….amazonaws.com/v1")
    # So that what was made is removed then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    begin = time.monotonic()
    try:
        passed = run(Smoke(arguments.url, arguments.key))
    except KeyboardInterrupt:
        print("winnow: interrupted", file=sys.stderr)
        return 130
    if passed:
        print(f"smoke: all steps passed, in {time.monotonic() - begin:.0f} s")
        return 0
    print("winnow: some steps failed: docs/deploy.md#the-first-hour says what they need", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
