"""The report on a data set before training: its counts, its languages and its problems. It keeps only some texts, for the languages.

Each example takes 16 bytes: a hash of its text (8), its row (4) and the number of its label set (4). Each label and each label set is kept
once. Two texts are the same if they differ only in case and white space.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from winnow.datasets.labels import separator_within
from winnow.datasets.languages import Sample, as_dicts
from winnow.datasets.long_texts import is_long
from winnow.datasets.row_problems import Kind, Problem
from winnow.datasets.split import FEWEST_LABELS, FEWEST_TEXTS, listed, text_hash, too_rare
from winnow.domain.dataset import MAX_LABELS, Ceilings, Example
from winnow.domain.normal_form import text_key

_SCARCE_TEXTS = 10
_MOST_SHOWN = 20
# Above this multiple of the ceiling, labels are no longer distinguished: the column probably doesn't hold labels.
_TIMES_TOO_MANY = 10

# A warning says that the encoder doesn't speak the texts' languages if these are so many texts, and so large a share of them.
_FEWEST_TEXTS_OF_LANGUAGES, _FOREIGN_SHARE = 10, 0.1
# What a client may ask for labels that are too rare.
DROP, REFUSE = "drop", "refuse"

# Texts are compared in this many parts, by hash. That divides the memory for the comparison by the same number.
_PARTS = 256

_ADVICE = {
    Kind.UNREADABLE_FILE: "Fix the file there: the rest was not read.",
    Kind.TOO_LARGE: "Upload less, or ask the operator for a higher ceiling.",
    Kind.UNREADABLE_ROW: "Fix these rows, or remove them.",
    Kind.EMPTY_TEXT: "Give each row a text, or remove it.",
    Kind.LONG_TEXT: "Shorten these texts, or remove them.",
    Kind.BAD_LABEL: "Give each row a label that is a short name.",
    Kind.BAD_SUBJECT: "Give each row a subject that is a short name, such as an id, or none.",
    Kind.NOT_EXCLUSIVE: "`exclusive` is true: give each row exactly one label, or leave out `exclusive`.",
    Kind.SKIPPED_ROW: "The annotator rejected these rows, or they are for a test. They are left out.",
    Kind.UNLABELLED_ROW: "These rows have no label. They are left out.",
    Kind.NOT_UTF_8: "If accents look wrong, save the file as UTF-8 or give `encoding`.",
    Kind.DUPLICATE: "An earlier row has the same text and labels. Such rows stay together, in training or in test.",
    Kind.CONFLICT: "Another row has the same text with other labels: keep the right labels, or put all of them in one row.",
    Kind.IN_TEST_SET: "These texts are also in the test set, so they are not trained on.",
    Kind.SIMILAR_LABELS: "These labels differ only in case or white space: give them one name if they mean the same.",
    Kind.DROPPED_LABEL: (
        "These labels have fewer than two distinct texts, so they are not trained on: add texts. To refuse such data sets, send"
        ' `rare_labels` "refuse".'
    ),
    Kind.PACKED_LABEL: "These labels look like several labels in one: give `label_separator` if they are.",
    Kind.SCARCE_LABEL: f"Each of these labels has fewer than {_SCARCE_TEXTS} distinct texts: more texts give better predictions.",
}

DATA_SET = "the data set"
TEST_SET = "the test set"
FEEDBACK = "the file"
_NEEDED = {
    DATA_SET: "a classifier needs examples of at least two",
    TEST_SET: "it cannot measure a model",
    FEEDBACK: "nothing can be learnt from it",
}

Shown = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """All problems of one kind.

    count: how many. shown: the first of them. sentence: what to do, or what is wrong with the file.
    """

    kind: Kind
    count: int
    sentence: str
    shown: Sequence[Shown] = ()

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "refuses": self.kind.refuses, "count": self.count, "sentence": self.sentence, "rows": list(self.shown)}


@dataclass(slots=True)
class _OfRows:
    """The problems of one kind that belong to single rows."""

    count: int = 0
    first: list[Shown] = field(default_factory=list)
    sentence: str = ""

    def add(self, row: int, **more: Any) -> None:
        self.count += 1
        if len(self.first) < _MOST_SHOWN:
            self.first.append({"row": row, **more})


class Counting:
    """Counts a data set, example by example. `report` then returns the result.

    exclusive: the client's statement about the labels. rare_labels: "drop" leaves out labels with fewer than two texts, "refuse" refuses
    the data set. in_test_set: hashes (`text_hash`) of texts that must not be trained on. of: the data set's name in sentences. A test set
    and feedback may have few labels, and few texts per label.
    """

    def __init__(
        self,
        ceilings: Ceilings,
        *,
        exclusive: bool | None = None,
        rare_labels: str = DROP,
        in_test_set: Set[int] = frozenset(),
        of: str = DATA_SET,
    ) -> None:
        self._ceilings = ceilings
        self._of = of
        self._exclusive_asked = exclusive
        self._drops_rare_labels = rare_labels == DROP and of == DATA_SET
        self._in_test_set = in_test_set
        self._hashes = [array("q") for _ in range(_PARTS)]
        self._rows = [array("I") for _ in range(_PARTS)]
        self._sets = [array("I") for _ in range(_PARTS)]
        self._numbers: dict[tuple[str, ...], int] = {}
        self._of_set: list[int] = []
        self._of_rows: dict[Kind, _OfRows] = defaultdict(_OfRows)
        self._unlabelled = _OfRows()
        self._first_refused: Problem | None = None
        self._broken_off = False
        self._too_many_labels = False
        self._names: set[str] = set()
        # Whether labels were taken apart at a separator. The reader knows it after reading.
        self.separated = False
        self.examples = 0
        self._sample = Sample()
        self._in_windows = 0

    def add(self, found: Example | Problem) -> bool:
        """Count an example or a problem. Returns whether it is an example to train on."""
        if isinstance(found, Problem):
            self._refuse(found)
            return False
        if not found.labels:
            self._unlabelled.add(found.row)
            if self._exclusive_asked:
                return False
        if self._exclusive_asked and len(found.labels) > 1:
            sentence = (
                f"`exclusive` is true, but example {found.row} of {self._of} does not have exactly one label:"
                " fix it, or leave out `exclusive`."
            )
            self._refuse(Problem(Kind.NOT_EXCLUSIVE, found.row, sentence))
            return False
        hashed = text_hash(found.text)
        if hashed in self._in_test_set:
            self._of_rows[Kind.IN_TEST_SET].add(found.row)
            return False
        number = self._number(found.labels)
        part = hashed % _PARTS
        self._hashes[part].append(hashed)
        self._rows[part].append(found.row)
        self._sets[part].append(number)
        self._of_set[number] += 1
        self.examples += 1
        if self._of != FEEDBACK:
            self._sample.add(found.text)
            self._in_windows += is_long(found.text)
        return True

    def _refuse(self, problem: Problem) -> None:
        of_rows = self._of_rows[problem.kind]
        of_rows.add(problem.row, problem=problem.sentence)
        if problem.kind in {Kind.UNREADABLE_FILE, Kind.TOO_LARGE}:
            self._broken_off = True
        if problem.kind.refuses and self._first_refused is None:
            self._first_refused = problem

    def _number(self, labels: tuple[str, ...]) -> int:
        """The number of a label set."""
        number = self._numbers.get(labels)
        if number is None:
            self._names.update(labels)
            if len(self._names) > _TIMES_TOO_MANY * self._ceilings.labels:
                self._names.difference_update(labels)
                self._too_many_labels = True
                labels = ()
            number = self._numbers.setdefault(labels, len(self._of_set))
            if number == len(self._of_set):
                self._of_set.append(0)
        return number

    def report(self) -> Report:
        """The counts and all problems."""
        sets = list(self._numbers)
        # Rows without labels are examples of "none of the labels" only where a row can have several.
        several = self._exclusive_asked is False or any(len(labels) > 1 for labels in sets)
        skips_unlabelled = not several and self._unlabelled.count > 0
        used = [bool(labels) or not skips_unlabelled for labels in sets]
        duplicates, conflicts, distinct = self._compared(sets, used)
        dropped = self._rare(distinct)
        examples: Counter[str] = Counter()
        kept = 0
        for labels, count in zip(sets, self._of_set, strict=True):
            for label in labels:
                examples[label] += count
            if labels and dropped.issuperset(labels):
                continue
            kept += count if labels or not skips_unlabelled else 0
        texts_by_label = {label: (examples[label], distinct[label]) for label in sorted(examples) if label not in dropped}
        of_rows = dict(self._of_rows)
        if skips_unlabelled:
            of_rows[Kind.UNLABELLED_ROW] = self._unlabelled
        found = [
            Found(kind, each.count, _ADVICE[kind], sorted(each.first, key=lambda shown: shown["row"]))
            for kind, each in (*of_rows.items(), (Kind.DUPLICATE, duplicates), (Kind.CONFLICT, conflicts))
            if each.count
        ]
        nothing_read = not self.examples and self._first_refused is not None
        texts = {label: distinct[label] for label in sorted(examples)}
        whole = [] if self._broken_off or nothing_read else list(self._of_labels(texts, dropped))
        order = list(Kind)
        return Report(
            examples=kept,
            exclusive=all(
                len(labels) == 1 for labels, count, counts_too in zip(sets, self._of_set, used, strict=True) if count and counts_too
            ),
            labels=texts_by_label,
            problems=sorted([*found, *whole], key=lambda one: order.index(one.kind)),
            first_refused=self._first_sentence() or next((one.sentence for one in whole if one.kind.refuses), None),
            first_counts=self._first_count() or next((one.count for one in whole if one.kind.refuses), 0),
            dropped=dropped,
            skips_unlabelled=skips_unlabelled,
            languages=self._sample.languages(),
            language_texts=len(self._sample),
            texts_in_windows=self._in_windows,
        )

    def _rare(self, distinct: Mapping[str, int]) -> frozenset[str]:
        """The labels to leave out. None if fewer than two labels would be left: then the data set is refused."""
        rare = frozenset(label for label, texts in distinct.items() if texts < FEWEST_TEXTS)
        return rare if self._drops_rare_labels and len(distinct) - len(rare) >= FEWEST_LABELS else frozenset()

    def _first_count(self) -> int:
        return self._of_rows[self._first_refused.kind].count if self._first_refused else 0

    def _first_sentence(self) -> str | None:
        """The sentence about the first row that refuses the data set, and the number of rows like it."""
        if self._first_refused is None:
            return None
        count = self._first_count()
        return self._first_refused.sentence if count == 1 else f"{count:,} rows, first: {self._first_refused.sentence}"

    def _compared(self, sets: Sequence[tuple[str, ...]], used: Sequence[bool]) -> tuple[_OfRows, _OfRows, Counter[str]]:
        """The duplicate rows, the conflicting rows, and the number of distinct texts per label. used: whether rows of a label set count."""
        duplicates: list[tuple[int, int]] = []
        conflicts: list[tuple[int, int]] = []
        counts = [0, 0]
        texts_of_set = [0] * len(sets)
        distinct: Counter[str] = Counter()
        for hashes, rows, numbers in zip(self._hashes, self._rows, self._sets, strict=True):
            first: dict[int, int] = {}
            others: dict[int, set[int]] = {}
            # Rows ascend within a part, so the first problems overall are among the first of each part.
            most_duplicates, most_conflicts = len(duplicates) + _MOST_SHOWN, len(conflicts) + _MOST_SHOWN
            for place, hashed in enumerate(hashes):
                if not used[numbers[place]]:
                    continue
                before = first.setdefault(hashed, place)
                number = numbers[place]
                if before == place:
                    texts_of_set[number] += 1
                    continue
                known = others.setdefault(hashed, {numbers[before]})
                if number in known:
                    counts[0] += 1
                    if len(duplicates) < most_duplicates:
                        duplicates.append((rows[place], rows[before]))
                else:
                    counts[1] += 1
                    if len(conflicts) < most_conflicts:
                        conflicts.append((rows[place], rows[before]))
                    distinct.update(set(sets[number]).difference(*(sets[other] for other in known)))
                    known.add(number)
            duplicates, conflicts = sorted(duplicates)[:_MOST_SHOWN], sorted(conflicts)[:_MOST_SHOWN]
        for labels, texts in zip(sets, texts_of_set, strict=True):
            for label in labels:
                distinct[label] += texts
        return _pairs(counts[0], duplicates), _pairs(counts[1], conflicts), distinct

    def _of_labels(self, texts: Mapping[str, int], dropped: Set[str]) -> Iterator[Found]:
        """The problems with the labels. texts: the number of distinct texts per label. dropped: the labels that are left out."""
        most = self._ceilings.labels
        fewest = FEWEST_LABELS if self._of == DATA_SET else 1
        if len(texts) < fewest:
            named = f"only the label {next(iter(texts))!r}" if texts else "no label at all"
            yield Found(Kind.TOO_FEW_LABELS, 1, f"The {self._of.removeprefix('the ')} has {named}: {_NEEDED[self._of]}.")
        if len(texts) > most:
            number = f"more than {_TIMES_TOO_MANY * most:,}" if self._too_many_labels else f"{len(texts):,}"
            yield Found(Kind.TOO_MANY_LABELS, 1, f"The {self._of.removeprefix('the ')} has {number} labels: at most {most:,}.")
        yield from of_similar_labels(texts)
        if self._of != DATA_SET:
            return
        if dropped:
            yield Found(Kind.DROPPED_LABEL, len(dropped), _ADVICE[Kind.DROPPED_LABEL], _shown(sorted(dropped)))
        packed = [label for label in texts if separator_within(label)]
        if packed and not self.separated:
            yield Found(Kind.PACKED_LABEL, len(packed), _ADVICE[Kind.PACKED_LABEL], _shown(packed))
        rare = [label for label, count in texts.items() if count < FEWEST_TEXTS and label not in dropped]
        if rare:
            yield Found(Kind.RARE_LABEL, len(rare), too_rare(rare), _shown(rare))
        scarce = [label for label, count in texts.items() if FEWEST_TEXTS <= count < _SCARCE_TEXTS]
        if scarce:
            yield Found(Kind.SCARCE_LABEL, len(scarce), _ADVICE[Kind.SCARCE_LABEL], _shown(scarce))


@dataclass(frozen=True, slots=True)
class Report:
    """The contents of a data set and all its problems.

    labels: examples and distinct texts per label. first_refused: the sentence of the first problem that prevents training, otherwise None.
    first_counts: how many problems that sentence covers. dropped: the labels that are too rare to train on. skips_unlabelled: whether rows
    without labels are left out. languages: with their shares (datasets.languages), of so many sampled texts (language_texts).
    texts_in_windows: the estimated number of examples that are longer than a sentence encoder's window (datasets.long_texts).
    """

    examples: int
    exclusive: bool
    labels: Mapping[str, tuple[int, int]]
    problems: Sequence[Found]
    first_refused: str | None
    first_counts: int
    dropped: frozenset[str] = frozenset()
    skips_unlabelled: bool = False
    languages: Mapping[str, float] = field(default_factory=dict)
    language_texts: int = 0
    texts_in_windows: int = 0

    @property
    def warnings(self) -> int:
        return sum(found.count for found in self.problems if not found.kind.refuses)

    @property
    def errors(self) -> int:
        return sum(found.count for found in self.problems if found.kind.refuses)

    def used(self, examples: list[Example]) -> list[Example]:
        """The examples to train on or to test with: without labels that were dropped, and without rows that have no label left."""
        if not self.dropped and not self.skips_unlabelled:
            return examples
        return [kept for example in examples if (kept := self._used(example)) is not None]

    def _used(self, example: Example) -> Example | None:
        if not example.labels:
            return None if self.skips_unlabelled else example
        if not self.dropped.intersection(example.labels):
            return example
        labels = tuple(label for label in example.labels if label not in self.dropped)
        return replace(example, labels=labels) if labels else None

    def without_unknown_labels(self, known: Set[str], dropped: frozenset[str]) -> Report:
        """The report of a test set. Labels that aren't trained on are an error, except those that were dropped from the data set."""
        report = replace(self, dropped=dropped.intersection(self.labels))
        unknown = [label for label in self.labels if label not in known and label not in dropped]
        if not unknown:
            return report
        sentence = f"Only the test set has examples of {listed(unknown)}: add some to the data set, or remove them from the test set."
        found = Found(Kind.UNKNOWN_LABEL, len(unknown), sentence, _shown(unknown))
        first = {} if self.first_refused else {"first_refused": sentence, "first_counts": len(unknown)}
        return replace(report, problems=[found, *self.problems], **first)  # type: ignore[arg-type]

    def read_by(self, spoken: Set[str] | None) -> Report:
        """The report with a warning if many texts are in other languages than these, which the recipe's encoder speaks.

        spoken: None if no encoder reads the texts, or if nobody said what it speaks.
        """
        foreign = {language: share for language, share in self.languages.items() if language not in (spoken or self.languages)}
        if self.language_texts < _FEWEST_TEXTS_OF_LANGUAGES or sum(foreign.values()) < _FOREIGN_SHARE:
            return self
        found = Found(Kind.FOREIGN_LANGUAGE, len(foreign), _foreign(foreign, spoken or ()))
        return replace(self, problems=[*self.problems, found])

    def refusal(self, where: str) -> str | None:
        """The reason why it can't be trained on: the first problem, the number of others, and where they are listed. None if it can."""
        if self.first_refused is None:
            return None
        more = self.errors - self.first_counts
        if not more:
            return self.first_refused
        return f"{self.first_refused} {more:,} other {'problem' if more == 1 else 'problems'}: {where} lists them."

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON."""
        shown = list(self.labels.items())[:MAX_LABELS]
        return {
            "trainable": self.first_refused is None,
            "errors": self.errors,
            "warnings": self.warnings,
            "examples": self.examples,
            "languages": as_dicts(self.languages),
            "language_texts": self.language_texts,
            "texts_in_windows": self.texts_in_windows,
            "exclusive": self.exclusive,
            "labels": [{"label": label, "examples": examples, "texts": texts} for label, (examples, texts) in shown],
            "problems": [found.as_dict() for found in self.problems],
        }


def of_similar_labels(labels: Iterable[str]) -> Iterator[Found]:
    """The warning about labels that differ only in case or white space, if there are any."""
    alike: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        alike[text_key(label)].append(label)
    similar = [names for names in alike.values() if len(names) > 1]
    if similar:
        shown = [{"labels": names[:_MOST_SHOWN]} for names in similar[:_MOST_SHOWN]]
        yield Found(Kind.SIMILAR_LABELS, len(similar), _ADVICE[Kind.SIMILAR_LABELS], shown)


def _foreign(shares: Mapping[str, float], spoken: Iterable[str]) -> str:
    """The sentence about languages that the encoder doesn't speak."""
    named = ", ".join(f"{language} ({share:.0%} of the texts)" for language, share in list(shares.items())[:_MOST_SHOWN])
    return (
        f"The sentence encoder doesn't speak {named}, only {', '.join(sorted(spoken))}. `linear` reads every language, and `auto` measures"
        " which recipe is better."
    )


def _shown(labels: Iterable[str]) -> list[Shown]:
    return [{"labels": [label]} for label in labels][:_MOST_SHOWN]


def _pairs(count: int, pairs: Sequence[tuple[int, int]]) -> _OfRows:
    return _OfRows(count, [{"row": row, "first_row": first} for row, first in pairs])
