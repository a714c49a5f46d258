"""Screen 6: the review queue, one text at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from tests.console import savings
from tests.console.conftest import LOST, UPLOADS, FakeApi, Reply, problem

if TYPE_CHECKING:
    from tests.console.conftest import Console, Opens

ADDRESS = "#/models/savings/label"
FEEDBACK = "POST /models/savings/examples"
ITEMS = savings.saved("queue")["items"]


@pytest.fixture(autouse=True)
def _answers(api: FakeApi) -> None:
    savings.serve(api)
    api.on(FEEDBACK, savings.received)


def opened(visit: Console, *, keep: bool = False) -> Page:
    page = visit.open(ADDRESS, keep=keep)
    expect(page.locator(".one-text")).to_have_text(ITEMS[0]["text"])
    # Keys go to the text as soon as it is there.
    expect(page.locator(".one")).to_be_focused()
    return page


def sent(api: FakeApi) -> list[dict[str, Any]]:
    return [each for call in api.asked(FEEDBACK) for each in call.body["examples"]]


def test_number_keys_label_one_text_after_another(api: FakeApi, visit: Console) -> None:
    page = opened(visit)

    for place in (1, 2):
        page.keyboard.press(str(place))
        expect(page.locator(".one-text")).to_have_text(ITEMS[place]["text"])
    page.keyboard.press("s")
    expect(page.locator(".one-text")).to_have_text(ITEMS[3]["text"])
    page.get_by_role("button", name="Train now with 2 answers").click()

    expect(page.get_by_text("Version 3 is training.")).to_be_visible()
    [call] = api.asked(FEEDBACK)
    chosen = [{"text": item["text"], "label": item["labels"][place]["label"]} for place, item in enumerate(ITEMS[:2])]
    assert call.body == {"examples": chosen, "retrain": "now"}


def test_the_last_answers_can_be_undone(api: FakeApi, visit: Console) -> None:
    page = opened(visit)
    first = ITEMS[0]["labels"][0]["label"]
    page.keyboard.press("1")
    expect(page.get_by_role("button", name=f"Undo “{first}”")).to_be_visible()

    page.keyboard.press("u")

    expect(page.locator(".one-text")).to_have_text(ITEMS[0]["text"])
    page.keyboard.press("3")
    page.get_by_role("button", name="Train now with 1 answer").click()
    expect(page.get_by_text("Version 3 is training.")).to_be_visible()
    assert sent(api) == [{"text": ITEMS[0]["text"], "label": ITEMS[0]["labels"][2]["label"]}]


def test_answers_are_sent_on_the_way_but_for_the_newest(api: FakeApi, visit: Console) -> None:
    more = [item | {"item": f"{place:016x}", "text": f"text {place}"} for place, item in enumerate([ITEMS[0]] * 12)]
    api.on("GET /models/savings/queue", savings.saved("queue", items=more, left=40))
    page = visit.open(ADDRESS)
    expect(page.locator(".one")).to_be_focused()
    for place in range(10):
        expect(page.locator(".one-text")).to_have_text(f"text {place}")
        page.keyboard.press("1")
    expect(page.get_by_text("5 answers not sent yet")).to_be_visible()
    assert [each["text"] for each in sent(api)] == [f"text {place}" for place in range(5)]
    assert [call.body["retrain"] for call in api.asked(FEEDBACK)] == ["auto"]


def test_any_label_can_be_found_and_a_new_one_given(api: FakeApi, visit: Console) -> None:
    page = opened(visit)
    dialog = page.get_by_role("dialog")
    page.keyboard.press("0")
    dialog.get_by_role("combobox").fill("deb")
    page.keyboard.press("Enter")
    expect(page.locator(".one-text")).to_have_text(ITEMS[1]["text"])
    page.keyboard.press("0")
    dialog.get_by_role("combobox").fill("lost card")
    page.keyboard.press("Enter")
    expect(page.locator(".one-text")).to_have_text(ITEMS[2]["text"])
    page.get_by_role("button", name="Train now with 2 answers").click()
    expect(page.get_by_text("Version 3 is training.")).to_be_visible()
    assert [each["label"] for each in sent(api)] == ["debt", "lost card"]


def test_texts_with_several_labels_take_all_that_are_chosen(api: FakeApi, visit: Console) -> None:
    api.on("GET /models/savings/queue", savings.saved("queue", exclusive=False))
    page = opened(visit)
    page.keyboard.press("1")
    page.keyboard.press("3")
    expect(page.get_by_role("button", pressed=True)).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.locator(".one-text")).to_have_text(ITEMS[1]["text"])
    page.get_by_role("button", name="Train now with 1 answer").click()
    expect(page.get_by_text("Version 3 is training.")).to_be_visible()
    assert sent(api) == [{"text": ITEMS[0]["text"], "labels": [ITEMS[0]["labels"][place]["label"] for place in (0, 2)]}]


def test_a_reload_loses_no_answer_and_no_text(api: FakeApi, visit: Console) -> None:
    page = opened(visit, keep=True)
    page.keyboard.press("1")
    page.keyboard.press("s")
    expect(page.locator(".one-text")).to_have_text(ITEMS[2]["text"])
    page.reload()
    expect(page.locator(".one-text")).to_have_text(ITEMS[2]["text"])
    expect(page.get_by_role("button", name="Train now with 1 answer")).to_be_visible()
    # The texts are handed out to this tab: it doesn't ask for others.
    assert len(api.asked("GET /models/savings/queue")) == 1


def test_answers_that_a_lost_network_keeps_are_sent_once(api: FakeApi, visit: Console) -> None:
    api.on(FEEDBACK, LOST)
    page = opened(visit)
    page.keyboard.press("1")
    page.get_by_role("button", name="Train now with 1 answer").click()
    expect(page.get_by_role("alert")).to_contain_text("No connection")
    api.on(FEEDBACK, savings.received)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Version 3 is training.")).to_be_visible()
    assert len({(call.headers["idempotency-key"], str(call.body)) for call in api.asked(FEEDBACK)}) == 1


def test_leaving_the_screen_sends_the_answers(api: FakeApi, visit: Console) -> None:
    page = opened(visit)
    page.keyboard.press("1")
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Versions of savings")
    expect(page.get_by_text("Who did what")).to_be_visible()
    assert [call.body["retrain"] for call in api.asked(FEEDBACK)] == ["auto"]
    assert page.evaluate("Object.keys(sessionStorage).filter((name) => name.includes('answers')).length") == 0


def test_progress_toward_the_next_training_counts_what_is_not_sent_yet(api: FakeApi, visit: Console) -> None:
    api.on("GET /models/savings", savings.saved("model", retrain_after=50, waiting_examples=40))
    page = opened(visit)
    page.keyboard.press("1")
    bar = page.get_by_role("progressbar", name="41 of 50 answers until the next training")
    expect(bar).to_have_attribute("aria-valuenow", "82")


def test_the_end_of_the_queue_is_told(api: FakeApi, visit: Console) -> None:
    api.on("GET /models/savings/queue", savings.saved("queue", items=[], left=0))
    page = visit.open(ADDRESS)
    expect(page.get_by_role("heading", name="All texts are labelled")).to_be_visible()


def test_texts_that_others_have_are_told(api: FakeApi, visit: Console) -> None:
    api.on("GET /models/savings/queue", savings.saved("queue", items=[], left=12), savings.saved("queue"))
    page = visit.open(ADDRESS)
    expect(page.get_by_role("heading", name="The rest is handed out")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".one-text")).to_have_text(ITEMS[0]["text"])


def test_skipped_texts_can_be_seen_again_also_after_a_reload(api: FakeApi, visit: Console) -> None:
    # The API knows nothing of the answers that are not sent yet.
    rest = savings.saved("queue", items=[], left=3)
    api.on("GET /models/savings/queue", savings.saved("queue", items=ITEMS[:3], left=3), rest)
    page = opened(visit, keep=True)
    for key in ("1", "s", "1"):
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="You have skipped 1 text")).to_be_visible()
    expect(page.get_by_text("1 text left in the queue")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Show it again").click()
    expect(page.locator(".one-text")).to_have_text(ITEMS[1]["text"])
    page.keyboard.press("1")
    expect(page.get_by_role("heading", name="All texts are labelled")).to_be_visible()


def test_another_file_can_follow(api: FakeApi, visit: Console) -> None:
    api.on("GET /models/savings/queue", savings.saved("queue", items=[], left=1))
    page = visit.open(ADDRESS)
    page.get_by_role("button", name="Another file of texts").click()
    expect(page.get_by_label("Drop a file of texts here")).to_be_attached()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="The rest is handed out")).to_be_visible()


def test_answers_that_wait_at_the_api_are_trained_without_another_one(api: FakeApi, visit: Console) -> None:
    waiting = savings.saved("model", waiting_examples=11)
    api.on("GET /models/savings", waiting, savings.saved("model"))
    api.on("GET /models/savings/queue", savings.saved("queue", items=[], left=1))
    api.on(FEEDBACK, savings.accepted)
    page = visit.open(ADDRESS)
    expect(page.get_by_text("The new version goes live by itself if it is at least as good as the live one.")).to_be_visible()
    page.get_by_role("button", name="Train now with 11 answers").click()
    expect(page.get_by_text("Version 3 is training.")).to_be_visible()
    assert [call.body for call in api.asked(FEEDBACK)] == [{"retrain": "now"}]
    api.on("GET /models/savings/versions/3", savings.trained("ready"))
    expect(page.get_by_text("Version 3 is ready and live.")).to_be_visible()


def test_a_new_label_of_a_single_text_is_warned_of(api: FakeApi, visit: Console) -> None:
    page = opened(visit)
    for place in (1, 2):
        page.keyboard.press("0")
        page.get_by_role("dialog").get_by_role("combobox").fill("lost card")
        page.keyboard.press("Enter")
        expect(page.locator(".one-text")).to_have_text(ITEMS[place]["text"])
        expect(page.get_by_text("“lost card”: this new label has a single text.")).to_have_count(place % 2)


@pytest.mark.parametrize("width", [390, 1280])
def test_a_long_label_is_cut(api: FakeApi, visits: Opens, width: int) -> None:
    long = "special_case_" + "x" * 180
    labels = [{"label": long, "score": 0.5, "accepted": False}]
    api.on("GET /models/savings/queue", savings.saved("queue", items=[ITEMS[0] | {"labels": labels}]))
    page = opened(visits(viewport={"width": width, "height": 900}))
    offer = page.locator(".offer")
    assert offer.evaluate("(it) => it.offsetHeight") < 80
    assert offer.get_attribute("title") == long
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_queue_is_made_of_a_file(api: FakeApi, visit: Console) -> None:
    none = problem(404, "review-queue-not-found", "Model 'savings' has no review queue.")
    api.on("GET /models/savings/queue", none, savings.saved("queue"))
    name = f"{'0f' * 16}-texts.csv"
    place = {"s3bucket": "winnow-datasets", "training_object": f"uploads/{name}", "name": name}
    api.on("POST /datasets", Reply(201, place | {"upload_url": f"https://{UPLOADS}/put", "headers": {"If-None-Match": "*"}}))
    made = {member: savings.saved("queue")[member] for member in ("model_id", "queue", "version", "groups", "created_at")}
    counts = {"rows": 10, "unreadable": 0, "problems": [], "drawn": 10, "left_out": 0, "looked_at": 10, "queued": 10}
    reply = Reply(201, made | counts | {"expires_at": "2026-12-30T10:20:31.980Z"}, {"Location": "queue"})
    api.on("POST /models/savings/queue", reply)
    page = visit.open(ADDRESS)
    uploaded: list[str | None] = []
    allowed = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*", "Access-Control-Allow-Methods": "*"}

    def store(route: Any) -> None:
        uploaded.append(route.request.post_data)
        route.fulfill(status=200, headers=allowed, body="")

    page.route(f"https://{UPLOADS}/**", store)
    table = b"No.;Request\n1;hello\n2;good bye\n"
    page.get_by_label("Drop a file of texts here").set_input_files({"name": "texts.csv", "mimeType": "text/csv", "buffer": table})
    expect(page.get_by_role("cell", name="good bye")).to_be_visible()
    button = page.get_by_role("button", name="Choose the texts")
    expect(button).to_be_disabled()  # nobody knows which column has the texts
    page.get_by_label("Column of the text").select_option("Request")
    assert visit.violations() == []
    button.click()

    expect(page.locator(".one-text")).to_have_text(ITEMS[0]["text"])
    assert table.decode() in uploaded
    asked = {"s3bucket": "winnow-datasets", "object": f"uploads/{name}", "text_column": "Request"}
    assert api.asked("POST /models/savings/queue")[0].body == asked


def test_a_predict_key_may_not_label(api: FakeApi, visit: Console) -> None:
    api.on("GET /whoami", savings.reader())
    page = visit.open(ADDRESS)
    expect(page.get_by_text("Your key may not label texts.")).to_be_visible()
    assert api.asked("GET /models/savings/queue") == []


def test_texts_and_names_of_labels_are_text(api: FakeApi, visit: Console) -> None:
    labels = [{"label": savings.HOSTILE, "score": 0.5, "accepted": False}]
    api.on("GET /models/savings/queue", savings.saved("queue", items=[ITEMS[0] | {"text": savings.HOSTILE, "labels": labels}]))
    page = visit.open(ADDRESS)
    expect(page.locator(".one-text")).to_have_text(savings.HOSTILE)
    expect(page.get_by_role("button", name=savings.HOSTILE)).to_be_visible()
    assert page.locator("main img").count() == 0
    assert not visit.faults


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_everybody_can_use_it(visits: Opens, scheme: str, width: int) -> None:
    visit = visits(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = opened(visit)
    page.keyboard.press("1")
    expect(page.locator(".one-text")).to_have_text(ITEMS[1]["text"])
    assert visit.violations() == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
