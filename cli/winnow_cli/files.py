"""Reading files and standard input, and uploading them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from rich.progress import Progress

from winnow_cli.client import Client
from winnow_cli.failures import UsageError
from winnow_cli.terminal import Terminal

_GZIP = b"\x1f\x8b"
_S3 = re.compile(r"s3://([^/]+)/(.+)", re.DOTALL)


def opened(path: Path) -> BinaryIO:
    """Open the file to read bytes. Raises UsageError if it is empty or can't be read."""
    try:
        if path.is_file() and not path.stat().st_size:
            raise UsageError(f"{path} is empty.")
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"Can't read {path}: {error.strerror}") from error


def in_s3(client: Client, terminal: Terminal, source: str) -> dict[str, str]:
    """The data set's bucket and key, for a training request. A local file is uploaded first."""
    if known := _S3.fullmatch(source):
        return {"s3bucket": known[1], "training_object": known[2]}
    path = Path(source)
    with opened(path) as content, Progress(console=terminal.aside, disable=not terminal.aside.is_terminal, transient=True) as bar:
        if not path.is_file():
            raise UsageError(f"Can't upload {path}: it is not a regular file.")
        size = path.stat().st_size
        return client.upload(_upload_name(path.name), bar.wrap_file(content, size, description="uploading"), bytes=size)


def _upload_name(name: str) -> str:
    """A similar name that POST /datasets accepts. The ending stays, because it shows the format."""
    return re.sub("[^A-Za-z0-9._-]+", "-", name)[-128:].lstrip("._-") or "dataset"


def lines(path: Path | None) -> Iterator[str]:
    """The lines of a file or of standard input, without blank ones. Raises UsageError if a line is not UTF-8."""
    with opened(path) if path else nullcontext(sys.stdin.buffer) as stream:
        for number, raw in enumerate(stream, start=1):
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip("\r\n")
            except UnicodeDecodeError as error:
                raise UsageError(f"Line {number} of {path or 'standard input'} is not UTF-8: save the texts as UTF-8.") from error
            if text.strip():
                yield text


def examples(path: Path) -> list[dict[str, Any]]:
    """The labelled examples of a JSON array, of JSON Lines, or of CSV with a header. Raises UsageError for any other file."""
    text = _decoded(path)
    try:
        found = list(_examples(text.lstrip()))
    except ValueError as error:
        raise UsageError(f"Can't read {path}: {error}") from error
    if not found:
        raise UsageError(f"{path} has no examples.")
    return found


def texts_by_row(path: Path) -> dict[int, str]:
    """The texts of a data set by the numbers of their rows, as the API counts them (docs/datasets.md).

    Raises UsageError if the file can't be read. In a format without names (fastText, CSV without a header) a text is the whole row.
    """
    text = _decoded(path)
    try:
        return {number: each for number, each in _numbered(text) if each}
    except (ValueError, csv.Error) as error:
        raise UsageError(f"Can't read {path}: {error}") from error


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    begin = text.lstrip()[:1]
    if begin == "[":
        yield from ((number, _text_of(each)) for number, each in enumerate(json.loads(text), start=1))
    elif begin == "{":
        yield from ((number, _text_of(json.loads(line))) for number, line in enumerate(text.split("\n"), start=1) if line.strip())
    else:
        number, column = 1, None
        records = csv.reader(io.StringIO(text, newline=""))
        for record in records:
            names = [name.strip().casefold() for name in record]
            if column is None and "text" in names:
                column = names.index("text")
            else:
                yield number, record[column] if column is not None and len(record) > column else ",".join(record)
            # A row with several lines has the number of the first one.
            number = records.line_num + 1


def _text_of(each: Mapping[str, Any]) -> str:
    return str(each.get("text", each.get("source", "")))


def _decoded(path: Path) -> str:
    with opened(path) as stream:
        body = stream.read()
    try:
        return (gzip.decompress(body) if body.startswith(_GZIP) else body).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: save it as UTF-8.") from error


def _examples(text: str) -> Iterable[dict[str, Any]]:
    if text.startswith("["):
        array: list[dict[str, Any]] = json.loads(text)
        return array
    if text.startswith("{"):
        return _json_lines(text)
    return _csv_rows(text)


def _json_lines(text: str) -> Iterator[dict[str, Any]]:
    for number, each in enumerate(text.split("\n"), start=1):
        if each.strip():
            try:
                yield json.loads(each)
            except json.JSONDecodeError as error:
                raise ValueError(f"line {number} is not JSON: {error.msg}") from error


def _csv_rows(text: str) -> Iterator[dict[str, Any]]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    names = set(rows.fieldnames or ())
    if "text" not in names or not names & {"label", "labels"}:
        raise ValueError("it must be a JSON array, JSON Lines, or CSV with the columns text and label (or labels)")
    try:
        for row in rows:
            yield _example(row, rows.line_num)
    except csv.Error as error:
        raise ValueError(f"line {rows.line_num} is not CSV: {error}") from error


def _example(row: Mapping[str, str | None], number: int) -> dict[str, Any]:
    text, label, several = row["text"], row.get("label"), row.get("labels")
    if text is None or (label is None and several is None):
        raise ValueError(f"line {number} has too few columns")
    if label is not None:
        return {"text": text, "label": label}
    return {"text": text, "labels": [each for each in (several or "").split("|") if each]}


def parts[T](items: Iterable[T], most: int, most_bytes: int) -> Iterator[list[T]]:
    """The items in order, in parts of at most `most` items and `most_bytes` bytes of JSON. A larger item is a part by itself."""
    part: list[T] = []
    size = 0
    for item in items:
        length = len(json.dumps(item)) + 2
        if part and (len(part) == most or size + length > most_bytes):
            yield part
            part, size = [], 0
        part.append(item)
        size += length
    if part:
        yield part
