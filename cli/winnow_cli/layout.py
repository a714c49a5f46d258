"""How a file is laid out: the fields of a request for the options, and the line that says how the API read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FORMATS = {"csv": "CSV", "comprehend-csv": "CSV without a header", "json-array": "JSON", "json-lines": "JSON Lines"}
_ENCODINGS = {"utf-8": "UTF-8", "utf-16": "UTF-16", "windows-1252": "Windows-1252"}
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def said(
    text_column: list[str] | None,
    delimiter: str | None,
    encoding: str | None,
    label_column: str | None = None,
    label_separator: str | None = None,
    *,
    subject_column: str | None = None,
) -> dict[str, Any]:
    """The fields of a request for the options that were given."""
    given = {
        "text_column": text_column[0] if text_column and len(text_column) == 1 else text_column,
        "label_column": label_column,
        "label_separator": label_separator,
        "subject_column": subject_column,
        "delimiter": delimiter,
        "encoding": encoding,
    }
    return {name: value for name, value in given.items() if value}


def understood(report: Mapping[str, Any]) -> str | None:
    """How the file of a report was read, in a line. None if the report doesn't say it."""
    how = {name: value for name, value in report.get("understood", {}).items() if value}
    if not how:
        return None
    # The format is null where nobody could say what the columns are.
    form = report["format"] and _FORMATS.get(report["format"], report["format"])
    parts = [form] if form else []
    if "delimiter" in how:
        parts = [f"{form or 'a table'} with {_DELIMITERS.get(how['delimiter'], how['delimiter'])}"]
    if "text_column" in how:
        columns = [how["text_column"]] if isinstance(how["text_column"], str) else how["text_column"]
        parts.append(f"text from {' + '.join(columns)}")
    if "label_column" in how:
        parts.append(f"label from {how['label_column']}")
    if "label_separator" in how:
        parts.append(f"labels separated by {how['label_separator']}")
    if "subject_column" in how:
        parts.append(f"subject from {how['subject_column']}")
    if "encoding" in how:
        parts.append(_ENCODINGS.get(how["encoding"], how["encoding"]))
    return f"Read as: {', '.join(parts)}"


def languages(report: Mapping[str, Any]) -> str | None:
    """The languages of a report's texts, in a line. None if the report doesn't say them."""
    found = report.get("languages")
    if not found:
        return None
    if len(found) == 1:
        return f"Language: {found[0]['language']}"
    shares = ", ".join(f"{each['language']} {each['share']:.0%}" for each in found)
    return f"Languages: {shares}"


def long_texts(report: Mapping[str, Any]) -> str | None:
    """How many of a report's texts are long, in a line. None if none is, or if the report doesn't say it."""
    count = report.get("texts_in_windows")
    return (
        f"Longer than 256 tokens: about {count:,} of {report['examples']:,} texts. Sentence encoders read them in windows."
        if count
        else None
    )
