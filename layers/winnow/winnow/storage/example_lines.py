"""Examples and other records in S3: one JSON value in each line, packed with gzip."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from winnow.domain.dataset import Example

# The member of a line that has the subject.
SUBJECT = "subject"
# The errors of reading bytes that `packed` didn't make.
UNREADABLE = (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError)


def packed_examples(examples: Iterable[Example]) -> bytes:
    """The texts, labels and subjects of examples, without their rows."""
    return packed(example_record(example) for example in examples)


def unpacked_examples(body: bytes) -> Iterator[Example]:
    """The examples that `packed_examples` packed. One of the errors UNREADABLE for other bytes."""
    return (Example(record["text"], tuple(record["labels"]), subject=record.get(SUBJECT)) for record in unpacked(body))


def example_record(example: Example) -> dict[str, Any]:
    """An example in a line. One without a subject has no such member, as in earlier releases."""
    return {"text": example.text, "labels": example.labels} | ({} if example.subject is None else {SUBJECT: example.subject})


def packed(records: Iterable[Any]) -> bytes:
    """One JSON value in each line, without a newline at the end. Lines are packed one by one, so memory holds only packed lines."""
    with BytesIO() as body:
        with gzip.GzipFile(fileobj=body, mode="wb", compresslevel=6, mtime=0) as file:
            for number, record in enumerate(records):
                file.write((b"\n" if number else b"") + json.dumps(record, ensure_ascii=False).encode())
        return body.getvalue()


def unpacked(body: bytes) -> Iterator[Any]:
    """The values that `packed` packed. One of the errors UNREADABLE for other bytes."""
    with gzip.GzipFile(fileobj=BytesIO(body)) as file:
        for line in file:
            yield json.loads(line)
