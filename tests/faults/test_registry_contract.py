"""What the registry needs from DynamoDB, tested on moto, the local cloud's and DynamoDB Local, and their observed differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.faults.engines import ENGINES, engine
from winnow.domain.dataset import DatasetReference
from winnow.domain.errors import JobSupersededError
from winnow.domain.job import Hyperparameters, Progress, Stage, TrainingJob, TrainingRequest
from winnow.domain.model import VersionStatus
from winnow.registry import table as rows
from winnow.registry.models import Models
from winnow.registry.training_jobs import Jobs
from winnow.registry.versions import Versions

# In one process, so that each engine starts once.
pytestmark = pytest.mark.xdist_group("engines")
REQUEST = TrainingRequest("tc-01", DatasetReference("albert-textcats", "trainingSet.json"), Hyperparameters(), "linear")
AT_ONCE = 20
# An item's limit, https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
MOST_BYTES = 400 * 1024
# The size of a row with its key and one empty attribute, "filling".
_NAMES = len("pkAsk1filling")


@dataclass(frozen=True)
class Engine:
    """One DynamoDB, with a table."""

    name: str
    table: Any

    def put(self, **row: Any) -> None:
        self.table.put_item(Item=rows.to_item(row))

    def row(self, pk: str, sk: str) -> Any:
        return self.table.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True).get("Item")


@pytest.fixture(scope="module", params=ENGINES)
def one(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with engine(request.param, tmp_path_factory.mktemp("engine")) as table:
        yield Engine(request.param, table)


@pytest.fixture
def store(one: Engine) -> Engine:
    """One of the engines, with nothing in its table."""
    with one.table.batch_writer() as batch:
        for page in one.table.meta.client.get_paginator("scan").paginate(TableName=one.table.name, ConsistentRead=True):
            for row in page["Items"]:
                batch.delete_item(Key={"pk": row["pk"], "sk": row["sk"]})
    return one


def job(model_id: str = "tc-01", version: int = 1, fence: int = 1) -> TrainingJob:
    return TrainingJob(model_id, f"uid-{model_id}", version, fence)


# --- conditions and transactions ---


def test_a_row_that_exists_is_not_put_again(store: Engine) -> None:
    rows.transact(store.table, rows.put_new({"pk": "A", "sk": "1", "value": 1}))

    with pytest.raises(rows.ConditionFailedError):
        rows.transact(store.table, rows.put_new({"pk": "A", "sk": "1", "value": 2}))

    assert store.row("A", "1")["value"] == 1


def test_a_transaction_is_made_whole_or_not_at_all(store: Engine) -> None:
    store.put(pk="A", sk="2", value=1)

    with pytest.raises(rows.ConditionFailedError):
        rows.transact(store.table, rows.put_new({"pk": "A", "sk": "1"}), rows.put_new({"pk": "A", "sk": "2"}))

    assert store.row("A", "1") is None


def test_the_reasons_of_a_cancelled_transaction_come_in_its_order(store: Engine) -> None:
    store.put(pk="A", sk="2")
    writes = [rows.put_new({"pk": "A", "sk": sk})(store.table.name) for sk in ("1", "2", "3")]

    with pytest.raises(ClientError) as refused:
        store.table.meta.client.transact_write_items(TransactItems=writes)

    reasons: Any = refused.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed", "None"]


def test_an_update_makes_no_row_where_its_condition_asks_for_one(store: Engine) -> None:
    change = rows.Update({"pk": "A", "sk": "1"}, {"value": 2}, "#value = :old", {"old": 1})

    with pytest.raises(rows.ConditionFailedError):
        rows.update(store.table, change)

    assert store.row("A", "1") is None


def test_an_update_sets_removes_and_counts_in_one(store: Engine) -> None:
    store.put(pk="A", sk="1", value=1, old="x", revision=6)

    rows.update(store.table, rows.Update({"pk": "A", "sk": "1"}, {"value": 2}, "#value = :old", {"old": 1}, remove=["old"]))

    assert rows.from_item(store.row("A", "1")) == {"pk": "A", "sk": "1", "value": 2, "revision": 7}


def test_a_row_that_is_only_looked_at_can_refuse_a_transaction(store: Engine) -> None:
    store.put(pk="A", sk="1", status="failed")
    ready = rows.checked({"pk": "A", "sk": "1"}, "#status = :ready", {"ready": "ready"})

    with pytest.raises(rows.ConditionFailedError):
        rows.transact(store.table, ready, rows.put_new({"pk": "A", "sk": "2"}))

    assert store.row("A", "2") is None


def test_an_older_fence_is_refused(store: Engine) -> None:
    jobs = Jobs(store.table)
    assert jobs.create_model(job(), REQUEST)
    again = jobs.restart(job())

    with pytest.raises(JobSupersededError):
        jobs.note(job(), VersionStatus.TRAINING, Progress.of(Stage.PREPARING))

    jobs.note(again, VersionStatus.TRAINING, Progress.of(Stage.PREPARING))
    version = Versions(store.table).of_job(again)
    assert (version.status, version.job.fence) == (VersionStatus.TRAINING, 2)


def test_of_many_at_once_one_creates_the_model(store: Engine) -> None:
    jobs = Jobs(store.table)
    # moto's transactions aren't safe with threads, so there they run one after the other.
    with ThreadPoolExecutor(1 if store.name == "moto" else AT_ONCE) as pool:
        created = list(pool.map(lambda _: jobs.create_model(job(), REQUEST), range(AT_ONCE)))

    assert created.count(True) == 1
    assert Models(store.table).get("tc-01").training_version == 1


# --- numbers ---


def test_numbers_come_out_as_they_went_in(store: Engine) -> None:
    numbers = {
        "few": [0.1, 2 / 3, 123456.789, 5e-7, 1e-30],
        "whole": [0, -1, 2**53, 10**37],
        "other": [True, None, ""],
        "deep": {"f1": {"a": 0.5}},
    }

    store.put(pk="A", sk="1", **numbers)

    assert {name: value for name, value in rows.from_item(store.row("A", "1")).items() if name in numbers} == numbers


# --- lists ---


@pytest.mark.parametrize("models", [0, 2, 3, 4, 6])
def test_pages_that_end_exactly_at_the_end_have_no_next(store: Engine, models: int) -> None:
    jobs, registry = Jobs(store.table), Models(store.table)
    for number in range(models):
        jobs.create_model(job(f"tc-{number:02}"), REQUEST)

    found, pages, after = [], 0, None
    while True:
        page, after = registry.list(3, after)
        found += [model.model_id for model in page]
        pages += 1
        if after is None:
            break

    assert found == [f"tc-{number:02}" for number in range(models)]
    assert pages == max(1, -(-models // 3))


def test_versions_come_newest_first_page_by_page(store: Engine) -> None:
    jobs, registry = Jobs(store.table), Models(store.table)
    jobs.create_model(job(), REQUEST)
    for number in range(2, 13):
        jobs.cancel(job(version=number - 1))
        assert jobs.create_version(registry.get("tc-01"), job(version=number), REQUEST)

    model, versions = registry.get("tc-01"), Versions(store.table)
    first, before = versions.list(model, 5)
    second, before = versions.list(model, 5, before)
    third, end = versions.list(model, 5, before)

    assert [version.job.version for version in (*first, *second, *third)] == list(range(12, 0, -1))
    assert end is None


def test_a_partition_of_more_than_a_megabyte_is_read_whole(store: Engine) -> None:
    for number in range(5):
        store.put(pk="A", sk=str(number), filling="x" * 300_000)

    assert [row["sk"] for row in rows.partition(store.table, "A")] == ["0", "1", "2", "3", "4"]


def test_what_was_just_written_is_read(store: Engine) -> None:
    for number in range(20):
        store.put(pk="A", sk=f"{number:02}")
        assert store.row("A", f"{number:02}") is not None
        assert len(list(rows.partition(store.table, "A"))) == number + 1


def test_many_rows_are_removed_in_batches(store: Engine) -> None:
    with store.table.batch_writer() as batch:
        for number in range(60):
            batch.put_item(Item={"pk": "A", "sk": f"{number:02}"})
    with store.table.batch_writer() as batch:
        for row in list(rows.partition(store.table, "A")):
            batch.delete_item(Key={"pk": row["pk"], "sk": row["sk"]})

    assert list(rows.partition(store.table, "A")) == []


# --- the size of a row ---


def test_a_row_of_almost_400_kb_is_taken_and_a_larger_one_refused(store: Engine) -> None:
    store.put(pk="A", sk="1", filling="x" * (MOST_BYTES - _NAMES - 5_000))

    with pytest.raises(ClientError) as refused:
        store.put(pk="A", sk="1", filling="x" * (MOST_BYTES - _NAMES + 1))

    assert refused.value.response["Error"]["Code"] == "ValidationException"


# --- where they differ ---


def _last_key_at_the_end(store: Engine) -> str:
    for number in range(3):
        store.put(pk="A", sk=str(number))
    page = store.table.query(KeyConditionExpression="pk = :a", ExpressionAttributeValues={":a": "A"}, Limit=3)
    return "a LastEvaluatedKey" if "LastEvaluatedKey" in page else "none"


def _the_same_token_again(store: Engine) -> str:
    given = {"TransactItems": [rows.put_new({"pk": "A", "sk": "1"})(store.table.name)], "ClientRequestToken": "token-1"}
    store.table.meta.client.transact_write_items(**given)
    return _error(lambda: store.table.meta.client.transact_write_items(**given)) or "answered, not made again"


def _one_row_twice(store: Engine) -> str:
    writes = [rows.put_new({"pk": "A", "sk": "1"})(store.table.name)] * 2
    return _error(lambda: store.table.meta.client.transact_write_items(TransactItems=writes)) or "made"


def _number_too_small(store: Engine) -> str:
    # Without registry.table.to_item, which would replace it by the nearest number that DynamoDB accepts.
    return _error(lambda: store.put(pk="A", sk="1", value=Decimal("1E-140"))) or "kept"


def _unused_value(store: Engine) -> str:
    update = {"Key": {"pk": "A", "sk": "1"}, "UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": 1, ":b": 2}}
    return _error(lambda: store.table.update_item(**update)) or "made"


def _too_many_in_a_transaction(store: Engine) -> str:
    writes = [rows.put_new({"pk": "A", "sk": str(number)})(store.table.name) for number in range(101)]
    return _error(lambda: store.table.meta.client.transact_write_items(TransactItems=writes)) or "made"


def _exactly_400_kb(store: Engine) -> str:
    return _error(lambda: store.put(pk="A", sk="1", filling="x" * (MOST_BYTES - _NAMES))) or "taken"


def _error(call: Callable[[], Any]) -> str | None:
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


_REFUSED, _CANCELLED = "ValidationException", "TransactionCanceledException"
_ANSWERED = "answered, not made again"
# Observed, in the order of ENGINES. docs/faults.md has the same table.
DIFFERENCES: Mapping[str, tuple[Callable[[Engine], str], tuple[str, str, str]]] = {
    "a page that ends exactly at its limit and at the partition's end": (
        _last_key_at_the_end,
        ("none", "a LastEvaluatedKey", "a LastEvaluatedKey"),
    ),
    "a transaction sent again with its ClientRequestToken": (_the_same_token_again, (_CANCELLED, _ANSWERED, _ANSWERED)),
    "a transaction that writes one row twice": (_one_row_twice, (_REFUSED, _CANCELLED, _REFUSED)),
    "a row of exactly 400 KB": (_exactly_400_kb, (_REFUSED, "taken", "taken")),
    "a number smaller than 1E-130": (_number_too_small, (_REFUSED, _REFUSED, _REFUSED)),
    "a value that no expression uses": (_unused_value, (_REFUSED, _REFUSED, _REFUSED)),
    "a transaction of 101 writes": (_too_many_in_a_transaction, (_REFUSED, _REFUSED, _REFUSED)),
}


@pytest.mark.parametrize("question", DIFFERENCES)
def test_where_they_differ_is_as_it_is_written_down(store: Engine, question: str) -> None:
    ask, seen = DIFFERENCES[question]

    assert ask(store) == seen[ENGINES.index(store.name)]
