"""What an execution environment holds in memory: classifiers, within a bound on their bytes, and rows of the registry for a second."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from winnow.prediction import encoders
from winnow.recipes.artifact import TrainedClassifier

if TYPE_CHECKING:
    from winnow.domain.job import TrainingJob
    from winnow.storage.artifacts import Artifacts


def load(artifacts: Artifacts, job: TrainingJob, manifest_sha256: str | None, *, keep: bool = True) -> TrainedClassifier:
    """The classifier of the job's artifact. manifest_sha256: as the registry has it; without one nothing is loaded. keep: as for
    `Artifacts.read`.

    ArtifactError where the artifact isn't the one that was signed so, or can't be read; EncoderError where its encoder isn't to be had.
    """
    return TrainedClassifier.from_files(artifacts.read(job, manifest_sha256 or "", keep=keep), encoders.find)


class LoadedClassifiers:
    """Classifiers by model and version, within a bound on the bytes they hold: what was used least recently goes first.

    One that is larger than the bound is kept by itself: it would be loaded for every request else.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._classifiers: OrderedDict[tuple[str, int], TrainedClassifier] = OrderedDict()

    def __len__(self) -> int:
        return len(self._classifiers)

    def get(self, key: tuple[str, int], load: Callable[[], TrainedClassifier]) -> TrainedClassifier:
        """The classifier of this model's uid and version, loaded where it isn't there."""
        if key not in self._classifiers:
            loaded = load()
            self._make_room(loaded.nbytes)
            self._classifiers[key] = loaded
        self._classifiers.move_to_end(key)
        return self._classifiers[key]

    def _make_room(self, needed: int) -> None:
        held = sum(classifier.nbytes for classifier in self._classifiers.values())
        while self._classifiers and held + needed > self._most_bytes:
            held -= self._classifiers.popitem(last=False)[1].nbytes


class Glances[K: Hashable, V]:
    """Rows that were looked at at most so many seconds ago, the last few of them; others are looked at anew."""

    def __init__(self, look: Callable[[K], V], seconds: float, most: int, clock: Callable[[], float]) -> None:
        self._look, self._seconds, self._most, self._clock = look, seconds, most, clock
        self._seen: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V:
        """The row of this key, as it was at most so many seconds ago. What `look` raises is raised, and not remembered."""
        seen_at, row = self._seen.get(key, (float("-inf"), None))
        if row is not None and self._clock() - seen_at <= self._seconds:
            return row
        self.forget(key)
        now = self._clock()
        row = self._look(key)
        self._seen[key] = (now, row)
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return row

    def forget(self, key: K) -> V | None:
        """The next look at this row is a new one. Returns the row as it was last seen, None where it wasn't."""
        return self._seen.pop(key, (0.0, None))[1]
