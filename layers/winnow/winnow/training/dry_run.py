"""A report on a data set without a training: at once where that is quick, else by a function of its own."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import uuid4

from winnow.aws import clients, resources
from winnow.domain.clock import now, timestamp, utc_now
from winnow.domain.dataset import DatasetReference
from winnow.domain.errors import DatasetError, ReportNotFoundError
from winnow.domain.job import TrainingRequest
from winnow.training.read_dataset import EnoughError, read

# What is reported on while the client waits.
MOST_BYTES_AT_ONCE = 50_000_000
# Lambda tries an asynchronous call three times, each of 15 minutes at most, with pauses of a minute or two.
_LONGEST_RUNNING = timedelta(minutes=50)

Shown = dict[str, Any]


def report_at_once(request: TrainingRequest, seconds: float) -> Shown | None:
    """The report on the data set of the request. None where it is too large, or can't be done in so many seconds.

    DatasetError where the data set can't be had.
    """
    until = time.monotonic() + seconds
    exclusive = request.hyperparameters.exclusive

    def enough(unpacked: int) -> bool:
        return unpacked > MOST_BYTES_AT_ONCE or time.monotonic() > until

    try:
        return read(request.dataset, exclusive=exclusive, keep=False, enough=enough).as_dict()
    except EnoughError:
        return None


def start_dry_run(request: TrainingRequest) -> str:
    """Have the report made by the function REPORT_FUNCTION. Returns the id by which `find` finds it."""
    report_id = uuid4().hex
    resources.dry_run_reports().write(report_id, {"status": "running", "report": None, "error": None, "started_at": now()})
    event = {"report_id": report_id, "dataset": asdict(request.dataset), "exclusive": request.hyperparameters.exclusive}
    clients.lambda_().invoke(FunctionName=clients.setting("REPORT_FUNCTION"), InvocationType="Event", Payload=json.dumps(event).encode())
    return report_id


def make(event: Shown) -> None:
    """Make the report that `start` asked for."""
    reports, started = resources.dry_run_reports(), now()
    try:
        report = read(DatasetReference(**event["dataset"]), exclusive=event["exclusive"], keep=False).as_dict()
    except DatasetError as error:
        reports.write(event["report_id"], {"status": "failed", "report": None, "error": error.sentence, "started_at": started})
    else:
        reports.write(event["report_id"], {"status": "ready", "report": report, "error": None, "started_at": started})


def find(report_id: str) -> Shown:
    """The report of this id, or how far it is. ReportNotFoundError where there is none, or not any more."""
    found = resources.dry_run_reports().find(report_id)
    if found is None:
        raise ReportNotFoundError(f"There is no report {report_id}: reports of dry runs are kept for a week. Ask for one again.")
    shown = {"report_id": report_id, "status": found["status"], "report": found["report"], "error": found["error"]}
    if found["status"] == "running" and found["started_at"] < timestamp(utc_now() - _LONGEST_RUNNING):
        return {**shown, "status": "failed", "error": "The report was never finished: the data set is too large, or a fault of ours."}
    return shown
