"""Screen 3: a training while it runs, and what came out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.console.conftest import FakeApi, Reply, example, model, problem, version, whoami

if TYPE_CHECKING:
    from playwright.sync_api import Route

    from tests.console.conftest import Call, Console, Json

UNKNOWN = dict.fromkeys(("selection", "evaluation", "finished_at"))


def running(number: int = 1, **progress: Any) -> Json:
    dataset = {"s3bucket": "winnow-datasets", "training_object": "uploads/0f8f-texts.csv"}
    progress = {"stage": "training", "percent": 40, "eta_seconds": 30, "epoch": 3, "epochs": 10, "loss": 0.2, "score": None} | progress
    return version(number, status="training", live=False, recipe="auto", progress=progress, dataset=dataset, **UNKNOWN)


def show(api: FakeApi, *states: list[Json], **changes: Any) -> None:
    """The model in one state after the other, each with its versions, the latest first."""
    models = []
    for versions in states:
        live = next((it["version"] for it in versions if it["live"]), None)
        latest = {"version": versions[0], "latest_version": versions[0]["version"]}
        models.append(model(**{"live_version": live, "status": "ready" if live else "training", **latest, **changes}))
    api.on("GET /models/tc-01", *models)
    api.on("GET /models/tc-01/versions", *({"model_id": "tc-01", "versions": it, "next": None} for it in states))


def test_a_training_is_followed_until_its_version_answers(api: FakeApi, visit: Console) -> None:
    show(api, [running(stage="queued", percent=0, eta_seconds=None)], [running()], [version()])
    page = visit.open("#/models/tc-01/versions/1")

    expect(page.get_by_text("Waiting to start …")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "40")
    expect(page.get_by_text("About 30 seconds left for this step; then it is measured.")).to_be_visible()
    assert not visit.violations()
    expect(page.get_by_text("Version 1 is live: predictions use it.")).to_be_visible()
    expect(page.get_by_text("by cross-validation on 640 examples")).to_be_visible()
    page.locator("summary").click()
    rows = page.get_by_role("table", name="How the recipe was chosen").get_by_role("row")
    assert [row.inner_text().split("\t") for row in rows.all()[1:]] == [["linear", "91.0 %", "2.1"], ["sentence", "90.5 %", "9.8"]]
    assert not visit.violations()
    asked = len(api.calls)
    page.wait_for_timeout(3000)
    assert len(api.calls) == asked  # it is over, so nobody asks


def test_a_version_is_named_at_once_and_shown_before_the_list_of_versions(visit: Console, api: FakeApi) -> None:
    show(api, [running()])
    held: dict[str, Route] = {}
    for path in ("tc-01", "tc-01/versions?limit=100"):
        visit.page.route(f"**/v1/models/{path}", lambda route, _, path=path: held.update({path: route}))
    page = visit.open("#/models/tc-01/versions/1")
    expect(page.get_by_role("heading", name="Version 1")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("Asking how far the training of this version is …")
    assert not visit.violations()

    held["tc-01"].fallback()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("table")).to_have_count(0)
    held["tc-01/versions?limit=100"].fallback()
    expect(page.get_by_role("table", name="Versions")).to_be_visible()


def test_a_list_of_versions_that_is_refused_is_said(api: FakeApi, visit: Console) -> None:
    show(api, [version()])
    listed = {"model_id": "tc-01", "versions": [version()], "next": None}
    api.on("GET /models/tc-01/versions", problem(500, "unexpected", "It broke."), listed)
    page = visit.open("#/models/tc-01")
    expect(page.get_by_role("alert")).to_contain_text("It broke.")
    expect(page.get_by_role("heading", name="Version 1")).to_be_visible()
    page.get_by_role("button", name="Reload").click()
    expect(page.get_by_role("table", name="Versions")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_it_is_cancelled_after_a_question(api: FakeApi, visit: Console) -> None:
    show(api, [running()])
    cancelled = version(status="cancelled", live=False, dataset=running()["dataset"], recipe="auto", **UNKNOWN)
    cancelled["finished_at"] = "2026-03-02T09:12:10.000Z"
    page = visit.open("#/models/tc-01")
    page.get_by_role("button", name="Cancel the training").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Cancel the training")).to_be_focused()
    assert not api.asked("POST /models/tc-01/versions/1/cancel")

    def cancel(call: Call) -> Json:
        show(api, [cancelled])
        return cancelled | {"model_id": "tc-01"}

    api.on("POST /models/tc-01/versions/1/cancel", cancel)
    page.get_by_role("button", name="Cancel the training").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    expect(page.get_by_text("The training was cancelled.")).to_be_visible()
    [call] = api.asked("POST /models/tc-01/versions/1/cancel")
    assert call.headers["if-match"] == '"0123456789abcdef"'


def test_a_state_that_somebody_changed_says_who_and_when(api: FakeApi, visit: Console) -> None:
    show(api, [running()])
    stale = problem(412, "stale", "Model 'tc-01' has changed since you read its ETag.")
    api.on("POST /models/tc-01/versions/1/cancel", stale)
    history = example("GET /models/{model_id}/history")
    history["entries"] = history["entries"][:1]
    history["entries"][0] |= {"at": "2026-03-02T09:16:41.007Z"}
    history["entries"][0]["by"] = {"kind": "key", "name": "Nadia", "key_id": "f6g7h8i9j0"}
    api.on("GET /models/tc-01/history", history)
    page = visit.open("#/models/tc-01")
    page.get_by_role("button", name="Cancel the training").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()

    expect(page.get_by_role("alert")).to_contain_text("Changed by Nadia at Mar 2, 2026, 9:16 AM. Reload it")
    show(api, [version()])
    page.get_by_role("alert").get_by_role("button", name="Reload").click()
    expect(page.get_by_text("Version 1 is live: predictions use it.")).to_be_visible()


def test_a_training_that_fails_says_why_and_what_to_do(api: FakeApi, visit: Console) -> None:
    sentence = "Row 3: <script>alert(1)</script> has an empty text: give it a text or leave it out."
    failed = version(status="failed", live=False, error=sentence, dataset=running()["dataset"], **UNKNOWN)
    failed["finished_at"] = "2026-03-02T09:12:10.000Z"
    show(api, [failed], status="failed")
    api.on("GET /models/tc-01/versions/1/report", problem(404, "report-not-found", "There is no report."))
    page = visit.open("#/models/tc-01")
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    expect(page.get_by_role("link", name="Train with another file")).to_be_visible()
    assert not visit.violations()


def test_what_the_comparison_with_the_live_version_said_is_shown(api: FakeApi, visit: Console) -> None:
    gate = {"against": 1, "passed": False, "examples": 640, "reason": "Its macro-F1 is lower.", "live_macro_f1": 0.9, "macro_f1": 0.8}
    show(api, [version(2, live=False, gate=gate), version()])
    page = visit.open("#/models/tc-01/versions/2")
    expect(page.get_by_text("Its macro-F1 is lower.")).to_be_visible()
    assert page.get_by_role("link", name="Compare with the live version").get_attribute("href") == "#/models/tc-01/compare?to=2"
    page.get_by_role("link", name="Version 1", exact=True).click()
    expect(page.get_by_role("heading", name="Version 1")).to_contain_text("Live")


def test_feedback_that_waits_is_trained_by_a_button(api: FakeApi, visit: Console) -> None:
    show(api, [version()], waiting_examples=11)
    page = visit.open("#/models/tc-01")
    expect(page.get_by_text("11 examples of feedback wait for the next training.")).to_be_visible()
    assert not visit.violations()

    def train(_call: Call) -> Reply:
        show(api, [running(2), version()])
        return Reply(202, {"model_id": "tc-01", "version": 2, "status": "queued"})

    api.on("POST /models/tc-01/examples", train)
    page.get_by_role("button", name="Train now with 11 examples").click()
    expect(page.get_by_text("About 30 seconds left for this step")).to_be_visible()
    assert [call.body for call in api.asked("POST /models/tc-01/examples")] == [{"retrain": "now"}]


def test_schedules_and_containers_are_said(api: FakeApi, visit: Console) -> None:
    show(api, [version(trained_on="fargate")], waiting_examples=3, schedule="rate(1 day)", scheduled_for="2026-03-03T03:00:00.000Z")
    page = visit.open("#/models/tc-01")
    expect(page.get_by_text("3 examples of feedback wait for the next training. Its schedule trains with them")).to_be_visible()
    expect(page.get_by_text("It was trained in a container")).to_be_visible()
    assert not visit.violations()


def test_keys_that_may_not_edit_cannot_cancel(api: FakeApi, visit: Console) -> None:
    api.on("GET /whoami", whoami("predict"))
    show(api, [running()])
    page = visit.open("#/models/tc-01")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel the training")).to_have_count(0)
    expect(page.get_by_role("link", name="Label")).to_have_count(0)


def test_a_version_that_was_never_measured_says_so(api: FakeApi, visit: Console) -> None:
    show(api, [version(recipe="zero-shot", evaluation=None, selection=None, warnings=["Nothing was measured."])])
    page = visit.open("#/models/tc-01")
    expect(page.get_by_text("Never measured: it was made from names alone.")).to_be_visible()
    expect(page.get_by_text("Nothing was measured.")).to_be_visible()


def test_a_model_that_is_unknown_says_so(api: FakeApi, visit: Console) -> None:
    missing = problem(404, "model-not-found", "There is no model 'tc-01'.")
    api.on("GET /models/tc-01", missing)
    api.on("GET /models/tc-01/versions", missing)
    api.on("GET /models", {"models": [], "next": None})
    page = visit.open("#/models/tc-01")
    expect(page.get_by_role("alert")).to_contain_text("There is no such model")
    expect(page.get_by_role("button", name="Reload")).to_have_count(0)
    page.get_by_role("link", name="Go to the models").click()
    page.wait_for_url("**#/models")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(api: FakeApi, visit: Console, width: int) -> None:
    show(api, [version(note="a_very_long_word_" * 20)], title="another_very_long_word_" * 4)
    visit.page.set_viewport_size({"width": width, "height": 800})
    page = visit.open("#/models/tc-01")
    expect(page.get_by_text("91.2 %").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
