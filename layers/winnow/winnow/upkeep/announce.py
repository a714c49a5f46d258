"""Events on the account's event bus when a training has ended, and when a model has drifted: docs/events.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import batched

from winnow.aws import clients, resources
from winnow.domain.drift import DriftDay
from winnow.domain.model import Version

SOURCE = "winnow"
DETAIL_TYPE = "Winnow Training Ended"
DRIFTED = "Winnow Model Drifted"
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
_MOST_ENTRIES = 10
# The most labels of a day that an event tells of.
_MOST_LABELS = 10


def announce(versions: Sequence[Version], days: Sequence[DriftDay] = ()) -> None:
    """Put an event for each version that has ended, and for each day that has drifted.

    RuntimeError if the bus refused one; then announce all of them again.
    """
    entries = [{"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(_detail(version))} for version in versions]
    entries += [{"Source": SOURCE, "DetailType": DRIFTED, "Detail": json.dumps(_of_day(day))} for day in days]
    for some in batched(entries, _MOST_ENTRIES, strict=False):
        answer = clients.events().put_events(Entries=list(some))  # type: ignore[arg-type]
        if answer["FailedEntryCount"]:
            codes = sorted({entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry})
            raise RuntimeError(f"the event bus refused {answer['FailedEntryCount']} events: {', '.join(codes)}")


def _detail(version: Version) -> dict[str, object]:
    model = resources.models().find(version.job.model_id)
    return {
        "model_id": version.job.model_id,
        "version": version.job.version,
        "status": version.status,
        "live": model is not None and model.uid == version.job.uid and model.live_version == version.job.version,
        "evaluation": version.evaluation,
        "gate": None if version.gate is None else asdict(version.gate),
        "error": version.error,
        "finished_at": version.finished_at,
    }


def _of_day(day: DriftDay) -> dict[str, object]:
    names = ("model_id", "day", "version", "texts", "psi", "p_labels", "p_scores", "reason")
    return {**{name: getattr(day, name) for name in names}, "labels": [asdict(each) for each in day.labels[:_MOST_LABELS]]}
