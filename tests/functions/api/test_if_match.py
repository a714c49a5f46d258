"""If-Match on every call that changes a model: 412 if the model changed since its ETag was read, and nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support import feedback
from tests.support.contract import operations
from tests.support.races import before_write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Answer, Json, Once, Ready, Winnow

STALE = (412, "urn:winnow:problem:stale")


@pytest.fixture
def two(ready: Ready, once: Once) -> Winnow:
    """tc-01 with two ready versions, of which the second is live, a policy, and a pending feedback batch."""

    def make() -> None:
        winnow = ready("exclusive.json")
        assert winnow.train(force_update=True)["status"] == "ready"
        assert feedback.add(winnow, retrain="no").status == 201
        assert winnow.call("set_policy", body={"thresholds": {"cycling": 0.8}}).status == 200

    return once("two, a policy, and a pending batch", make)


def etag(winnow: Winnow) -> str:
    return winnow.call("get_model").headers["ETag"]


def retrain(winnow: Winnow, headers: Mapping[str, str]) -> Answer:
    return winnow.call("create_model", "create_model_force_update", headers=headers)


def pending(winnow: Winnow) -> str:
    batch: str = winnow.call("list_examples").body["batches"][0]["batch"]
    return batch


CHANGES: dict[str, Any] = {
    "POST /models": retrain,
    "PATCH /models/{model_id}": lambda winnow, headers: winnow.call("change_model", headers=headers),
    "DELETE /models/{model_id}": lambda winnow, headers: winnow.call("delete_model", path={"model_id": "tc-01"}, headers=headers),
    "PATCH /models/{model_id}/versions/{version}": lambda winnow, headers: winnow.call("change_version", headers=headers),
    "POST /models/{model_id}/examples": lambda winnow, headers: winnow.call("add_examples", headers=headers),
    "DELETE /models/{model_id}/examples/{batch}": lambda winnow, headers: winnow.call(
        "delete_examples", path={"model_id": "tc-01", "batch": pending(winnow)}, headers=headers
    ),
    "PATCH /models/{model_id}/labels": lambda winnow, headers: winnow.call("change_labels", headers=headers),
    "PUT /models/{model_id}/live": lambda winnow, headers: winnow.call("promote_version", body={"version": 1}, headers=headers),
    "PUT /models/{model_id}/policy": lambda winnow, headers: winnow.call(
        "set_policy", body={"thresholds": {"cycling": 0.9}}, headers=headers
    ),
    "DELETE /models/{model_id}/policy": lambda winnow, headers: winnow.call("delete_policy", headers=headers),
    "DELETE /models/{model_id}/versions/{version}": lambda winnow, headers: winnow.call(
        "delete_version", path={"model_id": "tc-01", "version": "1"}, headers=headers
    ),
}


def cancel(winnow: Winnow, headers: Mapping[str, str]) -> Answer:
    return winnow.call("cancel_version", path={"model_id": "tc-01", "version": "3"}, headers=headers)


def state(winnow: Winnow) -> tuple[list[Json], set[str], int]:
    return sorted(winnow.table.scan()["Items"], key=str), set(winnow.objects()), len(winnow.executions())


def change_meanwhile(winnow: Winnow) -> None:
    tolerance = winnow.model()["tolerance"]
    assert winnow.call("change_model", body={"tolerance": tolerance + 0.001}).status == 200


def refused(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body.get("type")


def test_every_call_that_changes_a_model_takes_it() -> None:
    takes = {call for call, it in operations().items() if any(each["name"] == "If-Match" for each in it["parameters"])}
    assert takes == {*CHANGES, "POST /models/{model_id}/versions/{version}/cancel"}


@pytest.mark.parametrize("call", CHANGES)
def test_a_stale_tag_changes_nothing(two: Winnow, call: str) -> None:
    seen = etag(two)
    change_meanwhile(two)
    before = state(two)

    for given in (seen, f"W/{etag(two)}", '"other"', "bare"):
        assert refused(CHANGES[call](two, {"If-Match": given})) == STALE
    assert state(two) == before


@pytest.mark.parametrize("given", ["{}", '"a", {}', "*"])
@pytest.mark.parametrize("call", CHANGES)
def test_the_present_tag_or_any_is_carried_out(two: Winnow, call: str, given: str) -> None:
    before = state(two)

    assert CHANGES[call](two, {"If-Match": given.replace("{}", etag(two))}).status in {200, 201, 202}
    assert state(two) != before


@pytest.mark.parametrize("call", CHANGES)
def test_a_change_between_the_look_and_the_write_is_stale_too(two: Winnow, call: str) -> None:
    with before_write(lambda: change_meanwhile(two)):
        answer = CHANGES[call](two, {"If-Match": etag(two)})

    assert refused(answer) == STALE
    assert (two.model()["live_version"], two.model()["latest_version"], pending(two) != "") == (2, 2, True)


def test_a_training_is_cancelled_by_the_tag_of_its_model_whatever_its_progress(two: Winnow) -> None:
    two.put_dataset(bucket="albert-textcats-best")
    seen = etag(two)
    assert retrain(two, {}).status == 202
    assert refused(cancel(two, {"If-Match": seen})) == STALE
    assert two.version()["status"] == "queued"

    seen = etag(two)
    two.invoke("functions/training/prepare", two.started_job())
    with before_write(lambda: change_meanwhile(two)):
        assert refused(cancel(two, {"If-Match": seen})) == STALE
    assert two.version()["status"] == "training"
    assert cancel(two, {"If-Match": etag(two)}).body["status"] == "cancelled"


def test_a_version_is_deleted_by_its_own_tag_too(two: Winnow) -> None:
    path = {"model_id": "tc-01", "version": "1"}
    seen = two.call("get_version", path=path).headers["ETag"]
    two.call("promote_version", body={"version": 1})
    two.call("promote_version", body={"version": 2})
    live = two.call("get_version", path=path | {"version": "2"}).headers["ETag"]

    assert refused(two.call("delete_version", path=path, headers={"If-Match": live})) == STALE
    # It is as it was read: it was live in between only.
    assert two.call("delete_version", path=path, headers={"If-Match": seen}).status == 200


@pytest.mark.parametrize("given", ["*", '"5b7c1d9e0f2a4b6c-0a1b2c3d4e5f6071"'])
def test_a_model_that_is_not_there_gets_no_first_version(winnow: Winnow, given: str) -> None:
    answer = retrain(winnow, {"If-Match": given})

    assert refused(answer) == STALE
    assert "leave out If-Match" in answer.body["detail"]
    assert winnow.call("list_models").body["models"] == []


def test_the_model_of_another_life_is_another(two: Winnow) -> None:
    seen = etag(two)
    two.call("delete_model", path={"model_id": "tc-01"})
    two.create()

    assert refused(CHANGES["DELETE /models/{model_id}"](two, {"If-Match": seen})) == STALE


def test_the_same_request_again_under_its_key_is_answered_and_not_stale(two: Winnow) -> None:
    headers = {"If-Match": etag(two), "Idempotency-Key": "a-key"}
    first = retrain(two, headers)

    assert (first.status, first.body["version"]) == (202, 3)
    assert retrain(two, headers).body == first.body
