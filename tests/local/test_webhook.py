"""operations/webhook.yaml: events are posted to a URL, signed, and the receiver of the guide verifies them."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
import requests

from tests.support.contract import ROOT, template
from tests.support.webhook import SECRET, Receiver, posting, receiver

EVENT = {"id": "7bf73129", "source": "winnow", "detail-type": "Winnow Training Ended", "detail": {"model_id": "für-Köln", "version": 1}}


class Secrets:
    """Secrets Manager with one secret."""

    def __init__(self) -> None:
        self.value = SECRET
        self.reads = 0

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        assert SecretId == "the-secret"
        self.reads += 1
        return {"SecretString": self.value}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    made = Secrets()
    monkeypatch.setattr(boto3, "client", lambda name: {"secretsmanager": made}[name])
    monkeypatch.setenv("SECRET", "the-secret")
    return made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("receiver")) as it:
        yield it


def test_the_receiver_takes_what_the_function_posts(running: Receiver, secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URL", running.url)
    assert posting()["handler"](EVENT, None) == {"status": 204}
    assert running.lines()[-1] == "7bf73129 Winnow Training Ended für-Köln"


def test_another_secret_is_refused_and_the_next_one_counts_within_five_minutes(
    running: Receiver, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("URL", running.url)
    post = posting()
    secrets.value = "of somebody else"
    for _ in range(2):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            post["handler"](EVENT, None)
    assert secrets.reads == 1
    secrets.value = SECRET
    post["kept"]["until"] -= 301
    assert post["handler"](EVENT, None) == {"status": 204}


def signed(body: bytes, at: int, secret: str = SECRET) -> dict[str, str]:
    signature = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Winnow-Timestamp": str(at), "Winnow-Signature": f"v1={signature}"}


BODY = json.dumps(EVENT).encode()


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (lambda now: signed(BODY, now), BODY, 204),
        (lambda now: signed(BODY, now), BODY + b" ", 403),
        (lambda now: signed(BODY, now - 600), BODY, 403),
        (lambda now: signed(BODY, now + 600), BODY, 403),
        (lambda now: signed(BODY, now, "another"), BODY, 403),
        (lambda now: signed(BODY, now) | {"Winnow-Timestamp": str(now - 1)}, BODY, 403),
        (lambda now: signed(BODY, now) | {"Winnow-Timestamp": "9" * 5000}, BODY, 403),
        (lambda now: signed(BODY, now) | {"Winnow-Timestamp": "now"}, BODY, 403),
        (lambda now: signed(BODY, now) | {"Winnow-Signature": ""}, BODY, 403),
        (lambda _: {}, BODY, 403),
    ],
    ids=["genuine", "changed", "old", "of the future", "another secret", "another time", "a long time", "no time", "no signature", "bare"],
)
def test_the_receiver_verifies_what_it_gets(running: Receiver, headers: Callable[[int], dict[str, str]], body: bytes, status: int) -> None:
    before = running.lines()
    assert requests.post(running.url, data=body, headers=headers(int(time.time())), timeout=30).status_code == status
    assert len(running.lines()) == len(before) + (status == 204)


@pytest.mark.parametrize("status", [301, 307, 404, 500])
def test_any_other_answer_is_an_error_and_no_redirect_is_followed(secrets: Secrets, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        monkeypatch.setenv("URL", f"http://127.0.0.1:{server.server_port}/here")
        with pytest.raises(urllib.error.HTTPError, match=str(status)):
            posting()["handler"](EVENT, None)
    finally:
        server.shutdown()
        server.server_close()
    assert asked == ["/here"]


def test_it_is_tried_again_for_hours_and_then_kept() -> None:
    resources = template("operations/webhook.yaml")["Resources"]
    states = resources["Deliver"]["Properties"]["Definition"]["States"]
    [retry] = states["Post"]["Retry"]
    waits = [
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** number, retry["MaxDelaySeconds"]) for number in range(retry["MaxAttempts"])
    ]
    assert 7.5 < sum(waits) / 3600 < 8.5
    [catch] = states["Post"]["Catch"]
    assert (retry["ErrorEquals"], catch["ErrorEquals"]) == (["States.ALL"], ["States.ALL"])
    assert states[catch["Next"]]["Parameters"] == {"QueueUrl": "${NotPosted}", "MessageBody.$": "$"}
    assert resources["NotPosted"]["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_it_posts_every_kind_of_event_unless_told_otherwise() -> None:
    given = template("operations/webhook.yaml")["Parameters"]["EventTypes"]["Default"].split(",")
    text = (ROOT / "docs" / "events.schema.json").read_text(encoding="utf-8")
    assert given == [each["properties"]["detail-type"]["const"] for each in json.loads(text)["$defs"].values()]
