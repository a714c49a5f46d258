"""The life cycle as one table: the registry allows exactly what the table says, and the document shows the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from winnow.domain.dataset import DatasetReference
from winnow.domain.errors import JobSupersededError
from winnow.domain.job import Hyperparameters, Progress, Stage, TrainingJob, TrainingRequest
from winnow.domain.lifecycle import STATES, TRANSITIONS, Event, tables
from winnow.domain.model import ACTIVE, Version, VersionStatus
from winnow.registry import table as rows
from winnow.registry.models import Models
from winnow.registry.training_jobs import Jobs
from winnow.registry.versions import Versions

if TYPE_CHECKING:
    from tests.conftest import Winnow

DOCUMENT = Path(__file__).parents[2] / "docs" / "lifecycle.md"
JOB = TrainingJob("tc-01", "5f0c7a3e9b2d4c6f8a1e3b5d7f9c0a2e", version=1, fence=1)
LEASE = "2026-11-23T15:40:00.000Z"
VERSION = Version(JOB, VersionStatus.QUEUED, "linear", Progress.of(Stage.QUEUED), {}, {}, None, None, LEASE, None, lease_until=LEASE)

HAPPEN: dict[Event, Callable[[Jobs], object]] = {
    Event.TRAIN: lambda jobs: jobs.note(JOB, VersionStatus.TRAINING, Progress.of(Stage.TRAINING)),
    Event.EVALUATE: lambda jobs: jobs.note(JOB, VersionStatus.EVALUATING, Progress.of(Stage.EVALUATING)),
    Event.COMMIT: lambda jobs: jobs.commit(JOB, {"accuracy": 0.5}, "0" * 64, 2, live=True),
    Event.FAIL: lambda jobs: jobs.fail(JOB, "It failed."),
    Event.EXPIRE: lambda jobs: jobs.expire(VERSION, "It was not heard of."),
    Event.CANCEL: lambda jobs: jobs.cancel(JOB),
    Event.RESTART: lambda jobs: jobs.restart(JOB),
}


def registered(winnow: Winnow, status: VersionStatus) -> tuple[Jobs, Versions]:
    """The registry with the job's version in this state, and its model at that time."""
    jobs = Jobs(winnow.table)
    assert jobs.create_model(JOB, TrainingRequest("tc-01", DatasetReference("bucket", "key"), Hyperparameters(), "linear"))
    known = {"status": status, "lease_until": LEASE}
    version = rows.Update(rows.version_key(JOB.uid, JOB.version), known, "#fence = :fence", {"fence": 1})
    released = () if status in ACTIVE else ("training_version",)
    model = rows.Update(rows.model_key(JOB.model_id), {"updated_at": LEASE}, "#uid = :uid", {"uid": JOB.uid}, released)
    rows.update(winnow.table, version)
    rows.update(winnow.table, model)
    return jobs, Versions(winnow.table)


@pytest.mark.parametrize("status", VersionStatus)
@pytest.mark.parametrize("event", HAPPEN)
def test_an_event_happens_in_the_states_of_the_table_and_in_no_other(winnow: Winnow, event: Event, status: VersionStatus) -> None:
    jobs, versions = registered(winnow, status)
    before = winnow.table.scan()["Items"]

    if status not in TRANSITIONS[event].sources:
        with pytest.raises(JobSupersededError):
            HAPPEN[event](jobs)
        assert winnow.table.scan()["Items"] == before
        return
    HAPPEN[event](jobs)

    version = versions.of_job(JOB)
    assert version.status is TRANSITIONS[event].target
    assert (
        (Models(winnow.table).get(JOB.model_id).training_version is None) == (version.lease_until is None) == (version.status not in ACTIVE)
    )
    assert version.job.fence == (2 if event is Event.RESTART else 1)


@pytest.mark.parametrize("status", VersionStatus)
def test_a_version_is_deleted_in_the_states_of_the_table_and_in_no_other(winnow: Winnow, status: VersionStatus) -> None:
    _, versions = registered(winnow, status)
    model, version = versions.latest_with_model(JOB.model_id)
    assert version is not None

    deletion = versions.delete(model, version)

    assert (deletion is not None) == (status in TRANSITIONS[Event.DELETE].sources)
    assert (versions.latest_with_model(JOB.model_id)[1] is None) if deletion else versions.of_job(JOB) == version


@pytest.mark.parametrize("event", HAPPEN)
def test_an_event_of_an_older_fence_does_not_happen(winnow: Winnow, event: Event) -> None:
    jobs, _ = registered(winnow, TRANSITIONS[event].sources[0])
    rows.update(winnow.table, rows.Update(rows.version_key(JOB.uid, 1), {"fence": 2}, "#fence = :fence", {"fence": 1}))
    before = winnow.table.scan()["Items"]

    with pytest.raises(JobSupersededError):
        HAPPEN[event](jobs)

    assert winnow.table.scan()["Items"] == before


def test_a_lease_that_was_renewed_does_not_expire(winnow: Winnow) -> None:
    jobs, versions = registered(winnow, VersionStatus.TRAINING)
    jobs.note(JOB, VersionStatus.TRAINING, Progress.of(Stage.TRAINING))

    with pytest.raises(JobSupersededError):
        jobs.expire(VERSION, "It was not heard of.")

    assert versions.of_job(JOB).status is VersionStatus.TRAINING


def test_every_state_is_explained_and_can_be_reached_and_left() -> None:
    assert set(STATES) == set(VersionStatus)
    assert {transition.target for transition in TRANSITIONS.values()} == {*VersionStatus, None}
    assert {source for transition in TRANSITIONS.values() for source in transition.sources} == set(VersionStatus)
    assert set(TRANSITIONS) == set(Event)


def test_the_document_has_the_tables_that_the_code_makes() -> None:
    shown = DOCUMENT.read_text(encoding="utf-8").partition("<!-- tables -->\n")[2].partition("<!-- end of tables -->")[0]

    assert shown.splitlines() == [*tables()], "run PYTHONPATH=layers/winnow python -m winnow.domain.lifecycle"
