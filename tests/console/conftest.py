"""The console in a real browser, with an API of the test's own behind it: no cloud, no network.

The page is the one that GET /console answers with, with its headers. What a test lets the API answer must be as the contract says, and so
must what the console asks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from tests.support.browser import Visit, chromium
from tests.support.contract import ROOT, check_answer, check_request, operations
from winnow.api import console_files, documents

ORIGIN = "https://winnow.test"
URL = f"{ORIGIN}/v1"
UPLOADS = "uploads.winnow.test"
KEY = "key-of-the-test"
ICON = ROOT / "layers" / "docs" / "page" / "favicon.svg"
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"

Json = dict[str, Any]

# A busy machine.
expect.set_options(timeout=20_000)


@dataclass(frozen=True)
class Call:
    """A request that the page made."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


ALWAYS = {"Content-Type": "application/json", "ETag": '"0123456789abcdef"'}
STARTED = {"Location": "models/tc-01", "Retry-After": "2"}
LOST = Reply(0, None)
"""No answer at all: the network is gone."""


def problem(status: int, kind: str, detail: str, **members: Any) -> Reply:
    title = kind.replace("-", " ").capitalize()
    body = {"type": f"urn:winnow:problem:{kind}", "title": title, "status": status, "detail": detail} | members
    later = {"Retry-After": "1"} if status in {429, 503} else {}
    # API Gateway's own answers have another media type.
    return Reply(status, body, later if status in {429, 504} else later | {"Content-Type": "application/problem+json"})


class FakeApi:
    """An API whose answers the test says: api.on("GET /models", {…}), a Reply, or a function of the Call that returns either.

    Several answers to one call are given one after the other, the last one for good.
    """

    def __init__(self, role: str = "admin") -> None:
        self.calls: list[Call] = []
        self.faults: list[str] = []
        self._answers: dict[str, list[Any]] = {}
        self.on("GET /whoami", whoami(role))

    def on(self, call: str, *answers: Any) -> None:
        self._answers[call] = list(answers)

    def asked(self, call: str) -> list[Call]:
        """The requests of one call, such as "POST /models"."""
        method, _, path = call.partition(" ")
        return [it for it in self.calls if (it.method, it.path) == (method, path)]

    def handle(self, route: Route, request: Request, *, check: bool = True) -> None:
        """Answer a request of the page. check: against the contract, too."""
        address = urlsplit(request.url)
        path = unquote(address.path.removeprefix("/v1"))
        if path == "/console" or path.startswith("/console/"):
            page = documents.console(path.removeprefix("/console").removeprefix("/") or console_files.PAGE)
            assert isinstance(page.body, str)
            route.fulfill(status=page.status, headers=dict(page.headers), body=page.body)
            return
        if path == "/docs/favicon.svg":
            route.fulfill(status=200, headers={"Content-Type": "image/svg+xml"}, body=ICON.read_text(encoding="utf-8"))
            return
        sent = request.post_data
        query = {name: values[-1] for name, values in parse_qs(address.query, keep_blank_values=True).items()}
        call = Call(request.method, path, query, request.headers, json.loads(sent) if sent else None)
        self.calls.append(call)
        try:
            reply = self._reply(call, check)
        except AssertionError as error:
            self.faults.append(str(error))
            reply = problem(500, "unexpected", str(error))
        if reply.status == 0:
            route.abort("connectionfailed")
            return
        body = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        route.fulfill(status=reply.status, headers=dict(reply.headers), body=body)

    def _reply(self, call: Call, check: bool) -> Reply:
        if check:
            check_request(call.method, call.path, call.query, call.body)
        answers = self._answers.get(f"{call.method} {call.path}")
        assert answers is not None, f"the test has no answer to {call.method} {call.path}"
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer(call)
        reply = answer if isinstance(answer, Reply) else Reply(200, answer)
        reply = replace(reply, headers=ALWAYS | (STARTED if reply.status == 202 else {}) | reply.headers)
        if check and reply.status and reply.status != 403:
            check_answer(call.method, call.path, reply.status, reply.headers, reply.body)
        return reply


def example(call: str, status: str = "200") -> Json:
    """The contract's example of an answer, such as to "GET /models/{model_id}/drift"."""
    [content] = operations()[call]["responses"][status]["content"].values()
    shown = content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]
    return deepcopy(shown)


def whoami(role: str | None, name: str = "editors") -> Json:
    limits = {"requests_per_second": 50, "requests_per_day": 1_000_000}
    return {"kind": "key", "name": name, "key_id": "f6g7h8i9j0", "role": role, "limits": limits, "used_today": 417}


def model(model_id: str = "tc-01", /, **changes: Any) -> Json:
    """A model with a live version, as GET /models lists it."""
    return {
        "model_id": model_id,
        "status": "ready",
        "live_version": 1,
        "latest_version": 1,
        "labels": 13,
        "retrain_after": None,
        "schedule": None,
        "scheduled_for": None,
        "tolerance": 0.01,
        "log": None,
        "policy": None,
        "title": None,
        "note": None,
        "tags": [],
        "waiting_examples": 0,
        "created_at": "2026-03-02T09:11:00.000Z",
        "updated_at": "2026-03-02T09:16:41.007Z",
    } | changes


def version(number: int = 1, /, **changes: Any) -> Json:
    """A ready, live version, as GET /models/{id}/versions lists it. `model_id` makes it that of GET …/versions/{n}."""
    return {
        "version": number,
        "status": "ready",
        "live": True,
        "source": "request",
        "recipe": "linear",
        "selection": {
            "candidates": [{"recipe": "linear", "score": 0.91, "seconds": 2.1}, {"recipe": "sentence", "score": 0.905, "seconds": 9.8}],
            "reason": "linear was chosen: no more expensive recipe is better by at least 0.01.",
        },
        "encoder": None,
        "encoders": [],
        "promote": "auto",
        "progress": {"stage": "ready", "percent": 100, "eta_seconds": 0},
        "hyperparameters": {
            **dict.fromkeys(("n_texts", "exclusive", "patience", "max_minutes", "dropout", "batch_size", "learn_rate")),
            **{"n_iter": 30, "spacy_model": "en", "seed": 0, "min_precision": 0.9, "keep_texts": True},
        },
        "dataset": {
            "s3bucket": "winnow-datasets",
            "training_object": "uploads/0f8f-texts.json",
            "sha256": "ab" * 32,
            "etag": "ab",
            "version_id": None,
            "examples": 640,
            "train_examples": 640,
            "test_examples": 0,
            "labels": 13,
            "exclusive": True,
            "warnings": 0,
        },
        "evaluation": {
            "measured_by": "cross-validation",
            "examples": 640,
            "accuracy": 0.912,
            "macro_f1": 0.905,
            "micro_f1": 0.912,
            "ece": 0.03,
            "threshold": 0.41,
            "refused_share": 0.18,
            "accepted_share": 0.82,
            "warnings": [],
        },
        "gate": None,
        "warnings": [],
        "error": None,
        "note": None,
        "created_at": "2026-03-02T09:11:00.000Z",
        "finished_at": "2026-03-02T09:12:10.000Z",
    } | changes


class Console(Visit):
    """A visit of the console, whose key is typed in already."""

    def open(self, address: str = "#/models", *, key: str | None = KEY, keep: bool = False) -> Page:
        """Open a screen. key None: as somebody who opens it for the first time. keep: the tab keeps the key, so that it can be reloaded."""
        self.page.goto(f"{URL}/console{address}")
        if key is not None:
            self.page.get_by_label("API key").fill(key)
            self.page.get_by_label("Keep it for this tab").set_checked(keep)
            self.page.get_by_role("button", name="Open the console").click()
            self.page.get_by_label("API key").wait_for(state="detached")
        return self.page

    def axe(self) -> Json:
        """axe's report about WCAG 2.2 AA on the screen as it is: https://github.com/dequelabs/axe-core/blob/develop/doc/API.md."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: Json = self.page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
        )
        return found

    def violations(self) -> list[str]:
        """What axe finds against it."""
        return [f"{it['id']}: {node['html']} {node['failureSummary']}" for it in self.axe()["violations"] for node in it["nodes"]]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(autouse=True)
def _origin(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UPLOADS_HOST", "UPLOADS_GLOBAL_HOST"):
        monkeypatch.setenv(name, UPLOADS)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    api = FakeApi()
    yield api
    assert not api.faults


Opens = Callable[..., Console]


@pytest.fixture
def visits(browser: Browser, api: FakeApi) -> Iterator[Opens]:
    """Opens another tab, with options of Playwright's new_context: color_scheme, viewport."""
    contexts: list[BrowserContext] = []

    def another(**options: Any) -> Console:
        context = browser.new_context(**{"locale": "en-GB", "timezone_id": "UTC", **options})
        contexts.append(context)
        page = context.new_page()
        page.route(re.compile(f"^{re.escape(ORIGIN)}/"), api.handle)
        return Console(page, seconds=10)

    yield another
    for context in contexts:
        context.close()


@pytest.fixture
def visit(visits: Opens) -> Console:
    return visits()
