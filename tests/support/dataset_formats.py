"""The same examples in every supported format."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence

Labelled = tuple[str, tuple[str, ...]]


def json_array(examples: Sequence[Labelled]) -> bytes:
    return json.dumps([{"text": text, "labels": labels} for text, labels in examples], indent=1).encode()


def json_lines(examples: Sequence[Labelled]) -> bytes:
    records = ({"text": text, "label": labels[0]} if len(labels) == 1 else {"text": text, "labels": labels} for text, labels in examples)
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode()


def csv_with_label(examples: Sequence[Labelled]) -> bytes:
    return _csv([["id", "text", "label"], *([str(number), text, labels[0]] for number, (text, labels) in enumerate(examples))])


def csv_with_labels(examples: Sequence[Labelled]) -> bytes:
    return b"\xef\xbb\xbf" + _csv([["labels", "text"], *(["|".join(labels), text] for text, labels in examples)])


def comprehend(examples: Sequence[Labelled]) -> bytes:
    return _csv([["|".join(labels), text] for text, labels in examples])


def fasttext(examples: Sequence[Labelled]) -> bytes:
    return "\n".join(" ".join([*(f"__label__{label}" for label in labels), text]) for text, labels in examples).encode()


def manifest(examples: Sequence[Labelled]) -> bytes:
    return _lines({"source": text, "topic": 1, "topic-metadata": {"class-name": labels[0], "confidence": 0.9}} for text, labels in examples)


def manifest_of_several(examples: Sequence[Labelled]) -> bytes:
    return _lines(
        {"source": text, "topics": [*range(len(labels))], "topics-metadata": {"class-map": dict(enumerate(labels))}}
        for text, labels in examples
    )


def prodigy(examples: Sequence[Labelled]) -> bytes:
    return _lines({"text": text, "label": labels[0], "answer": "accept", "_view_id": "classification"} for text, labels in examples)


def prodigy_choice(examples: Sequence[Labelled]) -> bytes:
    return _lines(
        {"text": text, "options": [{"id": label, "text": label} for label in labels], "accept": labels, "answer": "accept"}
        for text, labels in examples
    )


def _lines(records: object) -> bytes:
    return "".join(json.dumps(record) + "\r\n" for record in records).encode()  # type: ignore[attr-defined]


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    with io.StringIO(newline="") as file:
        csv.writer(file).writerows(rows)
        return file.getvalue().encode()


# By the object's name: the writer and the format's name in the report. Some formats allow only one label per text.
SEVERAL: dict[str, tuple[Callable[[Sequence[Labelled]], bytes], str]] = {
    "array.json": (json_array, "json-array"),
    "lines.jsonl": (json_lines, "json-lines"),
    "labels.csv": (csv_with_labels, "csv"),
    "comprehend.csv": (comprehend, "comprehend-csv"),
    "fasttext.txt": (fasttext, "fasttext"),
    "topics.manifest": (manifest_of_several, "augmented-manifest"),
    "choice.jsonl": (prodigy_choice, "prodigy"),
    "packed.csv.gz": (lambda examples: gzip.compress(comprehend(examples)), "comprehend-csv"),
    "packed": (lambda examples: gzip.compress(json_lines(examples)), "json-lines"),
}
ONE = SEVERAL | {
    "label.csv": (csv_with_label, "csv"),
    "topic.manifest": (manifest, "augmented-manifest"),
    "prodigy.jsonl": (prodigy, "prodigy"),
}
