"""The nouns of batch predictions: many texts of one object, classified by one version.

Frozen, and made of the standard library alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

_SHARD = re.compile(r"(?P<number>[0-9]{6})-(?P<lines>[0-9]+)-(?P<errors>[0-9]+)")


class BatchStatus(StrEnum):
    """Where a batch prediction stands. The first two are active: its workflow is still at it."""

    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE_BATCH = (BatchStatus.QUEUED, BatchStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class BatchJob:
    """The making of one batch prediction, and the input of its workflow. uid: of the life of the model; batch: its id, sorts by time."""

    model_id: str
    uid: str
    batch: str

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> BatchJob:
        return cls(event["model_id"], event["uid"], event["batch"])

    def as_event(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """A wish for a batch prediction. version: None for the one that is live; n_top: so many labels for each text."""

    model_id: str
    s3bucket: str
    object: str
    version: int | None = None
    n_top: int = 1


@dataclass(frozen=True, slots=True)
class BatchPrediction:
    """A batch prediction, as the registry knows it.

    lines, errors, shards: how many lines the object has, how many of them can't be classified, and into how many shards they were parted;
    None until that is known. lease_until: while it is active, the time after which nobody works on it any more.
    """

    job: BatchJob
    version: int
    n_top: int
    s3bucket: str
    object: str
    status: BatchStatus
    created_at: str
    finished_at: str | None = None
    lines: int | None = None
    errors: int | None = None
    shards: int | None = None
    error: str | None = None
    lease_until: str | None = None


@dataclass(frozen=True, slots=True)
class Shard:
    """Lines of the object that one task classifies. errors: how many of them can't be. Its name says it all, so that a list of objects
    tells how far a batch is."""

    number: int
    lines: int
    errors: int

    @property
    def name(self) -> str:
        return f"{self.number:06d}-{self.lines}-{self.errors}"

    @classmethod
    def from_name(cls, name: str) -> Shard:
        found = _SHARD.fullmatch(name)
        if found is None:
            message = f"{name} is not the name of a shard"
            raise ValueError(message)
        return cls(int(found["number"]), int(found["lines"]), int(found["errors"]))


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a batch is: the lines and the shards of which the result is written, and the errors among these lines."""

    lines: int = 0
    errors: int = 0
    shards: int = 0
