"""The index of a version's examples: what is known of each of them as columns of numbers, to filter and to sort. numpy only.

Its order is the order of the examples' texts in storage: the data set by rows, then the client's test set, then feedback by batches.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from winnow.domain.dataset import OF_DATA_SET, OF_TEST_SET
from winnow.evaluation.measures import rounded, whole
from winnow.evaluation.report import predicted_flags, surest_mistakes
from winnow.recipes import arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.domain.dataset import Example
    from winnow.evaluation.measures import Flags

    type Floats = NDArray[np.float32]
    type Places = NDArray[np.intp]

# The column `part`: the number of the fold that held the example out, or one of these.
_LEARNT, _TEST = -1, -2


class Sort(StrEnum):
    """The order of a list of examples.

    ROW: that of the index. SCORE: the surest answers first. MARGIN: the least certain answers first. Examples without an answer come last.
    """

    ROW = "row"
    SCORE = "score"
    MARGIN = "margin"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asks for. None: no condition. split: "train", "test", or the number of a fold from 1."""

    label: str | None = None
    predicted: str | None = None
    wrong: bool | None = None
    split: str | None = None
    sort: Sort = Sort.ROW


class Told(NamedTuple):
    """The answers about m of n examples. places: of these among the n examples, of shape (m,).

    truth, scores, thresholds: of shape (m, C). accepted: whether any label is accepted. folds: None if no fold held them out.
    """

    places: Sequence[int] | NDArray[np.int32]
    truth: Flags
    scores: Floats
    thresholds: Floats
    accepted: NDArray[np.bool_]
    folds: NDArray[np.int8] | None


class Blocks(NamedTuple):
    """Where the texts are. first: the place of each block's first example. begin: where each block begins, and the end of the last.

    sha256: the first 8 bytes of each block's digest, as a number.
    """

    first: Sequence[int]
    begin: Sequence[int]
    sha256: Sequence[int]


def in_order(examples: Sequence[Example]) -> tuple[list[str], Places]:
    """The sources of the examples, and the places of the examples in the order of the index."""
    batches = sorted({example.source for example in examples}.difference({OF_DATA_SET, OF_TEST_SET}))
    sources = [OF_DATA_SET, OF_TEST_SET, *batches]
    number = {source: place for place, source in enumerate(sources)}
    of_source = np.fromiter((number[example.source] for example in examples), np.uint32, len(examples))
    rows = np.fromiter((example.row for example in examples), np.uint32, len(examples))
    return sources, np.lexsort((rows, of_source))


@dataclass(frozen=True, slots=True)
class ExampleIndex:
    """The index of n examples with C labels.

    columns, each of n values: id, row, source (its number), part, score, margin, wrong, accepted. true and predicted have the labels of all
    examples one after the other, with true_score and predicted_score beside them. true_end and predicted_end say where those of each
    example end. A score that isn't known is NaN. first, begin and sha256 are of the blocks of texts (`Blocks`).
    """

    labels: tuple[str, ...]
    sources: tuple[str, ...]
    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def of(
        cls,
        examples: Sequence[Example],
        ids: Iterable[int],
        learnt: int,
        told: Iterable[Told],
        blocks: Blocks,
        *,
        labels: Sequence[str],
        exclusive: bool,
    ) -> Self:
        """The index of a version. examples: those that it learnt, `learnt` in number, and then its test examples.

        ids: the numbers of the examples' ids. blocks: of the texts in the order of the index.
        """
        size = len(examples)
        sources, order = in_order(examples)
        number = {source: place for place, source in enumerate(sources)}
        part = np.full(size, _LEARNT, np.int8)
        part[learnt:] = _TEST
        columns: dict[str, NDArray[Any]] = {
            "id": np.fromiter(ids, np.uint64, size),
            "row": np.fromiter((example.row for example in examples), np.uint32, size),
            "source": np.fromiter((number[example.source] for example in examples), np.uint32, size),
            "part": part,
            "score": np.full(size, np.nan, np.float32),
            "margin": np.full(size, np.nan, np.float32),
            "wrong": np.zeros(size, np.bool_),
            "accepted": np.zeros(size, np.bool_),
        }
        true = _Lists.of(examples, labels)
        said = [true.scored(each, exclusive=exclusive, columns=columns) for each in told]
        predicted = _Lists.joined(size, said)
        columns = {name: column[order] for name, column in columns.items()}
        of_blocks: dict[str, NDArray[Any]] = {
            "first": np.array(blocks.first, np.uint32),
            "begin": np.array(blocks.begin, np.uint64),
            "sha256": np.array(blocks.sha256, np.uint64),
        }
        return cls(tuple(labels), tuple(sources), columns | true.columns("true", order) | predicted.columns("predicted", order) | of_blocks)

    def to_bytes(self) -> bytes:
        """The index as a numpy archive."""
        file = io.BytesIO()
        names = np.frombuffer(json.dumps([self.labels, self.sources], ensure_ascii=False).encode(), np.uint8)
        np.savez(file, allow_pickle=False, names=names, **self.columns)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, archive: bytes) -> Self:
        """What `to_bytes` returned."""
        columns = arrays.read(archive)
        labels, sources = json.loads(columns.pop("names").tobytes())
        return cls(tuple(labels), tuple(sources), columns)

    def __len__(self) -> int:
        return len(self.columns["id"])

    @property
    def nbytes(self) -> int:
        """The memory that the index takes."""
        return sum(column.nbytes for column in self.columns.values())

    def found(self, wanted: Wanted) -> Places:
        """The places of the wanted examples, in the wanted order. The labels must be among those of the index."""
        there, columns = np.ones(len(self), np.bool_), self.columns
        for name, label in (("true", wanted.label), ("predicted", wanted.predicted)):
            if label is not None:
                there &= self._has(name, self.labels.index(label))
        if wanted.wrong is not None:
            there &= ~np.isnan(columns["score"]) & (columns["wrong"] == wanted.wrong)
        if wanted.split is not None:
            part = columns["part"]
            there &= (
                part == _TEST if wanted.split == "test" else part >= _LEARNT if wanted.split == "train" else part == int(wanted.split) - 1
            )
        places = np.flatnonzero(there)
        match wanted.sort:
            case Sort.SCORE:
                return places[np.argsort(-columns["score"][places], kind="stable")]
            case Sort.MARGIN:
                return places[np.argsort(columns["margin"][places], kind="stable")]
        return places

    def first_places(self, numbers: Set[int]) -> dict[int, int]:
        """The first place of each of the ids that are there."""
        ids = self.columns["id"]
        places = np.flatnonzero(np.isin(ids, np.fromiter(numbers, np.uint64, len(numbers))))
        # Backwards, so that the first place of an id is the one that stays.
        return {int(ids[place]): place for place in reversed(places.tolist())}

    def ids_with(self, label: str) -> set[int]:
        """The ids of the examples that have the label."""
        ids: set[int] = set(self.columns["id"][self._has("true", self.labels.index(label))].tolist())
        return ids

    def blocks_of(self, places: Sequence[int] | Places) -> list[int]:
        """The number of the block that has the text of each of these examples."""
        blocks: list[int] = (np.searchsorted(self.columns["first"], places, side="right") - 1).tolist()
        return blocks

    def block(self, number: int) -> tuple[int, int, int, int]:
        """Of one block: the place of its first example, where it begins and ends, and the number of its digest."""
        first, begin, sha256 = (self.columns[name] for name in ("first", "begin", "sha256"))
        return int(first[number]), int(begin[number]), int(begin[number + 1]), int(sha256[number])

    def labels_of(self, place: int) -> tuple[str, ...]:
        """The labels that an example has."""
        return tuple(self.labels[label] for label in self.columns["true"][self._own("true", place)].tolist())

    def facts(self, place: int) -> dict[str, Any]:
        """All that is known of one example but its text, as JSON values."""
        own = {name: self.columns[name][place].item() for name in ("id", "row", "source", "part", "score", "margin", "wrong", "accepted")}
        answered, source, part = not np.isnan(own["score"]), self.sources[own["source"]], own["part"]
        predicted = sorted(self._scored("predicted", place), key=lambda each: -each["score"])
        return {
            "example": own["id"].to_bytes(8).hex(),
            "row": own["row"],
            "source": {OF_DATA_SET: "training_object", OF_TEST_SET: "test_object"}.get(source, "feedback"),
            "batch": source if source not in {OF_DATA_SET, OF_TEST_SET} else None,
            "split": "test" if part == _TEST else "train",
            "fold": part + 1 if part >= 0 else None,
            "labels": self._scored("true", place),
            "predicted": predicted if answered else None,
            "accepted": own["accepted"] if answered else None,
            "wrong": own["wrong"] if answered else None,
            "score": rounded(own["score"]) if answered else None,
            "margin": rounded(own["margin"]) if answered else None,
        }

    def _scored(self, name: str, place: int) -> list[dict[str, Any]]:
        own = self._own(name, place)
        pairs = zip(self.columns[name][own].tolist(), self.columns[f"{name}_score"][own].tolist(), strict=True)
        return [{"label": self.labels[label], "score": None if np.isnan(score) else rounded(score)} for label, score in pairs]

    def _own(self, name: str, place: int) -> slice:
        ends = self.columns[f"{name}_end"]
        return slice(int(ends[place - 1]) if place else 0, int(ends[place]))

    def _has(self, name: str, label: int) -> NDArray[np.bool_]:
        has = np.zeros(len(self), np.bool_)
        has[np.searchsorted(self.columns[f"{name}_end"], np.flatnonzero(self.columns[name] == label), side="right")] = True
        return has


@dataclass(frozen=True, slots=True)
class _Lists:
    """Labels of n examples: the example of each, in rising order, the label, and its score."""

    size: int
    place: Places
    label: NDArray[np.uint16]
    score: Floats

    @classmethod
    def of(cls, examples: Sequence[Example], labels: Sequence[str]) -> Self:
        """The labels that the examples have, without scores."""
        column = {label: number for number, label in enumerate(labels)}
        counts = np.fromiter((len(example.labels) for example in examples), np.intp, len(examples))
        place = np.repeat(np.arange(len(examples)), counts)
        label = np.fromiter((column[label] for example in examples for label in example.labels), np.uint16, len(place))
        return cls(len(examples), place, label, np.full(len(place), np.nan, np.float32))

    @classmethod
    def joined(cls, size: int, lists: Sequence[Self]) -> Self:
        """The lists of different examples as one."""
        place = np.concatenate([np.empty(0, np.intp), *(each.place for each in lists)])
        order = np.argsort(place, kind="stable")
        label = np.concatenate([np.empty(0, np.uint16), *(each.label for each in lists)])
        score = np.concatenate([np.empty(0, np.float32), *(each.score for each in lists)])
        return cls(size, place[order], label[order], score[order])

    def scored(self, told: Told, *, exclusive: bool, columns: Mapping[str, NDArray[Any]]) -> _Lists:
        """Write the answers' scores beside these labels, and into the columns. Returns the predicted labels."""
        places, truth, scores, thresholds = np.asarray(told.places, np.intp), told.truth, told.scores, told.thresholds
        row_of = np.full(self.size, -1, np.intp)
        row_of[places] = np.arange(len(places))
        rows = row_of[self.place]
        self.score[rows >= 0] = scores[rows[rows >= 0], self.label[rows >= 0]]
        predicted = predicted_flags(scores, thresholds, exclusive=exclusive)
        mistakes, best = surest_mistakes(truth, predicted, scores, exclusive=exclusive), scores.max(axis=1)
        # Where nothing is predicted, the answer is as sure as the best label is unlikely.
        columns["score"][places] = np.where(mistakes >= 0, mistakes, np.where(predicted.any(axis=1), best, 1 - best))
        columns["margin"][places] = _margins(scores, thresholds, exclusive=exclusive)
        columns["wrong"][places] = ~whole(truth, predicted)
        columns["accepted"][places] = told.accepted
        if told.folds is not None:
            columns["part"][places] = told.folds
        row, label = np.nonzero(predicted)
        return _Lists(self.size, places[row], label.astype(np.uint16), scores[row, label])

    def columns(self, name: str, order: Places) -> dict[str, NDArray[Any]]:
        """The columns of the index, with the examples in this order."""
        counts = np.bincount(self.place, minlength=self.size)
        begin = np.cumsum(counts) - counts
        ends = np.cumsum(counts[order])
        # The members of example order[0], then those of order[1], and so on.
        members = np.repeat(begin[order] - (ends - counts[order]), counts[order]) + np.arange(len(self.place))
        return {f"{name}_end": ends.astype(np.uint32), name: self.label[members], f"{name}_score": self.score[members]}


def _margins(scores: Floats, thresholds: Floats, *, exclusive: bool) -> Floats:
    """How certain each answer is: how far the best label is before the second, or the distance of the label that is nearest to its
    threshold."""
    if not exclusive:
        distances: Floats = np.abs(scores - thresholds).min(axis=1)
        return distances
    best = np.partition(scores, -2, axis=1)
    margins: Floats = best[:, -1] - best[:, -2]
    return margins
