"""Dry runs: a report on a data set, and what a training on it would take. A quick one is made at once, a slow one by its own function."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

from winnow.aws import clients, resources
from winnow.datasets.report import DROP
from winnow.datasets.split import share_held_out
from winnow.domain.clock import now, timestamp, utc_now
from winnow.domain.dataset import DatasetReference
from winnow.domain.errors import DatasetError, ReportNotFoundError
from winnow.domain.job import TrainingRequest
from winnow.recipes.catalogue import AUTO, candidates, most_cross_validated
from winnow.training.estimate import Size, estimates
from winnow.training.prepare_labels import report_on_labels
from winnow.training.read_dataset import EnoughError, ReadDataset, read

# The largest data set, unpacked, that is read while the client waits.
MOST_BYTES_AT_ONCE = 50_000_000
# Lambda tries an asynchronous call three times, each at most 15 minutes, with pauses of one and two minutes.
_LONGEST_RUNNING = timedelta(minutes=50)

Shown = dict[str, Any]


def report_at_once(request: TrainingRequest, seconds: float) -> Shown | None:
    """`report`, on the request's data set or labels, and `estimates` of its training.

    None if the data set is too large, or the report takes longer than `seconds`. DatasetError if the data set can't be read.
    """
    until = time.monotonic() + seconds
    chosen = request.hyperparameters
    if request.dataset is None:
        return None if request.labels is None else {"report": report_on_labels(request.labels, chosen.exclusive), "estimates": []}

    def enough(unpacked: int) -> bool:
        return unpacked > MOST_BYTES_AT_ONCE or time.monotonic() > until

    try:
        found = read(
            request.dataset,
            exclusive=chosen.exclusive,
            rare_labels=chosen.rare_labels,
            keep=False,
            recipe=request.recipe,
            enough=enough,
        )
    except EnoughError:
        return None
    return {"report": found.as_dict(), "estimates": _estimates(found, request.recipe, chosen.n_texts, chosen.n_iter)}


def _estimates(found: ReadDataset, recipe: str, n_texts: int | None, n_iter: int | None) -> list[Shown]:
    """What a training would take with each recipe that it would try. Empty if the data set can't be trained on."""
    report = found.data.report
    if found.refusal("") is not None or not report.examples:
        return []
    recipes = candidates(recipe, has_encoder=resources.has_encoder())
    used = min(report.examples, n_texts or report.examples)
    learnt = used if found.test else round(used * (1 - share_held_out(used, most_cross_validated(recipes))))
    characters = round(found.data.characters * learnt / report.examples)
    size = Size(learnt, len(report.labels), characters)
    return [each.as_dict() for each in estimates(recipes, size, n_iter, resources.training_limits())]


def start_dry_run(request: TrainingRequest) -> str:
    """Have the function REPORT_FUNCTION make the report. Returns the report's id, for `find_dry_run`."""
    report_id = uuid4().hex
    resources.dry_run_reports().write(report_id, {"status": "running", "report": None, "error": None, "started_at": now()})
    chosen = request.hyperparameters
    asked: Shown = {"exclusive": chosen.exclusive, "rare_labels": chosen.rare_labels, "recipe": request.recipe}
    asked |= {"n_texts": chosen.n_texts, "n_iter": chosen.n_iter}
    event = {"report_id": report_id, "dataset": request.source, **asked}
    clients.lambda_().invoke(FunctionName=clients.setting("REPORT_FUNCTION"), InvocationType="Event", Payload=json.dumps(event).encode())
    return report_id


def make_dry_run(event: Shown) -> None:
    """Make the report that `start_dry_run` asked for."""
    reports, started, recipe = resources.dry_run_reports(), now(), event.get("recipe", AUTO)
    try:
        found = read(
            DatasetReference.of(event["dataset"]),
            exclusive=event["exclusive"],
            rare_labels=event.get("rare_labels", DROP),
            keep=False,
            recipe=recipe,
        )
    except DatasetError as error:
        reports.write(event["report_id"], {"status": "failed", "report": None, "error": error.sentence, "started_at": started})
    else:
        made = {"report": found.as_dict(), "estimates": _estimates(found, recipe, event.get("n_texts"), event.get("n_iter"))}
        reports.write(event["report_id"], {"status": "ready", **made, "error": None, "started_at": started})


def find_dry_run(report_id: str) -> Shown:
    """The report with this id, or its status. ReportNotFoundError if there is none, or if it has expired."""
    found = resources.dry_run_reports().find(report_id)
    if found is None:
        raise ReportNotFoundError(f"There is no report {report_id}: a dry run's report is kept for a week. Send the dry run again.")
    shown = {"report_id": report_id, "status": found["status"], "report": found["report"], "error": found["error"]}
    # Absent from the reports of earlier releases.
    shown["estimates"] = found.get("estimates")
    if found["status"] == "running" and found["started_at"] < timestamp(utc_now() - _LONGEST_RUNNING):
        return {**shown, "status": "failed", "error": "The report never finished: the data set is too large, or an internal error."}
    return shown
