"""Screen 2: from a file or from names to a training."""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, Route, expect

from tests.console.conftest import LOST, UPLOADS, FakeApi, Reply, example, model, problem, version, whoami
from tests.support.contract import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Request

    from tests.console.conftest import Call, Console, Json

PLACE = {
    "upload_url": f"https://{UPLOADS}/uploads/0f8fad5bd9cb469fa16570867728950e-texts.csv?X-Amz-Signature=ab12",
    "headers": {"If-None-Match": "*"},
    "s3bucket": "winnow-datasets",
    "name": "0f8fad5bd9cb469fa16570867728950e-texts.csv",
    "training_object": "uploads/0f8fad5bd9cb469fa16570867728950e-texts.csv",
}
QUEUED = Reply(202, {"model_id": "questions", "version": 1, "status": "queued"})
TABLE = "text;label;id\n" + "".join(f"how do I, please, do {number}?;{'ab'[number % 2]};{number}\n" for number in range(30))


def report(**changes: object) -> Json:
    found: Json = example("GET /reports/{report_id}")["report"] or {
        "format": "csv",
        "understood": {"delimiter": ";", "text_column": "text", "label_column": "label", "encoding": "utf-8"},
        **{"bytes": 900, "unpacked_bytes": 900, "rows": 30, "trainable": True, "errors": 0, "warnings": 0, "examples": 30},
        **{"languages": [{"language": "en", "share": 1.0}], "language_texts": 30, "texts_in_windows": 0, "exclusive": True},
        "labels": [{"label": name, "examples": 15, "texts": 15} for name in "ab"],
        **{"problems": [], "test_set": None},
    }
    return found | changes


def unreadable(sentence: str) -> Json:
    """The report on a file that could not be read, which says so."""
    return report(
        format=None,
        understood={"encoding": "utf-8"},
        **{"rows": 0, "trainable": False, "errors": 1, "examples": 0, "languages": [], "labels": []},
        problems=[
            {
                **{"kind": "unreadable-file", "refuses": True, "count": 1, "sentence": "Fix the file there: the rest was not read."},
                "rows": [{"row": 1, "problem": sentence}],
            }
        ],
    )


class Bucket:
    """The bucket of uploads, on a host of its own."""

    def __init__(self, page: Page) -> None:
        self.got: list[bytes] = []
        self.lost = 0
        page.route(re.compile(f"^https://{re.escape(UPLOADS)}/"), self._answer)

    def _answer(self, route: Route, request: Request) -> None:
        # As template.yaml sets it (CorsConfiguration).
        allowed = {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "PUT",
            "Access-Control-Allow-Headers": "if-none-match",
        }
        if request.method == "OPTIONS":
            route.fulfill(status=200, headers=allowed)
        elif self.lost:
            self.lost -= 1
            route.abort("connectionfailed")
        else:
            assert request.headers["if-none-match"] == "*"
            self.got.append(request.post_data_buffer or b"")
            route.fulfill(status=200, headers=allowed)


@pytest.fixture
def bucket(visit: Console) -> Bucket:
    return Bucket(visit.page)


@pytest.fixture(autouse=True)
def _answers(api: FakeApi) -> None:
    api.on("POST /datasets", Reply(201, PLACE))
    api.on("POST /models", {"dry_run": True, "estimates": [], "report": report()}, QUEUED)
    api.on("GET /models/questions", model("questions", live_version=None, status="training") | {"version": training()})
    api.on("GET /models/questions/versions", {"model_id": "questions", "versions": [training()], "next": None})


def training() -> Json:
    progress = {"stage": "queued", "percent": 0, "eta_seconds": None}
    unknown = dict.fromkeys(("selection", "evaluation", "finished_at"))
    dataset = {"s3bucket": "winnow-datasets", "training_object": "uploads/0f8fad5bd9cb469fa16570867728950e-texts.csv"}
    return version(status="queued", live=False, recipe="auto", progress=progress, dataset=dataset, **unknown)


def choose(page: Page, name: str, content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/plain", "buffer": data})


def headers(page: Page) -> list[str]:
    return [" ".join(cell.split()) for cell in page.get_by_role("columnheader").all_inner_texts()]


def test_a_file_is_shown_checked_and_trained(api: FakeApi, visit: Console, bucket: Bucket) -> None:
    page = visit.open("#/new")
    choose(page, "Questions.csv", TABLE)
    expect(page.get_by_text("This can be trained.")).to_be_visible()
    expect(page.get_by_text("30 examples of 30 rows, 2 labels, one label for each text. English 100 %.")).to_be_visible()

    assert bucket.got == [TABLE.encode()]
    assert headers(page) == ["text text", "label label", "id"]
    assert page.get_by_role("row").count() == 11
    assert page.get_by_role("row").nth(1).locator("td").all_inner_texts() == ["how do I, please, do 0?", "a", "0"]
    assert page.get_by_label("The model's id").input_value() == "questions"

    page.get_by_label("Recipe").select_option("linear")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**#/models/questions/versions/1")
    assert [call.body for call in api.asked("POST /models")] == [
        {"s3bucket": "winnow-datasets", "training_object": PLACE["training_object"], "id": "dry-run", "dry_run": True},
        {"s3bucket": "winnow-datasets", "training_object": PLACE["training_object"], "id": "questions", "recipe": "linear"},
    ]
    assert not visit.faults


def test_a_file_can_be_dropped(visit: Console, bucket: Bucket) -> None:
    page = visit.open("#/new")
    transfer = page.evaluate_handle(
        "text => { const d = new DataTransfer(); d.items.add(new File([text], 'dropped.csv')); return d; }", TABLE
    )
    page.locator(".drop").dispatch_event("drop", {"dataTransfer": transfer})
    expect(page.get_by_role("heading", level=1)).to_have_text("dropped.csv")
    assert bucket.got == [TABLE.encode()]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", TABLE),
        ("a.csv", "\ufeff" + TABLE),
        ("a.csv", '"text","label"\r\n"one, ""two""\r\nlines","a"\r\n' * 3),
        ("a.csv.gz", gzip.compress(TABLE.encode() * 20_000)),
        ("a.csv", TABLE.encode("utf-16")),
        ("a.tsv", TABLE.replace(";", "\t").encode("windows-1252")),
        ("a.json", json.dumps([{"text": 'a "}" in a text', "label": "a"}] * 30)),
        ("a.jsonl", '{"text": "one", "label": "a"}\n{"text": "two", "label": "b"}\n'),
        ("a.json", '[{"text": "one", "label": "a"}, {"text": "' + "long " * 80_000),
    ],
    ids=["csv", "mark", "quoted", "gzip", "utf-16", "tabs", "json", "json lines", "long"],
)
@pytest.mark.usefixtures("bucket")
def test_the_first_rows_of_many_formats_are_shown(api: FakeApi, visit: Console, name: str, content: str | bytes) -> None:
    delimiter = "\t" if name.endswith("tsv") else "," if "two" in str(content)[:30] else ";"
    understood = report()["understood"] | ({"delimiter": delimiter} if "json" not in name else {"delimiter": None})
    api.on("POST /models", {"dry_run": True, "estimates": [], "report": report(understood=understood)})
    page = visit.open("#/new")
    choose(page, name, content)
    expect(page.get_by_text("This can be trained.")).to_be_visible()
    assert headers(page)[:2] == ["text text", "label label"]
    assert not visit.faults


UNCLEAR = "Line 1 of the data set has 2 columns and no header: write the columns' names into line 1, such as text and label."
NO_LABEL = "It is not clear which column of the data set holds the label (name it with `label_column`). The columns are: text, thema."


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("name", ["[text]", "[1]", "["])
def test_a_column_whose_name_looks_like_a_list_is_chosen(api: FakeApi, visit: Console, name: str) -> None:
    def check(call: Call) -> Json:
        return {"dry_run": True, "estimates": [], "report": report() if call.body.get("text_column") == name else unreadable(UNCLEAR)}

    api.on("POST /models", check)
    page = visit.open("#/new")
    choose(page, "export.csv", f"id;{name};topic\n1;how do I?;a\n")
    page.get_by_label("Column of the text").select_option(name)
    page.get_by_label("Column of the label").select_option("topic")
    expect(page.get_by_text("This can be trained.")).to_be_visible()
    assert not visit.faults


@pytest.mark.parametrize(("named", "sentence"), [({"text_column": "frage"}, UNCLEAR), ({}, NO_LABEL)], ids=["neither", "no label"])
def test_columns_that_were_not_found_are_chosen_from_menus_and_survive_a_reload(
    api: FakeApi, visit: Console, bucket: Bucket, named: dict[str, str], sentence: str
) -> None:
    wanted = named | {"label_column": "thema"}

    def check(call: Call) -> Json:
        said = {name: value for name, value in call.body.items() if name.endswith("_column")}
        return {"dry_run": True, "estimates": [], "report": report() if said == wanted else unreadable(sentence)}

    api.on("POST /models", check)
    page = visit.open("#/new", keep=True)
    choose(page, "fragen.csv", f"{named.get('text_column', 'text')};thema\nwie?;a\n")
    ask = "Choose the columns of the text and the label" if named else "Choose the column of the label"
    expect(page.get_by_role("status").filter(has_text=ask)).to_be_visible()
    for missing in ("The file can't be read", "This can't be trained yet.", "label_column"):
        expect(page.get_by_text(missing)).to_have_count(0)
    assert page.get_by_role("button", name="Train", exact=True).count() == 0
    assert not visit.violations()

    if named:
        page.get_by_label("Column of the text").select_option("frage")
        expect(page.get_by_text("Choose the column of the label")).to_be_visible()
    assert len(api.asked("POST /models")) == 1  # not before both are known
    page.get_by_label("Column of the label").select_option("thema")
    expect(page.get_by_text("This can be trained.")).to_be_visible()
    assert len(bucket.got) == 1

    page.reload()
    expect(page.get_by_text("This can be trained.")).to_be_visible()
    assert page.get_by_label("Column of the label").input_value() == "thema"
    assert len(bucket.got) == 1


def test_a_corrected_file_is_read_as_the_one_before(api: FakeApi, visit: Console, bucket: Bucket) -> None:
    api.on("POST /models", {"dry_run": True, "estimates": [], "report": unreadable("Line 3 has an empty text.")})
    page = visit.open("#/new?text_column=frage&label_column=thema&bucket=winnow-datasets&object=uploads/first.csv&name=first.csv")
    page.get_by_role("link", name="Choose the corrected file").click()
    api.on("POST /models", {"dry_run": True, "estimates": [], "report": report()})
    choose(page, "second.csv", "frage;thema\nwie?;a\n")
    expect(page.get_by_text("This can be trained.")).to_be_visible()
    assert page.get_by_role("link", name="Choose the corrected file").count() == 0
    assert {name: api.calls[-1].body[name] for name in ("text_column", "label_column")} == {"text_column": "frage", "label_column": "thema"}
    assert bucket.got


def test_a_file_that_is_broken_is_not_about_its_columns(api: FakeApi, visit: Console, bucket: Bucket) -> None:
    sentence = "Line 8 of the data set opens a quote that is never closed: close it, and double the quotes inside it."
    api.on("POST /models", {"dry_run": True, "estimates": [], "report": unreadable(sentence)})
    page = visit.open("#/new")
    choose(page, "texts.csv", TABLE)
    expect(page.get_by_text(sentence)).to_be_visible()
    expect(page.get_by_text("This can't be trained yet.")).to_be_visible()
    expect(page.get_by_text("Choose the column")).to_have_count(0)
    assert bucket.got


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b" \r\n\n", "The file is empty"),
        (b"text;label\n", "The file has no rows"),
        (b"\xef\xbb\xbfsep=;\r\ntext;label\r\n", "The file has no rows"),
        (
            b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde",
            "This is not a file of texts",
        ),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00b\xee\x9dh^\x01\x00\x00\x90\x04\x00\x00", "This is not a file of texts"),
    ],
    ids=["empty", "blank", "header", "mark and sep", "picture", "workbook"],
)
def test_a_file_without_texts_is_not_sent(api: FakeApi, visit: Console, content: bytes, sentence: str) -> None:
    page = visit.open("#/new")
    choose(page, "texts.csv", content)
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    assert not api.asked("POST /datasets")
    # Another one may be chosen at once.
    Bucket(page)
    choose(page, "other.csv", TABLE)
    expect(page.get_by_text("This can be trained.")).to_be_visible()


@pytest.mark.usefixtures("bucket")
def test_an_id_that_can_not_be_says_what_can(api: FakeApi, visit: Console) -> None:
    page = visit.open("#/new")
    choose(page, "Anfragen Süd.csv", TABLE)
    field = page.get_by_label("The model's id")
    expect(field).to_have_value("anfragen-sud")
    field.fill("Anfragen Süd")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Only letters, digits, dots, dashes and underscores")
    expect(page.get_by_role("alert")).to_contain_text("such as anfragen-sud")
    assert len(api.asked("POST /models")) == 1
    field.fill("anfragen_sud")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**#/models/questions/versions/1")
    assert api.asked("POST /models")[-1].body["id"] == "anfragen_sud"


@pytest.mark.usefixtures("bucket")
def test_problems_are_grouped_errors_first(api: FakeApi, visit: Console) -> None:
    rows = [{"row": number, "problem": f"Example {number} has an empty text."} for number in range(1, 21)]
    problems = [
        {"kind": "empty-text", "refuses": True, "count": 25, "sentence": "Give each row a text, or remove it.", "rows": rows},
        {"kind": "duplicate", "refuses": False, "count": 1, "sentence": "Remove one of them.", "rows": [{"row": 7, "first_row": 3}]},
        {"kind": "scarce-label", "refuses": False, "count": 1, "sentence": "Add texts.", "rows": [{"labels": ["<b>a</b>"]}]},
    ]
    api.on("POST /models", {"dry_run": True, "estimates": [], "report": report(trainable=False, errors=25, warnings=2, problems=problems)})
    page = visit.open("#/new")
    choose(page, "texts.csv", TABLE)

    findings = page.locator("details.finding")
    expect(findings).to_have_count(3)
    assert [it.split("\n")[0] for it in findings.all_inner_texts()] == [
        "Empty texts · 25 times",
        "The same text twice · 1 time",
        "Labels with few texts · 1 time",
    ]
    expect(findings.nth(0)).to_contain_text("and 5 more")
    findings.nth(1).locator("summary").click()
    expect(findings.nth(1)).to_contain_text("Row 7, as row 3")
    findings.nth(2).locator("summary").click()
    expect(findings.nth(2)).to_contain_text("<b>a</b>")
    assert not visit.violations()


@pytest.mark.usefixtures("bucket")
def test_a_large_file_is_checked_while_one_waits(api: FakeApi, visit: Console) -> None:
    report_id = "0f8fad5bd9cb469fa16570867728950e"
    started = {"dry_run": True, "report_id": report_id, "status": "running"}
    api.on("POST /models", Reply(202, started, {"Location": f"reports/{report_id}"}))
    running = {"report_id": report_id, "status": "running", "report": None, "estimates": None, "error": None}
    api.on(f"GET /reports/{report_id}", running, running | {"status": "ready", "report": report(), "estimates": []})
    page = visit.open("#/new")
    choose(page, "texts.csv", TABLE)
    expect(page.get_by_text("This can be trained.")).to_be_visible(timeout=15_000)


def estimate(recipe: str, sentence: str, *, fits: bool = True) -> Json:
    size = {"trained_on": "lambda", "memory_mb": 400, "seconds": 60, "lambdas": 1, "container": None, "dollars": 0.002}
    return {"recipe": recipe, "sentence": sentence, "fits": fits} | size


@pytest.mark.usefixtures("bucket")
def test_what_a_training_takes_is_said_before_it_starts(api: FakeApi, visit: Console) -> None:
    quick, large = "linear: about 1 minute in 1 Lambda.", "best: about 3 hours in 14 Lambdas. It will probably run out of memory."
    estimates = [estimate("linear", quick), estimate("best", large, fits=False)]
    api.on("POST /models", {"dry_run": True, "estimates": estimates, "report": report()})
    page = visit.open("#/new")
    choose(page, "texts.csv", TABLE)
    taken = page.get_by_role("status").filter(has_text="What it will take")
    expect(taken.get_by_role("listitem")).to_have_text([quick, large])
    page.get_by_label("Recipe").select_option("linear")
    expect(taken.get_by_role("listitem")).to_have_text([quick])
    page.get_by_label("Recipe").select_option("cnn")
    expect(taken).to_have_count(0)
    assert not visit.violations()


def test_a_lost_network_starts_one_training_and_what_was_typed_stays(api: FakeApi, visit: Console, bucket: Bucket) -> None:
    bucket.lost = 1
    page = visit.open("#/new")
    choose(page, "questions.csv", TABLE)
    expect(page.get_by_role("alert")).to_contain_text("No connection")
    page.get_by_role("button", name="Try again").click()
    page.get_by_label("The model's id").fill("questions")

    api.on("POST /models", LOST, LOST, LOST, problem(504, "gateway", "The answer took too long."), QUEUED)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("nothing is done twice")
    assert page.get_by_label("The model's id").input_value() == "questions"
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**#/models/questions/versions/1")

    sent = [call for call in api.asked("POST /models") if not call.body.get("dry_run")]
    assert len(sent) == 5
    assert len({call.headers["idempotency-key"] for call in sent}) == 1


@pytest.mark.usefixtures("bucket")
def test_an_id_that_exists_may_get_a_new_version(api: FakeApi, visit: Console) -> None:
    exists = problem(409, "model-exists", "Model 'questions' exists.")
    api.on("POST /models", {"dry_run": True, "estimates": [], "report": report()}, exists, QUEUED)
    page = visit.open("#/new")
    choose(page, "questions.csv", TABLE)
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Train a new version of questions").click()
    page.wait_for_url("**#/models/questions/versions/1")
    first, second = api.asked("POST /models")[1:]
    assert second.body == first.body | {"force_update": True}
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_names_of_labels_are_enough(api: FakeApi, visit: Console) -> None:
    labels = [
        {"label": "refund", "examples": 0, "texts": 0, "description": "wants money back"},
        {"label": "login", "examples": 0, "texts": 0},
    ]
    api.on("POST /models", {"dry_run": True, "estimates": [], "report": report(examples=0, rows=0, labels=labels)}, QUEUED)
    page = visit.open("#/new")
    page.get_by_role("link", name="I have only the names of my labels").click()
    page.get_by_label("One label a line").fill("refund: wants money back: all of it\n\n  login  \n")
    page.get_by_role("button", name="Check").click()
    page.get_by_label("The model's id").fill("questions")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**#/models/questions/versions/1")
    wanted = [{"name": "refund", "description": "wants money back: all of it"}, "login"]
    assert [call.body["labels"] for call in api.asked("POST /models")] == [wanted, wanted]


def test_the_sample_is_at_hand(visit: Console, bucket: Bucket) -> None:
    page = visit.open("#/new?sample=1")
    expect(page.get_by_text("This can be trained.")).to_be_visible()
    assert bucket.got == [(ROOT / "local/sample/savings.json").read_bytes()]
    assert "sample" not in page.url


def test_keys_that_may_not_train_see_no_form(api: FakeApi, visit: Console) -> None:
    api.on("GET /whoami", whoami("predict"))
    page = visit.open("#/new")
    expect(page.get_by_text("Your key may not train models.")).to_be_visible()
    assert page.locator("main input, main button").count() == 0


@pytest.mark.parametrize("address", ["#/new", "#/new?from=labels"])
def test_axe_finds_nothing(visit: Console, address: str) -> None:
    visit.open(address)
    assert not visit.violations()


def test_axe_finds_nothing_in_the_check(visit: Console, bucket: Bucket) -> None:
    page = visit.open("#/new?sample=1")
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_visible()
    assert bucket.got
    assert not visit.violations()
