"""What all screens share: the key, the addresses, and how the client speaks with the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.console.conftest import KEY, LOST, URL, FakeApi, model, problem, version, whoami
from tests.support.contract import ROOT

if TYPE_CHECKING:
    from tests.console.conftest import Console, Opens

NOBODY = problem(403, "forbidden", "The header x-api-key is missing or holds no key of this API.")


@pytest.fixture(autouse=True)
def _models(api: FakeApi) -> None:
    api.on("GET /models", {"models": [model("tc-01")], "next": None})
    api.on("GET /models/tc-01/versions/1", version(model_id="tc-01"))


# --- the key ---


def test_the_key_is_sent_with_each_call_and_kept_nowhere(api: FakeApi, visit: Console) -> None:
    page = visit.open()
    expect(page.get_by_role("link", name="tc-01")).to_be_visible()

    assert {call.headers["x-api-key"] for call in api.calls} == {KEY}
    assert page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])") == '[{},{},""]'
    assert KEY not in page.url
    page.reload()
    expect(page.get_by_label("API key")).to_be_focused()


def test_the_key_is_kept_for_the_tab_if_asked_and_forgotten_if_asked(visit: Console) -> None:
    page = visit.open(key=None)
    page.get_by_label("API key").fill(KEY)
    page.get_by_label("Keep it for this tab").check()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="tc-01")).to_be_visible()

    page.reload()
    expect(page.get_by_role("link", name="tc-01")).to_be_visible()
    assert page.evaluate("localStorage.length") == 0

    page.get_by_role("button", name="Forget the key").click()
    expect(page.get_by_label("API key")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_an_unknown_key_is_refused_in_words(api: FakeApi, visit: Console) -> None:
    api.on("GET /whoami", NOBODY)
    page = visit.open(key=None)
    page.get_by_label("API key").fill("other")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The API does not know this key.")


def test_a_key_that_expires_is_asked_for_again_and_the_screen_stays(api: FakeApi, visit: Console) -> None:
    models = [model(f"model-{number:02}", live_version=None) for number in range(12)]
    api.on("GET /models", {"models": models, "next": "abc"}, NOBODY, {"models": [model("the-last", live_version=None)], "next": None})
    page = visit.open()
    page.get_by_label("Find a model").fill("model-0")
    api.on("GET /whoami", NOBODY, whoami("admin"))
    page.get_by_role("button", name="Show more").click()

    dialog = page.get_by_role("dialog", name="This key no longer works")
    dialog.get_by_label("API key").fill("new-key")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)

    assert page.get_by_label("Find a model").input_value() == "model-0"
    page.get_by_label("Find a model").fill("")
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_role("link", name="the-last")).to_be_visible()
    assert api.calls[-1].headers["x-api-key"] == "new-key"


@pytest.mark.parametrize("role", ["predict", "classify"])
def test_keys_that_may_not_edit_see_no_control_that_edits(api: FakeApi, visit: Console, role: str) -> None:
    api.on("GET /whoami", whoami(role))
    page = visit.open()
    if role == "classify":
        page.get_by_label("The model's id").fill("tc-01")
        page.get_by_role("button", name="Open").click()
        assert page.url.endswith("#/models/tc-01/try")
        assert not api.asked("GET /models")
    else:
        expect(page.get_by_role("link", name="tc-01")).to_be_visible()
        expect(page.get_by_role("link", name="New model")).to_have_count(0)


# --- addresses ---


def test_back_and_reload_lead_to_the_same_screens(visit: Console) -> None:
    page = visit.open("#/models")
    page.get_by_role("link", name="New model").click()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert page.title().startswith("New model")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Models")


def test_the_heading_takes_the_focus_before_anything_else_can_have_it(visit: Console) -> None:
    page = visit.open()
    expect(page.get_by_role("link", name="tc-01")).to_be_visible()
    # No timer and no frame: what is left for later never comes.
    page.clock.install()
    page.clock.pause_at("2100-01-01")
    page.get_by_role("link", name="Health").click()
    expect(page.get_by_role("heading", level=1, name="Key and health")).to_be_focused()


def test_an_address_of_no_screen_leads_to_the_models(visit: Console) -> None:
    page = visit.open("#/models/%E0%A4%A/nothing")
    page.get_by_role("link", name="Go to the models").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Models")


# --- the client ---


def test_a_lost_network_is_told_and_tried_again(api: FakeApi, visit: Console) -> None:
    api.on("GET /models", LOST)
    page = visit.open()
    expect(page.get_by_role("alert")).to_contain_text("No connection")
    assert len(api.asked("GET /models")) == 3

    api.on("GET /models", {"models": [model("tc-01")], "next": None})
    page.get_by_role("button", name="Reload").click()
    expect(page.get_by_role("link", name="tc-01")).to_be_visible()


def test_too_many_requests_wait_and_are_sent_again(api: FakeApi, visit: Console) -> None:
    api.on("GET /models", problem(429, "throttled", "Too many requests a second."), {"models": [model("tc-01")], "next": None})
    page = visit.open()
    expect(page.get_by_role("link", name="tc-01")).to_be_visible()
    assert len(api.asked("GET /models")) == 2


# --- what it is made of ---


def test_it_makes_no_html_of_texts_and_names_no_other_host() -> None:
    sources = [*(ROOT / "console" / "src").rglob("*.js"), ROOT / "console" / "src" / "index.html"]
    written = {file.name: file.read_text(encoding="utf-8") for file in sources}
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "dangerouslySetInnerHTML",
        "document.write",
        "eval(",
        "https://",
        "http://",
    ):
        assert not [name for name, text in written.items() if word in text], word


def test_a_hostile_name_is_a_text(api: FakeApi, visit: Console) -> None:
    hostile = '<img src=x onerror="alert(1)"> ${alert(1)}'
    api.on("GET /models", {"models": [model("tc-01", title=hostile, tags=["<b>bold</b>"])], "next": None})
    page = visit.open()
    expect(page.get_by_role("link", name=hostile)).to_be_visible()
    expect(page.get_by_text("91.2 %")).to_be_visible()
    assert page.locator("main img, main b").all_inner_texts() == ["91.2 %"]
    assert not visit.faults


def test_it_asks_no_other_host_and_its_policy_refuses_nothing(api: FakeApi, visit: Console) -> None:
    page = visit.open()
    expect(page.get_by_text("91.2 %")).to_be_visible()
    assert all(url.startswith(URL) for url in visit.requested)
    assert not visit.faults


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing(visits: Opens, scheme: str, width: int) -> None:
    visit = visits(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = visit.open(key=None)
    assert not visit.violations()
    visit.open()
    expect(page.get_by_text("91.2 %")).to_be_visible()
    assert not visit.violations()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
