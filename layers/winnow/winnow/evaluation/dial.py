"""The dial of a version: how many texts are answered, and how many of those rightly, at each threshold. numpy only.

It is made from answers about examples that the answering classifier had not learnt. A text is answered if one of its labels is accepted. It
is answered rightly if none of its accepted labels is wrong.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from winnow.recipes import arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes.least_scores import Least

    type Flags = NDArray[np.bool_]
    type Floats = NDArray[np.float32]
    type Counts = NDArray[np.int64]

# A text's labels with lower scores are left out, unless they are accepted. Otherwise a dial of many labels had mostly those.
_LEAST_SCORE = 0.01
_DIGITS = 1_000_000
# A dial has at most so many texts and labels of texts. More would make it larger, and no truer.
MOST_TEXTS, MOST_SAID = 100_000, 1_000_000
_ARRAYS = ("text", "label", "score", "right", "own", "examples_of")


class Outcome(NamedTuple):
    """How many texts are answered, and how many of those rightly."""

    answered: int
    right: int


@dataclass(frozen=True, slots=True)
class Dial:
    """What was said about `texts` held-out texts, where a version might accept it. Texts that are too strange to accept aren't in it.

    measured_by: by which answers, in a word. text, label, score, right, own: for each said label the number of its text, its own number,
    its calibrated score, whether it is right, and whether the version's own thresholds accept it; all of shape (said,), in the order of
    texts.
    With exclusive labels only the best label of a text is said. examples_of: how many of the texts have each label, of shape (labels,).
    """

    labels: tuple[str, ...]
    measured_by: str
    texts: int
    text: NDArray[np.int32]
    label: NDArray[np.int32]
    score: Floats
    right: Flags
    own: Flags
    examples_of: NDArray[np.int32]

    @classmethod
    def of(
        cls,
        labels: Sequence[str],
        measured_by: str,
        *,
        exclusive: bool,
        truth: Flags,
        scores: Floats,
        thresholds: Floats,
        familiar: Flags | None,
    ) -> Self:
        """The dial of n answers. truth, scores, thresholds: of shape (n, labels). familiar: of shape (n,), None if that isn't checked."""
        reached = scores >= thresholds
        said = np.zeros(scores.shape, np.bool_)
        if exclusive:
            np.put_along_axis(said, scores.argmax(axis=1)[:, None], values=True, axis=1)
        else:
            said = (scores >= np.float32(_LEAST_SCORE)) | reached
        if familiar is not None:
            said &= familiar[:, None]
        kept = _drawn(len(scores), int(said.sum()))
        text, label = np.nonzero(said[kept])
        at = kept[text], label
        return cls(
            tuple(labels),
            measured_by,
            len(kept),
            text.astype(np.int32),
            label.astype(np.int32),
            scores[at].astype(np.float32),
            truth[at],
            reached[at],
            truth[kept].sum(axis=0).astype(np.int32),
        )

    def to_bytes(self) -> bytes:
        """The dial as a numpy archive."""
        file = io.BytesIO()
        about = json.dumps({"labels": self.labels, "measured_by": self.measured_by, "texts": self.texts}, ensure_ascii=False)
        told = {name: getattr(self, name) for name in _ARRAYS}
        np.savez(file, allow_pickle=False, about=np.frombuffer(about.encode(), np.uint8), **told)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, archive: bytes) -> Self:
        """What `to_bytes` returned."""
        found = arrays.read(archive)
        about = json.loads(found["about"].tobytes())
        return cls(tuple(about["labels"]), about["measured_by"], about["texts"], **{name: found[name] for name in _ARRAYS})

    def outcome(self, least: Least | None = None) -> Outcome:
        """What happens with a policy's lowest accepted scores, or with the version's own."""
        accepted = self.own
        if least is not None:
            needed = least[self.label]
            accepted = np.where(np.isnan(needed), self.own, self.score >= needed)
        answered = len(np.unique(self.text[accepted]))
        return Outcome(answered, answered - len(np.unique(self.text[accepted & ~self.right])))

    def of_label(self, number: int) -> Dial:
        """What was said of one label. Each text says it at most once."""
        own = self.label == number
        said = {name: getattr(self, name)[own] for name in ("text", "label", "score", "right", "own")}
        return replace(self, **said)

    def falling(self) -> Falling:
        """The outcomes of all thresholds that are the same for every label."""
        if not len(self.text):
            nothing = np.empty(0, np.float32)
            return Falling(nothing, nothing, nothing)
        starts = np.flatnonzero(np.diff(self.text, prepend=-1))
        best = np.maximum.reduceat(self.score, starts)
        # Below 0: no label of the text is wrong.
        worst = np.maximum.reduceat(np.where(self.right, np.float32(-1), self.score), starts)
        return Falling(*(-np.sort(-scores) for scores in (best, worst[worst >= 0], self.score)))


class Falling(NamedTuple):
    """The scores from which texts are answered, those from which they are answered wrongly, and those of all said labels. Highest first."""

    answered: Floats
    wrong: Floats
    said: Floats

    def thresholds(self, places: Sequence[int]) -> list[float]:
        """For each number of texts, the threshold with which that many are answered, more where scores are equal. Halfway to the next.

        Six digits, rounded down, so that equal scores aren't below their own threshold.
        """
        found = []
        for taken in places:
            following = self.answered[taken] if taken < len(self.answered) else np.float32(0)
            found.append(math.floor(float(self.answered[taken - 1] + following) / 2 * _DIGITS) / _DIGITS)
        return found

    def curve(self, most: int) -> list[tuple[float, Outcome]]:
        """At most so many thresholds with what happens, from few answered texts to all."""
        size = len(self.answered)
        places = sorted({max(1, round(size * part / most)) for part in range(1, most + 1)}) if size else []
        return [(threshold, self.outcome(threshold)) for threshold in dict.fromkeys(self.thresholds(places))]

    def outcome(self, threshold: float) -> Outcome:
        """What happens with this threshold."""
        answered = _reaching(self.answered, threshold)
        return Outcome(answered, answered - _reaching(self.wrong, threshold))

    def doubted(self, threshold: float) -> float:
        """The number of wrong labels that the scores themselves expect among those that reach the threshold."""
        return float((1 - self.said[: _reaching(self.said, threshold)]).sum(dtype=np.float64))


def _reaching(falling: Floats, threshold: float) -> int:
    return int(np.searchsorted(-falling, -np.float32(threshold), side="right"))


def _drawn(texts: int, said: int) -> NDArray[np.intp]:
    """The numbers of the texts that a dial keeps: all, or as many as it may have, drawn with a fixed seed."""
    most = min(MOST_TEXTS, texts if said <= MOST_SAID else int(texts * MOST_SAID / said))
    return np.arange(texts) if texts <= most else np.sort(np.random.default_rng(0).permutation(texts)[:most])
