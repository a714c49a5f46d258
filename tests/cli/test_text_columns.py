"""`winnow predict --file` with a table: the texts of its text column, one prediction per record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Server, Winnow, ends
from winnow.datasets import tables
from winnow_cli import text_columns

LABELS = [{"label": "a", "score": 0.5, "accepted": False}]


def sent(server: Server, winnow: Winnow, file: Path, *arguments: str) -> list[str]:
    """The texts that are sent for this file; each has a prediction."""

    def answer(number: int) -> tuple[int, dict[str, Any]]:
        return 200, {"model_id": "m", "version": 3, "predictions": [{"labels": LABELS}] * number}

    wanted = list(text_columns.texts(file, [value for value in arguments if value != "--text-column"]))
    server.gives("POST /prediction", answer(len(wanted)))
    done = winnow("predict", "-m", "m", "--json", "--file", str(file), *arguments)
    assert done.returncode == 0, done.stderr
    [(_, _, _, body)] = server.asked
    texts: list[str] = json.loads(body)["texts"]
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == texts
    return texts


@pytest.mark.parametrize(
    ("name", "body", "columns", "texts"),
    [
        ("t.csv", b'id,text\r\n1,"a, ""b""\r\nc"\r\n\r\n2, d\r\n', (), ['a, "b"\r\nc', "d"]),
        ("t.CSV", "\ufefftext\nä\n".encode(), (), ["ä"]),
        ("t.tsv", b"id\tMessage\n1\ta,b\n", (), ["a,b"]),
        ("t.csv", b"sep=;\nnote;query\nx,y;a\n", (), ["a"]),
        ("t.csv", b"a|b|sentence\n1|2|c;d\n", (), ["c;d"]),
        ("t.csv", b"subject,body,label\nhello,you,x\n,alone,y\n", (), ["hello\n\nyou", "alone"]),
        ("t.csv", b"query,review,\nq,r,\n", ("--text-column", "Review"), ["r"]),
        ("t.csv", b"a,b,c\nx,y,z\n", ("--text-column", "c", "--text-column", "a"), ["z\n\nx"]),
        ("t.csv", "text,n\nä,1\n".encode("utf-16"), (), ["ä"]),
    ],
)
def test_the_text_column_is_read(
    server: Server, winnow: Winnow, tmp_path: Path, *, name: str, body: bytes, columns: tuple[str, ...], texts: list[str]
) -> None:
    file = tmp_path / name
    file.write_bytes(body)
    assert sent(server, winnow, file, *columns) == texts


@pytest.mark.parametrize(
    ("body", "columns", "told"),
    [
        (
            b"query,review\nq,r\n",
            (),
            "It is not clear which column of t.csv holds the text: name it with --text-column. The columns are: q",
        ),
        (b"a;b\nq;r\n", ("--text-column", "c"), "t.csv doesn't have the column c. The columns are: a, b."),
        (b"text,n\na,1\n,2\n", (), "Line 3 of t.csv has an empty text"),
        (b'text,n\n"a\nb",1\nc,d,3\n', (), "Line 4 of t.csv has 3 columns, but the header has 2"),
        (b'text,n\n"a,1\n', (), "t.csv is not CSV"),
        ("text,n\nzwölf,1\n".encode("cp1252"), (), "t.csv is not UTF-8: save it as UTF-8, or use `winnow batch`, which reads Windows-1252"),
        (b"\n", (), "The columns are: none."),
    ],
)
def test_a_table_that_cannot_be_read(
    server: Server,
    winnow: Winnow,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    body: bytes,
    columns: tuple[str, ...],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_bytes(body)
    ends(winnow("predict", "-m", "m", "--file", "t.csv", *columns), 2, told)
    assert not server.asked


def test_a_text_column_needs_a_table(winnow: Winnow, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("text\n")
    ends(winnow("predict", "-m", "m", "--file", str(tmp_path / "t.txt"), "--text-column", "text"), 2, "ends in .csv or .tsv")


def test_the_names_are_those_that_the_api_knows() -> None:
    assert text_columns.KNOWN == tables.TEXT_NAMES
