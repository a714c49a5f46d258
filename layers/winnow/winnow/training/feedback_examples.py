"""The examples of a feedback request: a list in the request, or a file in S3 that is read while the client waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from time import monotonic
from typing import Any

from winnow.aws import resources
from winnow.datasets.row_problems import Kind
from winnow.domain.dataset import DatasetReference, Example
from winnow.domain.errors import DatasetError, InvalidFieldError
from winnow.domain.model import Model
from winnow.domain.normal_form import is_blank, label_form
from winnow.training.dry_run import MOST_BYTES_AT_ONCE
from winnow.training.logged_texts import check_named, logged_texts
from winnow.training.read_dataset import EnoughError, ReadFile, read_feedback

# The most rows of a file: as many as `retrain_after` may wait for.
MOST_ROWS = 100_000

_IN_PARTS = "send the file in parts, or train a new version on all examples with POST /models."


@dataclass(frozen=True, slots=True)
class Sent:
    """The examples of a request. file: what was read, as the API shows it; None for a list."""

    examples: Sequence[Example]
    file: Mapping[str, Any] | None = None


# Takes the model, and whether its labels are exclusive. InvalidFieldError or DatasetError if the examples can't be trained on.
Examples = Callable[[Model, bool], Sent]


def in_request(given: Sequence[Mapping[str, Any]]) -> Examples:
    """The examples of a request's list. Some may name a prediction in place of a text: the model's log has the text.

    InvalidFieldError if a text or a label has only characters without width, or too many predictions are named; PredictionNotFoundError.
    """
    examples = [_example(f"examples[{place}]", each) for place, each in enumerate(given)]
    named = {place: each["prediction_id"] for place, each in enumerate(given) if "prediction_id" in each}
    fields = {f"examples[{place}].prediction_id": name for place, name in named.items()}
    check_named(fields)

    def checked(model: Model, exclusive: bool) -> Sent:
        for place, example in enumerate(examples):
            if exclusive and len(example.labels) != 1:
                raise InvalidFieldError(_not_exclusive(f"examples[{place}]", example), field=f"examples[{place}]")
        texts = logged_texts(model, fields) if named else {}
        return Sent([replace(each, text=texts[named[place]]) if place in named else each for place, each in enumerate(examples)])

    return checked


def in_file(file: DatasetReference, seconds: float) -> Examples:
    """The examples of a file, which has at most MOST_ROWS rows and MOST_BYTES_AT_ONCE bytes and can be read in this time."""
    until = monotonic() + seconds
    of_deployment = resources.ceilings()
    ceilings = replace(of_deployment, rows=min(MOST_ROWS, of_deployment.rows), bytes=min(MOST_BYTES_AT_ONCE, of_deployment.bytes))

    @cache
    def read(exclusive: bool) -> Sent:
        try:
            # Whether each text has exactly one label is checked below: the report's sentence is about a field of trainings.
            found = read_feedback(file, ceilings, exclusive=None if exclusive else False, enough=lambda _: monotonic() > until)
        except EnoughError as error:
            raise DatasetError(f"The file takes too long to read: {_IN_PARTS}") from error
        _check(found, exclusive)
        facts, report = found.reader.facts(), found.report.as_dict()
        shown = {
            "format": facts["format"],
            "rows": facts["rows"],
            "understood": facts.get("understood", {}),
            "problems": report["problems"],
        }
        return Sent(found.examples, shown)

    return lambda _, exclusive: read(exclusive)


def _example(place: str, given: Mapping[str, Any]) -> Example:
    if "text" in given and is_blank(given["text"]):
        raise InvalidFieldError(f"{place}.text has only characters that nobody sees: give it a text.", field=f"{place}.text")
    named = (
        [(f"{place}.label", given["label"])] if "label" in given else [(f"{place}.labels[{n}]", it) for n, it in enumerate(given["labels"])]
    )
    for field, label in named:
        if not label_form(label):
            raise InvalidFieldError(f"{field} has only characters that nobody sees: name the label.", field=field)
    return Example(given.get("text", ""), tuple(dict.fromkeys(label_form(label) for _, label in named)))


def _check(found: ReadFile, exclusive: bool) -> None:
    """DatasetError if the file can't be trained on, or has a text without exactly one label although labels are exclusive."""
    refusal = found.report.refusal('POST /models with "dry_run": true')
    if refusal and any(each.kind is Kind.TOO_LARGE for each in found.report.problems):
        raise DatasetError(f"{refusal} Feedback takes files of at most {MOST_ROWS:,} rows and {MOST_BYTES_AT_ONCE:,} bytes: {_IN_PARTS}")
    if refusal:
        raise DatasetError(refusal)
    for example in found.examples:
        if exclusive and len(example.labels) != 1:
            raise DatasetError(_not_exclusive(f"Row {example.row} of the file", example))


def _not_exclusive(which: str, example: Example) -> str:
    return f"{which} has {len(example.labels)} labels, but each text of this model must have exactly one."
