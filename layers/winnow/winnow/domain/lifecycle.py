"""The life cycle of a version: its states, and the transitions between them. Nowhere else is written what may follow what.

registry/training_jobs.py takes the conditions of its writes from this table. It also makes the tables in docs/lifecycle.md:

    python -m winnow.domain.lifecycle
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from winnow.domain.model import ACTIVE, VersionStatus

STATES: Mapping[VersionStatus, str] = {
    VersionStatus.QUEUED: "Registered, and answered with 202. It waits for its turn, or for the workflow's first task.",
    VersionStatus.TRAINING: "The workflow's tasks Prepare and Train work on it.",
    VersionStatus.EVALUATING: "The workflow's task Publish measures it.",
    VersionStatus.READY: "All of it is written. It can answer, and never changes again.",
    VersionStatus.FAILED: "It will not be made; `error` says why.",
    VersionStatus.CANCELLED: "It will not be made: a client didn't want it any more.",
}

ENDED = tuple(status for status in VersionStatus if status not in ACTIVE)


class Event(StrEnum):
    """What happens to a version."""

    CREATE = "create"
    TRAIN = "train"
    EVALUATE = "evaluate"
    COMMIT = "commit"
    FAIL = "fail"
    EXPIRE = "expire"
    CANCEL = "cancel"
    RESTART = "restart"
    DELETE = "delete"
    DELETE_MODEL = "delete model"


@dataclass(frozen=True, slots=True)
class Transition:
    """sources: the states in which the event can happen, none where there is no version yet. target: None where there is none any more."""

    sources: tuple[VersionStatus, ...]
    target: VersionStatus | None
    meaning: str


_QUEUED, _TRAINING, _EVALUATING = ACTIVE

TRANSITIONS: Mapping[Event, Transition] = {
    Event.CREATE: Transition((), _QUEUED, "POST /models or feedback registers it, with fence 1. No other of its model is active."),
    Event.TRAIN: Transition((_QUEUED, _TRAINING), _TRAINING, "Prepare or Train notes how far it is. Each note renews the lease."),
    Event.EVALUATE: Transition((_TRAINING, _EVALUATING), _EVALUATING, "Publish notes how far it is. Each note renews the lease."),
    Event.COMMIT: Transition((_EVALUATING,), VersionStatus.READY, "Publish has written every object; then the registry says so."),
    Event.FAIL: Transition(ACTIVE, VersionStatus.FAILED, "A task, the workflow's Fail, or the end of its execution says why."),
    Event.EXPIRE: Transition(ACTIVE, VersionStatus.FAILED, "The sweeper finds a lease that ran out, and nobody who goes on."),
    Event.CANCEL: Transition(ACTIVE, VersionStatus.CANCELLED, "POST /models/{model_id}/versions/{version}/cancel."),
    Event.RESTART: Transition((_QUEUED,), _QUEUED, "The sweeper starts it anew, its execution having ended. The fence grows by one."),
    Event.DELETE: Transition(ENDED, None, "The version is deleted; never the live one."),
    Event.DELETE_MODEL: Transition(tuple(VersionStatus), None, "DELETE /models/{model_id}, whatever its versions are at."),
}


def tables() -> Iterator[str]:
    """The lines of docs/lifecycle.md's tables."""
    yield from ("| state | meaning |", "| --- | --- |")
    yield from (f"| {status} | {meaning} |" for status, meaning in STATES.items())
    yield from ("", "| event | from | to | meaning |", "| --- | --- | --- | --- |")
    for event, transition in TRANSITIONS.items():
        yield f"| {event} | {', '.join(transition.sources) or 'none'} | {transition.target or 'none'} | {transition.meaning} |"


if __name__ == "__main__":
    print("\n".join(tables()))
