"""Events on the account's event bus when a training has ended: docs/events.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import batched

from winnow.aws import clients, resources
from winnow.domain.model import Version

SOURCE = "winnow"
DETAIL_TYPE = "Winnow Training Ended"
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
_MOST_ENTRIES = 10


def announce(versions: Sequence[Version]) -> None:
    """Put an event for each version that has ended. RuntimeError if the bus refused one; then announce all of them again."""
    entries = [{"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(_detail(version))} for version in versions]
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
