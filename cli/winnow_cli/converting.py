"""Workbooks and Parquet files as CSV and JSON Lines, which the API reads. Needs the extra winnow-cli[files]."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from winnow_cli.failures import UsageError

_KINDS = {".xlsx": "a workbook", ".parquet": "Parquet"}


@contextmanager
def readable(path: Path, content: BinaryIO) -> Iterator[tuple[str, BinaryIO, int]]:
    """A name, bytes and their number that the API can read: the file itself, or what a workbook or a Parquet file holds.

    UsageError if the extra isn't installed or the file is broken.
    """
    kind = path.suffix.lower()
    if kind not in _KINDS:
        yield path.name, content, path.stat().st_size
        return
    with cast(BinaryIO, TemporaryFile()) as made:
        try:
            ending = _workbook(content, made) if kind == ".xlsx" else _parquet(content, made)
        except ImportError as error:
            raise UsageError(
                f"{path} is {_KINDS[kind]}: save it as CSV UTF-8, or install winnow-cli[files], which reads it"
                " (`pip install ./client './cli[files]'`)."
            ) from error
        except Exception as error:  # the readers raise errors of many kinds for a broken file
            raise UsageError(f"Can't read {path} as {_KINDS[kind]} ({type(error).__name__}): save it as CSV UTF-8.") from error
        size = made.tell()
        made.seek(0)
        yield path.stem + ending, made, size


def _workbook(content: BinaryIO, made: BinaryIO) -> str:
    """The first sheet as CSV. An empty row is an empty line, so that lines have the numbers of their rows. Returns the ending."""
    from openpyxl import load_workbook  # noqa: PLC0415 # of the extra

    sheet = load_workbook(content, read_only=True, data_only=True).worksheets[0]
    text = io.TextIOWrapper(made, encoding="utf-8", newline="")
    rows = csv.writer(text, lineterminator="\n")
    for cells in sheet.iter_rows(values_only=True):
        values = [_cell(cell) for cell in cells]
        rows.writerow(values if any(values) else [])
    text.flush()
    text.detach()
    return ".csv"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parquet(content: BinaryIO, made: BinaryIO) -> str:
    """The rows as JSON Lines, in parts that fit into memory. Returns the ending."""
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415 # of the extra

    file = ParquetFile(content)
    names = _label_names(file.schema_arrow.metadata or {})
    for batch in file.iter_batches():
        for row in batch.to_pylist():
            named = {column: _named(value, names[column]) if column in names else value for column, value in row.items()}
            made.write(json.dumps(named, ensure_ascii=False, default=str).encode() + b"\n")
    return ".jsonl"


def _label_names(metadata: Mapping[bytes, bytes]) -> dict[str, Sequence[str]]:
    """The names of numbered labels by column, which Hugging Face's data sets have beside the rows."""
    features = json.loads(metadata.get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    found = {column: feature.get("names") or (feature.get("feature") or {}).get("names") for column, feature in features.items()}
    return {column: names for column, names in found.items() if names}


def _named(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_named(each, names) for each in value]
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else value
