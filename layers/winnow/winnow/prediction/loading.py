"""The memory of an execution environment: classifiers, up to a number of bytes, and registry rows for a second."""

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
    """The classifier of the job's artifact. The parts for texts that its first stage isn't sure of are read when such a text comes.

    manifest_sha256: the registry's; without it nothing loads. keep: as in `Artifacts.read`. Raises ArtifactError if the artifact is
    unreadable or has another digest, and EncoderError if its encoder isn't available.
    """
    return TrainedClassifier.from_files(artifacts.opened(job, manifest_sha256 or "", keep=keep), encoders.find)


class LoadedClassifiers:
    """Classifiers by model and version, up to a number of bytes. The least recently used leave first.

    A classifier above the limit is kept alone. Otherwise every request would load it again.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._classifiers: OrderedDict[tuple[str, int], TrainedClassifier] = OrderedDict()

    def __len__(self) -> int:
        return len(self._classifiers)

    def get(self, key: tuple[str, int], load: Callable[[], TrainedClassifier]) -> TrainedClassifier:
        """The classifier of this model's uid and version. It is loaded if necessary."""
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
    """A cache of the last few rows. After some seconds it reads a row again."""

    def __init__(self, look: Callable[[K], V], seconds: float, most: int, clock: Callable[[], float]) -> None:
        self._look, self._seconds, self._most, self._clock = look, seconds, most, clock
        self._seen: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V:
        """The row of this key, at most so many seconds old. Exceptions from `look` are raised and not cached."""
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

    def last(self, key: K) -> V:
        """The row that `get` returned last, however old it is. The key must have been asked for."""
        return self._seen[key][1]

    def forget(self, key: K) -> V | None:
        """Drop a row, so that the next `get` reads it again. Returns the dropped row, or None."""
        return self._seen.pop(key, (0.0, None))[1]
