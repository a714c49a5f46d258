"""The nouns of batch predictions: one version classifies the many texts of one object. Frozen dataclasses; standard library only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from winnow.domain.dataset import Layout

_SHARD = re.compile(r"(?P<number>[0-9]{6})-(?P<lines>[0-9]+)-(?P<errors>[0-9]+)")
# The ending of a result's name.
JSON_LINES = "jsonl"
# Of results, by their endings.
CONTENT_TYPES = {JSON_LINES: "application/jsonl", "csv": "text/csv; charset=utf-8", "tsv": "text/tab-separated-values; charset=utf-8"}


class BatchStatus(StrEnum):
    """The status of a batch prediction. The first two are active: its workflow hasn't ended."""

    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE_BATCH = (BatchStatus.QUEUED, BatchStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class BatchJob:
    """The job that makes one batch prediction, and the input of its workflow.

    uid: the id of this life of the model. batch: the id of the batch; ids sort by time.
    """

    model_id: str
    uid: str
    batch: str

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> BatchJob:
        return cls(event["model_id"], event["uid"], event["batch"])

    @property
    def key(self) -> str:
        """The name of its slot."""
        return f"{self.uid}#{self.batch}"

    def as_event(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """A request for a batch prediction. version: None for the live one; n_top: labels for each text; layout: that of the object."""

    model_id: str
    s3bucket: str
    object: str
    version: int | None = None
    n_top: int = 1
    layout: Layout = field(default_factory=Layout)


@dataclass(frozen=True, slots=True)
class BatchPrediction:
    """A batch prediction, as the registry knows it.

    lines: the number of lines in the object. errors: how many of them can't be classified. shards: the number of shards. All are None
    until the object is split. lease_until: if the batch is active, the time after which nothing works on it any more.

    layout: what the client says about the form of the object. delimiter: that of the table in the object, and of the result; None if the
    result is JSON Lines. warning: a sentence about how the object was read, if there is one. policy: the revision of the policy that says
    what is accepted, the model's when the batch was asked for; None if the version's own thresholds do.
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
    layout: Layout = field(default_factory=Layout)
    delimiter: str | None = None
    warning: str | None = None
    policy: int | None = None

    @property
    def ending(self) -> str:
        """The ending of the result's name."""
        if self.delimiter is None:
            return JSON_LINES
        return "tsv" if self.delimiter == "\t" else "csv"


@dataclass(frozen=True, slots=True)
class Shard:
    """The lines of the object that one task classifies. errors: how many of them can't be classified.

    The name holds all three numbers, so that progress can be computed from the list of results in S3.
    """

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
    """The progress of a batch: the lines and shards whose results are written, and the errors among these lines."""

    lines: int = 0
    errors: int = 0
    shards: int = 0
