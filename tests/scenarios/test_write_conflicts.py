"""Writes during another call's transaction on the same row: AWS refuses them, and a fake cloud never does."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from moto.dynamodb.exceptions import DynamodbException, TransactionCanceledException
from moto.dynamodb.responses import DynamoHandler

from tests.support import batches
from tests.support.feedback import add, labelled
from winnow.domain.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Answer, Json, Ready, Winnow

    Call = Callable[[Winnow], Answer]
    Conflicts = Callable[[int], Counter[str]]

SECOND = {"model_id": "tc-01", "version": "2"}
CALLS: dict[str, Call] = {
    "POST /models": lambda winnow: winnow.create("create_model_force_update"),
    "PATCH /models/{model_id}": lambda winnow: winnow.call("change_model", body={"tolerance": 0.5}),
    "DELETE /models/{model_id}": lambda winnow: winnow.call("delete_model"),
    "DELETE /models/{model_id}/versions/{version}": lambda winnow: winnow.call("delete_version", path=SECOND),
    "POST /models/{model_id}/examples": lambda winnow: add(winnow, labelled(1)),
    "POST /models/{model_id}/batches": batches.post,
    "cancel of a batch": lambda winnow: batches.cancel(winnow, winnow.call("list_batches").body["batches"][0]["batch"]),
}


@pytest.fixture
def conflicts(monkeypatch: pytest.MonkeyPatch) -> Conflicts:
    """conflicts(MANY): the next MANY writes of each kind are refused. Returns the number of writes sent, by kind."""
    sent: Counter[str] = Counter()
    left: Counter[str] = Counter()

    def refuse(kind: str, error: Exception) -> None:
        done = getattr(DynamoHandler, kind)

        def write(handler: Any) -> Any:
            sent[kind] += 1
            left[kind] -= 1
            if left[kind] >= 0:
                raise error
            return done(handler)

        monkeypatch.setattr(DynamoHandler, kind, write)

    refuse("transact_write_items", TransactionCanceledException([(None, None, None), ("TransactionConflict", "under way", None)]))
    for kind in ("update_item", "delete_item"):
        refuse(kind, DynamodbException("com.amazonaws.dynamodb.v20120810#TransactionConflictException", "under way"))

    def begin(many: int) -> Counter[str]:
        sent.clear()
        left.update({"transact_write_items": many, "update_item": many, "delete_item": many})
        return sent

    return begin


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.registry.table.time.sleep", lambda seconds: None)


@pytest.fixture
def model(ready: Ready) -> Winnow:
    """A deployment with a ready model, its cancelled second version, and a queued batch."""
    winnow = ready("exclusive.json")
    winnow.create("create_model_force_update")
    winnow.call("cancel_version", path=SECOND)
    batches.put(winnow, [{"text": text} for text in batches.TEXTS])
    batches.started(winnow)
    return winnow


def rows(winnow: Winnow) -> list[Json]:
    return sorted(winnow.table.scan()["Items"], key=lambda row: (row["pk"], row["sk"]))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_conflict_that_passes_is_not_seen(model: Winnow, conflicts: Conflicts, call: Call) -> None:
    sent = conflicts(2)
    assert call(model).status < 300
    assert max(sent.values()) >= 3


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_conflict_that_stays_is_told_as_busy_and_nothing_is_written(model: Winnow, conflicts: Conflicts, call: Call) -> None:
    before = rows(model)
    conflicts(1_000)

    answer = call(model)

    assert (answer.status, answer.body["type"], answer.headers["Retry-After"]) == (503, "urn:winnow:problem:busy", "5")
    assert answer.body["detail"] == str(BusyError())
    assert rows(model) == before


def test_a_training_s_progress_waits_for_a_conflict_to_pass(model: Winnow, conflicts: Conflicts) -> None:
    model.create(force_update=True, n_iter=1)
    job = model.started_job()
    sent = conflicts(2)

    assert model.run_workflow(job) == "Publish"

    assert sent["update_item"] >= 3
    assert model.model()["live_version"] == 3
