"""The width of a phone: nothing scrolls sideways, and a row of a table is a block that is still a row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.console import pictures, savings
from tests.console.conftest import Console, FakeApi, example, model, version
from tests.console.test_new_model import Bucket
from tests.support.contract import ROOT

if TYPE_CHECKING:
    from tests.console.conftest import Opens

PHONE = {"width": 390, "height": 832}
SIDEWAYS = """() => [document.scrollingElement, ...document.querySelectorAll("main .table, main pre, main .example, main .card, main form")]
    .filter((it) => it.scrollWidth > it.clientWidth)
    .map((it) => `${it.tagName} ${it.className} ${it.scrollWidth}`)"""
SCREENS = {name: address for name, (address, _) in pictures.SCREENS.items()} | {
    "overview": "#/models/savings",
    "version": "#/models/savings/versions/1",
    "drop": "#/new",
    "names": "#/new?from=labels",
    "batch": "#/models/savings/try?what=file",
    "suspects": "#/models/savings/versions/2/errors?view=suspects",
    "nothing": "#/no/such/screen",
}


@pytest.fixture
def api() -> FakeApi:
    api = pictures.fake()
    api.on("GET /models/savings/batches", example("GET /models/{model_id}/batches"))
    return api


@pytest.fixture
def phone(visits: Opens) -> Console:
    return visits(viewport=PHONE)


def opened(page: Page) -> None:
    """All that can be opened is open."""
    page.wait_for_load_state("networkidle")
    for summary in page.locator("main summary").all():
        summary.click()


def test_every_screen_is_looked_at() -> None:
    source = (ROOT / "console" / "src" / "main.js").read_text(encoding="utf-8")
    routes = re.findall(r'"?([^"\s]*?)"?: [A-Z]\w+,\n', source.partition("const ROUTES = {")[2].partition("};")[0])
    assert len(routes) == 11
    patterns = {route: re.compile("#/" + re.sub(r":\w+", "[^/?]+", route) + r"(\?.*)?$") for route in routes if route}
    assert [route for route, pattern in patterns.items() if not any(pattern.match(it) for it in SCREENS.values())] == []


@pytest.mark.parametrize("screen", SCREENS)
def test_no_screen_scrolls_sideways(phone: Console, api: FakeApi, screen: str) -> None:
    Bucket(phone.page)
    page = phone.open(SCREENS[screen])
    if screen in pictures.SCREENS:
        pictures.SCREENS[screen][1](page)
    opened(page)
    assert page.evaluate(SIDEWAYS) == []
    assert not api.faults
    assert not phone.faults


def test_the_lines_of_a_file_that_is_no_table_are_broken(phone: Console) -> None:
    Bucket(phone.page)
    page = phone.open(SCREENS["batch"])
    lines = "text\n" + "a line that is wider than the screen of a phone is, and by far\n" * 2
    page.locator("input[type=file]").set_input_files({"name": "texts.csv", "mimeType": "text/csv", "buffer": lines.encode()})
    page.locator("main pre").first.wait_for()
    assert page.evaluate(SIDEWAYS) == []


def test_names_without_a_space_do_not_widen_a_screen(phone: Console, api: FakeApi) -> None:
    long = "m" * 64
    evaluation = savings.saved("evaluation")
    evaluation["per_label"] = {("label" * 40)[:200]: measures for measures in evaluation["per_label"].values()} | evaluation["per_label"]
    api.on("GET /models", {"models": [model(long, tags=["t" * 40])], "next": None})
    api.on(f"GET /models/{long}/versions/1", version(model_id=long))
    api.on(f"GET {savings.LIVE}/evaluation", evaluation)
    page = phone.open("#/models")
    expect(page.get_by_text("91.2 %")).to_be_visible()
    assert page.evaluate(SIDEWAYS) == []

    page.evaluate("location.hash = '#/models/savings/versions/2/quality'")
    expect(page.get_by_role("heading", name="Label by label")).to_be_visible()
    assert page.evaluate(SIDEWAYS) == []


def test_a_row_names_its_values_and_is_still_a_row(phone: Console) -> None:
    page = phone.open("#/models/savings/versions/2/quality")
    table = page.get_by_role("table", name="Label by label")
    row = table.get_by_role("row", name="budget")
    expect(row.get_by_role("rowheader")).to_have_text("budget")
    expect(row.get_by_role("cell")).to_have_count(4)
    cell = row.get_by_role("cell").first
    # What is drawn over the value; a screen reader says the column's header itself, so the drawn name has no words for it.
    assert cell.evaluate("(it) => getComputedStyle(it, '::before').content") == '"Texts" / ""'
    header = page.get_by_role("columnheader", name="Texts")
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
