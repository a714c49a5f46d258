"""Broken data sets, each with the row and sentence of its refusal. This module makes the table of docs/datasets.md:

PYTHONPATH=layers/winnow:. .venv/bin/python -m tests.support.hostile_datasets
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.dataset_bodies import GOOD, array, comprehend, fasttext, lines, manifest, prodigy, table

DOCUMENT = Path(__file__).parents[2] / "docs" / "datasets.md"
BEGIN, END = "<!-- broken data sets: made by tests/support/hostile_datasets.py -->", "<!-- end -->"

FORM = 'expected {"text": "…", "label": "…"} or {"text": "…", "labels": ["…", …]}.'
ONE_A_LINE = "Expected a JSON array, or one JSON object per line: " + FORM.removeprefix("expected ")


@dataclass(frozen=True)
class Broken:
    """A refused data set. row: of the first problem; None means the data set as a whole."""

    what: str
    body: Callable[[], bytes]
    row: int | None
    sentence: str
    name: str = "texts"


EMPTY = f"The data set is empty: it needs examples such as {FORM.removeprefix('expected ')}"
TRUNCATED = "The data set ends before its gzip stream does: upload the whole file again."
NO_FORMAT = (
    "The data set has an unknown format: use CSV with the header text,label, a JSON array, JSON Lines, or the export of a labelling tool."
    " docs/datasets.md shows each."
)
BOMB = "The data set unpacks to more than 200 times its size, unlike text. If it is text, upload it unpacked."

BROKEN = [
    # --- the file ---
    Broken("nothing", lambda: b"", 1, EMPTY),
    Broken("white space", lambda: b" \n\t\n" * 100_000, 1, EMPTY),
    Broken("a byte order mark and nothing", lambda: b"\xef\xbb\xbf", 1, EMPTY),
    Broken("gzip of nothing", lambda: gzip.compress(b""), 1, EMPTY),
    Broken("plain prose", lambda: b"A house, a garden\nand a shed.\n", 1, NO_FORMAT),
    Broken("random bytes", lambda: bytes(range(128, 256)) * 100, 1, NO_FORMAT),
    Broken(
        "a ZIP archive",
        lambda: b"PK\x03\x04" + bytes(100),
        1,
        "The data set is a ZIP archive: upload the file in it, unpacked or packed with gzip.",
    ),
    Broken(
        "a workbook",
        lambda: b"PK\x03\x04" + bytes(26) + b"xl/workbook.xml" + bytes(100),
        1,
        "The data set is a workbook (.xlsx): save it as CSV UTF-8, or give the file to the command winnow, which converts it.",
    ),
    Broken(
        "Parquet",
        lambda: b"PAR1" + bytes(100),
        1,
        "The data set is Parquet: write it as CSV or JSON Lines, or give the file to the command winnow, which converts it.",
    ),
    Broken("a PDF", lambda: b"%PDF-1.7" + bytes(100), 1, "The data set is a PDF: write its texts with their labels as CSV UTF-8."),
    Broken(
        "UTF-16 without",
        lambda: lines().decode().encode("utf-16-le"),
        1,
        "The data set is not UTF-8: save it as UTF-8, or give `encoding` if it is UTF-16 without a mark.",
    ),
    Broken("gzip that was cut", lambda: gzip.compress(lines())[:-12], 6, TRUNCATED),
    Broken(
        "gzip with a wrong checksum",
        lambda: gzip.compress(lines())[:-8] + bytes(8),
        1,
        "The data set is broken gzip: pack it and upload it again.",
    ),
    Broken(
        "gzip and then something else",
        lambda: gzip.compress(lines()) + b"more",
        6,
        "The data set is broken gzip: pack it and upload it again.",
    ),
    Broken("gzip within gzip", lambda: gzip.compress(gzip.compress(lines())), 1, "The data set is gzip inside gzip: pack it once."),
    Broken("a gzip bomb of line feeds", lambda: gzip.compress(b"\n" * 50_000_000), 1, BOMB),
    Broken("a gzip bomb of good examples", lambda: gzip.compress((lines() + b"\n") * 10_000), None, BOMB),
    Broken(
        "a gzip bomb in one line",
        lambda: gzip.compress(b'{"text": "' + b"a" * 50_000_000),
        1,
        "The data set holds an element of more than 4,000,000 characters, or one that never ends, line 1 column 10.",
    ),
    # --- JSON ---
    Broken("an array that never ends", lambda: array()[:-1], 7, "The data set is not JSON: Expecting ',' delimiter, line 1 column 294."),
    Broken(
        "a comma too many",
        lambda: b'[\n{"text": "a", "label": "b"},\n]',
        2,
        "The data set is not JSON: Illegal trailing comma before end of array, line 2 column 28.",
    ),
    Broken(
        "something after the array", lambda: array() + b"\n{}", 7, "The data set is not JSON: Extra data after the array, line 2 column 1."
    ),
    Broken("a million opening brackets", lambda: b"[" * 1_000_000, 1, "The data set is nested too deeply, line 1 column 2."),
    Broken(
        "brackets opened and closed",
        lambda: lines("[" * 100_000 + "]" * 100_000),
        7,
        f"Line 7 of the data set is nested too deeply. {ONE_A_LINE}",
    ),
    Broken("objects in objects", lambda: b'[{"text":' * 300_000, 1, "The data set is nested too deeply, line 1 column 2."),
    Broken(
        "a string of 9 MB",
        lambda: array()[:-1] + b', "' + b"a" * 9_000_000 + b'"]',
        7,
        "The data set holds an element of more than 4,000,000 characters, or one that never ends, line 1 column 296.",
    ),
    Broken(
        "a line of 5 MB",
        lambda: lines('{"text": "' + "a" * 5_000_000 + '"}'),
        7,
        "Line 7 of the data set has more than 4,000,000 bytes: put one example on each line, or shorten the text.",
    ),
    Broken(
        "an object over many lines that never ends",
        lambda: b'{\n "text": "a",\n "label": "b"\n',
        1,
        "The data set is not JSON: Expecting ',' delimiter, line 4 column 1.",
    ),
    Broken(
        "an object without a list",
        lambda: json.dumps({"things": GOOD}).encode(),
        1,
        "The data set is an object without a list of examples under a known name (data, examples, rows, items, records, results, samples,"
        ' utterances): its members are things. Call the list "data".',
    ),
    Broken(
        "NaN",
        lambda: lines('{"text": "a", "label": NaN}'),
        7,
        f"Line 7 of the data set is not JSON: NaN is not a JSON number. {ONE_A_LINE}",
    ),
    Broken(
        "a key twice",
        lambda: lines('{"text": "a", "text": "b", "label": "town"}'),
        7,
        f"Line 7 of the data set is not JSON: the key 'text' appears twice in one object. {ONE_A_LINE}",
    ),
    Broken(
        "half a surrogate pair",
        lambda: lines('{"text": "\\ud83d", "label": "town"}'),
        7,
        f"Line 7 of the data set holds half of a surrogate pair (\\ud800 to \\udfff): send the whole character. {ONE_A_LINE}",
    ),
    Broken(
        "half a pair in an array",
        lambda: array()[:-1] + b', {"text": "\\udc00", "label": "town"}]',
        7,
        "The data set holds half of a surrogate pair (\\ud800 to \\udfff): send the whole character, line 1 column 296.",
    ),
    Broken(
        "a number of 5,000 digits",
        lambda: lines('{"text": "a", "label": ' + "9" * 5000 + "}"),
        7,
        f"Line 7 of the data set is not JSON: a number has too many digits. {ONE_A_LINE}",
    ),
    Broken(
        "1e999 as a text",
        lambda: lines('{"text": 1e999, "label": "town"}'),
        7,
        f'Line 7 of the data set has no "text" that is a string: {FORM}',
    ),
    Broken(
        "a NUL byte in a string",
        lambda: lines('{"text": "a\0b", "label": "town"}'),
        7,
        f"Line 7 of the data set is not JSON: Invalid control character at, column 12. {ONE_A_LINE}",
    ),
    Broken("a string among the objects", lambda: array("a house"), 7, f"Example 7 of the data set is not an object: {FORM}"),
    # --- texts and labels ---
    Broken(
        "a text of white space",
        lambda: lines({"text": " \u2003\t", "label": "town"}),
        7,
        "Line 7 of the data set has an empty text: give it a text or leave it out.",
    ),
    Broken(
        "a text of 20,001 characters",
        lambda: lines({"text": "a" * 20_001, "label": "town"}),
        7,
        "Line 7 of the data set has a text of 20,001 characters: at most 20,000. Shorten it.",
    ),
    Broken(
        "labels that are an object",
        lambda: array({"text": "a", "labels": {"town": True}}),
        7,
        f"Example 7 of the data set has a label that is not a string: {FORM}",
    ),
    Broken(
        "a label in a list in a list",
        lambda: lines({"text": "a", "labels": [["town"]]}),
        7,
        f"Line 7 of the data set has a label that is not a string: {FORM}",
    ),
    Broken(
        "a label of 201 characters",
        lambda: lines({"text": "a", "label": "t" * 201}),
        7,
        "Line 7 of the data set has a label of 201 characters: at most 200. Shorten it.",
    ),
    Broken(
        "100,000 labels in a row",
        lambda: lines({"text": "a", "labels": [f"{number}" for number in range(100_000)]}),
        7,
        "Line 7 of the data set has 100,000 labels: at most 1,000.",
    ),
    Broken(
        "1,001 labels",
        lambda: json.dumps([{"text": f"{n}", "label": f"{n // 2}"} for n in range(2002)]).encode(),
        None,
        "The data set has 1,001 labels: at most 1,000.",
    ),
    Broken(
        "a label for each of 50,000 rows",
        lambda: json.dumps([{"text": f"{n}", "label": f"{n}"} for n in range(50_000)]).encode(),
        None,
        "The data set has more than 10,000 labels: at most 1,000.",
    ),
    Broken(
        "one label",
        lambda: json.dumps([{**each, "label": "town"} for each in GOOD]).encode(),
        None,
        "The data set has only the label 'town': a classifier needs examples of at least two.",
    ),
    # --- CSV ---
    Broken(
        "only a header", lambda: b"text,label\n", None, "The data set has no label at all: a classifier needs examples of at least two."
    ),
    Broken(
        "two columns of one name",
        lambda: table("a boat,sea,town", header="text,Text,label"),
        1,
        "Line 1 of the data set has two columns named text (upper and lower case are the same): rename or remove one.",
    ),
    Broken(
        "a quote that is never closed",
        lambda: table('"a boat,town', "a, b,town"),
        8,
        "Line 8 of the data set opens a quote that is never closed: close it, and double the quotes inside it.",
    ),
    Broken(
        "one in a long file",
        lambda: table('"a boat,town', *["a,town"] * 100_000),
        8,
        "Line 8 of the data set opens a quote that is never closed: close it, and double the quotes inside it.",
    ),
    Broken(
        "a quote inside a quoted text",
        lambda: table('"a "small" boat",town'),
        8,
        "Line 8 of the data set has text between a closing quote and the next delimiter: double the quotes inside a quoted text.",
    ),
    Broken(
        "a comma that isn't quoted",
        lambda: table("a boat, a net,town"),
        8,
        "Line 8 of the data set has 3 columns, but the header has 2: quote texts that contain a comma or a quote.",
    ),
    Broken(
        "a million columns",
        lambda: table("a" + ",b" * 999_999),
        8,
        "Line 8 of the data set has 1,000,000 columns, but the header has 2: quote texts that contain a comma or a quote.",
    ),
    Broken(
        "a column of 200,000 characters",
        lambda: table("a" * 200_000 + ",town"),
        8,
        "Line 8 of the data set has a text of 200,000 characters: at most 20,000. Shorten it.",
    ),
    Broken(
        "a quoted text of 5 MB",
        lambda: table('"' + "a boat\n" * 700_000 + '",town'),
        8,
        "Line 8 of the data set has more than 4,000,000 bytes, because its quote is open until line 700008:"
        " close the quote where the text ends, or shorten the text.",
    ),
    Broken("NUL bytes in a CSV", lambda: table("a\0boat,town"), 8, "Line 8 of the data set holds a NUL byte: save the file as UTF-8 text."),
    Broken(
        "carriage returns alone",
        lambda: table("a,town\rb,town"),
        8,
        "Line 8 of the data set contains a carriage return: end lines with LF or CRLF, and quote texts that contain one.",
    ),
    Broken(
        "three columns for Comprehend",
        lambda: comprehend("town,a boat, a net"),
        7,
        "Line 7 of the data set has 3 columns, but the first line has 2: quote texts that contain a comma or a quote.",
        "texts.csv",
    ),
    # --- others ---
    Broken(
        "fastText without a label",
        lambda: fasttext("a boat"),
        7,
        "Line 7 of the data set does not begin with __label__: expected __label__a __label__b, then the text.",
    ),
    Broken(
        "fastText without a text",
        lambda: fasttext("__label__town"),
        7,
        "Line 7 of the data set has an empty text: give it a text or leave it out.",
    ),
    Broken(
        "300,000 labels in fastText",
        lambda: fasttext("__label__a " * 300_000 + "x"),
        7,
        "Line 7 of the data set has 300,000 labels: at most 1,000.",
    ),
    Broken(
        "a manifest without labels",
        lambda: manifest({"source": "a boat"}),
        7,
        'Line 7 of the data set has no labelling attribute: expected "NAME", and "NAME-metadata" with class-name or class-map, for one'
        " NAME.",
    ),
    Broken(
        "a manifest with unknown numbers",
        lambda: manifest({"source": "a", "t": [3], "t-metadata": {"class-map": {"0": "town"}}}),
        7,
        'Line 7 of the data set has a "t" that is not a list of numbers of its class-map.',
    ),
    Broken(
        "a manifest of references",
        lambda: manifest({"source-ref": "s3://texts/1.txt"}),
        7,
        'Line 7 of the data set has no "source" that is a string: put the text into the line ("source-ref" is not fetched).',
    ),
    Broken(
        "an answer that Prodigy has not",
        lambda: prodigy({"text": "a", "label": "town", "answer": "yes"}),
        7,
        'Line 7 of the data set has an unknown "answer": use one of accept, reject, ignore.',
    ),
]


def documented() -> str:
    """The table of docs/datasets.md."""
    rows = (f"| {broken.what} | {_cell(broken.sentence)} |" for broken in BROKEN)
    return "\n".join([BEGIN, "", "| broken by | the sentence |", "| --- | --- |", *rows, "", END])


def _cell(sentence: str) -> str:
    return sentence.replace("|", "\\|").replace("__label__", "\\_\\_label\\_\\_")


def in_document() -> str:
    text = DOCUMENT.read_text(encoding="utf-8")
    return text[text.index(BEGIN) : text.index(END) + len(END)]


if __name__ == "__main__":
    whole = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(whole.replace(in_document(), documented()), encoding="utf-8")
