"""The examples of a feedback request: a list in the request, or a file in S3 that is read while the client waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Any

from winnow.aws import resources
from winnow.datasets.row_problems import Kind
from winnow.domain.dataset import DatasetReference, Example, example_id
from winnow.domain.errors import DatasetError, InvalidFieldError
from winnow.domain.feedback import Action, FeedbackLine
from winnow.domain.normal_form import is_blank, label_form
from winnow.training.dry_run import MOST_BYTES_AT_ONCE
from winnow.training.logged_texts import check_named, logged_texts
from winnow.training.read_dataset import EnoughError, ReadFile, read_feedback

if TYPE_CHECKING:
    from winnow.domain.model import Model, Version

# The most rows of a file: as many as `retrain_after` may wait for.
MOST_ROWS = 100_000

_IN_PARTS = "send the file in parts, or train a new version on all examples with POST /models."


@dataclass(frozen=True, slots=True)
class Sent:
    """The examples of a request.

    file: what was read, as the API shows it; None for a list. named: those that the request names by their ids, as the base has them.
    """

    lines: Sequence[FeedbackLine]
    file: Mapping[str, Any] | None = None
    named: Sequence[Example] = ()

    def dismissed(self, uid: str) -> set[str]:
        """The ids of the suspects that the request dismisses."""
        return {example_id(uid, line.example.text) for line in self.lines if line.action is Action.KEEP}


# Takes the model and the version that feedback builds on. InvalidFieldError or DatasetError if the examples can't be trained on;
# ExampleNotFoundError; PredictionNotFoundError.
Examples = Callable[["Model", "Version"], Sent]


def in_request(given: Sequence[Mapping[str, Any]]) -> Examples:
    """The examples of a request's list. In place of a text, some may name an example of the base, or a prediction: the log has its text.

    InvalidFieldError if a text or a label has only characters without width, or too many predictions are named.
    """
    items = [(f"examples[{place}]", each, _labels(f"examples[{place}]", each)) for place, each in enumerate(given)]
    fields = {each["example"]: f"{place}.example" for place, each, _ in items if "example" in each}
    predictions = {f"{place}.prediction_id": each["prediction_id"] for place, each, _ in items if "prediction_id" in each}
    check_named(predictions)

    def lines(named: Mapping[str, Example], texts: Mapping[str, str]) -> Iterator[tuple[str, FeedbackLine]]:
        for place, each, labels in items:
            if "example" in each:
                example = named[each["example"]]
            else:
                example = Example(each["text"] if "text" in each else texts[each["prediction_id"]], ())
            if "subject" in each:
                example = replace(example, subject=each["subject"].strip())
            action = Action.DROP if "drop" in each else Action.KEEP if "keep" in each else Action.LABEL
            yield place, FeedbackLine(example if labels is None else replace(example, labels=labels), action)

    def checked(model: Model, base: Version) -> Sent:
        named: Mapping[str, Example] = {}
        if fields:
            # Needs numpy, which other feedback doesn't wait for, and which the sweeper lacks.
            from winnow.training.corrections import named_examples  # noqa: PLC0415

            named = named_examples(base, fields)
        made = list(lines(named, logged_texts(model, predictions)))
        for place, line in made:
            if base.dataset["exclusive"] and len(line.example.labels) != 1:
                raise InvalidFieldError(_not_exclusive(place, line.example), field=place)
        return Sent([line for _, line in made], named=list(named.values()))

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
        return Sent([FeedbackLine(example) for example in found.examples], shown)

    return lambda _, base: read(base.dataset["exclusive"])


def _labels(place: str, given: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The labels of an item of the request; None if it has none, because it keeps or drops an example."""
    if "text" in given and is_blank(given["text"]):
        raise InvalidFieldError(f"{place}.text has only characters that nobody sees: give it a text.", field=f"{place}.text")
    if "label" in given:
        named = [(f"{place}.label", given["label"])]
    elif "labels" in given:
        named = [(f"{place}.labels[{n}]", it) for n, it in enumerate(given["labels"])]
    else:
        return None
    for field, label in named:
        if not label_form(label):
            raise InvalidFieldError(f"{field} has only characters that nobody sees: name the label.", field=field)
    return tuple(dict.fromkeys(label_form(label) for _, label in named))


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
