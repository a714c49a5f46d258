"""DELETE /models/{model_id}/versions/{version}: it removes the version and its objects, except if it is live or being made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.conftest import CLIENT_BUCKET, Context, load_event
from tests.support.races import before_write

if TYPE_CHECKING:
    from tests.conftest import Answer, Once, Ready, Winnow
    from tests.support.clock import Clock

SWEEP = "functions/upkeep/sweep"


@pytest.fixture
def two(ready: Ready, once: Once) -> Winnow:
    """tc-01 with two ready versions. The second is live."""

    def make() -> None:
        assert ready("exclusive.json").train(force_update=True)["status"] == "ready"

    return once("two", make)


def delete(winnow: Winnow, number: int = 1) -> Answer:
    return winnow.call("delete_version", path={"model_id": "tc-01", "version": str(number)})


def promote(winnow: Winnow, number: int) -> Answer:
    return winnow.call("promote_version", body={"version": number})


def numbers(winnow: Winnow) -> list[int]:
    return [version["version"] for version in winnow.call("list_versions").body["versions"]]


def of_version(winnow: Winnow, number: int) -> list[str]:
    return [key for key in winnow.objects() if key.split("/")[3] == str(number)]


def test_the_version_goes_with_its_objects_and_the_other_stays(two: Winnow) -> None:
    kept = of_version(two, 2)
    assert of_version(two, 1)

    answer = delete(two)

    assert (answer.status, answer.body) == (200, {"model_id": "tc-01", "version": 1, "status": "deleted"})
    assert (of_version(two, 1), of_version(two, 2)) == ([], kept)
    assert numbers(two) == [2]
    assert two.model()["live_version"] == 2
    assert two.call("predict", "predict_get_body").body["version"] == 2
    assert two.s3.list_objects_v2(Bucket=CLIENT_BUCKET)["KeyCount"] == 1


def test_it_is_gone_at_once_for_every_other_call(two: Winnow) -> None:
    delete(two)

    assert delete(two).body["type"] == "urn:winnow:problem:version-not-found"
    assert two.call("get_version").status == 404
    assert two.call("get_evaluation").status == 404
    assert two.call("cancel_version").status == 404
    assert promote(two, 1).status == 404


def test_the_live_one_is_kept(two: Winnow) -> None:
    answer = delete(two, 2)

    assert (answer.status, answer.body["type"]) == (409, "urn:winnow:problem:version-live")
    assert "PUT /models/tc-01/live" in answer.body["detail"]
    assert numbers(two) == [2, 1]

    promote(two, 1)
    assert delete(two, 2).status == 200


def test_one_that_is_being_made_is_kept_until_it_is_cancelled(two: Winnow) -> None:
    two.create("create_model_force_update")

    answer = delete(two, 3)

    assert (answer.status, answer.body["type"]) == (409, "urn:winnow:problem:training-underway")
    assert "POST /models/tc-01/versions/3/cancel" in answer.body["detail"]
    two.call("cancel_version", path={"model_id": "tc-01", "version": "3"})
    assert delete(two, 3).status == 200
    assert [execution["status"] for execution in two.executions()].count("ABORTED") == 1


def test_another_may_be_deleted_while_one_is_being_made(two: Winnow) -> None:
    two.put_dataset(bucket="albert-textcats-best")
    two.create("create_model_force_update")

    assert delete(two, 1).status == 200
    two.run_workflow(two.started_job())
    assert (two.model()["live_version"], numbers(two)) == (3, [3, 2])


def test_a_number_is_not_used_again_and_the_model_shows_what_is_left(two: Winnow) -> None:
    promote(two, 1)
    before = two.call("get_model").headers["ETag"]
    delete(two, 2)

    model = two.model()
    assert (model["latest_version"], model["version"]["version"]) == (2, 1)
    assert two.call("get_model", headers={"If-None-Match": before}).status == 200
    assert two.create("create_model_force_update").body["version"] == 3


def test_a_model_without_a_version_is_still_a_model(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.train(promote="never")
    assert winnow.model()["status"] == "ready"

    assert delete(winnow).status == 200

    model = winnow.model()
    assert (model["status"], model["live_version"], model["latest_version"], model["version"]) == ("failed", None, 1, None)
    answer = winnow.call("get_model", headers={"If-None-Match": winnow.call("get_model").headers["ETag"]})
    assert answer.status == 304
    answer = winnow.call("predict", "predict_get_body")
    assert (answer.status, "/live" in answer.body["detail"]) == (409, False)
    assert winnow.train(force_update=True)["version"] == 2
    assert winnow.call("delete_model").status == 200


def test_what_a_request_had_no_time_for_the_sweep_finishes(two: Winnow, clock: Clock) -> None:
    raw = two.invoke("functions/api/delete_version", load_event("api/delete_version"), Context(seconds=5))

    assert (raw["statusCode"], json.loads(raw["body"])["status"]) == (202, "deleting")
    assert numbers(two) == [2]
    kept = of_version(two, 2)

    clock.advance(minutes=20)
    two.invoke(SWEEP, load_event("upkeep/sweep"), Context(seconds=240))

    assert (of_version(two, 1), of_version(two, 2)) == ([], kept)
    assert not [row for row in two.table.scan()["Items"] if "final_after" in row]


def test_an_object_that_a_cancelled_training_wrote_late_goes_too(winnow: Winnow, clock: Clock) -> None:
    winnow.create()
    job = winnow.started_job()["job"]
    winnow.call("cancel_version")
    delete(winnow)
    winnow.s3.put_object(Bucket=winnow.names["Models"], Key=f"models/{job['uid']}/versions/1/1/artifact/weights.bin", Body=b"late")

    clock.advance(minutes=20)
    winnow.invoke(SWEEP, load_event("upkeep/sweep"), Context(seconds=240))

    assert winnow.objects() == {}


def test_a_model_or_version_that_is_not_there_is_not_found(winnow: Winnow) -> None:
    assert delete(winnow).body["type"] == "urn:winnow:problem:model-not-found"

    winnow.create()
    answer = delete(winnow, 2)
    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:version-not-found")


@pytest.mark.parametrize("version", ["0", "01", "latest", "1000000"])
def test_a_version_is_a_number(winnow: Winnow, version: str) -> None:
    answer = winnow.call("delete_version", path={"model_id": "tc-01", "version": version})

    assert (answer.status, answer.body["field"]) == (422, "version")


# --- races ---


def test_a_version_that_is_promoted_meanwhile_is_kept(two: Winnow) -> None:
    with before_write(lambda: promote(two, 1).status) as promoted:
        answer = delete(two)

    assert (promoted, answer.status, answer.body["type"]) == ([200], 409, "urn:winnow:problem:version-live")
    assert two.call("predict", "predict_get_body").body["version"] == 1


def test_a_version_that_is_deleted_meanwhile_is_not_promoted(two: Winnow) -> None:
    with before_write(lambda: delete(two).status) as deleted:
        answer = promote(two, 1)

    assert (deleted, answer.status) == ([200], 404)
    assert two.model()["live_version"] == 2


@pytest.mark.parametrize("operation", ["dynamodb.GetItem", "s3.GetObject"])
def test_a_prediction_under_way_is_answered_by_the_one_that_is_live_then(two: Winnow, operation: str) -> None:
    reads: list[int] = []

    def meanwhile() -> None:
        # After the read of the model, and before the read of its version's row or first object.
        reads.append(len(reads) + 1)
        if operation == "s3.GetObject" or len(reads) == 2:
            promote(two, 1)
            delete(two, 2)

    with before_write(meanwhile, operation, times=2 if operation == "dynamodb.GetItem" else 1):
        answer = two.call("predict", "predict_get_body")

    assert (answer.status, answer.body["version"]) == (200, 1)


def test_of_two_that_delete_it_at_once_one_does(two: Winnow) -> None:
    with before_write(lambda: delete(two).status) as first:
        answer = delete(two)

    assert (first, answer.status) == ([200], 404)


def test_what_else_happens_to_the_model_meanwhile_is_no_matter(two: Winnow) -> None:
    with before_write(lambda: two.create("create_model_force_update").status) as began:
        answer = delete(two)

    assert (began, answer.status) == ([202], 200)
    assert two.model()["version"]["version"] == 3


def test_a_version_that_becomes_ready_meanwhile_is_still_the_last_that_did(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.train(promote="never")
    winnow.create("create_model_force_update", s3bucket=CLIENT_BUCKET, n_iter=1, promote="never")

    with before_write(lambda: winnow.run_workflow(winnow.started_job())):
        assert delete(winnow, 1).status == 200

    assert winnow.model()["status"] == "ready"
    assert '{"version": 2}' in winnow.call("predict", "predict_get_body").body["detail"]
