"""The registry's number type and its transactions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from winnow.domain.errors import BusyError
from winnow.registry import table as rows


@pytest.mark.parametrize(
    ("value", "item"),
    [
        (0.1, Decimal("0.1")),
        (1e-30, Decimal("1e-30")),
        (1.5e-130, Decimal("1.5e-130")),
        (9e-131, Decimal("1e-130")),
        (-5e-324, Decimal("-1e-130")),
        (0.0, Decimal("0.0")),
        (2 / 3, Decimal("0.6666666666666666")),
        (7, 7),
        (True, True),
        (None, None),
        ("a", "a"),
        ((1, 0.5), [1, Decimal("0.5")]),
        ({"a": {"b": [0.25]}}, {"a": {"b": [Decimal("0.25")]}}),
    ],
)
def test_python_becomes_what_dynamodb_takes(value: Any, item: Any) -> None:
    assert rows.to_item(value) == item
    assert type(rows.to_item(value)) is type(item)


@pytest.mark.parametrize(
    ("item", "value"),
    [
        (Decimal("3"), 3),
        (Decimal("1E+2"), 100),
        (Decimal("0.5"), 0.5),
        (Decimal("-0.125"), -0.125),
        ({"a": [Decimal("1"), {"b": Decimal("0.1")}]}, {"a": [1, {"b": 0.1}]}),
        (True, True),
        (None, None),
        ("3", "3"),
    ],
)
def test_what_dynamodb_gives_becomes_python(item: Any, value: Any) -> None:
    assert rows.from_item(item) == value
    assert type(rows.from_item(item)) is type(value)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 5e-7, 123456.789, {"f1": 0.910714, "n": [1, None, "x", False]}])
def test_there_and_back_is_the_same(value: Any) -> None:
    assert rows.from_item(rows.to_item(value)) == value


def test_versions_sort_as_numbers_do() -> None:
    keys = [rows.version_key("u", number)["sk"] for number in (1, 2, 10, 99, 100, 999_999)]

    assert keys == sorted(keys)


def test_an_update_names_everything_through_placeholders_and_grows_the_revision() -> None:
    change = rows.Update({"pk": "a", "sk": "b"}, {"status": "ready"}, "#fence = :fence", {"fence": 2}, remove=("error",))

    assert change.arguments() == {
        "Key": {"pk": "a", "sk": "b"},
        "UpdateExpression": "SET #status = :new_status REMOVE #error ADD #revision :add_revision",
        "ConditionExpression": "#fence = :fence",
        "ExpressionAttributeNames": {"#status": "status", "#error": "error", "#revision": "revision", "#fence": "fence"},
        "ExpressionAttributeValues": {":new_status": "ready", ":fence": 2, ":add_revision": 1},
    }


def test_an_update_adds_to_numbers_and_grows_the_revision_that_it_is_told_to() -> None:
    change = rows.Update({"pk": "a", "sk": "b"}, {"at": "x"}, "#marks.#last < :last", {"last": "m"}, add={"sum": -3}, revision="turn")

    arguments = change.arguments()

    assert arguments["UpdateExpression"] == "SET #at = :new_at ADD #sum :add_sum, #turn :add_turn"
    assert arguments["ExpressionAttributeNames"] == {f"#{name}": name for name in ("at", "sum", "turn", "marks", "last")}
    assert arguments["ExpressionAttributeValues"] == {":new_at": "x", ":last": "m", ":add_sum": -3, ":add_turn": 1}


class FakeTable:
    """A table whose transactions fail for these reasons, one list per try, and then succeed."""

    name = "registry"

    def __init__(self, session: boto3.Session, *cancellations: list[str]) -> None:
        self.left = list(cancellations)
        self.tries = 0
        self.meta = self
        self.client = self
        self.exceptions = session.client("dynamodb").exceptions

    def transact_write_items(self, **arguments: Any) -> None:
        self.tries += 1
        if self.left:
            reasons = [{"Code": code} for code in self.left.pop(0)]
            answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise self.exceptions.TransactionCanceledException(answer, "TransactWriteItems")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.registry.table.time.sleep", lambda seconds: None)


def transact(table: Any) -> None:
    rows.transact(table, rows.put_new({"pk": "a", "sk": "b"}))


def test_a_transaction_in_conflict_or_throttled_is_tried_again(boto_session: boto3.Session) -> None:
    table = FakeTable(boto_session, ["TransactionConflict"], ["None", "ThrottlingError"])

    transact(table)

    assert table.tries == 3


def test_a_condition_that_does_not_hold_is_told_at_once(boto_session: boto3.Session) -> None:
    table = FakeTable(boto_session, ["None", "ConditionalCheckFailed"])

    with pytest.raises(rows.ConditionFailedError):
        transact(table)

    assert table.tries == 1


def test_a_conflict_without_end_is_told_as_busy(boto_session: boto3.Session) -> None:
    table = FakeTable(boto_session, *[["TransactionConflict"]] * 10)

    with pytest.raises(BusyError):
        transact(table)

    assert table.tries == 6


def test_another_reason_is_raised_at_once(boto_session: boto3.Session) -> None:
    table = FakeTable(boto_session, ["ValidationError"])

    with pytest.raises(ClientError):
        transact(table)

    assert table.tries == 1
