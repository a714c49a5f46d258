"""Screen 9: the key, and whether each part answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.console.conftest import FakeApi, problem, whoami

if TYPE_CHECKING:
    from tests.console.conftest import Console

PARTS = {"registry": "ok", "datasets": "ok", "models": "ok", "training": "ok", "batches": "ok"}


def test_it_says_whose_key_it_is_and_that_all_parts_answer(api: FakeApi, visit: Console) -> None:
    api.on("GET /health", {"status": "ok", "parts": PARTS})
    page = visit.open("#/health")
    expect(page.get_by_text("Every part answers.")).to_be_visible()
    assert api.asked("GET /health")[0].query == {"deep": "1"}
    expect(page.get_by_role("row", name="Models (S3) Works")).to_be_visible()
    for words in ("editors", "admin: may change everything", "417", "of 1,000,000 a day"):
        expect(page.locator("main").get_by_text(words).first).to_be_visible()
    assert not visit.violations()


def test_a_part_that_does_not_answer_is_named(api: FakeApi, visit: Console) -> None:
    sick = problem(503, "unhealthy", "These parts don't answer: models (AccessDenied).", parts=PARTS | {"models": "AccessDenied"})
    api.on("GET /health", sick, {"status": "ok", "parts": PARTS})
    page = visit.open("#/health")
    expect(page.get_by_text("1 part does not answer.")).to_be_visible()
    expect(page.get_by_role("row", name="Models (S3)")).to_contain_text("AccessDenied")
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_text("Every part answers.")).to_be_visible()


def test_usage_that_is_not_known_is_not_zero(api: FakeApi, visit: Console) -> None:
    api.on("GET /whoami", whoami("predict") | {"used_today": None})
    api.on("GET /health", {"status": "ok", "parts": PARTS})
    page = visit.open("#/health")
    expect(page.get_by_text("not known")).to_be_visible()
    expect(page.get_by_text("at most 1,000,000 a day")).to_be_visible()
