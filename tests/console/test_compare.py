"""Screen 7: two versions side by side, which of them answers, and who did what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.console import savings
from tests.console.conftest import LOST, FakeApi, problem

if TYPE_CHECKING:
    from tests.console.conftest import Call, Console, Json, Opens

ADDRESS = "#/models/savings/compare"


@pytest.fixture(autouse=True)
def _answers(api: FakeApi) -> None:
    savings.serve(api)


def not_live(api: FakeApi) -> None:
    """Version 1 is live, and version 2 waits to be promoted, until somebody does that."""
    live = [1]

    def promoted(call: Call) -> Json:
        live[0] = call.body["version"]
        return model(call)

    def model(_: Call) -> Json:
        answer = savings.saved("model", live_version=live[0])
        answer["version"]["live"] = live[0] == 2
        return answer

    def versions(_: Call) -> Json:
        answer = savings.saved("versions")
        for each in answer["versions"]:
            each["live"] = each["version"] == live[0]
        return answer

    api.on("GET /models/savings", model)
    api.on("GET /models/savings/versions", versions)
    api.on("PUT /models/savings/live", promoted)


def test_the_newest_version_is_compared_with_the_one_before_it(api: FakeApi, visit: Console) -> None:
    page = visit.open(ADDRESS)
    found = savings.saved("comparison")

    expect(page.get_by_role("heading", name="12 fixed")).to_be_visible()
    fixed, broken = (
        page.locator("section").filter(has=page.get_by_role("heading", name=name)).locator("li") for name in ("12 fixed", "5 broken")
    )
    expect(fixed.first).to_contain_text(found["fixed"][0]["text"])
    expect(fixed.first).to_contain_text("right: saving version 1 said budget")
    expect(broken).to_have_count(5)
    expect(broken.first).to_contain_text(f"version 2 says {found['broken'][0]['after'][0]}")
    expect(page.get_by_role("row", name="Accuracy")).to_contain_text("+0.9")
    expect(page.locator(".side").nth(1)).to_contain_text("Passed the gate.")
    expect(page.locator(".side").nth(0)).to_contain_text("90.7 % to 94.3 %")


def test_other_versions_are_chosen_by_the_address(api: FakeApi, visit: Console) -> None:
    found = savings.saved("comparison", version=2, to=1)
    api.on(f"GET {savings.LIVE}/compare", found)
    page = visit.open(f"{ADDRESS}?from=2&to=1")
    expect(page.get_by_role("heading", name="12 fixed")).to_be_visible()
    assert api.asked(f"GET {savings.LIVE}/compare")[0].query == {"to": "1"}
    page.get_by_label("From").select_option("1")
    page.get_by_label("To").select_option("2 (live)")
    expect(page).to_have_url(re.compile("from=1&to=2"))


def test_a_version_is_promoted_after_a_question(api: FakeApi, visit: Console) -> None:
    not_live(api)
    page = visit.open(ADDRESS)

    page.get_by_role("button", name="Make version 2 live").click()
    expect(page.get_by_role("dialog")).to_contain_text("Version 1 stays, and you can return to it at any time.")
    page.get_by_role("button", name="Cancel").click()
    assert api.asked("PUT /models/savings/live") == []
    page.get_by_role("button", name="Make version 2 live").click()
    page.get_by_role("button", name="Make it live").click()

    expect(page.get_by_text("Version 2 is live.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()  # its button is gone
    [sent] = api.asked("PUT /models/savings/live")
    assert (sent.body, sent.headers["if-match"]) == ({"version": 2}, '"0123456789abcdef"')
    page.get_by_role("button", name="Roll back to version 1").click()
    page.get_by_role("button", name="Roll back", exact=True).click()
    expect(page.get_by_text("Version 1 is live.")).to_be_visible()


def test_a_promotion_on_a_stale_page_says_who_changed_what_and_changes_nothing(api: FakeApi, visit: Console) -> None:
    not_live(api)
    api.on("PUT /models/savings/live", problem(412, "stale", "Model 'savings' has changed since you read its ETag."))
    page = visit.open(ADDRESS)
    page.get_by_role("button", name="Make version 2 live").click()
    page.get_by_role("button", name="Make it live").click()

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Changed by local at")
    with page.expect_response("**/models/savings"):
        alert.get_by_role("button", name="Reload").click()
    expect(alert).to_have_count(0)
    expect(page.get_by_role("button", name="Make version 2 live")).to_be_visible()


def test_a_promotion_without_an_answer_is_not_sent_twice(api: FakeApi, visit: Console) -> None:
    not_live(api)
    api.on("PUT /models/savings/live", LOST)
    page = visit.open(ADDRESS)
    page.get_by_role("button", name="Make version 2 live").click()
    page.get_by_role("button", name="Make it live").click()
    expect(page.get_by_role("alert")).to_contain_text("No connection")
    assert len(api.asked("PUT /models/savings/live")) == 1


def test_a_screen_that_could_not_be_loaded_does_not_say_that_no_version_is_live(api: FakeApi, visit: Console) -> None:
    api.on("GET /models/savings", LOST)
    page = visit.open(ADDRESS)
    expect(page.get_by_role("alert")).to_contain_text("No connection")
    expect(page.get_by_text("No version is live.")).to_have_count(0)


def test_the_gate_s_verdict_against_a_version_is_shown(api: FakeApi, visit: Console) -> None:
    answer = savings.saved("versions")
    reason = "Its macro-F1 of 0.8000 is less than the 0.9414 of the live version 1."
    answer["versions"][0]["gate"] |= {"passed": False, "reason": reason}
    api.on("GET /models/savings/versions", answer)
    page = visit.open(ADDRESS)
    expect(page.locator(".side").nth(1)).to_contain_text(
        "Did not pass the gate. Its macro-F1 of 80.0 % is less than the 94.1 % of the live version 1."
    )


def test_the_history_says_who_did_what(api: FakeApi, visit: Console) -> None:
    entries = savings.saved("history")["entries"]
    entries[0]["by"] = {"kind": "winnow", "name": None, "key_id": None}
    api.on(
        "GET /models/savings/history",
        savings.saved("history", entries=entries[:2], next="more"),
        savings.saved("history", entries=entries[2:], next=None),
    )
    page = visit.open(ADDRESS)
    lines = page.locator(".history li")
    expect(lines).to_have_count(2)
    page.get_by_role("button", name="Show more").last.click()
    expect(lines).to_have_count(len(entries))
    assert "removed the policy Winnow itself" in " ".join(lines.first.inner_text().split())
    expect(page.locator(".history")).to_contain_text("version 2 went live in place of 1")
    expect(page.locator(".history")).to_contain_text("sent 12 examples")
    assert api.asked("GET /models/savings/history")[-1].query["next"] == "more"


def test_versions_without_a_common_text_say_so(api: FakeApi, visit: Console) -> None:
    detail = "Versions 1 and 2 of model 'savings' can't be compared: there is no example that both can answer without having learnt it."
    api.on("GET /models/savings/versions/1/compare", problem(409, "nothing-to-compare", detail))
    page = visit.open(ADDRESS)
    expect(page.get_by_text(detail)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_single_version_has_nothing_to_be_compared_with(api: FakeApi, visit: Console) -> None:
    api.on("GET /models/savings/versions", savings.saved("versions", versions=savings.saved("versions")["versions"][:1]))
    page = visit.open(ADDRESS)
    expect(page.get_by_text("There is only one version that is ready")).to_be_visible()


def test_a_predict_key_may_not_promote(api: FakeApi, visit: Console) -> None:
    not_live(api)
    api.on("GET /whoami", savings.reader())
    page = visit.open(ADDRESS)
    expect(page.get_by_role("heading", name="12 fixed")).to_be_visible()
    expect(page.get_by_role("button", name="Make version 2 live")).to_have_count(0)


def test_texts_and_names_of_labels_are_text(api: FakeApi, visit: Console) -> None:
    found = savings.saved("comparison")
    found["fixed"][0] |= {"text": savings.HOSTILE, "before": [savings.HOSTILE]}
    found["per_label"][0]["label"] = savings.HOSTILE
    api.on("GET /models/savings/versions/1/compare", found)
    page = visit.open(ADDRESS)
    expect(page.get_by_text(savings.HOSTILE)).to_have_count(3)
    assert page.locator("main img").count() == 0
    assert not visit.faults


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_everybody_can_use_it(api: FakeApi, visits: Opens, scheme: str, width: int) -> None:
    not_live(api)
    visit = visits(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = visit.open(ADDRESS)
    expect(page.get_by_role("heading", name="12 fixed")).to_be_visible()
    assert visit.violations() == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.get_by_role("button", name="Make version 2 live").click()
    page.get_by_role("dialog").wait_for()
    assert visit.violations() == []
