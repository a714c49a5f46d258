"""Screen 4: how good a version is, where it errs, and what it should accept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, Position, expect

from tests.console import savings
from tests.console.conftest import FakeApi, problem

if TYPE_CHECKING:
    from tests.console.conftest import Console, Opens

ADDRESS = "#/models/savings/versions/2/quality"


@pytest.fixture(autouse=True)
def _answers(api: FakeApi) -> None:
    savings.serve(api)


def pairs(page: Page) -> list[str]:
    return [" ".join(text.split()) for text in page.locator(".pairs .pair").all_inner_texts()]


def test_the_accuracy_has_its_interval_and_how_it_was_measured(visit: Console) -> None:
    page = visit.open(ADDRESS)

    headline = page.locator(".headline")
    expect(headline).to_contain_text("95.1 %")
    expect(headline).to_contain_text("93.4 % to 96.4 %")
    expect(headline).to_contain_text("In 5 folds, classifiers answered 800 examples that they had not learnt.")
    expect(headline).to_contain_text("39 of 800")
    page.get_by_role("link", name="See its mistakes").click()
    expect(page.get_by_role("heading", name="39 mistakes")).to_be_visible()


def test_the_worst_pairs_stand_first_and_lead_to_their_texts(api: FakeApi, visit: Console) -> None:
    page = visit.open(ADDRESS)

    expect(page.locator(".pairs li")).to_have_count(20)
    assert pairs(page)[0] == "budget taken for saving"
    page.get_by_role("button", name="Show 6 more pairs").click()
    expect(page.locator(".pairs li")).to_have_count(26)
    page.get_by_role("link", name="budget taken for saving").press("Enter")
    expect(page.get_by_role("heading", name="39 mistakes")).to_be_visible()
    asked = api.asked(f"GET {savings.LIVE}/examples")[-1].query
    assert (asked["label"], asked["predicted"], asked["wrong"]) == ("budget", "saving", "true")


def test_a_click_on_a_cell_opens_its_texts(api: FakeApi, visit: Console) -> None:
    page = visit.open(ADDRESS)
    matrix = page.get_by_role("img", name="Matrix of confusions of 8 labels")
    expect(matrix).to_be_visible()
    names = page.locator(".matrix-rows text").all_text_contents()
    assert page.locator(".matrix-columns text").all_text_contents() == names
    box = matrix.bounding_box()
    assert box is not None
    cell = box["width"] / len(names)
    at = Position(x=(names.index("saving") + 0.5) * cell, y=(names.index("budget") + 0.5) * cell)

    matrix.hover(position=at)
    expect(page.locator(".matrix-readout")).to_have_text("budget, taken for saving: 4 of 95 texts")
    matrix.click(position=at)

    expect(page.get_by_role("heading", name="39 mistakes")).to_be_visible()
    assert api.asked(f"GET {savings.LIVE}/examples")[-1].query["label"] == "budget"


def test_confused_labels_of_150_are_neighbours_and_can_be_found(api: FakeApi, visit: Console) -> None:
    api.on(f"GET {savings.LIVE}/evaluation", savings.many_labels(150))
    page = visit.open(ADDRESS)

    matrix = page.get_by_role("img", name="Matrix of confusions of 150 labels")
    expect(matrix).to_be_visible()
    # The cells are too small for names, until they are made larger.
    expect(page.locator(".matrix-rows text")).to_have_count(0)
    larger = page.get_by_role("button", name="Larger cells")
    while page.locator(".matrix-rows text").count() == 0:
        larger.click()
    names = page.locator(".matrix-rows text").all_text_contents()
    place = {int(name.split()[1]): row for row, name in enumerate(names)}
    assert [abs(place[number] - place[number + 75]) for number in range(75)] == [1] * 75

    page.get_by_label("Find a label").fill("card 50")
    expect(page.locator(".matrix-rows text").filter(has_text="card 50")).to_have_count(1)
    assert pairs(page)[0] == "card 50 taken for fee 125"
    assert page.locator(".matrix-rows text").count() < 12
    assert "find=card+50" in page.url


def test_the_table_of_labels_is_sorted_by_a_column_also_after_a_reload(visit: Console) -> None:
    page = visit.open(ADDRESS)
    labels = page.get_by_role("table", name="Label by label").get_by_role("rowheader")

    assert labels.first.inner_text() == "budget"
    header = page.get_by_role("columnheader", name="Texts")
    header.get_by_role("button").press("Enter")
    expect(header).to_have_attribute("aria-sort", "ascending")
    header.get_by_role("button").press("Enter")
    expect(header).to_have_attribute("aria-sort", "descending")
    assert labels.first.inner_text() == "spending"
    assert "sort=-support" in page.url


def test_the_dial_is_moved_by_keys_and_saved_as_a_promise(api: FakeApi, visit: Console) -> None:
    api.on("PUT /models/savings/policy", savings.saved("policy"))
    page = visit.open(ADDRESS)
    dial = page.get_by_role("slider", name="Answer fewer or more texts")
    expect(dial).to_be_visible()
    answered, right = page.locator(".dial-figures .figure").all_inner_texts()

    dial.press("ArrowLeft")

    fewer, surer = page.locator(".dial-figures .figure").all_inner_texts()
    assert float(fewer.split()[0]) < float(answered.split()[0])
    assert float(surer.split()[0]) > float(right.split()[0])
    expect(dial).to_have_attribute("aria-valuetext", f"{fewer} answered, {surer} of them right")
    promise = re.search(r"at least (\d+) %", page.get_by_text("Promise that").inner_text())
    assert promise
    page.get_by_role("button", name="Save as policy").click()
    expect(page.get_by_text("Saved. Predictions use it")).to_be_visible()
    [sent] = api.asked("PUT /models/savings/policy")
    assert sent.body == {"min_precision": int(promise[1]) / 100}
    assert sent.headers["if-match"] == '"0123456789abcdef"'


def test_the_dial_is_dragged_and_saved_as_a_threshold(api: FakeApi, visit: Console) -> None:
    api.on("PUT /models/savings/policy", savings.saved("policy"))
    page = visit.open(ADDRESS)
    grip = page.locator(".grip")
    grip.scroll_into_view_if_needed()
    box = grip.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20, steps=4)
    page.mouse.up()
    curve = savings.saved("tradeoff")["curve"]
    point = min(curve, key=lambda each: abs(each["answered_share"] - 0.5))
    expect(page.locator(".dial-figures .figure").first).to_have_text(f"{point['answered_share'] * 100:.1f} %")

    page.get_by_label("Accept scores of at least").check()
    page.get_by_role("button", name="Save as policy").click()

    expect(page.get_by_text("Saved.")).to_be_visible()
    [sent] = api.asked("PUT /models/savings/policy")
    assert sent.body == {"thresholds": dict.fromkeys(savings.saved("evaluation")["per_label"], point["threshold"])}


def test_a_policy_that_somebody_else_changed_is_not_overwritten(api: FakeApi, visit: Console) -> None:
    stale = problem(412, "stale", "Model 'savings' has changed since you read its ETag.")
    api.on("PUT /models/savings/policy", stale)
    page = visit.open(ADDRESS)
    dial = page.get_by_role("slider")
    for _ in range(3):
        dial.press("ArrowLeft")
    chosen = dial.input_value()
    page.get_by_role("button", name="Save as policy").click()

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Changed by local at")
    api.on("GET /models/savings/policy", savings.saved("policy") | {"history": [savings.saved("policy")["policy"]], "next": None})
    alert.get_by_role("button", name="Reload").click()
    expect(alert).to_have_count(0)
    expect(page.get_by_text("Now: policy 3, at least 95 % of the answers are right.")).to_be_visible()
    assert dial.input_value() == chosen


def test_too_few_examples_for_a_promise_are_told(api: FakeApi, visit: Console) -> None:
    detail = "The 40 examples that measure the version can't show that 0.96 of its accepted answers are right: about 130 examples would do."
    api.on("PUT /models/savings/policy", problem(422, "too-few-examples", detail, field="min_precision", examples=40, examples_needed=130))
    page = visit.open(ADDRESS)
    page.get_by_role("button", name="Save as policy").click()
    expect(page.get_by_role("alert")).to_contain_text(detail)


def test_a_version_that_is_not_live_has_no_policy_to_save(visit: Console, api: FakeApi) -> None:
    api.on("GET /models/savings/versions/1/tradeoff", savings.saved("tradeoff", version=1))
    page = visit.open("#/models/savings/versions/1/quality")
    page.get_by_text("A policy is about the live version, which is 2.").wait_for()
    expect(page.get_by_role("button", name="Save as policy")).to_have_count(0)
    page.get_by_role("link", name="Open version 2").click()
    expect(page.get_by_role("button", name="Save as policy")).to_be_visible()


def test_a_predict_key_sees_everything_and_changes_nothing(api: FakeApi, visit: Console) -> None:
    api.on("GET /whoami", savings.reader())
    page = visit.open(ADDRESS)
    page.get_by_role("slider").wait_for()
    page.get_by_text("There is no policy").wait_for()
    expect(page.get_by_role("button", name="Save as policy")).to_have_count(0)


def test_names_of_labels_are_text(api: FakeApi, visit: Console) -> None:
    api.on(f"GET {savings.LIVE}/evaluation", savings.hostile())
    page = visit.open(ADDRESS)
    expect(page.get_by_role("link", name=f"{savings.HOSTILE} taken for")).not_to_have_count(0)
    expect(page.get_by_role("table", name="Label by label").get_by_text(savings.HOSTILE)).to_be_visible()
    assert page.locator("main img").count() == 0
    assert not visit.faults


def test_a_version_that_was_never_measured_says_so(api: FakeApi, visit: Console) -> None:
    detail = "Version 2 of model 'savings' was made from the names of its labels, without examples to measure it on."
    api.on(f"GET {savings.LIVE}/evaluation", problem(404, "not-measured", detail))
    page = visit.open(ADDRESS)
    expect(page.get_by_text(detail)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_labels_that_are_not_exclusive_have_no_matrix(api: FakeApi, visit: Console) -> None:
    api.on(f"GET {savings.LIVE}/evaluation", savings.saved("evaluation", confusion=None))
    page = visit.open(ADDRESS)
    expect(page.get_by_text("Texts may have several labels, so there is no matrix")).to_be_visible()
    assert page.locator(".matrix").count() == 0


@pytest.mark.parametrize(("scheme", "width", "labels"), [("light", 1280, 8), ("dark", 1280, 150), ("light", 390, 150), ("dark", 390, 8)])
def test_everybody_can_use_it(api: FakeApi, visits: Opens, scheme: str, width: int, labels: int) -> None:
    if labels == 150:
        api.on(f"GET {savings.LIVE}/evaluation", savings.many_labels(150))
    visit = visits(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = visit.open(ADDRESS)
    page.locator(".matrix-cells").wait_for()
    page.get_by_role("slider").wait_for()
    assert visit.violations() == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_dial_whose_surest_answers_are_wrong_leads_to_the_suspects(api: FakeApi, visit: Console) -> None:
    odd = savings.saved("tradeoff")
    odd["curve"][0]["right_share"] = 0.6
    api.on(f"GET {savings.LIVE}/tradeoff", odd)
    page = visit.open(ADDRESS)
    expect(page.get_by_text("Here it is the other way round")).to_be_visible()
    link = page.get_by_role("link", name="Look at the suspects")
    assert link.get_attribute("href") == "#/models/savings/versions/2/errors?view=suspects"


def test_shares_are_percentages_in_sentences_of_the_api_too(api: FakeApi, visit: Console) -> None:
    page = visit.open(ADDRESS)
    expect(page.get_by_text("from 320 to 640 learnt examples, accuracy went from 94.1 % to 95.5 %")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_long_label_leaves_room_for_the_numbers(api: FakeApi, visits: Opens, width: int) -> None:
    long = "special_case_" + "x" * 148
    answer = savings.saved("evaluation")
    answer["per_label"] = {long if name == "account_linking" else name: measures for name, measures in answer["per_label"].items()}
    answer["confusion"]["labels"] = [long if name == "account_linking" else name for name in answer["confusion"]["labels"]]
    api.on(f"GET {savings.LIVE}/evaluation", answer)
    page = visits(viewport={"width": width, "height": 900}).open(ADDRESS)
    name = page.get_by_role("rowheader").get_by_text(long)
    expect(name).to_be_visible()
    assert name.evaluate("(it) => it.offsetWidth") < 240
    assert page.evaluate("document.documentElement.scrollWidth") == width
