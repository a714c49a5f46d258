"""The scheduled sweep of silent trainings, and how it continues after errors. (Deletions: test_delete_model.py.)"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import Context, Json, load_event
from tests.support import moments
from tests.support.metrics import sweep
from winnow.aws import clients, resources
from winnow.domain.errors import JobSupersededError
from winnow.domain.job import Progress, Stage, TrainingJob
from winnow.domain.model import VersionStatus
from winnow.registry import table as rows
from winnow.training import requests

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow
    from tests.support.clock import Clock

SWEEP = "functions/upkeep/sweep"


@pytest.fixture
def broken(winnow: Winnow) -> pytest.MonkeyPatch:
    """Let no workflow start until undone."""
    patched = pytest.MonkeyPatch()
    patched.setattr(winnow, "names", {**winnow.names, "TrainingWorkflow": f"{winnow.names['TrainingWorkflow']}-that-is-gone"})
    return patched


def note(winnow: Winnow, job: Json) -> None:
    """Note that the training goes on, as each of its tasks does."""
    with winnow.settings("functions/training/train"):
        resources.jobs().note(TrainingJob.from_event(job["job"]), VersionStatus.TRAINING, Progress.of(Stage.TRAINING))


def stop(winnow: Winnow, number: int = -1) -> None:
    """Stop an execution, as a person can in the console."""
    winnow.stepfunctions.stop_execution(executionArn=winnow.executions()[number]["executionArn"])


def test_a_training_whose_workflow_did_not_start_is_started(
    winnow: Winnow, broken: pytest.MonkeyPatch, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    winnow.put_dataset()
    answer = winnow.create(n_iter=1)
    broken.undo()
    assert (answer.status, winnow.version()["status"], winnow.executions()) == (202, "queued", [])

    assert sweep(winnow, capsys) == {}
    clock.advance(minutes=6)
    assert sweep(winnow, capsys) == {"TrainingsStarted": 1}

    assert [job_of(execution)["fence"] for execution in described(winnow)] == [1]
    winnow.run_workflow(winnow.started_job())
    assert winnow.version()["status"] == "ready"


def test_a_workflow_that_waits_for_its_first_task_is_left_alone(winnow: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    winnow.create()
    clock.advance(minutes=6)

    assert sweep(winnow, capsys) == {}

    assert [execution["status"] for execution in winnow.executions()] == ["RUNNING"]
    assert fence(winnow) == 1


def test_what_ended_before_its_first_task_is_started_anew_and_the_old_can_t_write(
    winnow: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    old = winnow.started_job()
    stop(winnow)
    clock.advance(minutes=6)

    assert sweep(winnow, capsys) == {"TrainingsRestarted": 1}
    assert sweep(winnow, capsys) == {}

    assert sorted(job_of(execution)["fence"] for execution in described(winnow)) == [1, 2]
    with pytest.raises(JobSupersededError):
        winnow.invoke("functions/training/prepare", old)
    winnow.invoke("functions/training/fail", old | {"failure": load_event("training/fail")["failure"]})
    assert winnow.version()["status"] == "queued"
    new = {"job": {**old["job"], "fence": 2}}
    assert winnow.run_workflow(new) == "Publish"
    assert winnow.version()["status"] == "ready"


def test_what_was_fenced_anew_and_not_started_is_started_by_a_later_sweep(
    winnow: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    winnow.create()
    stop(winnow)
    clock.advance(minutes=6)
    with monkeypatch.context() as refusing:
        refusing.setattr("winnow.training.queue.try_to_start_training", lambda job: False)
        assert sweep(winnow, capsys) == {}
    assert (fence(winnow), len(winnow.executions())) == (2, 1)

    clock.advance(minutes=6)
    assert sweep(winnow, capsys) == {"TrainingsStarted": 1}

    assert sorted(job_of(execution)["fence"] for execution in described(winnow)) == [1, 2]


def test_two_sweeps_at_once_start_one_training(winnow: Winnow, clock: Clock) -> None:
    winnow.create()
    stop(winnow)
    clock.advance(minutes=6)
    events = clients.stepfunctions().meta.events

    def sweep_too(**_: Any) -> None:
        events.unregister("provide-client-params.stepfunctions.DescribeExecution", unique_id="twice")
        [wanted] = resources.pending_trainings().wanted()
        requests.care_for_training(wanted, wanted.queued_at)

    events.register("provide-client-params.stepfunctions.DescribeExecution", sweep_too, unique_id="twice")
    winnow.invoke(SWEEP, load_event("upkeep/sweep"), Context(seconds=240))

    assert sorted(job_of(execution)["fence"] for execution in described(winnow)) == [1, 2]
    assert fence(winnow) == 2


@pytest.mark.parametrize("status", [VersionStatus.TRAINING, VersionStatus.EVALUATING])
def test_a_training_that_fell_silent_fails_and_its_workflow_is_stopped(
    winnow: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, status: VersionStatus
) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    job = winnow.started_job()
    job = winnow.run_task("prepare", job)
    if status is VersionStatus.EVALUATING:
        job = winnow.run_task("train", job)
        monkeypatch.setattr("winnow.recipes.artifact.TrainedClassifier.from_files", killed)
        with pytest.raises(MemoryError):
            winnow.run_task("publish", job)
    assert winnow.version()["status"] == status

    clock.advance(minutes=64)
    assert sweep(winnow, capsys) == {}
    clock.advance(minutes=2)
    assert sweep(winnow, capsys) == {"TrainingsFailed": 1}

    assert winnow.version()["status"] == "failed"
    assert "The training stopped: it reported nothing" in winnow.version()["error"]
    assert "force_update" in winnow.version()["error"]
    assert [execution["status"] for execution in winnow.executions()] == ["ABORTED"]
    assert winnow.create("create_model_force_update").status == 202


@pytest.mark.parametrize("status", ["ABORTED", "FAILED", "TIMED_OUT", "SUCCEEDED"])
def test_a_training_whose_workflow_has_ended_does_not_wait_for_its_lease(
    winnow: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str], status: str
) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    winnow.run_task("prepare", winnow.started_job())
    [execution] = moments.executions()
    execution.status = status

    clock.advance(minutes=4)
    assert sweep(winnow, capsys) == {}
    clock.advance(minutes=2)
    assert sweep(winnow, capsys) == {"TrainingsFailed": 1}

    assert winnow.version()["status"] == "failed"
    assert ("stopped from outside" in winnow.version()["error"]) == (status == "ABORTED")
    assert winnow.create("create_model_force_update").status == 202


def killed(*_: Any) -> None:
    raise MemoryError


def test_a_lease_that_is_renewed_between_the_sweeper_s_look_and_its_write_counts(
    winnow: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    job = winnow.started_job()
    winnow.invoke("functions/training/prepare", job)
    clock.advance(minutes=66)
    expire = rows.transact

    def late(table: Any, *writes: Any) -> None:
        monkeypatch.setattr(rows, "transact", expire)
        note(winnow, job)
        expire(table, *writes)

    monkeypatch.setattr(rows, "transact", late)
    assert sweep(winnow, capsys) == {}

    assert winnow.version()["status"] == "training"
    assert [execution["status"] for execution in winnow.executions()] == ["RUNNING"]


def test_each_note_renews_the_lease(winnow: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    job = winnow.started_job()
    for _ in range(4):
        note(winnow, job)
        clock.advance(minutes=15)
        assert sweep(winnow, capsys) == {}

    assert winnow.run_workflow(job) == "Publish"
    assert "lease_until" not in version_row(winnow)


def test_what_could_not_be_started_for_a_day_fails(
    winnow: Winnow, broken: pytest.MonkeyPatch, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    winnow.create()
    clock.advance(hours=23)
    assert sweep(winnow, capsys) == {}
    assert winnow.version()["status"] == "queued"

    clock.advance(hours=2)
    assert sweep(winnow, capsys) == {"TrainingsFailed": 1}

    assert "could not be started for a day" in winnow.version()["error"]


def test_what_ended_is_left_alone(ready: Ready, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    winnow = ready("exclusive.json")
    winnow.create(id="tc-02")
    winnow.call("cancel_version", path={"model_id": "tc-02", "version": "1"})
    before = [row for row in winnow.table.scan()["Items"] if row["pk"] != rows.TRAININGS]
    executions = len(winnow.executions())

    clock.advance(hours=1)
    assert sweep(winnow, capsys) == {}

    assert [row for row in winnow.table.scan()["Items"] if row["pk"] not in {rows.UPKEEP, rows.TRAININGS}] == before
    assert len(winnow.executions()) == executions


def test_one_sick_row_does_not_keep_the_sweeper_from_the_others(
    winnow: Winnow, broken: pytest.MonkeyPatch, clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    winnow.parameters["MostTrainings"] = "3"
    for model_id in ("tc-01", "tc-02", "tc-03"):
        winnow.create(id=model_id)
    winnow.create(id="tc-04")
    winnow.call("delete_model", path={"model_id": "tc-04"})
    broken.undo()
    [note] = [row for row in winnow.table.scan()["Items"] if row["pk"] == rows.DELETIONS]
    winnow.table.put_item(Item={"pk": note["pk"], "sk": "0-is-first"})
    care = requests.care_for_training
    monkeypatch.setattr(
        "winnow.upkeep.sweep.care_for_training", lambda wanted, since: 1 / 0 if wanted.model_id == "tc-02" else care(wanted, since)
    )
    clock.advance(minutes=20)

    assert sweep(winnow, capsys) == {"TrainingsStarted": 2, "DeletionsFinished": 1, "SweepFaults": 1, "DamagedRows": 1}

    assert {job_of(execution)["model_id"] for execution in described(winnow)} == {"tc-01", "tc-03"}


def test_deletions_are_finished_though_a_training_cannot_be_started(ready: Ready, broken: pytest.MonkeyPatch, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    winnow.invoke("functions/api/delete_model", load_event("api/delete_model"), Context(seconds=5))
    winnow.create(id="tc-02")
    clock.advance(minutes=6)
    assert winnow.objects()

    winnow.invoke(SWEEP, load_event("upkeep/sweep"))

    assert winnow.objects() == {}


def test_objects_that_nobody_will_ask_for_are_removed_when_they_are_a_day_old(
    ready: Ready, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    winnow = ready("exclusive.json")
    bucket, uid = winnow.names["Models"], version_row(winnow)["uid"]
    winnow.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    winnow.table.update_item(Key=rows.version_key(uid, 1), UpdateExpression="SET fence = :two", ExpressionAttributeValues={":two": 2})
    old = winnow.objects()
    for key, body in old.items():
        # As after one restart: nothing needs the objects of the first execution.
        winnow.s3.put_object(Bucket=bucket, Key=key.replace("/versions/1/1/", "/versions/1/2/"), Body=body)
    kept = {key for key in winnow.objects() if "/versions/1/2/" in key} | {"an/operator's/own", f"models/{uid}/notes.txt"}
    orphans = [f"models/{uid}/versions/1/2/checkpoints/3.bin", f"models/{uid}/versions/2/1/artifact/a.bin", "models/f00/versions/1/1/b.bin"]
    for key in (*kept - set(winnow.objects()), *orphans):
        winnow.s3.put_object(Bucket=bucket, Key=key, Body=b"x")

    assert sweep(winnow, capsys) == {}
    clock.advance(hours=25)
    assert sweep(winnow, capsys) == {"OrphansRemoved": len(old) + len(orphans)}

    assert set(winnow.objects()) == kept
    # A row could be missing by mistake, so the removed objects stay in the bucket as old versions.
    kept_versions = {entry["Key"] for entry in winnow.s3.list_object_versions(Bucket=bucket)["Versions"]}
    assert kept_versions == kept | set(orphans) | set(old)
    assert winnow.call("predict", "predict_get_body").status == 200


def test_orphans_are_looked_for_once_a_day(winnow: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    orphan = {"Bucket": winnow.names["Models"], "Key": "models/f00/versions/1/1/artifact/weights.bin"}
    winnow.s3.put_object(**orphan, Body=b"x")
    clock.advance(hours=25)
    assert sweep(winnow, capsys) == {"OrphansRemoved": 1}

    winnow.s3.put_object(**orphan, Body=b"x")
    clock.advance(hours=23)
    assert sweep(winnow, capsys) == {}
    clock.advance(hours=2)
    assert sweep(winnow, capsys) == {"OrphansRemoved": 1}


def test_what_a_training_needs_that_lasts_longer_than_a_day_is_no_orphan(
    winnow: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    winnow.parameters["LongestTraining"] = "4320"
    winnow.put_dataset()
    winnow.create(n_iter=1)
    job = winnow.started_job()
    winnow.invoke("functions/training/prepare", job)
    prefix = TrainingJob.from_event(job["job"]).prefix
    winnow.s3.put_object(Bucket=winnow.names["Models"], Key=f"{prefix}checkpoints/1.bin", Body=b"x")
    before = winnow.objects()
    clock.advance(hours=25)
    with winnow.settings("functions/training/train"):
        resources.jobs().note(TrainingJob.from_event(job["job"]), VersionStatus.TRAINING, Progress.of(Stage.TRAINING))

    assert sweep(winnow, capsys) == {}

    assert winnow.objects() == before


def described(winnow: Winnow) -> list[Json]:
    return [winnow.stepfunctions.describe_execution(executionArn=execution["executionArn"]) for execution in winnow.executions()]


def job_of(execution: Json) -> Json:
    job: Json = json.loads(execution["input"])["job"]
    return job


def version_row(winnow: Winnow) -> Json:
    [row] = [row for row in winnow.table.scan()["Items"] if row["pk"].startswith("VERSIONS#")]
    return rows.from_item(row)  # type: ignore[no-any-return]


def fence(winnow: Winnow) -> int:
    return int(version_row(winnow)["fence"])
