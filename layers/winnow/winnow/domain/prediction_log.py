"""The prediction log of a model: how much of it is kept, the ids of predictions, and the texts of a request on their way into the log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from winnow.domain.answer import Prediction
from winnow.domain.clock import time_of_id

# For each number of days the template has a rule by which S3 removes the objects.
DAYS = (1, 7, 30, 90)
_ID = re.compile(rf"(?P<request>\d{{8}}T\d{{9}}-[0-9a-f]{{8}})-(?P<place>\d\d)(?:-(?P<days>{'|'.join(map(str, DAYS))})d)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class LogSetting:
    """What a model keeps of its predictions. share: of the texts, above 0 and at most 1. days: until they are removed."""

    share: float
    days: int


class PredictionId(NamedTuple):
    """The id of the answer to one text. Ids sort by time, and tell where the text is kept.

    request: the id of the request. place: the text's place in it, from 0. days: the days for which the text is kept; None: it isn't.
    """

    request: str
    place: int
    days: int | None = None

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The id that `str` gave. None for any other text."""
        found = _ID.fullmatch(text)
        if found is None:
            return None
        try:
            time_of_id(found["request"])
        except ValueError:
            return None
        return cls(found["request"], int(found["place"]), int(found["days"]) if found["days"] else None)

    def __str__(self) -> str:
        return f"{self.request}-{self.place:02d}" if self.days is None else f"{self.request}-{self.place:02d}-{self.days}d"

    @property
    def at(self) -> datetime:
        """When the text was classified, to the millisecond."""
        return time_of_id(self.request)

    def has_expired(self, now: datetime) -> bool:
        """Whether a kept text is too old. S3 removes objects some hours later than asked, so the clock decides."""
        return self.days is not None and self.at + timedelta(days=self.days) <= now


def has_expired(name: str, now: datetime) -> bool:
    """Whether the text of a prediction is too old. True for what is no id."""
    prediction = PredictionId.read(name)
    return prediction is None or prediction.has_expired(now)


@dataclass(frozen=True, slots=True)
class Sampled:
    """The texts of a request that the log keeps, with their answers. ids, texts, predictions: in the same order, at least one.

    uid: of the model's life. version: the one that answered. Each prediction has at least two labels, if there are as many.
    """

    uid: str
    version: int
    ids: Sequence[PredictionId]
    texts: Sequence[str]
    predictions: Sequence[Prediction]
