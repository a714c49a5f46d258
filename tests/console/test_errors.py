"""Screen 5: the texts behind the numbers, and the corrections that the next version learns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console import savings
from tests.console.conftest import LOST, FakeApi, problem

if TYPE_CHECKING:
    from tests.console.conftest import Console, Opens

ADDRESS = "#/models/savings/versions/2/errors"
EXAMPLES, FEEDBACK = f"GET {savings.LIVE}/examples", "POST /models/savings/examples"
MISTAKES = savings.saved("mistakes")["examples"]


@pytest.fixture(autouse=True)
def _answers(api: FakeApi) -> None:
    savings.serve(api)
    api.on(FEEDBACK, savings.received)


def rows(page: Page) -> Locator:
    return page.locator(".example")


def opened(visit: Console, address: str = ADDRESS, *, keep: bool = False) -> Page:
    page = visit.open(address, keep=keep)
    expect(rows(page).first).to_be_visible()
    return page


def test_mistakes_are_listed_with_scores_the_surest_first(api: FakeApi, visit: Console) -> None:
    page = opened(visit)

    expect(page.get_by_role("heading", name="39 mistakes")).to_be_visible()
    assert api.asked(EXAMPLES)[0].query == {"sort": "score", "wrong": "true", "limit": "50"}
    first = rows(page).first
    [truth], [said] = MISTAKES[0]["labels"], MISTAKES[0]["predicted"]
    expect(first.locator(".chip.given")).to_have_text(f"{truth['label']} {truth['score'] * 100:.1f} %")
    expect(first.locator(".chip.predicted")).to_have_text(f"{said['label']} {said['score'] * 100:.1f} %")


def test_the_open_text_is_explained(api: FakeApi, visit: Console) -> None:
    page = opened(visit)

    words = MISTAKES[0]["text"].split()
    expect(rows(page).first.locator("mark.for-3")).to_have_text(words[0])
    expect(rows(page).first.locator("mark[class^=against]")).to_have_text(words[-1])
    [asked] = api.asked("POST /prediction")
    assert asked.body == {"model_id": "savings", "version": 2, "text": MISTAKES[0]["text"], "n_top": 1, "explain": True}


def test_the_list_is_filtered_by_the_address(api: FakeApi, visit: Console) -> None:
    page = opened(visit, f"{ADDRESS}?label=budget")

    page.get_by_label("The version says").select_option("saving")
    page.get_by_label("First").select_option("the least certain answers")
    page.get_by_label("Text has").fill("rent")

    expect(page).to_have_url(re.compile("contains=rent"))
    expect(page.get_by_role("heading", name=f"{len(MISTAKES)} mistakes")).to_be_visible()
    asked = api.asked(EXAMPLES)[-1].query
    wanted = {"label": "budget", "predicted": "saving", "contains": "rent", "sort": "margin", "wrong": "true", "limit": "50"}
    assert asked == wanted
    page.get_by_role("link", name="All texts").click()
    expect(page).to_have_url(re.compile("view=all"))
    expect(page.get_by_role("heading", name="39 texts")).to_be_visible()
    assert api.asked(EXAMPLES)[-1].query == {name: value for name, value in wanted.items() if name != "wrong"}


def test_texts_that_have_a_word_are_counted_as_far_as_they_were_looked_for(api: FakeApi, visit: Console) -> None:
    few = savings.saved("mistakes", examples=MISTAKES[:2], matching=39)
    api.on(EXAMPLES, few | {"next": "more"}, few | {"next": None})
    page = opened(visit, f"{ADDRESS}?contains=card")
    expect(page.get_by_role("heading", name="At least 2 mistakes")).to_be_visible()
    page.get_by_role("button", name="Show more texts").click()
    expect(page.get_by_role("heading", name="4 mistakes", exact=True)).to_be_visible()


def test_keys_correct_one_text_after_another_and_one_request_sends_all(api: FakeApi, visit: Console) -> None:
    page = opened(visit)
    rows(page).first.focus()

    page.keyboard.press("a")  # what the version says
    expect(rows(page).nth(1)).to_be_focused()
    page.keyboard.press("d")
    page.keyboard.press("k")
    page.keyboard.press("l")
    page.get_by_role("dialog").get_by_role("combobox").fill("INS")
    page.keyboard.press("Enter")
    expect(rows(page).nth(4)).to_be_focused()
    page.keyboard.press("a")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("u")  # undone
    expect(rows(page).nth(2).locator(".corrected")).to_have_text("→ kept as it is")
    assert api.asked(FEEDBACK) == []

    page.get_by_role("button", name="Retrain with 4 corrections").click()

    expect(page.get_by_text("Version 3 is training with 4 corrections.")).to_be_visible()
    [sent] = api.asked(FEEDBACK)
    ids = [each["example"] for each in MISTAKES]
    assert sent.body == {
        "retrain": "now",
        "examples": [
            {"example": ids[0], "label": MISTAKES[0]["predicted"][0]["label"]},
            {"example": ids[1], "drop": True},
            {"example": ids[2], "keep": True},
            {"example": ids[3], "label": "insurance"},
        ],
    }
    expect(page.get_by_role("button", name=re.compile("Retrain"))).to_have_count(0)


def test_keys_work_at_once_and_u_takes_the_last_correction_back(api: FakeApi, visit: Console) -> None:
    page = opened(visit)
    expect(rows(page).first).to_be_focused()
    page.keyboard.press("d")
    expect(rows(page).nth(1)).to_be_focused()
    page.keyboard.press("u")
    expect(rows(page).first).to_be_focused()
    expect(page.locator(".corrected")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("Retrain"))).to_have_count(0)


def test_what_was_sent_stays_marked_and_the_end_of_the_training_is_told(api: FakeApi, visit: Console) -> None:
    api.on("GET /models/savings", savings.saved("model", waiting_examples=10), savings.saved("model"))
    page = opened(visit, keep=True)
    page.keyboard.press("d")
    expect(page.get_by_text("The new version goes live by itself if it is at least as good as the live one.")).to_be_visible()
    page.get_by_role("button", name="Retrain with 1 correction and 10 examples that wait").click()
    notice = page.get_by_role("status").filter(has_text="Version 3")
    expect(notice).to_have_text("Version 3 is training with 1 correction. Watch it")
    expect(notice).to_be_in_viewport()
    expect(rows(page).first.locator(".corrected")).to_have_text("→ dropped")

    api.on("GET /models/savings", savings.saved("model", live_version=3))
    api.on("GET /models/savings/versions/3", savings.trained("ready"))
    expect(notice).to_have_text("Version 3 is ready and live. Compare it")
    expect(page.get_by_text("Corrections are about the live version, which is 3.")).to_be_visible()
    page.reload()
    expect(rows(page).first.locator(".corrected")).to_have_text("→ dropped")


def test_a_version_that_does_not_go_live_is_told_with_the_reason(api: FakeApi, visit: Console) -> None:
    gate = {
        "against": 2,
        "passed": False,
        "examples": 640,
        "reason": "Its macro-F1 of 0.8 is lower.",
        "live_macro_f1": 0.9,
        "macro_f1": 0.8,
    }
    api.on(f"GET {savings.LIVE}", savings.saved("version", promote="never"))
    api.on("GET /models/savings/versions/3", savings.trained("ready", live=False, gate=gate))
    page = opened(visit)
    page.keyboard.press("d")
    expect(page.get_by_text("The new version does not go live by itself")).to_be_visible()
    page.get_by_role("button", name="Retrain with 1 correction").click()
    expect(page.get_by_text("Version 3 is ready, and not live. Its macro-F1 of 0.8 is lower.")).to_be_visible()


def test_a_new_label_of_a_single_text_is_warned_of(api: FakeApi, visit: Console) -> None:
    page = opened(visit)
    for times in (1, 0):
        page.get_by_role("button", name="Another label").click()
        page.get_by_role("dialog").get_by_role("combobox").fill("pension")
        page.keyboard.press("Enter")
        expect(page.get_by_text("“pension”: this new label has a single text.")).to_have_count(times)


@pytest.mark.parametrize("width", [390, 1280])
def test_a_long_label_leaves_room_for_the_rest(api: FakeApi, visits: Opens, width: int) -> None:
    long = "special_case_" + "x" * 187
    page = opened(visits(viewport={"width": width, "height": 900}))
    page.get_by_role("button", name="Another label").click()
    page.get_by_role("dialog").get_by_role("combobox").fill(long)
    expect(page.get_by_text("A label has at most 200 characters.")).to_be_visible()
    added = page.get_by_role("option").get_by_text("new label")
    assert added.evaluate("(it) => it.offsetHeight") < 30
    page.keyboard.press("Enter")
    page.get_by_role("button", name="1 correction, not sent yet").click()
    text = page.get_by_role("complementary").locator("li .cut").first
    assert text.evaluate("(it) => it.offsetWidth") > 100
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_new_label_can_be_given(api: FakeApi, visit: Console) -> None:
    page = opened(visit)
    page.get_by_role("button", name="Another label").click()
    page.get_by_role("dialog").get_by_role("combobox").fill("pension")
    page.get_by_role("dialog").get_by_role("option", name="pension new label").click()
    page.get_by_role("button", name="Retrain with 1 correction").click()
    expect(page.get_by_text("Version 3 is training with 1 correction.")).to_be_visible()
    assert api.asked(FEEDBACK)[0].body["examples"] == [{"example": MISTAKES[0]["example"], "label": "pension"}]


def test_corrections_survive_a_reload(api: FakeApi, visit: Console) -> None:
    page = opened(visit, keep=True)
    rows(page).first.focus()
    page.keyboard.press("a")
    page.keyboard.press("d")

    page.reload()

    button = page.get_by_role("button", name="Retrain with 2 corrections")
    expect(button).to_be_visible()
    expect(rows(page).nth(1).locator(".corrected")).to_have_text("→ dropped")
    page.get_by_role("button", name="2 corrections, not sent yet").click()
    page.get_by_role("button", name=f"Undo the correction of {MISTAKES[1]['text']}").click()
    page.get_by_role("button", name="Retrain with 1 correction").click()
    expect(page.get_by_text("Version 3 is training with 1 correction.")).to_be_visible()
    assert [each["example"] for each in api.asked(FEEDBACK)[0].body["examples"]] == [MISTAKES[0]["example"]]


def test_what_may_have_arrived_is_sent_again_as_it_was_also_after_a_reload(api: FakeApi, visit: Console) -> None:
    api.on(FEEDBACK, LOST)
    page = opened(visit, keep=True)
    rows(page).first.focus()
    page.keyboard.press("a")
    page.get_by_role("button", name="Retrain with 1 correction").click()
    expect(page.get_by_role("alert")).to_contain_text("No connection")
    page.get_by_role("button", name="1 correction, not sent yet").click()
    expect(page.get_by_role("complementary")).to_contain_text("on its way")

    api.on(FEEDBACK, savings.received)
    page.reload()
    expect(rows(page).first).to_be_visible()
    rows(page).nth(1).focus()
    page.keyboard.press("d")
    page.get_by_role("button", name="Retrain with 2 corrections").click()

    expect(page.get_by_text("Version 3 is training with 2 corrections.")).to_be_visible()
    calls = api.asked(FEEDBACK)
    by_key: dict[str, list[Any]] = {}
    for call in calls:
        by_key.setdefault(call.headers["idempotency-key"], []).append(call.body)
    first, second = by_key.values()
    assert all(body == first[0] for body in first)
    assert len(first) > 1
    assert [body["examples"] for body in second] == [[{"example": MISTAKES[1]["example"], "drop": True}]]


def test_a_correction_that_is_refused_can_be_left_out(api: FakeApi, visit: Console) -> None:
    detail = "Version 2 of model 'savings', which feedback builds on, has no example."
    refused = problem(404, "example-not-found", detail, field="examples[1].example")
    api.on(FEEDBACK, refused, savings.received)
    page = opened(visit)
    rows(page).first.focus()
    page.keyboard.press("a")
    page.keyboard.press("a")
    page.get_by_role("button", name="Retrain with 2 corrections").click()
    expect(page.get_by_role("alert")).to_contain_text(detail)

    page.get_by_role("button", name="Leave it out").click()
    page.get_by_role("button", name="Retrain with 1 correction").click()

    expect(page.get_by_text("Version 3 is training with 1 correction.")).to_be_visible()
    first, second = api.asked(FEEDBACK)
    assert second.body["examples"] == first.body["examples"][:1]
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_suspects_are_kept_or_corrected_in_the_same_list(api: FakeApi, visit: Console) -> None:
    page = opened(visit, f"{ADDRESS}?view=suspects")
    suspects = savings.saved("suspects")["suspects"]

    expect(page.get_by_role("heading", name="5 suspects among 800 texts")).to_be_visible()
    rows(page).first.focus()
    page.keyboard.press("k")
    page.keyboard.press("a")
    page.get_by_role("button", name="Retrain with 2 corrections").click()
    expect(page.get_by_text("Version 3 is training")).to_be_visible()
    assert api.asked(FEEDBACK)[0].body["examples"] == [
        {"example": suspects[0]["example"], "keep": True},
        {"example": suspects[1]["example"], "label": suspects[1]["proposed"]},
    ]


def test_a_label_that_is_called_another_one_shows_its_texts(api: FakeApi, visit: Console) -> None:
    one = savings.saved("suspects")["suspects"][0]
    few = [{name: one[name] for name in ("example", "row", "label_score", "proposed_score", "text")}]
    group = {"kind": "label", "label": "debts", "proposed": "debt", "count": 9, "of": 10, "examples": few}
    api.on(f"GET {savings.LIVE}/suspects", savings.saved("suspects", suspects=[group], found=1, next=None))
    page = opened(visit, f"{ADDRESS}?view=suspects")
    expect(rows(page).first).to_contain_text("9 of 10 texts labelled debts are called debt")


def test_the_labels_of_a_text_with_several_are_corrected_together(api: FakeApi, visit: Console) -> None:
    own = savings.saved("version")
    own["dataset"]["exclusive"] = False
    api.on(f"GET {savings.LIVE}", own)
    shown = MISTAKES[0] | {"labels": [{"label": "budget", "score": 0.9}, {"label": "debt", "score": 0.1}], "predicted": []}
    api.on(EXAMPLES, savings.saved("mistakes", examples=[shown], next=None, matching=1))
    page = opened(visit)
    page.get_by_role("button", name="Another label").click()
    expect(page.get_by_role("dialog").get_by_role("option", selected=True)).to_have_count(2)
    page.get_by_role("dialog").get_by_role("option", name="debt").click()
    page.get_by_role("dialog").get_by_role("option", name="saving").click()
    page.get_by_role("button", name="Take 2 labels").click()
    page.get_by_role("button", name="Retrain with 1 correction").click()
    expect(page.get_by_text("Version 3 is training")).to_be_visible()
    assert api.asked(FEEDBACK)[0].body["examples"] == [{"example": shown["example"], "labels": ["budget", "saving"]}]


def test_a_hundred_thousand_examples_come_in_pages(api: FakeApi, visit: Console) -> None:
    api.on(EXAMPLES, savings.many_examples(100_000))
    page = opened(visit, f"{ADDRESS}?view=all")

    expect(page.get_by_role("heading", name="100,000 texts")).to_be_visible()
    expect(rows(page)).to_have_count(50)
    page.get_by_role("button", name="Show more texts").click()
    expect(rows(page)).to_have_count(100)
    expect(rows(page).nth(99)).to_contain_text("text number 99")
    rows(page).nth(99).focus()
    page.keyboard.press("ArrowDown")
    expect(rows(page)).to_have_count(150)
    assert [call.query.get("next") for call in api.asked(EXAMPLES)] == [None, "50", "100"]


def test_corrections_are_made_where_feedback_builds_on(api: FakeApi, visit: Console) -> None:
    api.on("GET /models/savings/versions/1/examples", savings.saved("mistakes", version=1, next=None))
    page = opened(visit, "#/models/savings/versions/1/errors")
    expect(page.get_by_text("Corrections are about the live version, which is 2.")).to_be_visible()
    expect(page.get_by_role("button", name="Drop the text")).to_have_count(0)


def test_a_predict_key_reads_and_corrects_nothing(api: FakeApi, visit: Console) -> None:
    api.on("GET /whoami", savings.reader())
    page = opened(visit)
    rows(page).first.focus()
    page.keyboard.press("d")
    page.keyboard.press("ArrowDown")
    expect(rows(page).nth(1)).to_be_focused()
    expect(page.get_by_role("button", name=re.compile("Drop|label|Retrain"))).to_have_count(0)


def test_texts_and_names_of_labels_are_text(api: FakeApi, visit: Console) -> None:
    hostile = savings.HOSTILE
    named = [{"label": hostile, "score": 0.9}]
    shown = MISTAKES[0] | {"text": f"{hostile} {hostile}", "labels": named, "predicted": named}
    api.on(EXAMPLES, savings.saved("mistakes", examples=[shown], next=None, matching=1))
    api.on(f"GET {savings.LIVE}/evaluation", savings.hostile())
    page = opened(visit)
    expect(rows(page).first.locator("mark").first).to_have_text("<img")
    rows(page).first.focus()
    page.keyboard.press("a")
    page.get_by_role("button", name="1 correction, not sent yet").click()
    expect(page.get_by_role("complementary")).to_contain_text(hostile)
    assert page.locator("main img").count() == 0
    assert not visit.faults


def test_texts_that_were_not_kept_are_corrected_by_their_rows(api: FakeApi, visit: Console) -> None:
    without = [{name: value for name, value in each.items() if name != "text"} for each in MISTAKES]
    api.on(EXAMPLES, savings.saved("mistakes", examples=without, next=None))
    page = opened(visit)
    expect(rows(page).first).to_contain_text("The text is not shown")
    expect(rows(page).first).to_contain_text(f"row {MISTAKES[0]['row']}")
    rows(page).first.focus()
    page.keyboard.press("d")
    expect(page.get_by_role("button", name="Retrain with 1 correction")).to_be_visible()
    assert api.asked("POST /prediction") == []


def test_a_list_that_fails_can_be_asked_for_again(api: FakeApi, visit: Console) -> None:
    api.on(
        EXAMPLES,
        problem(404, "examples-not-found", "Version 2 of model 'savings' has no list of its examples."),
        savings.saved("mistakes", next=None),
    )
    page = visit.open(ADDRESS)
    expect(page.get_by_role("alert")).to_contain_text("has no list of its examples")
    page.get_by_role("button", name="Try again").click()
    expect(rows(page)).to_have_count(len(MISTAKES))


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_everybody_can_use_it(visits: Opens, scheme: str, width: int) -> None:
    visit = visits(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = opened(visit)
    expect(rows(page).first.locator("mark").first).to_be_visible()
    rows(page).first.focus()
    page.keyboard.press("a")
    page.get_by_role("button", name="1 correction, not sent yet").click()
    assert visit.violations() == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    rows(page).first.focus()
    page.keyboard.press("l")
    page.get_by_role("dialog").get_by_role("combobox").wait_for()
    assert visit.violations() == []
