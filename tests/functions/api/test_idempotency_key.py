"""POST /models with an Idempotency-Key: repeated requests get one job and one answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import load_event
from tests.support.races import before_write

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Ready, Winnow
    from tests.support.clock import Clock

KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
GONE = (410, "urn:winnow:problem:gone")
REUSED = (422, "urn:winnow:problem:idempotency-key-reused")


def post(winnow: Winnow, key: str = KEY, body: Any = None, caller: str | None = None, **changes: Any) -> Answer:
    """POST /models. caller: the API key, if not the event's."""
    fields = json.loads(load_event("api/create_model")["body"]) | changes
    by = {} if caller is None else {"x-api-key": caller}
    return winnow.call("create_model", body=body or fields, headers={"Idempotency-Key": key, **by})


def told(answer: Answer) -> tuple[int, Json, str, str]:
    return answer.status, answer.body, answer.headers["Location"], answer.headers["Retry-After"]


def refused(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["type"]


def test_the_same_again_is_the_same_answer_and_one_job(winnow: Winnow) -> None:
    first = post(winnow)
    again = post(winnow)

    assert told(first) == told(again)
    assert first.body == {"model_id": "tc-01", "version": 1, "status": "queued"}
    assert len(winnow.executions()) == 1
    assert winnow.model()["latest_version"] == 1


def test_the_answer_stays_whatever_became_of_the_version_until_it_is_deleted(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    before = len(winnow.executions())
    first = post(winnow, force_update=True)
    second = {"model_id": "tc-01", "version": "2"}
    winnow.call("cancel_version", path=second)
    assert told(post(winnow, force_update=True)) == told(first)

    winnow.call("delete_version", path=second)
    answer = post(winnow, force_update=True)
    assert refused(answer) == GONE
    assert answer.body["detail"].startswith("Version 2 of model 'tc-01' was deleted")
    assert len(winnow.executions()) == before + 1


@pytest.mark.parametrize("again", [False, True], ids=["deleted", "deleted and made again"])
def test_after_the_deletion_of_its_model_the_same_says_that_it_is_gone(winnow: Winnow, again: bool) -> None:
    assert post(winnow).status == 202
    winnow.call("delete_model", path={"model_id": "tc-01"})
    if again:
        assert post(winnow, "another").status == 202
    executions = len(winnow.executions())

    answer = post(winnow)

    assert refused(answer) == GONE
    assert answer.body["detail"] == (
        "Model 'tc-01' was deleted. A request with this Idempotency-Key had made it: to make it again, use a new key."
    )
    assert (winnow.call("get_model").status, len(winnow.executions())) == (200 if again else 404, executions)


def test_two_callers_with_the_same_key_are_two_requests(winnow: Winnow) -> None:
    first = post(winnow, caller="of-one")

    assert refused(post(winnow, caller="of-another")) == (409, "urn:winnow:problem:training-underway")
    assert post(winnow, caller="of-another", id="tc-02").body["model_id"] == "tc-02"
    assert told(post(winnow, caller="of-one")) == told(first)
    assert post(winnow, caller="of-another", id="tc-02").body["model_id"] == "tc-02"
    assert refused(post(winnow, caller="of-another")) == REUSED
    assert len(winnow.executions()) == 2


def test_order_and_spacing_are_no_part_of_the_body(winnow: Winnow) -> None:
    fields = json.loads(load_event("api/create_model")["body"])
    post(winnow, body=json.dumps(fields))

    assert post(winnow, body=json.dumps(dict(reversed(fields.items())), indent=2)).status == 202
    assert len(winnow.executions()) == 1


@pytest.mark.parametrize("changes", [{"id": "tc-02"}, {"n_iter": 3}, {"force_update": True}, {"promote": "auto"}])
def test_another_body_under_the_key_is_refused_and_does_nothing(winnow: Winnow, changes: Json) -> None:
    post(winnow)

    answer = post(winnow, **changes)

    assert refused(answer) == REUSED
    assert answer.body["field"] == "Idempotency-Key"
    assert len(winnow.executions()) == 1
    assert [model["model_id"] for model in winnow.call("list_models").body["models"]] == ["tc-01"]


def test_another_key_is_another_request(winnow: Winnow) -> None:
    post(winnow)

    answer = post(winnow, "another")

    assert refused(answer) == (409, "urn:winnow:problem:training-underway")


def test_a_refusal_is_not_kept(winnow: Winnow) -> None:
    winnow.create()
    assert post(winnow, force_update=True).status == 409
    assert post(winnow, force_update="maybe").status == 422
    winnow.call("cancel_version")

    answer = post(winnow, force_update=True)

    assert (answer.status, answer.body["version"]) == (202, 2)


def test_after_a_day_the_key_is_free_even_where_its_row_is_still_there(winnow: Winnow, clock: Clock) -> None:
    post(winnow)
    winnow.call("cancel_version")
    [row] = [row for row in winnow.table.scan()["Items"] if row["pk"].startswith("IDEMPOTENCY#")]
    assert abs(int(row["expires"]) - clock().timestamp() - 24 * 3600) < 60

    clock.advance(hours=23, minutes=55)
    assert refused(post(winnow, force_update=True)) == REUSED
    clock.advance(minutes=10)

    answer = post(winnow, force_update=True)
    assert (answer.status, answer.body["version"]) == (202, 2)
    assert told(post(winnow, force_update=True)) == told(answer)


def test_the_key_itself_is_not_kept(winnow: Winnow) -> None:
    post(winnow)

    assert KEY not in json.dumps(winnow.table.scan()["Items"], default=str)


@pytest.mark.parametrize("key", ["!", "~" * 255, '"quoted"', "a=b;c"])
def test_a_key_is_any_visible_ascii(winnow: Winnow, key: str) -> None:
    assert told(post(winnow, key)) == told(post(winnow, key))
    assert len(winnow.executions()) == 1


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("key", ["", "~" * 256, "two words", "tab\t", "schlüssel", "a\x7f", "a\n"])
def test_another_key_is_refused_by_name(winnow: Winnow, key: str, dry_run: bool) -> None:
    fields: Json = {"dry_run": True} if dry_run else {}
    answer = post(winnow, key, **fields)

    assert (answer.status, answer.body["field"]) == (422, "Idempotency-Key")
    assert winnow.executions() == []


def test_a_key_sent_twice_is_none(winnow: Winnow) -> None:
    answer = winnow.call("create_model", multiValueHeaders={"Idempotency-Key": [KEY, KEY]})

    assert (answer.status, answer.body["field"]) == (422, "Idempotency-Key")


# --- races ---


def test_two_at_once_are_one(winnow: Winnow) -> None:
    with before_write(lambda: post(winnow)) as first:
        second = post(winnow)

    assert [told(answer) for answer in first] == [told(second)]
    assert second.status == 202
    assert len(winnow.executions()) == 1


def test_two_updates_at_once_are_one(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    before = len(winnow.executions())

    with before_write(lambda: post(winnow, force_update=True)) as first:
        second = post(winnow, force_update=True)

    assert [told(answer) for answer in first] == [told(second)]
    assert second.body["version"] == 2
    assert len(winnow.executions()) == before + 1


@pytest.mark.parametrize("read", [1, 2])
def test_one_that_comes_between_the_looks_of_another_is_seen(winnow: Winnow, read: int) -> None:
    reads: list[Answer | None] = []

    def at_this_read() -> None:
        reads.append(post(winnow) if len(reads) + 1 == read else None)

    with before_write(at_this_read, "dynamodb.GetItem", times=read):
        second = post(winnow)

    assert reads[-1] is not None
    assert told(reads[-1]) == told(second)
    assert len(winnow.executions()) == 1


def test_of_two_bodies_at_once_under_one_key_one_is_refused(winnow: Winnow) -> None:
    with before_write(lambda: post(winnow, id="tc-02").status) as first:
        second = post(winnow)

    assert (first, refused(second)) == ([202], REUSED)
    assert [model["model_id"] for model in winnow.call("list_models").body["models"]] == ["tc-02"]
