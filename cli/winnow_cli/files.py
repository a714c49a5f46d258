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
from winnow_cli.converting import readable
from winnow_cli.failures import UsageError
from winnow_cli.terminal import Terminal, line
from winnow_client import WinnowError

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


class Uploads:
    """The files that a command has uploaded, to be removed when the API has read them."""

    def __init__(self, client: Client, terminal: Terminal, *, keep: bool = False) -> None:
        self._client, self._terminal, self._keep = client, terminal, keep
        self._names: list[str] = []

    def in_s3(self, source: str) -> dict[str, str]:
        """As the function of this name. Files that were in S3 before are never removed."""
        return in_s3(self._client, self._terminal, source, self._names)

    def remove(self) -> None:
        """Remove what was uploaded. If that can't be done, the command says it and goes on."""
        for name in () if self._keep else self._names:
            try:
                self._client.call("DELETE", f"/datasets/{name}")
            except WinnowError as error:
                if getattr(error, "status", None) != 404:
                    self._terminal.say(line(f"The upload is still there: `winnow datasets --remove {name}` removes it.", "dim"))
        self._names.clear()

    def stay(self) -> None:
        """Say that what was uploaded stays, because nobody waits until it is read."""
        for name in () if self._keep else self._names:
            self._terminal.say(line(f"The upload stays: `winnow datasets --remove {name}` removes it when the work has ended.", "dim"))


def in_s3(client: Client, terminal: Terminal, source: str, names: list[str] | None = None) -> dict[str, str]:
    """The file's bucket and key, for a request. A local file is uploaded first; a workbook or Parquet as CSV or JSON Lines.

    names: gets the name of an upload.
    """
    if known := _S3.fullmatch(source):
        return {"s3bucket": known[1], "training_object": known[2]}
    path = Path(source)
    with opened(path) as content, Progress(console=terminal.aside, disable=not terminal.aside.is_terminal, transient=True) as bar:
        if not path.is_file():
            raise UsageError(f"Can't upload {path}: it is not a regular file.")
        with readable(path, content) as (name, readable_content, size):
            stored = client.typed.upload(bar.wrap_file(readable_content, size, description="uploading"), name)
    if names is not None and stored.name:
        names.append(stored.name)
    return {"s3bucket": stored.s3bucket, "training_object": stored.training_object}


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


def texts_by_row(path: Path) -> dict[int, str]:
    """The texts of a data set by the numbers of their rows, as the API counts them (docs/datasets.md).

    Raises UsageError if the file can't be read. In a format without names (fastText, CSV without a header) a text is the whole row.
    """
    text = decoded(path)
    try:
        return {number: each for number, each in _numbered(text) if each}
    except (ValueError, csv.Error) as error:
        raise UsageError(f"Can't read {path}: {error}") from error


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    begin = text.lstrip()[:1]
    if begin == "[":
        yield from ((number, _text_of(each)) for number, each in enumerate(json.loads(text), start=1))
    elif begin == "{":
        yield from ((number, _text_of(json.loads(row))) for number, row in enumerate(text.split("\n"), start=1) if row.strip())
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


def decoded(path: Path) -> str:
    """The text of a file, which may be packed with gzip. Raises UsageError if it can't be read or is not UTF-8."""
    with opened(path) as stream:
        body = stream.read()
    try:
        return (gzip.decompress(body) if body.startswith(_GZIP) else body).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: save it as UTF-8.") from error


def parts(items: Iterable[str], most: int, most_bytes: int) -> Iterator[list[str]]:
    """The items in order, in parts of at most `most` items and `most_bytes` bytes of JSON. A larger item is a part by itself."""
    part: list[str] = []
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
