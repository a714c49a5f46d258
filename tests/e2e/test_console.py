"""The console on the local cloud, in a real browser: from a file to a corrected, promoted model, without a terminal."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import SAMPLE, Deployed
from tests.support.browser import Visit, chromium

MODEL = "console-journey"
# A training, on a busy machine.
TRAINING = 240_000
MISLABELLED = 4


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    page = browser.new_page()
    yield Visit(page)
    page.close()


def table() -> bytes:
    """Every third text of the sample, as a table, of which the first ones have a wrong label."""
    examples = json.loads(SAMPLE.read_text())[::3]
    labels = sorted({example["label"] for example in examples})
    rows = io.StringIO()
    writer = csv.writer(rows, delimiter=";")
    writer.writerow(["no", "question", "topic"])
    for number, example in enumerate(examples):
        label = labels[labels.index(example["label"]) - 1] if number < MISLABELLED else example["label"]
        writer.writerow([number, example["text"], label])
    return rows.getvalue().encode()


def confirm(page: Page, button: str) -> None:
    page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()


def test_from_a_file_to_a_corrected_and_promoted_model(api: Deployed, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{api.url}/console")
    page.get_by_label("API key").fill(api.key)
    page.get_by_role("button", name="Open the console").click()

    # A file, whose columns have names of its own, becomes a model that answers.
    page.get_by_role("link", name="New model").or_(page.get_by_role("link", name="Use my own file")).click()
    page.locator("input[type=file]").set_input_files({"name": f"{MODEL}.csv", "mimeType": "text/csv", "buffer": table()})
    page.get_by_label("Column of the text").select_option("question")
    page.get_by_label("Column of the label").select_option("topic")
    page.get_by_label("Recipe").select_option("linear")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Version 1 is live.")).to_be_visible(timeout=TRAINING)

    # Its quality, its surest mistakes, and their corrections by the keyboard.
    page.get_by_role("link", name="See its quality").click()
    expect(page.get_by_role("link", name="Errors")).to_be_visible()
    page.get_by_role("link", name="Errors").click()
    page.locator(".example").first.focus()
    for _ in range(3):
        page.keyboard.press("a")
    page.get_by_role("button", name="Retrain with 3 corrections").click()
    expect(page.get_by_text("Version 2 is training with 3 corrections.")).to_be_visible()

    # The next version, beside the first one; back, and forward again.
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("link", name="Version 2", exact=True).click(timeout=TRAINING)
    expect(page.get_by_role("link", name="See its quality")).to_be_visible(timeout=TRAINING)
    page.get_by_role("link", name="Compare", exact=True).click()
    back, forward = page.get_by_role("button", name="Roll back to version 1"), page.get_by_role("button", name="Make version 2 live")
    expect(back.or_(forward)).to_be_visible()
    if back.is_visible():  # the gate let it pass
        back.click()
        confirm(page, "Roll back")
        expect(page.get_by_text("Version 1 is live.")).to_be_visible()
    forward.click()
    confirm(page, "Make it live")
    expect(page.get_by_text("Version 2 is live.")).to_be_visible()

    # It answers.
    page.get_by_role("link", name="Try", exact=True).click()
    page.get_by_role("textbox").fill("the rent is due on the first")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Version 2 answered.")).to_be_visible()

    model = api.client.call("GET", f"/models/{MODEL}")
    assert (model["live_version"], model["version"]["dataset"]["relabelled"]) == (2, 3)
    assert {urlsplit(url).netloc for url in visit.requested} == {urlsplit(api.url).netloc}
    assert not visit.faults


def test_a_file_of_texts_comes_back_classified(api: Deployed, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{api.url}/console#/models/{MODEL}/try?what=file")
    page.get_by_label("API key").fill(api.key)
    page.get_by_role("button", name="Open the console").click()
    texts = ["the rent is due", "save for a holiday"]
    page.locator("input[type=file]").set_input_files(
        {"name": "texts.csv", "mimeType": "text/csv", "buffer": "\n".join(["text", *texts]).encode()}
    )
    link = page.get_by_role("link", name="Download the result")
    expect(link).to_be_visible(timeout=TRAINING)
    with page.expect_download() as started:
        link.click()
    rows = list(csv.DictReader(started.value.path().read_text().splitlines()))
    assert [row["text"] for row in rows] == texts
    assert {"label", "score", "accepted"} <= rows[0].keys()
