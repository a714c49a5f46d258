"""The stages of a cascade: each text is answered by the first stage that is sure of it. numpy only."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Floats = NDArray[np.float32]

# Of a threshold, where its logit is needed.
_LEAST_SCORE = 1e-6


@runtime_checkable
class InParts(Protocol):
    """A classifier whose parts are read when they are needed (recipes.mixture)."""

    shares: tuple[float, float]

    @property
    def stage_names(self) -> tuple[str, ...]: ...

    def ask(self, stage: int, texts: Sequence[str], before: Any) -> Any: ...

    def parts(self) -> dict[str, bytes]: ...

    def from_parts(self, shares: Sequence[float], read: Callable[[str], bytes], nbytes: int) -> Any: ...


@dataclass(frozen=True, slots=True)
class Judged:
    """The result for texts.

    logits and calibrated scores: both of shape (texts, labels). surplus: the familiarity of each text less the lowest one at which a label
    is accepted, of shape (texts,); None if that isn't checked. stages: the number of the stage that answered each text, of shape (texts,);
    None if the classifier has no stages.
    """

    logits: Floats
    scores: Floats
    surplus: Floats | None
    stages: NDArray[np.int8] | None = None

    @property
    def familiar(self) -> NDArray[np.bool_] | None:
        """Whether each text is near enough to the learnt texts to accept a label, of shape (texts,). None if that isn't checked."""
        return None if self.surplus is None else self.surplus >= 0


@dataclass(frozen=True, slots=True)
class EarlyStage:
    """When a stage before the last one answers a text: if it accepts a label, and its margin (`margins`) is at least `margin`.

    floor: the lowest margin that lets no more strangers through. Infinity as a margin: never by itself. The other fields are as in
    TrainedClassifier.
    """

    temperature: float
    thresholds: tuple[float, ...]
    least_familiarity: float | None
    floor: float = 0.0
    margin: float = math.inf


def margins(logits: Floats, temperature: float, thresholds: Sequence[float], *, exclusive: bool) -> Floats:
    """How sure the logits are of their labels, of shape (texts,), from logits of shape (texts, labels).

    Exclusive labels: the difference of the two highest logits. Otherwise the smallest distance of a logit to that of its label's threshold.
    Both are divided by the temperature.
    """
    if not exclusive:
        least = np.clip(np.array(thresholds, np.float32), _LEAST_SCORE, 1 - _LEAST_SCORE)
        return np.asarray(np.abs(logits / np.float32(temperature) - np.log(least / (1 - least))).min(axis=1), np.float32)
    second, first = np.partition(logits, -2, axis=1)[:, -2:].T
    return np.asarray((first - second) / np.float32(temperature), np.float32)


class Asking:
    """Asks the stages of a classifier about texts, in their order."""

    def __init__(self, classifier: InParts, texts: Sequence[str]) -> None:
        self._classifier, self._texts = classifier, texts
        self._left = np.arange(len(texts))
        self._before: Any = None

    def ask(self, stage: int, places: NDArray[np.intp]) -> tuple[Floats, Floats | None]:
        before = None if self._before is None else self._before.of(np.searchsorted(self._left, places))
        self._before = self._classifier.ask(stage, [self._texts[place] for place in places.tolist()], before)
        self._left = places
        return self._before.logits, self._before.nearness


def as_json(stage: EarlyStage) -> dict[str, Any]:
    """The stage for JSON, which has no infinity."""
    return {name: None if value == math.inf else value for name, value in asdict(stage).items()}


def early_stage(told: Mapping[str, Any]) -> EarlyStage:
    """What `as_json` returned."""
    floor, margin = (math.inf if told[name] is None else told[name] for name in ("floor", "margin"))
    return EarlyStage(told["temperature"], tuple(told["thresholds"]), told["least_familiarity"], floor, margin)
