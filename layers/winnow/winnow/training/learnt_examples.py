"""The examples of a version as clients see them again: written at Publish, and found by their ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from winnow.aws import resources
from winnow.domain.dataset import example_number
from winnow.evaluation.example_index import Blocks, ExampleIndex, Told, in_order
from winnow.storage.learnt_examples import MOST_EXAMPLES, Block

if TYPE_CHECKING:
    from winnow.domain.dataset import Example
    from winnow.domain.model import Version
    from winnow.storage.job_objects import Digests
    from winnow.training.calibrate import Answers

# The indexes that a function keeps in memory, in bytes.
_MOST_KEPT = 256 << 20

_kept: dict[str, ExampleIndex] = {}


def write_examples(version: Version, labels: Sequence[str], of_test: Answers | None, of_folds: Answers | None) -> Digests:
    """Write the examples of a version, with the answers about its test examples and those of its folds, where there are any.

    Returns the digests; none if there are too many examples.
    """
    if version.dataset["examples"] > MOST_EXAMPLES:
        return {}
    job, exclusive, stored = version.job, version.dataset["exclusive"], resources.learnt_examples()
    learnt, test = (resources.frozen_examples().read(version, part) for part in ("train", "test"))
    examples = [*learnt, *test]
    told = [] if of_test is None else [_told(range(len(learnt), len(examples)), of_test)]
    told += [] if of_folds is None or of_folds.places is None else [_told(of_folds.places, of_folds)]
    _, order = in_order(examples)
    digests, first, begin, sha256 = stored.write(job, (_record(examples[place], exclusive=exclusive) for place in order.tolist()))
    ids = (example_number(job.uid, example.text) for example in examples)
    blocks = Blocks(first, begin, sha256)
    index = ExampleIndex.of(examples, ids, len(learnt), told, blocks, labels=labels, exclusive=exclusive)
    return digests | stored.write_index(job, index.to_bytes())


def _told(places: Any, answers: Answers) -> Told:
    return Told(places, answers.truth, answers.scores, answers.thresholds, answers.accepted, answers.folds)


def index_of(version: Version) -> ExampleIndex:
    """The index of a version's examples. ExamplesNotFoundError if it has none; ArtifactError."""
    stored = resources.learnt_examples()
    sha256 = stored.index_digest(version)
    # The digest has no uid, but the ids in the index do: two models never share one.
    index = _kept.pop(sha256, None)
    if index is None:
        index = ExampleIndex.from_bytes(stored.index(version))
    _kept[sha256] = index
    # The one that was used longest ago goes first. The newest one stays in any case.
    while len(_kept) > 1 and sum(each.nbytes for each in _kept.values()) > _MOST_KEPT:
        del _kept[next(iter(_kept))]
    return index


def lines_of(version: Version, index: ExampleIndex, places: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """The place and the record of each of these examples, as JSON. ArtifactError."""
    blocks = index.blocks_of(places)
    lines = resources.learnt_examples().lines(version, [Block(number, *index.block(number)[1:]) for number in sorted(set(blocks))])
    first = {block: index.block(block)[0] for block in lines}
    return ((place, lines[block][place - first[block]]) for place, block in zip(places, blocks, strict=True))


def _record(example: Example, *, exclusive: bool) -> dict[str, Any]:
    """The example as POST /models takes it."""
    subject = {} if example.subject is None else {"subject": example.subject}
    return {"text": example.text} | ({"label": example.labels[0]} if exclusive else {"labels": example.labels}) | subject
