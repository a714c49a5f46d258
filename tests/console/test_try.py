"""Screen 8: one text, or a file of them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.console.conftest import LOST, URL, FakeApi, Reply, example, model, problem, version, whoami
from tests.console.test_new_model import PLACE, Bucket, choose
from tests.support.node import NODE

if TYPE_CHECKING:
    from tests.console.conftest import Console, Json

TEXT = "my landlord's rent 🏠 is <b>due</b>"
BATCH = "20260302T091641007-1a2b3c4d"


def answer(*labels: tuple[str, float, bool], **members: object) -> Json:
    shown = [{"label": label, "score": score, "accepted": accepted} for label, score, accepted in labels]
    return {"model_id": "tc-01", "version": 1, "prediction_id": f"{BATCH}-00", "labels": shown} | members


@pytest.fixture(autouse=True)
def _answers(api: FakeApi) -> None:
    api.on("GET /models/tc-01", model() | {"version": version()})
    api.on("GET /models/tc-01/batches", {"model_id": "tc-01", "batches": [], "next": None})
    words = [
        {"word": "landlord's", "contribution": 2.0, "start": 3, "end": 13},
        {"word": "rent", "contribution": 1.2, "start": 14, "end": 18},
        {"word": "is", "contribution": 0.01, "start": 21, "end": 23},
        {"word": "due", "contribution": -0.9, "start": 27, "end": 30},
    ]
    explanation = {"label": "bills", "method": "exact", "logit": 3.2, "temperature": 1.0, "bias": 0.1, "words": words, "untried_words": 0}
    api.on("POST /prediction", answer(("bills", 0.9, True), ("saving", 0.1, False), stage="linear", explanation=explanation))


def test_a_text_gets_labels_a_stage_and_reasons(api: FakeApi, visit: Console) -> None:
    page = visit.open("#/models/tc-01/try")
    page.get_by_role("textbox").fill(TEXT)
    page.keyboard.press("Control+Enter")

    stage = "Its recipe asks the fastest part first; for this text the part linear decided."
    expect(page.get_by_text(f"Version 1 answered. {stage}")).to_be_visible()
    assert [" ".join(it.split()) for it in page.locator(".scores li").all_inner_texts()] == ["bills accepted 90.0 %", "saving 10.0 %"]
    # Positions count code points: the house is one.
    assert page.locator("mark").all_inner_texts() == ["landlord's", "rent", "due"]
    assert page.locator(".explained").inner_text() == TEXT
    marks = {mark.inner_text(): mark.evaluate("it => getComputedStyle(it).textDecorationStyle") for mark in page.locator("mark").all()}
    assert marks == {"landlord's": "solid", "rent": "solid", "due": "dotted"}
    expect(page.get_by_text("Underlined words speak for bills, dotted ones against it. Strongest: landlord's, rent.")).to_be_visible()
    assert [call.body for call in api.asked("POST /prediction")] == [{"model_id": "tc-01", "text": TEXT, "explain": True}]
    assert not visit.violations()
    assert not visit.faults


def test_a_text_of_none_of_the_labels_says_so(api: FakeApi, visit: Console) -> None:
    api.on("POST /prediction", answer(("bills", 0.3, False)))
    page = visit.open("#/models/tc-01/try")
    page.get_by_role("textbox").fill("xyz")
    page.get_by_role("checkbox").uncheck()
    page.get_by_role("button", name="Classify").click()
    expect(page.get_by_text("None of these")).to_be_visible()
    expect(page.get_by_text("Its best guess is bills.")).to_be_visible()
    assert "explain" not in api.asked("POST /prediction")[0].body


def test_what_was_typed_stays_when_the_network_is_lost(api: FakeApi, visit: Console) -> None:
    api.on("POST /prediction", LOST)
    page = visit.open("#/models/tc-01/try")
    page.get_by_role("textbox").fill(TEXT)
    page.get_by_role("button", name="Classify").click()
    expect(page.get_by_role("alert")).to_contain_text("No connection")
    assert page.get_by_role("textbox").input_value() == TEXT


@pytest.mark.parametrize("language", ["curl", "Python", "JavaScript"])
def test_the_call_can_be_copied(api: FakeApi, visit: Console, language: str) -> None:
    page = visit.open("#/models/tc-01/try")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("textbox").fill(TEXT)
    page.get_by_role("button", name="Classify").click()
    page.get_by_text("Copy this call").click()
    page.get_by_role("button", name=language, exact=True).click()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "key-of-the-test" not in copied
    sent = sent_by(language, copied)
    assert sent == [f"{URL}/prediction", api.asked("POST /prediction")[0].body]


# Each language, with something that prints what would be sent.
CURL = """
curl() { printf '["%s", %s]' "$1" "$7"; }
"""
PYTHON = """
import json as j, sys, types
def post(url, json, headers, timeout):
    print(j.dumps([url, json]), file=sys.stderr)
    return types.SimpleNamespace(raise_for_status=dir, json=dir)
requests = sys.modules["requests"] = types.ModuleType("requests")
requests.post = post
"""
JAVASCRIPT = """
globalThis.fetch = async (url, request) => {
  console.error(JSON.stringify([url, JSON.parse(request.body)]));
  return { ok: true, json: () => 0 };
};
"""
RUNS = {
    "curl": (["bash", "-c"], CURL),
    "Python": ([sys.executable, "-c"], PYTHON),
    "JavaScript": ([str(NODE), "--input-type=module", "-e"], JAVASCRIPT),
}


def sent_by(language: str, code: str) -> object:
    """What the copied code sends: its address and its body."""
    command, posing = RUNS[language]
    run = subprocess.run([*command, posing + code], capture_output=True, text=True, check=True, env={"WINNOW_API_KEY": "k"})
    return json.loads(run.stdout if language == "curl" else run.stderr)


def test_a_file_comes_back_classified(api: FakeApi, visit: Console) -> None:
    bucket = Bucket(visit.page)
    api.on("POST /datasets", Reply(201, PLACE))
    queued = {"model_id": "tc-01", "batch": BATCH, "version": 1, "status": "queued"}
    api.on("POST /models/tc-01/batches", Reply(202, queued, {"Location": f"batches/{BATCH}"}))
    ready = example("GET /models/{model_id}/batches/{batch}") | {"object": PLACE["training_object"]}
    waiting = ready | {"status": "queued", "ahead": 3, "lines": None, "finished_at": None, "result": None}
    waiting["progress"] = {"percent": 0, "lines": 0, "errors": 0, "shards": 0, "all_lines": None, "all_errors": None, "all_shards": None}
    api.on(f"GET /models/tc-01/batches/{BATCH}", waiting, ready)
    page = visit.open("#/models/tc-01/try")
    page.get_by_role("link", name="A file of texts").click()
    choose(page, "texts.csv", "id;question\n1;one\n")
    # Its rows are shown, and nothing is sent before the column is known.
    expect(page.get_by_role("columnheader", name="question")).to_be_visible()
    expect(page.get_by_text("Choose the column of the text")).to_be_visible()
    expect(page.get_by_role("button", name="Classify these texts")).to_be_disabled()
    assert not visit.violations()
    assert not api.asked("POST /datasets")
    page.get_by_label("Column of the text").select_option("question")
    expect(page.get_by_role("columnheader", name="question text")).to_be_visible()
    page.get_by_role("button", name="Classify these texts").click()

    expect(page.get_by_text("3 other batches come first.")).to_be_visible()
    expect(page.get_by_text("1,000,000 texts classified, 12 rows could not be read.")).to_be_visible()
    assert page.get_by_role("link", name="Download the result (96.1 MB)").get_attribute("href") == ready["result"]["url"]
    assert bucket.got == [b"id;question\n1;one\n"]
    [call] = api.asked("POST /models/tc-01/batches")
    assert call.body == {"s3bucket": PLACE["s3bucket"], "object": PLACE["training_object"], "text_column": "question"}
    assert call.headers["idempotency-key"]
    assert page.url.endswith(f"what=file&batch={BATCH}")
    assert not visit.violations()
    assert not visit.faults


def test_a_batch_that_fails_says_why(api: FakeApi, visit: Console) -> None:
    failed = example("GET /models/{model_id}/batches/{batch}") | {"status": "failed", "error": "No column holds the texts.", "result": None}
    api.on(f"GET /models/tc-01/batches/{BATCH}", failed)
    page = visit.open(f"#/models/tc-01/try?what=file&batch={BATCH}")
    expect(page.get_by_role("alert")).to_contain_text("No column holds the texts.")


def test_after_a_batch_that_fails_the_same_file_can_be_read_in_another_way(api: FakeApi, visit: Console) -> None:
    bucket = Bucket(visit.page)
    api.on("POST /datasets", Reply(201, PLACE))
    other = BATCH.replace("1a2b", "5e6f")
    queued = [{"model_id": "tc-01", "batch": it, "version": 1, "status": "queued"} for it in (BATCH, other)]
    api.on("POST /models/tc-01/batches", *(Reply(202, it, {"Location": f"batches/{it['batch']}"}) for it in queued))
    ready = example("GET /models/{model_id}/batches/{batch}")
    api.on(f"GET /models/tc-01/batches/{BATCH}", ready | {"status": "failed", "error": "Row 2 has no text.", "result": None})
    api.on(f"GET /models/tc-01/batches/{other}", ready | {"batch": other})
    page = visit.open("#/models/tc-01/try?what=file")
    choose(page, "texts.csv", "text;question\n1;one\n")
    page.get_by_role("button", name="Classify these texts").click()
    expect(page.get_by_role("alert")).to_contain_text("Row 2 has no text.")
    expect(page.get_by_role("heading", name="texts.csv")).to_be_visible()

    page.get_by_label("Column of the text").select_option("question")
    page.get_by_role("button", name="Classify these texts").click()
    expect(page.get_by_role("link", name="Download the result")).to_be_visible()
    assert [call.body.get("text_column") for call in api.asked("POST /models/tc-01/batches")] == [None, "question"]
    assert len(bucket.got) == 1  # it is there already
    expect(page.get_by_text("Drop a file of texts here")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "content", "asks"),
    [
        ("a.csv", "frage\nwas, bitte?\n", True),
        ("a.csv", "text\none\n", False),
        ("a.csv", "Subject;Body;n\na;b;1\n", False),
        ("a.csv", "title;body\na;b\n", True),
        ("a.tsv", "v1\tv2\na\tb\n", False),
        ("a.jsonl", '"one"\n"two"\n', False),
        ("a.json", '[{"frage": "one"}]', True),
    ],
)
@pytest.mark.usefixtures("api")
def test_the_column_is_asked_for_if_its_name_does_not_show_it(visit: Console, name: str, content: str, *, asks: bool) -> None:
    page = visit.open("#/models/tc-01/try?what=file")
    choose(page, name, content)
    start = page.get_by_role("button", name="Classify these texts")
    expect(start).to_be_disabled() if asks else expect(start).to_be_enabled()
    if asks:
        page.get_by_label("Column of the text").select_option(index=1)
        expect(start).to_be_enabled()


def test_a_file_without_texts_is_not_sent(api: FakeApi, visit: Console) -> None:
    page = visit.open("#/models/tc-01/try?what=file")
    choose(page, "empty.csv", "")
    expect(page.get_by_role("alert")).to_contain_text("The file is empty")
    assert not api.asked("POST /datasets")


@pytest.mark.parametrize("query", ["", "?what=file"])
def test_a_key_that_only_classifies_tries_texts_and_nothing_else(api: FakeApi, visit: Console, query: str) -> None:
    api.on("GET /whoami", whoami("classify"))
    page = visit.open(f"#/models/tc-01/try{query}")
    page.get_by_role("textbox").fill("rent")
    page.get_by_role("button", name="Classify").click()
    expect(page.get_by_text("Version 1 answered.")).to_be_visible()
    assert {call.path for call in api.calls} == {"/whoami", "/prediction"}
    assert page.locator("input[type=file]").count() == 0


def test_a_key_that_reads_may_not_upload(api: FakeApi, visit: Console) -> None:
    api.on("GET /whoami", whoami("predict"))
    page = visit.open("#/models/tc-01/try?what=file")
    expect(page.get_by_text("Your key may not upload files: a file of texts needs an admin key.")).to_be_visible()
    assert page.locator("input[type=file]").count() == 0


def test_a_refusal_says_what_to_mend(api: FakeApi, visit: Console) -> None:
    api.on("POST /prediction", problem(409, "model-not-ready", "Model 'tc-01' has no live version yet."))
    page = visit.open("#/models/tc-01/try")
    page.get_by_role("textbox").fill("rent")
    page.get_by_role("button", name="Classify").click()
    expect(page.get_by_role("alert")).to_contain_text("has no live version yet.")
