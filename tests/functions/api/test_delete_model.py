"""DELETE /models/{model_id}, and the sweep that finishes a deletion that ran out of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import CLIENT_BUCKET, Context, Json, load_event
from winnow.aws import clients, resources
from winnow.domain.errors import JobSupersededError, WinnowError
from winnow.registry import table as rows
from winnow.registry.upkeep import Deletion, noted

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow
    from tests.support.clock import Clock

SWEEP = "functions/upkeep/sweep"


def test_a_model_goes_with_its_rows_and_objects_and_the_data_set_stays(ready: Ready, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    assert winnow.objects()

    answer = winnow.call("delete_model")

    assert (answer.status, answer.body) == (200, {"model_id": "tc-01", "status": "deleted"})
    assert winnow.objects() == {}
    clock.advance(minutes=17)
    winnow.invoke(SWEEP, load_event("upkeep/sweep"))
    assert table(winnow) == []
    assert winnow.s3.list_objects_v2(Bucket=CLIENT_BUCKET)["KeyCount"] == 1


def test_it_is_gone_at_once_for_every_other_call(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.call("delete_model")

    assert winnow.call("delete_model").status == 404
    assert winnow.call("get_model").status == 404
    assert winnow.call("cancel_version").status == 404
    assert winnow.call("predict", "predict_get_body").status == 404
    assert winnow.call("list_models").body["models"] == []


def test_other_models_keep_what_is_theirs(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    theirs = set(winnow.objects())
    winnow.train(id="tc-02")

    winnow.call("delete_model", path={"model_id": "tc-02"})

    assert set(winnow.objects()) == theirs
    assert winnow.call("predict", "predict_get_body").status == 200


def test_older_versions_of_objects_go_too(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    bucket = winnow.names["Models"]
    winnow.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for key, body in winnow.objects().items():
        winnow.s3.put_object(Bucket=bucket, Key=key, Body=body)
    winnow.s3.delete_object(Bucket=bucket, Key=next(iter(winnow.objects())))

    winnow.call("delete_model")

    left = winnow.s3.list_object_versions(Bucket=bucket)
    assert left.get("Versions", []) + left.get("DeleteMarkers", []) == []


def test_an_id_used_again_shares_no_prefix_and_no_execution_with_the_old(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    old = set(winnow.objects())
    winnow.call("delete_model")

    version = winnow.train()

    assert (version["version"], version["status"]) == (1, "ready")
    assert not {prefix(key) for key in winnow.objects()} & {prefix(key) for key in old}


@pytest.mark.parametrize("task", ["prepare", "train", "publish"])
def test_a_training_is_stopped_and_what_it_still_writes_does_not_count(winnow: Winnow, task: str) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    job = winnow.started_job()
    # Run the tasks before this one, then delete, then run this task late: StopExecution doesn't stop a running Lambda.
    for earlier in ("prepare", "train", "publish")[: ("prepare", "train", "publish").index(task)]:
        job = winnow.run_task(earlier, job)
    assert winnow.call("delete_model").status in {200, 202}

    with pytest.raises(WinnowError):
        winnow.run_task(task, job)
    winnow.invoke("functions/training/fail", job | {"failure": {"Error": "JobSupersededError", "Cause": "{}"}})

    assert [execution["status"] for execution in winnow.executions()] == ["ABORTED"]
    assert winnow.call("get_model").status == 404
    assert winnow.call("list_models").body["models"] == []
    assert winnow.objects() == {}


def test_a_version_is_not_published_while_its_models_objects_are_being_removed(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    job = winnow.started_job()
    job = winnow.run_task("train", winnow.run_task("prepare", job))
    # The deletion has no time for the objects, so the version's row still exists when the job commits.
    assert winnow.invoke("functions/api/delete_model", load_event("api/delete_model"), Context(seconds=5))["statusCode"] == 202

    with pytest.raises(JobSupersededError):
        winnow.run_task("publish", job)

    assert winnow.call("get_model").status == 404
    assert winnow.create().body == {"model_id": "tc-01", "version": 1, "status": "queued"}


@pytest.mark.parametrize("meanwhile", ["cancelled", "trained again", "deleted"])
def test_a_model_that_changes_under_the_deletion_is_looked_at_again(
    ready: Ready, clock: Clock, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    winnow = ready("exclusive.json")
    if meanwhile == "cancelled":
        winnow.create("create_model_force_update")
    transact = rows.transact

    def late(table: Any, *writes: Any) -> None:
        monkeypatch.setattr(rows, "transact", transact)
        if meanwhile == "cancelled":
            winnow.call("cancel_version", path={"model_id": "tc-01", "version": "2"})
        elif meanwhile == "trained again":
            winnow.create("create_model_force_update")
        else:
            winnow.call("delete_model")
        transact(table, *writes)

    monkeypatch.setattr(rows, "transact", late)
    assert winnow.call("delete_model").status == (404 if meanwhile == "deleted" else 200)

    if meanwhile != "deleted":
        # The latest comes first. Where this test is the first to need the model, its own training is in the list too.
        assert winnow.executions()[0]["status"] == "ABORTED"
    clock.advance(minutes=17)
    winnow.invoke(SWEEP, load_event("upkeep/sweep"))
    assert (table(winnow), winnow.objects()) == ([], {})


def test_from_the_deletion_on_no_write_of_the_job_is_let_through(winnow: Winnow) -> None:
    """The deletion had no time yet for the model's rows and objects. A task that starts now could write for 15 more minutes."""
    winnow.put_dataset()
    winnow.create(n_iter=1)
    job = winnow.started_job()
    job = winnow.run_task("prepare", job)
    before = set(winnow.objects())
    winnow.invoke("functions/api/delete_model", load_event("api/delete_model"), Context(seconds=5))

    for task in ("prepare", "train"):
        with pytest.raises(WinnowError):
            winnow.run_task(task, job)

    assert set(winnow.objects()) == before


def test_a_workflow_that_can_t_be_stopped_does_not_keep_the_deletion(winnow: Winnow) -> None:
    winnow.create()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clients.stepfunctions(), "stop_execution", refused)
        assert winnow.call("delete_model").status == 200

    assert winnow.call("get_model").status == 404


def refused(**_: Any) -> None:
    raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "StopExecution")


def test_an_object_written_late_is_swept_and_the_note_kept_until_none_can_come(winnow: Winnow, clock: Clock) -> None:
    winnow.create()
    job = winnow.started_job()["job"]
    winnow.call("delete_model")
    winnow.s3.put_object(Bucket=winnow.names["Models"], Key=f"models/{job['uid']}/versions/1/1/artifact/weights.bin", Body=b"late")

    winnow.invoke(SWEEP, load_event("upkeep/sweep"))

    assert winnow.objects() == {}
    clock.advance(minutes=15)
    winnow.invoke(SWEEP, load_event("upkeep/sweep"))
    assert [row["pk"] for row in table(winnow)] == [rows.DELETIONS]
    clock.advance(minutes=2)
    winnow.invoke(SWEEP, load_event("upkeep/sweep"))
    assert table(winnow) == []


def test_what_a_request_had_no_time_for_the_sweep_finishes(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    event = load_event("api/delete_model")

    raw = winnow.invoke("functions/api/delete_model", event, Context(seconds=5))

    assert raw["statusCode"] == 202
    assert '"deleting"' in raw["body"]
    assert winnow.call("get_model").status == 404
    assert winnow.objects()
    # The id is free again already. The sweep must not touch its new model.
    assert winnow.create().status == 202

    winnow.invoke(SWEEP, load_event("upkeep/sweep"), Context(seconds=240))

    assert winnow.objects() == {}
    new = rows.versions_partition(winnow.started_job()["job"]["uid"])
    assert {row["pk"] for row in table(winnow)} == {rows.MODELS, new, rows.DELETIONS}
    assert winnow.model()["status"] == "training"


def test_a_sweep_without_time_leaves_the_rest_to_the_next(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.invoke("functions/api/delete_model", load_event("api/delete_model"), Context(seconds=5))

    winnow.invoke(SWEEP, load_event("upkeep/sweep"), Context(seconds=10))

    assert winnow.objects()
    winnow.invoke(SWEEP, load_event("upkeep/sweep"), Context(seconds=240))
    assert winnow.objects() == {}


def test_a_note_may_stand_for_one_version(ready: Ready, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    winnow.train(force_update=True)
    with winnow.settings("functions/api/delete_model"):
        deleted = Deletion.of(resources.models().get("tc-01"), version=1)
    rows.transact(winnow.table, noted(deleted))

    for _ in range(2):
        winnow.invoke(SWEEP, load_event("upkeep/sweep"))
        assert {key.split("/")[3] for key in winnow.objects()} == {"2"}
        assert {row["sk"] for row in table(winnow)} == {"tc-01", "000002", f"{deleted.uid}#000001"}
    clock.advance(minutes=17)
    winnow.invoke(SWEEP, load_event("upkeep/sweep"))

    assert {row["sk"] for row in table(winnow)} == {"tc-01", "000002"}
    assert winnow.call("predict", "predict_get_body").body["version"] == 2


def test_a_sweep_of_nothing_is_nothing(winnow: Winnow) -> None:
    winnow.invoke(SWEEP, load_event("upkeep/sweep"))

    assert table(winnow) == []


def table(winnow: Winnow) -> list[Json]:
    """The rows of the registry without the sweeper's own."""
    # The history stays until it expires: test_get_history.py.
    found = (row for row in winnow.table.scan()["Items"] if not row["pk"].startswith("HISTORY#"))
    return [row for row in found if row["pk"] not in {rows.UPKEEP, rows.TRAININGS}]


def prefix(key: str) -> str:
    return "/".join(key.split("/")[:2])
