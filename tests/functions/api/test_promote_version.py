"""PUT /models/{model_id}/live: promote, roll back, and no overwriting of another client's change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import load_dataset
from tests.support.races import before_write
from winnow.domain.retrying import TRIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Answer, Json, Once, Ready, Winnow


@pytest.fixture
def two(ready: Ready, once: Once) -> Winnow:
    """tc-01 with two ready versions. The second is live and has two labels."""

    def make() -> None:
        winnow = ready("exclusive.json")
        records = load_dataset("exclusive.json")
        dropped = records[0]["label"]
        winnow.put_dataset([record for record in records if record["label"] != dropped])
        assert winnow.train(force_update=True)["status"] == "ready"

    return once("two, of which the second has two labels", make)


def promote(winnow: Winnow, version: Any = 1, if_match: str | None = None) -> Answer:
    return winnow.call("promote_version", body={"version": version}, headers={} if if_match is None else {"If-Match": if_match})


def etag(winnow: Winnow) -> str:
    return winnow.call("get_model").headers["ETag"]


def rows(winnow: Winnow) -> list[Json]:
    found: list[Json] = winnow.table.scan()["Items"]
    return found


def test_a_roll_back_makes_the_older_version_answer(two: Winnow) -> None:
    assert (two.model()["live_version"], two.model()["labels"]) == (2, 2)

    answer = promote(two)

    assert answer.status == 200
    assert (answer.body["live_version"], answer.body["labels"], answer.body["latest_version"]) == (1, 3, 2)
    assert answer.body == two.model()
    assert [version["live"] for version in two.call("list_versions").body["versions"]] == [False, True]
    assert two.call("predict", "predict_get_body").body["version"] == 1


def test_the_answer_has_the_tag_that_the_next_condition_wants(two: Winnow) -> None:
    tag = promote(two, if_match=etag(two)).headers["ETag"]

    assert tag == etag(two)
    assert promote(two, 2, if_match=tag).status == 200


def test_a_stale_condition_changes_nothing(two: Winnow) -> None:
    seen = etag(two)
    promote(two)
    before = rows(two)

    answer = promote(two, 2, if_match=seen)

    assert (answer.status, answer.body["type"]) == (412, "urn:winnow:problem:stale")
    assert "GET /models/tc-01" in answer.body["detail"]
    assert rows(two) == before


def test_a_training_that_began_or_ended_makes_a_condition_stale_and_its_progress_does_not(two: Winnow) -> None:
    seen = etag(two)
    two.create("create_model_force_update")
    assert promote(two, if_match=seen).status == 412

    seen = etag(two)
    two.put_dataset(bucket="albert-textcats-best")
    two.invoke("functions/training/prepare", two.started_job())
    assert etag(two) != seen
    answer = promote(two, if_match=seen)
    assert answer.status == 200

    two.call("cancel_version", path={"model_id": "tc-01", "version": "3"})
    assert promote(two, 2, if_match=answer.headers["ETag"]).status == 412


@pytest.mark.parametrize(("given", "status"), [("*", 200), ('"a", {}', 200), ("W/{}", 412), ("", 412), ("bare", 412), ('"-"', 412)])
def test_a_condition_may_be_a_list_or_any_and_never_weak(two: Winnow, given: str, status: int) -> None:
    assert promote(two, if_match=given.replace("{}", etag(two))).status == status


def test_to_promote_the_live_version_changes_nothing(two: Winnow) -> None:
    seen, before = etag(two), rows(two)

    answer = promote(two, 2, if_match=seen)

    assert (answer.status, answer.headers["ETag"]) == (200, seen)
    assert rows(two) == before


@pytest.mark.parametrize("ending", [None, "cancelled", "failed"])
def test_a_version_that_is_not_ready_is_not_promoted(ready: Ready, ending: str | None) -> None:
    winnow = ready("exclusive.json")
    winnow.create("create_model_force_update")
    if ending == "cancelled":
        winnow.call("cancel_version", path={"model_id": "tc-01", "version": "2"})
    elif ending == "failed":
        winnow.invoke("functions/training/fail", winnow.started_job() | {"failure": {"Error": "States.Timeout", "Cause": "{}"}})

    answer = promote(winnow, 2)

    assert (answer.status, answer.body["type"]) == (409, "urn:winnow:problem:version-not-ready")
    assert (ending or "still in training") in answer.body["detail"]
    assert winnow.model()["live_version"] == 1


def test_a_model_or_version_that_is_not_there_is_not_found(ready: Ready, winnow: Winnow) -> None:
    assert promote(winnow).body["type"] == "urn:winnow:problem:model-not-found"

    answer = promote(ready("exclusive.json"), 2)

    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:version-not-found")


@pytest.mark.parametrize("version", [None, 0, -1, 1.5, True, "1", 1_000_000, [1]])
def test_a_version_is_a_number(winnow: Winnow, version: Any) -> None:
    answer = promote(winnow, version)

    assert (answer.status, answer.body["field"]) == (422, "version")


@pytest.mark.parametrize(("body", "field"), [("", "version"), ({}, "version"), ({"version": 1, "force": True}, "force")])
def test_a_body_that_is_wrong_is_told_where(winnow: Winnow, body: Any, field: str) -> None:
    answer = winnow.call("promote_version", body=body)

    assert (answer.status, answer.body["field"]) == (422, field)


# --- races ---


def test_what_others_change_meanwhile_is_no_matter_to_a_request_without_a_condition(two: Winnow) -> None:
    def change() -> None:
        number = two.create("create_model_force_update").body["version"]
        two.call("cancel_version", path={"model_id": "tc-01", "version": str(number)})

    with before_write(change, times=TRIES - 1) as changes:
        assert promote(two).status == 200

    assert (two.model()["live_version"], two.model()["latest_version"]) == (1, 2 + len(changes))


def test_what_others_change_between_look_and_write_makes_a_condition_stale(two: Winnow) -> None:
    seen = etag(two)

    with before_write(lambda: promote(two, 1).status) as promoted:
        answer = promote(two, 1, if_match=seen)

    assert (promoted, answer.status) == ([200], 412)


def test_any_is_still_any_when_others_change_the_model_meanwhile(two: Winnow) -> None:
    with before_write(lambda: two.create("create_model_force_update")):
        assert promote(two, if_match="*").status == 200


def remake(winnow: Winnow) -> None:
    winnow.call("delete_model")
    winnow.create()


@pytest.mark.parametrize(
    ("meanwhile", "status", "problem"),
    [
        (lambda winnow: winnow.call("delete_model"), 404, "model-not-found"),
        (remake, 409, "version-not-ready"),
    ],
)
def test_a_model_that_is_deleted_or_made_again_meanwhile_is_not_promoted(
    two: Winnow, meanwhile: Callable[[Winnow], object], status: int, problem: str
) -> None:
    with before_write(lambda: meanwhile(two)):
        answer = promote(two, 1)

    assert (answer.status, answer.body["type"]) == (status, f"urn:winnow:problem:{problem}")
    assert '"live_version"' not in json.dumps(rows(two), default=str)


def test_a_version_whose_row_goes_meanwhile_is_not_promoted(two: Winnow) -> None:
    [row] = [row for row in rows(two) if row["pk"].startswith("VERSIONS#") and row["version"] == 1]
    with before_write(lambda: two.table.delete_item(Key={name: row[name] for name in ("pk", "sk")})):
        answer = promote(two, 1)

    assert (answer.status, two.model()["live_version"]) == (404, 2)
