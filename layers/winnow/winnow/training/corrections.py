"""Feedback that names examples of a version by their ids, and what such feedback leaves of its labels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING

from winnow.datasets.split import FEWEST_TEXTS, listed
from winnow.domain.dataset import Example, example_number
from winnow.domain.errors import ExampleNotFoundError, InvalidFieldError
from winnow.domain.feedback import Action
from winnow.registry.versions import check_measured
from winnow.training.learnt_examples import index_of, lines_of

if TYPE_CHECKING:
    from winnow.domain.feedback import FeedbackLine
    from winnow.domain.model import Version

# Each may be in a block of its own, of 64 KB.
_AT_ONCE = 128


def named_examples(version: Version, fields: Mapping[str, str]) -> dict[str, Example]:
    """The examples with these ids, as the version has them. fields: the field of the request that has the id, by the id.

    If a text comes several times in the version, its first labels count. ExampleNotFoundError for an unknown id; ExamplesNotFoundError or
    NotMeasuredError if the version has no list of its examples; ArtifactError.
    """
    check_measured(version)
    index = index_of(version)
    places = index.first_places({int(name, 16) for name in fields})
    for name, field in fields.items():
        if int(name, 16) not in places:
            raise ExampleNotFoundError(version.job.model_id, version.job.version, name, field)
    texts = {
        place: json.loads(line)["text"]
        for some in batched(sorted(places.values()), _AT_ONCE, strict=False)
        for place, line in lines_of(version, index, some)
    }
    found = {}
    for name in fields:
        place = places[int(name, 16)]
        found[name] = Example(texts[place], index.labels_of(place))
    return found


def check_labels_left(version: Version, lines: Sequence[FeedbackLine], named: Iterable[Example]) -> None:
    """InvalidFieldError if the lines take so many texts from a label that it has too few left.

    named: the examples that the request names by their ids. Only the labels of these are checked.
    """
    index, uid = index_of(version), version.job.uid
    newest = {example_number(uid, line.example.text): line for line in lines}
    short = []
    for label in sorted({label for example in named for label in example.labels}):
        before = index.ids_with(label)
        after = before.difference(newest) | {
            number for number, line in newest.items() if line.action is not Action.DROP and label in line.example.labels
        }
        if len(after) < FEWEST_TEXTS <= len(before):
            short.append(label)
    if short:
        raise InvalidFieldError(
            f"Without these texts, fewer than {FEWEST_TEXTS} would be left of {listed(short)}, and a label needs {FEWEST_TEXTS}:"
            " send more texts of it in the same request, or leave it its texts.",
            field="examples",
        )
