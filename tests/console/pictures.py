"""The pictures of docs/console.md, docs/figures/console: python -m tests.console.pictures (`make figures`).

Each picture is a screen on a desktop and on a phone. The API behind it answers what a local cloud answered about the sample data set.
Beside each picture it prints what axe says about the screen (https://github.com/dequelabs/axe-core).
"""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Page

from tests.console import savings
from tests.console.conftest import ORIGIN, UPLOADS, Console, FakeApi, Reply, example, model, version
from tests.console.test_new_model import PLACE, Bucket, report
from tests.support.browser import chromium
from tests.support.contract import ROOT

FOLDER = ROOT / "docs" / "figures" / "console"
DESKTOP, PHONE = {"width": 1280, "height": 832}, {"width": 390, "height": 832}
SCALE = 0.8
TRIED = "why did you charge me 35 dollars when my account went below zero?"

type Json = dict[str, Any]
type Doing = Callable[[Page], None]


def nothing(_: Page) -> None:
    """The screen as it opens."""


def sample_checked(page: Page) -> None:
    page.get_by_role("button", name="Train", exact=True).wait_for()


def tried(page: Page) -> None:
    page.get_by_role("textbox").fill(TRIED)
    page.get_by_role("button", name="Classify").click()
    page.get_by_text("answered.").wait_for()


SCREENS: dict[str, tuple[str, Doing]] = {
    "models": ("#/models", nothing),
    "new": ("#/new?sample=1", sample_checked),
    "training": ("#/models/questions", nothing),
    "quality": ("#/models/savings/versions/2/quality", nothing),
    "errors": ("#/models/savings/versions/2/errors", nothing),
    "label": ("#/models/savings/label", nothing),
    "compare": ("#/models/savings/compare", nothing),
    "try": ("#/models/savings/try", tried),
    "health": ("#/health", nothing),
}


def fake() -> FakeApi:
    api = FakeApi()
    savings.serve(api)
    log = {"share": 0.1, "days": 30}
    others = {"complaints": (0.871, 2000, 0.79), "refund-reasons": (0.953, 1200, 0.91), "hr-tickets": (0.802, 410, 0.55)}
    changes: dict[str, Json] = {"complaints": {"log": log, "waiting_examples": 31}, "refund-reasons": {"log": log}}
    models = [savings.saved("model") | {"title": "What bank customers ask", "tags": ["support"]}]
    models[0].pop("version")
    for name, (accuracy, examples, accepted) in others.items():
        models.append(model(name, **changes.get(name, {})))
        measured = version()["evaluation"] | {"accuracy": accuracy, "examples": examples, "accepted_share": accepted}
        api.on(f"GET /models/{name}/versions/1", version(model_id=name, evaluation=measured))
        drift = example("GET /models/{model_id}/drift") | {"model_id": name}
        drift["days"][0]["drifted"] = name == "complaints"
        api.on(f"GET /models/{name}/drift", drift)
    unknown = dict.fromkeys(("selection", "evaluation", "finished_at"))
    progress = {"stage": "training", "percent": 62, "eta_seconds": 20, "epoch": 19, "epochs": 30, "loss": 0.21, "score": None}
    running = version(
        status="training",
        live=False,
        recipe="auto",
        progress=progress,
        dataset={"s3bucket": "winnow-datasets", "training_object": PLACE["training_object"]},
        **unknown,
    )
    questions = model("questions", status="training", live_version=None)
    models.append(questions)
    api.on("GET /models", {"models": sorted(models, key=lambda it: str(it["model_id"])), "next": None})
    api.on("GET /models/questions", questions | {"version": running})
    api.on("GET /models/questions/versions", {"model_id": "questions", "versions": [running], "next": None})
    api.on("POST /prediction", lambda call: savings.saved("tried") if call.body["text"] == TRIED else savings.explained(call))
    api.on("POST /datasets", Reply(201, PLACE))
    api.on("POST /models", {"dry_run": True, "estimates": [], "report": checked()})
    api.on("GET /health", {"status": "ok", "parts": dict.fromkeys(("registry", "datasets", "models", "training", "batches"), "ok")})
    return api


def checked() -> Json:
    names = savings.saved("evaluation")["per_label"]
    labels = [{"label": name, "examples": 100, "texts": 100} for name in names]
    understood = {"text_column": "text", "label_column": "label", "encoding": "utf-8"}
    return report(format="json-array", understood=understood, rows=800, examples=800, language_texts=500, labels=labels)


def shot(browser: Browser, scheme: Any, viewport: Any, address: str, do: Doing) -> tuple[bytes, str]:
    """The picture, and axe's counts of rules."""
    context = browser.new_context(color_scheme=scheme, viewport=viewport, locale="en-GB", timezone_id="UTC", reduced_motion="reduce")
    page = context.new_page()
    api = fake()
    page.route(re.compile(f"^{re.escape(ORIGIN)}/"), api.handle)
    Bucket(page)
    console = Console(page)
    console.open(address)
    do(page)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    taken = page.screenshot()
    report = console.axe()
    context.close()
    if api.faults:
        sys.exit(f"pictures: {address}: {api.faults[0]}")
    if report["violations"]:
        sys.exit(f"pictures: {address}: axe found {report['violations'][0]['id']}")
    return taken, f"{len(report['passes'])} rules passed, {len(report['violations'])} violated, {len(report['incomplete'])} undecided"


def beside(browser: Browser, scheme: str, pictures: list[bytes]) -> bytes:
    """Both pictures in one, on a ground of the scheme."""
    page = browser.new_page(
        viewport={"width": DESKTOP["width"] + PHONE["width"] + 72, "height": DESKTOP["height"] + 48}, device_scale_factor=SCALE
    )
    ground = {"light": "#e3e1d9", "dark": "#000000"}[scheme]
    images = "".join(f'<img src="data:image/png;base64,{base64.b64encode(it).decode()}" style="border-radius:10px">' for it in pictures)
    page.set_content(f'<body style="margin:0;padding:24px;display:flex;gap:24px;background:{ground}">{images}</body>')
    taken = page.screenshot()
    page.close()
    return taken


def main() -> None:
    for name in ("UPLOADS_HOST", "UPLOADS_GLOBAL_HOST"):
        os.environ[name] = UPLOADS
    FOLDER.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name, (address, do) in SCREENS.items():
            for scheme in ("light", "dark"):
                both = [shot(browser, scheme, viewport, address, do) for viewport in (DESKTOP, PHONE)]
                (FOLDER / f"{name}-{scheme}.png").write_bytes(beside(browser, scheme, [picture for picture, _ in both]))
                print(f"{name}, {scheme}: desktop {both[0][1]}; phone {both[1][1]}", flush=True)


if __name__ == "__main__":
    main()
