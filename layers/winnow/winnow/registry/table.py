"""The one table: its keys, its numbers, and its transactions. Only this module knows the keys of the rows.

pk              sk          row
MODELS          model_id    a model (one partition: listing them is a query)
VERSIONS#uid    000001      a version of one life of a model
FEEDBACK#uid    batch       a feedback batch for one life of a model, by its id; ids sort by time
POLICIES#uid    000001      a policy of one life of a model, by its revision
HISTORY#id      entry       an entry of the history of all models that had this id; ids of entries sort by time
DRIFT#uid       yyyy-mm-dd  what was measured of a day of the prediction log for one life of a model
REVIEW#uid      queue       the review queue for one life of a model
BATCHES#uid     batch       a batch prediction by one life of a model, by its id; ids sort by time
BATCHES         uid#batch   the mark of a batch prediction that is under way, for the sweeper
DELETIONS       uid         a deleted model that may still have objects
DELETIONS       uid#000001  the same for one version of a model
DELETIONS       forget#id   the mark of a forgetting that isn't finished
FORGETTINGS     id          a forgetting; ids sort by time
INBOX           time#digest a file of the inbox that waits to be classified or trained on
TRAININGS       slots       the trainings that hold a slot, and since when
SLOTS           batches     the same for batch predictions
UPKEEP          name        when the sweeper last did a daily task
ROLES           digest      the role of an API key, by the key's SHA-256
IDEMPOTENCY#…   ANSWER      the record of a request with an Idempotency-Key, by the SHA-256 of it and its caller

DynamoDB removes a row after the time in its attribute `expires` (seconds since 1970). Batch predictions, review
queues, DRIFT, FORGETTINGS, HISTORY and IDEMPOTENCY have one.
"""

from __future__ import annotations

import hashlib
import math
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb import conditions
from botocore.exceptions import ClientError

from winnow.domain.errors import BusyError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

MODELS = "MODELS"
BATCHES = "BATCHES"
DELETIONS = "DELETIONS"
TRAININGS = "TRAININGS"
UPKEEP = "UPKEEP"
INBOX = "INBOX"
# A uid never has this character at this place.
_FORGET = "forget#"
ROLES = "ROLES"
Key = dict[str, Any]

TRAINING_SLOTS_KEY: Key = {"pk": TRAININGS, "sk": "slots"}
# Not in the partition of the marks: each row there is a batch.
BATCH_SLOTS_KEY: Key = {"pk": "SLOTS", "sk": "batches"}

# For the sweeper, which reads again in five minutes: half the price of a consistent read.
SOMEWHAT_LATE = {"ConsistentRead": False}

# The reasons for which a cancelled transaction may succeed the next time. boto3 doesn't try again for these.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_TRIES = 6

# The smallest number above zero that DynamoDB accepts. A float can be as small as 5e-324.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-data-types
_SMALLEST = 1e-130


class ConditionFailedError(Exception):
    """A write's condition didn't hold, so nothing of its transaction was written."""


def model_key(model_id: str) -> Key:
    return {"pk": MODELS, "sk": model_id}


def versions_partition(uid: str) -> str:
    return f"VERSIONS#{uid}"


def version_key(uid: str, version: int) -> Key:
    return {"pk": versions_partition(uid), "sk": f"{version:06d}"}


def feedback_partition(uid: str) -> str:
    return f"FEEDBACK#{uid}"


def feedback_key(uid: str, batch: str) -> Key:
    return {"pk": feedback_partition(uid), "sk": batch}


def kept_partition(uid: str) -> str:
    return f"KEPT#{uid}"


def kept_key(uid: str, batch: str) -> Key:
    """The key of the row with the suspects that a feedback batch dismisses."""
    return {"pk": kept_partition(uid), "sk": batch}


def policies_partition(uid: str) -> str:
    return f"POLICIES#{uid}"


def policy_key(uid: str, revision: int) -> Key:
    return {"pk": policies_partition(uid), "sk": f"{revision:06d}"}


def drift_partition(uid: str) -> str:
    return f"DRIFT#{uid}"


def drift_key(uid: str, day: str) -> Key:
    return {"pk": drift_partition(uid), "sk": day}


def day_of(row: Mapping[str, Any]) -> str:
    """Of a row of DRIFT."""
    return str(row["sk"])


def history_partition(model_id: str) -> str:
    return f"HISTORY#{model_id}"


def history_key(model_id: str, entry_id: str) -> Key:
    return {"pk": history_partition(model_id), "sk": entry_id}


def entry_id_of(entry: Mapping[str, Any]) -> str:
    """Of a row of a history."""
    return str(entry["sk"])


def review_queue_key(uid: str) -> Key:
    return {"pk": f"REVIEW#{uid}", "sk": "queue"}


def batch_predictions_partition(uid: str) -> str:
    return f"{BATCHES}#{uid}"


def batch_prediction_key(uid: str, batch: str) -> Key:
    return {"pk": batch_predictions_partition(uid), "sk": batch}


def batch_under_way_key(uid: str, batch: str) -> Key:
    return {"pk": BATCHES, "sk": f"{uid}#{batch}"}


def deletion_key(uid: str, version: int | None = None) -> Key:
    """The key of the deletion of a model, or of one version. uid: may also be the name (sk) of such a row."""
    return {"pk": DELETIONS, "sk": uid if version is None else f"{uid}#{version:06d}"}


def forgetting_key(forgetting: str) -> Key:
    return {"pk": "FORGETTINGS", "sk": forgetting}


def forgetting_of(row: Mapping[str, Any]) -> str:
    """The id of a forgetting, from its row."""
    return str(row["sk"])


def forgetting_mark_key(forgetting: str) -> Key:
    """The key of a forgetting's mark. The sweeper finds it with the deletions, so it reads nothing more while there is nothing to do."""
    return {"pk": DELETIONS, "sk": f"{_FORGET}{forgetting}"}


def forgetting_of_mark(name: str) -> str | None:
    """The id of the forgetting whose mark has this name (sk). None if it is another row of DELETIONS."""
    return name.removeprefix(_FORGET) if name.startswith(_FORGET) else None


def waiting_file_key(dropped_at: str, digest: str) -> Key:
    return {"pk": INBOX, "sk": f"{dropped_at}#{digest}"}


def upkeep_key(name: str) -> Key:
    return {"pk": UPKEEP, "sk": name}


def role_key(digest: str) -> Key:
    return {"pk": ROLES, "sk": digest}


def name_of(row: Mapping[str, Any]) -> str:
    """The key of a row, for people."""
    return f"{row['pk']}/{row['sk']}"


def model_id_of(model: Mapping[str, Any]) -> str:
    """Of a row of MODELS."""
    return str(model["sk"])


def digest_of(role: Mapping[str, Any]) -> str:
    """The digest of a key, from its row."""
    return str(role["sk"])


def idempotency_key(value: str) -> Key:
    return {"pk": f"IDEMPOTENCY#{hashlib.sha256(value.encode()).hexdigest()}", "sk": "ANSWER"}


@dataclass(frozen=True, slots=True)
class Update:
    """An update of one row: what to set, what to remove, and the condition. Each update adds one to the row's `revision`.

    condition: has attributes as #name and values as :name; `where` has the values. add: what to add to numbers; a missing number
    counts as 0. revision: the name of the number that grows.
    """

    key: Key
    assign: Mapping[str, Any]
    condition: str
    where: Mapping[str, Any]
    remove: Sequence[str] = ()
    add: Mapping[str, int] = field(default_factory=dict)
    revision: str = "revision"

    def arguments(self) -> dict[str, Any]:
        """The arguments of UpdateItem, without the table. Every name has a placeholder, because DynamoDB reserves hundreds of words
        (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html)."""
        added = {**self.add, self.revision: 1}
        expression = "SET " + ", ".join(f"#{name} = :new_{name}" for name in self.assign)
        if self.remove:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in self.remove)
        expression += " ADD " + ", ".join(f"#{name} :add_{name}" for name in added)
        conditioned = re.findall(r"#(\w+)", self.condition)
        values = {f":new_{name}": value for name, value in self.assign.items()} | {f":{name}": value for name, value in self.where.items()}
        names = [*self.assign, *self.remove, *added, *conditioned]
        return {
            "Key": self.key,
            "UpdateExpression": expression,
            "ConditionExpression": self.condition,
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": to_item(values | {f":add_{name}": value for name, value in added.items()}),
        }


def of_life(uid: str, revision: int | None = None) -> tuple[str, dict[str, Any]]:
    """The condition that a row is of this life of a model and, if given, of this revision; and its values for `where`."""
    if revision is None:
        return "#uid = :uid", {"uid": uid}
    return "#uid = :uid AND #revision = :revision", {"uid": uid, "revision": revision}


def one_of(name: str, values: Iterable[str]) -> tuple[str, dict[str, str]]:
    """The condition that an attribute has one of these values, as in `Update`; and its values for `where`."""
    where = {f"{name}{place}": value for place, value in enumerate(values)}
    return f"#{name} IN ({', '.join(f':{each}' for each in where)})", where


def update(table: Table, change: Update) -> None:
    """Make one update. ConditionFailedError if its condition doesn't hold; BusyError."""
    try:
        _persistently(lambda: table.update_item(**change.arguments()))
    except table.meta.client.exceptions.ConditionalCheckFailedException as error:
        raise ConditionFailedError from error


def delete(table: Table, key: Key) -> None:
    """Delete one row, if it exists. BusyError."""
    _persistently(lambda: table.delete_item(Key=key))


def put_new(item: Mapping[str, Any], or_expired_at: int | None = None) -> Callable[[str], dict[str, Any]]:
    """For `transact`: put a row that must not exist yet, or must have expired by `or_expired_at` (seconds since 1970)."""
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
    if or_expired_at is not None:
        condition = {
            "ConditionExpression": "attribute_not_exists(pk) OR #expires <= :now",
            "ExpressionAttributeNames": {"#expires": "expires"},
            "ExpressionAttributeValues": {":now": or_expired_at},
        }
    return lambda table: {"Put": {"TableName": table, "Item": to_item(item), **condition}}


def updated(change: Update) -> Callable[[str], dict[str, Any]]:
    """For `transact`: an update."""
    return lambda table: {"Update": {"TableName": table, **change.arguments()}}


def checked(key: Key, condition: str, where: Mapping[str, Any]) -> Callable[[str], dict[str, Any]]:
    """For `transact`: check a condition of a row, as in `Update`, and leave the row as it is."""
    return lambda table: {"ConditionCheck": {"TableName": table, **_conditioned(key, condition, where)}}


def deleted(key: Key, condition: str = "", where: Mapping[str, Any] | None = None) -> Callable[[str], dict[str, Any]]:
    """For `transact`: delete a row, under a condition as in `Update`. Without one, an absent row is no error."""
    conditioned = _conditioned(key, condition, where or {}) if condition else {"Key": key}
    return lambda table: {"Delete": {"TableName": table, **conditioned}}


def _conditioned(key: Key, condition: str, where: Mapping[str, Any]) -> dict[str, Any]:
    # DynamoDB refuses an empty map of values.
    values = {"ExpressionAttributeValues": to_item({f":{name}": value for name, value in where.items()})} if where else {}
    return {
        "Key": key,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {f"#{name}": name for name in re.findall(r"#(\w+)", condition)},
        **values,
    }


def transact(table: Table, *writes: Callable[[str], dict[str, Any]]) -> None:
    """Make all writes or none. ConditionFailedError if a condition doesn't hold; BusyError."""
    # The client of a resource accepts Python's own types, but its type stubs don't say so.
    items: Any = [write(table.name) for write in writes]
    try:
        _persistently(lambda: table.meta.client.transact_write_items(TransactItems=items))
    except table.meta.client.exceptions.TransactionCanceledException as error:
        if "ConditionalCheckFailed" in _reasons(error):
            raise ConditionFailedError from error
        raise


def _persistently(write: Callable[[], object]) -> None:
    """Make a write, and try again if it meets a transaction on the same row or is throttled, because boto3 doesn't. BusyError in the end.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
    """
    for attempt in range(_TRIES):
        try:
            write()
        except ClientError as error:
            if not _passes(error):
                raise
            if attempt == _TRIES - 1:
                raise BusyError from error
            time.sleep(random.uniform(0, 0.05 * 2**attempt))
        else:
            return


def _passes(error: ClientError) -> bool:
    """Whether the write may succeed the next time: it met a transaction or was throttled, and no condition failed."""
    reasons = _reasons(error)
    return error.response["Error"]["Code"] == "TransactionConflictException" or (
        bool(reasons & _PASSING) and "ConditionalCheckFailed" not in reasons
    )


def _reasons(error: ClientError) -> set[str]:
    """The reasons why a transaction was cancelled, as codes."""
    return {reason.get("Code", "") for reason in error.response.get("CancellationReasons", [])}


def partition(table: Table, name: str, **query: Any) -> Iterator[dict[str, Any]]:
    """The rows of a partition, in order. Reads are consistent unless `query` says otherwise. query: more arguments of Query."""
    start: dict[str, Any] = {}
    while True:
        page = table.query(KeyConditionExpression=conditions.Key("pk").eq(name), **{"ConsistentRead": True, **query, **start})
        yield from (from_item(item) for item in page["Items"])
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def to_item(value: Any) -> Any:
    """Python to DynamoDB: floats become Decimal, by their shortest decimal form; tuples become lists.

    A float that is too small for DynamoDB becomes the smallest number that it accepts, and not zero, which may be a wrong value.
    """
    match value:
        case float():
            return Decimal(repr(math.copysign(_SMALLEST, value) if 0 < abs(value) < _SMALLEST else value))
        case Mapping():
            return {name: to_item(member) for name, member in value.items()}
        case list() | tuple():
            return [to_item(member) for member in value]
    return value


def from_item(value: Any) -> Any:
    """DynamoDB to Python: a whole Decimal becomes int, any other float."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {name: from_item(member) for name, member in value.items()}
        case list():
            return [from_item(member) for member in value]
    return value
