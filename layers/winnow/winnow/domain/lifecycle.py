"""The life cycle of a version: its states and transitions. This is the only place that defines them.

registry/training_jobs.py takes the conditions of its writes from these tables. They also make the tables in docs/lifecycle.md:

    python -m winnow.domain.lifecycle
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from winnow.domain.model import ACTIVE, VersionStatus

STATES: Mapping[VersionStatus, str] = {
    VersionStatus.QUEUED: "The version is registered; the client got a 202. It waits for a slot, or for the workflow's first task.",
    VersionStatus.TRAINING: "The workflow's tasks Prepare and Train work on it.",
    VersionStatus.EVALUATING: "The workflow's task Publish measures it.",
    VersionStatus.READY: "All its files are written. It can answer, and never changes again.",
    VersionStatus.FAILED: "The training failed; `error` says why.",
    VersionStatus.CANCELLED: "A client cancelled the training.",
}

ENDED = tuple(status for status in VersionStatus if status not in ACTIVE)


class Event(StrEnum):
    """An event in the life of a version."""

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
    """The effect of an event. sources: the states in which it can happen; none if it creates the version. target: None if it deletes it."""

    sources: tuple[VersionStatus, ...]
    target: VersionStatus | None
    meaning: str


_QUEUED, _TRAINING, _EVALUATING = ACTIVE

TRANSITIONS: Mapping[Event, Transition] = {
    Event.CREATE: Transition(
        (), _QUEUED, "POST /models, feedback or a forgetting registers it, with fence 1. No other version of the model is active."
    ),
    Event.TRAIN: Transition((_QUEUED, _TRAINING), _TRAINING, "Prepare or Train writes its progress. Each write renews the lease."),
    Event.EVALUATE: Transition((_TRAINING, _EVALUATING), _EVALUATING, "Publish writes its progress. Each write renews the lease."),
    Event.COMMIT: Transition((_EVALUATING,), VersionStatus.READY, "Publish has written every object, and then updates the registry."),
    Event.FAIL: Transition(ACTIVE, VersionStatus.FAILED, "A task, the workflow's Fail, or the end of its execution says why."),
    Event.EXPIRE: Transition(ACTIVE, VersionStatus.FAILED, "The sweeper finds that the lease ran out and no execution goes on."),
    Event.CANCEL: Transition(ACTIVE, VersionStatus.CANCELLED, "A client calls POST /models/{model_id}/versions/{version}/cancel."),
    Event.RESTART: Transition((_QUEUED,), _QUEUED, "Its execution ended before a task began. The sweeper starts another; the fence grows."),
    Event.DELETE: Transition(ENDED, None, "A client or a forgetting deletes the version. A client can't delete the live one."),
    Event.DELETE_MODEL: Transition(tuple(VersionStatus), None, "A client calls DELETE /models/{model_id}, in any state."),
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
