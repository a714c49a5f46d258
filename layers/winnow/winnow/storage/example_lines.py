"""Examples and other records in S3: one JSON value in each line, packed with gzip."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from winnow.domain.dataset import Example

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket


def write_examples(bucket: Bucket, key: str, examples: Iterable[Example]) -> None:
    """Write the texts and labels of examples. Their rows are not written."""
    write_lines(bucket, key, ({"text": example.text, "labels": example.labels} for example in examples))


def read_examples(bucket: Bucket, key: str) -> Iterator[Example]:
    """The examples that `write_examples` wrote."""
    return (Example(record["text"], tuple(record["labels"])) for record in read_lines(bucket, key))


def write_lines(bucket: Bucket, key: str, records: Iterable[Any]) -> None:
    """Write one JSON value in each line, without a newline at the end. Lines are packed one by one, so memory holds only packed lines."""
    with BytesIO() as body:
        with gzip.GzipFile(fileobj=body, mode="wb", compresslevel=6, mtime=0) as packed:
            for number, record in enumerate(records):
                packed.write((b"\n" if number else b"") + json.dumps(record, ensure_ascii=False).encode())
        bucket.put(key, body.getvalue())


def read_lines(bucket: Bucket, key: str) -> Iterator[Any]:
    """The values that `write_lines` wrote."""
    body = bucket.s3.get_object(Bucket=bucket.name, Key=key)["Body"]
    with gzip.GzipFile(fileobj=BytesIO(body.read())) as packed:
        for line in packed:
            yield json.loads(line)
