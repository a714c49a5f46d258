"""GET /models/{model_id}/examples and DELETE …/examples/{batch}: list pending feedback, and take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import load_event
from tests.support.feedback import add, labelled
from tests.support.races import before_write

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Ready, Winnow
    from tests.support.clock import Clock

UNKNOWN = "20260302T091641007-1a2b3c4d"


def waiting(winnow: Winnow, **query: str) -> Json:
    answer = winnow.call("list_examples", query=query or None)
    assert answer.status == 200, answer.body
    body: Json = answer.body
    return body


def ids(body: Json) -> list[str]:
    return [batch["batch"] for batch in body["batches"]]


def take_back(winnow: Winnow, batch: str) -> Answer:
    return winnow.call("delete_examples", path={"model_id": "tc-01", "batch": batch})


def refused(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["type"]


def feedback_objects(winnow: Winnow) -> list[str]:
    return [key for key in winnow.objects() if "/feedback/" in key]


def test_batches_are_listed_oldest_first_by_pages(ready: Ready, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    assert waiting(winnow) == {"model_id": "tc-01", "batches": [], "next": None}
    made = []
    for number in range(1, 6):
        made.append(add(winnow, [*labelled(number), {"text": "x", "label": "atm"}]).body["batch"])
        clock.advance(seconds=1)

    first = waiting(winnow, limit="2")
    second = waiting(winnow, limit="2", next=first["next"])
    last = waiting(winnow, limit="2", next=second["next"])

    assert [*ids(first), *ids(second), *ids(last)] == made == ids(waiting(winnow))
    assert last["next"] is None
    assert [(batch["examples"], batch["labels"]) for batch in first["batches"]] == [(2, 2), (3, 2)]
    assert waiting(winnow, limit="5")["next"] is None


def test_what_a_version_takes_is_no_longer_listed_and_can_t_be_taken_back(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    first = add(winnow).body["batch"]
    taken = add(winnow, labelled(1, "atm"), retrain="now").body["batch"]
    job = winnow.started_job()

    late = add(winnow, labelled(3, "late"), retrain="no").body["batch"]
    assert ids(waiting(winnow)) == [late]
    assert [refused(take_back(winnow, batch)) for batch in (first, taken)] == [(409, "urn:winnow:problem:batch-taken")] * 2

    winnow.run_workflow(job)
    assert ids(waiting(winnow)) == [late]
    assert refused(take_back(winnow, first)) == (409, "urn:winnow:problem:batch-taken")
    assert winnow.version()["dataset"]["feedback_examples"] == 3


def test_what_a_failed_training_took_can_be_taken_back_again(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    batch = add(winnow, retrain="now").body["batch"]
    winnow.call("cancel_version", path={"model_id": "tc-01", "version": "2"})
    assert ids(waiting(winnow)) == [batch]

    assert take_back(winnow, batch).status == 200

    assert waiting(winnow)["batches"] == []
    assert winnow.model()["waiting_examples"] == 0


def test_a_batch_taken_back_is_gone_and_not_trained_on(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    wrong = add(winnow, labelled(5, "wrong")).body["batch"]
    right = add(winnow, labelled(5, "card")).body["batch"]

    answer = take_back(winnow, wrong)

    assert (answer.status, answer.body) == (200, {"model_id": "tc-01", "batch": wrong, "status": "deleted"})
    assert (ids(waiting(winnow)), winnow.model()["waiting_examples"]) == ([right], 5)
    assert [key.rpartition("/")[2] for key in feedback_objects(winnow)] == [f"{right}.jsonl.gz"]
    assert refused(take_back(winnow, wrong)) == (404, "urn:winnow:problem:batch-not-found")
    add(winnow, labelled(1, "atm"), retrain="now")
    winnow.run_workflow(winnow.started_job())
    version = winnow.version()
    assert (version["status"], version["dataset"]["feedback_examples"], version["dataset"]["labels"]) == ("ready", 6, 5)
    assert winnow.model()["waiting_examples"] == 0


def test_what_was_taken_back_doesn_t_count_for_the_line(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.create(force_update=True, retrain_after=4)
    winnow.call("cancel_version", path={"model_id": "tc-01", "version": "2"})
    take_back(winnow, add(winnow, labelled(3)).body["batch"])

    assert add(winnow, labelled(3)).body["retrain"] == "waiting"
    assert add(winnow, labelled(1)).body["retrain"] == "started"


def test_a_training_that_begins_while_a_batch_is_taken_back_has_it(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    batch = add(winnow).body["batch"]

    with before_write(lambda: add(winnow, labelled(1, "atm"), retrain="now")) as others:
        answer = take_back(winnow, batch)

    assert others[0].body["retrain"] == "started"
    assert refused(answer) == (409, "urn:winnow:problem:batch-taken")
    assert len(feedback_objects(winnow)) == 2


def test_a_batch_that_is_taken_back_while_a_training_begins_isn_t_in_it(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    batch = add(winnow, labelled(4, "wrong")).body["batch"]

    with before_write(lambda: take_back(winnow, batch), "dynamodb.Query") as others:
        answer = add(winnow, labelled(2), retrain="now")

    assert (others[0].status, answer.body["retrain"]) == (200, "started")
    winnow.run_workflow(winnow.started_job())
    assert winnow.version()["dataset"]["feedback_examples"] == 2


def test_a_batch_taken_back_twice_at_once_counts_once(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    add(winnow, labelled(3))
    batch = add(winnow).body["batch"]

    with before_write(lambda: take_back(winnow, batch)) as others:
        answer = take_back(winnow, batch)

    assert (others[0].status, answer.status) == (200, 404)
    assert winnow.model()["waiting_examples"] == 3


@pytest.mark.parametrize(
    ("function", "path", "status"),
    [
        ("list_examples", {"model_id": "tc-09"}, 404),
        ("list_examples", {"model_id": "-"}, 422),
        ("delete_examples", {"model_id": "tc-09", "batch": UNKNOWN}, 404),
        ("delete_examples", {"model_id": "tc-01", "batch": UNKNOWN}, 404),
    ],
)
def test_what_there_is_not(ready: Ready, function: str, path: dict[str, str], status: int) -> None:
    assert ready("exclusive.json").call(function, path=path).status == status


@pytest.mark.parametrize("batch", ["1", UNKNOWN.upper(), UNKNOWN + "0", f"{UNKNOWN}\n"])
def test_what_no_batch_can_be_called(ready: Ready, batch: str) -> None:
    winnow = ready("exclusive.json")
    event: Any = load_event("api/delete_examples") | {"pathParameters": {"model_id": "tc-01", "batch": batch}}

    answer = winnow.invoke("functions/api/delete_examples", event)

    assert (answer["statusCode"], '"field": "batch"' in answer["body"]) == (422, True)


def test_a_cursor_of_another_list_is_refused(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    for number in range(2):
        add(winnow, labelled(1, prefix=f"{number} "))
    cursor = waiting(winnow, limit="1")["next"]

    assert winnow.call("list_versions", query={"next": cursor}).status == 422
    assert winnow.call("list_examples", query={"next": cursor[:-2]}).status == 422
