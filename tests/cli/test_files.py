"""The files that train, feedback and batch send: how they are laid out, what the API read of them, workbooks and Parquet."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.cli.conftest import Server, Winnow, ends, problem
from tests.cli.test_work import REPORT, dataset

SAID = ("--text-column", "subject", "--text-column", "body", "--delimiter", "tab", "--encoding", "utf-16")
FIELDS = {"text_column": ["subject", "body"], "delimiter": "\t", "encoding": "utf-16"}
LABELS = ("--label-column", "category", "--label-separator", "#")
LABEL_FIELDS = {"label_column": "category", "label_separator": "#"}
KEPT: dict[str, Any] = {
    "model_id": "m",
    "batch": "b",
    "examples": 2,
    "new_labels": ["a"],
    "waiting": 2,
    "retrain": "waiting",
    "version": None,
    "file": {"format": "csv", "rows": 3, "understood": {}, "problems": REPORT["problems"]},
}


def requests(server: Server, call: str) -> list[Any]:
    """The bodies of a call, in order."""
    return [json.loads(body) for method, path, _, body in server.asked if f"{method} {path.removeprefix('/v1')}" == call]


def test_train_sends_how_the_file_is_laid_out(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    done = winnow("train", dataset(server, tmp_path, REPORT), "-m", "new", *SAID, *LABELS, "--rare-labels", "refuse")

    assert done.returncode == 0, done.stderr
    place = {"id": "new", "s3bucket": "bucket", "training_object": "u/x"}
    sent = place | FIELDS | LABEL_FIELDS | {"rare_labels": "refuse"}
    assert requests(server, "POST /models") == [sent | {"dry_run": True}, sent]


def test_one_column_is_sent_by_its_name(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    winnow("train", dataset(server, tmp_path, REPORT), "-m", "new", "--text-column", "body")

    assert requests(server, "POST /models")[0]["text_column"] == "body"


def test_feedback_uploads_the_file_and_sends_its_place(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    file = dataset(server, tmp_path, REPORT)
    server.gives("POST /models/m/examples", (201, KEPT))

    done = winnow("feedback", file, "-m", "m", "--retrain", "now", *SAID, *LABELS, "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == KEPT | {"batches": ["b"]}
    assert server.calls() == ["POST /datasets", "PUT /s3/x", "POST /models/m/examples"]
    assert requests(server, "POST /models/m/examples") == [
        {"s3bucket": "bucket", "training_object": "u/x", "retrain": "now"} | FIELDS | LABEL_FIELDS
    ]
    assert "Idempotency-Key" in server.asked[-1][2]
    assert "duplicate (1): The same text twice." in done.stderr


def test_feedback_in_s3_is_not_uploaded(server: Server, winnow: Winnow) -> None:
    server.gives("POST /models/m/examples", (201, KEPT | {"examples": 1, "waiting": 1, "new_labels": []}))

    done = winnow("feedback", "s3://mine/more.csv", "-m", "m")

    assert done.stdout == "1 example saved for m; 1 example pending (`--retrain now` starts a training)\n"
    assert server.calls() == ["POST /models/m/examples"]


def test_feedback_that_is_refused_says_why(server: Server, winnow: Winnow) -> None:
    server.gives("POST /models/m/examples", problem(422, "Line 7 of the file has 3 columns."))

    ends(winnow("feedback", "s3://mine/more.csv", "-m", "m"), 1, "Line 7 of the file has 3 columns.")


def test_a_batch_says_how_its_file_is_laid_out_and_a_started_one_can_t(server: Server, winnow: Winnow) -> None:
    server.gives("POST /models/m/batches", problem(409, "No."))

    winnow("batch", "s3://mine/texts.csv", "-m", "m", *SAID)

    assert requests(server, "POST /models/m/batches") == [{"s3bucket": "mine", "object": "texts.csv"} | FIELDS]
    ends(winnow("batch", "--batch", "b", "-m", "m", *SAID), 2, "--text-column, --delimiter, --encoding", "--batch ID")


def test_a_delimiter_is_one_of_four(server: Server, winnow: Winnow) -> None:
    ends(winnow("train", "s3://a-b/c", "-m", "new", "--delimiter", ":"), 2, "use one of , ; | or tab")


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (
            {
                "format": "csv",
                "understood": {
                    "delimiter": ";",
                    "text_column": ["subject", "body"],
                    "label_column": "category",
                    "encoding": "windows-1252",
                },
            },
            "Read as: CSV with semicolons, text from subject + body, label from category, Windows-1252",
        ),
        (
            {
                "format": "csv",
                "understood": {"delimiter": "\t", "text_column": "v2", "label_column": "v1", "label_separator": "#", "encoding": "utf-8"},
            },
            "Read as: CSV with tabs, text from v2, label from v1, labels separated by #, UTF-8",
        ),
        ({"format": "rasa", "understood": {"delimiter": None, "encoding": "utf-16"}}, "Read as: rasa, UTF-16"),
        ({"format": None, "understood": {"delimiter": None, "encoding": "utf-8"}}, "Read as: UTF-8"),
        ({"format": None, "understood": {"delimiter": ";", "encoding": "windows-1252"}}, "Read as: a table with semicolons, Windows-1252"),
        (
            {"texts_in_windows": 1_234, "examples": 20_000},
            "Longer than 256 tokens: about 1,234 of 20,000 texts. Sentence encoders read them in windows.",
        ),
    ],
)
def test_what_was_understood_is_said_in_a_line(server: Server, winnow: Winnow, tmp_path: Path, report: dict[str, Any], told: str) -> None:
    file = dataset(server, tmp_path, REPORT | report)

    assert f"  {told}" in winnow("train", file, "-m", "new", "--dry-run").stdout.splitlines()


def test_errors_of_a_kind_are_one_group(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    rows = [{"row": row, "problem": f"Line {row} of the data set has an empty text."} for row in range(2, 22)]
    empty = {"kind": "empty-text", "refuses": True, "count": 121, "sentence": "Give each a text.", "rows": rows}
    file = dataset(server, tmp_path, REPORT | {"errors": 121, "trainable": False, "problems": [empty]})

    told = winnow("train", file, "-m", "new").stderr.splitlines()

    assert told[1:] == [
        "  error    empty-text (121): Give each a text.",
        "           121 rows, first: Line 2 of the data set has an empty text. Then rows 3, 4, 5, 6 …",
        "winnow: Can't train: fix the 121 errors above.",
    ]


@pytest.mark.parametrize(
    ("name", "sent"), [("データ.csv", "データ.csv"), ("_.csv", "_.csv"), (".hidden.csv", "hidden.csv"), ("a\nb\\c.csv", "a-b-c.csv")]
)
def test_files_have_names_in_any_script(server: Server, winnow: Winnow, tmp_path: Path, name: str, sent: str) -> None:
    file = Path(dataset(server, tmp_path, REPORT)).rename(tmp_path / name)

    winnow("train", str(file), "-m", "new", "--dry-run")

    assert requests(server, "POST /datasets") == [{"name": sent, "bytes": 17}]


# --- workbooks and Parquet ---


def uploaded(server: Server) -> tuple[str, bytes]:
    [target] = requests(server, "POST /datasets")
    [content] = [body for method, _, _, body in server.asked if method == "PUT"]
    assert target["bytes"] == len(content)
    return target["name"], content


def test_a_workbook_is_sent_as_csv(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    dataset(server, tmp_path, REPORT)
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["text", "label", None], ["a, b\nc", 3, None], [None, None, None], ["über", True, None]):
        sheet.append(row)
    book.create_sheet("notes").append(["not read"])
    book.save(tmp_path / "my texts.xlsx")

    done = winnow("train", str(tmp_path / "my texts.xlsx"), "-m", "new", "--dry-run")

    assert done.returncode == 0, done.stderr
    assert uploaded(server) == ("my texts.csv", 'text,label,\n"a, b\nc",3,\n\nüber,true,\n'.encode())


def test_parquet_is_sent_as_json_lines_with_the_names_of_numbered_labels(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    dataset(server, tmp_path, REPORT)
    table = pa.table({"text": ["good", "bad", "?"], "label": [1, 0, -1], "tags": [[0], [1, 0], []]})
    names = {
        "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
        "tags": {"feature": {"names": ["x", "y"]}},
        "text": {"dtype": "string"},
    }
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": names}})})
    parquet.write_table(table, tmp_path / "train.parquet")

    done = winnow("train", str(tmp_path / "train.parquet"), "-m", "new", "--dry-run")

    assert done.returncode == 0, done.stderr
    name, content = uploaded(server)
    assert name == "train.jsonl"
    assert [json.loads(line) for line in content.splitlines()] == [
        {"text": "good", "label": "pos", "tags": ["x"]},
        {"text": "bad", "label": "neg", "tags": ["y", "x"]},
        {"text": "?", "label": -1, "tags": []},
    ]


@pytest.mark.parametrize("name", ["texts.xlsx", "texts.parquet"])
def test_without_their_readers_it_says_what_to_install(
    server: Server, winnow: Winnow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).write_bytes(b"PK")
    ends(winnow("train", str(tmp_path / name), "-m", "new", "--dry-run"), 2, "Can't read", "save it as CSV UTF-8")
    known = builtins.__import__

    def without(module: str, *rest: Any) -> Any:
        if module.partition(".")[0] in {"openpyxl", "pyarrow"}:
            raise ImportError(module)
        return known(module, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    ends(winnow("train", str(tmp_path / name), "-m", "new", "--dry-run"), 2, "pip install ./client './cli[files]'", "save it as CSV UTF-8")
    assert not server.asked
