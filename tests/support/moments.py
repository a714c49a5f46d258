"""Moments of a deployment in moto: everything it holds, kept and brought back in a millisecond, and the time that it sees."""

from __future__ import annotations

from copy import copy, deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import FakeKey, s3_backends
from moto.stepfunctions.models import stepfunctions_backends

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow

_DESERIALIZER = TypeDeserializer()
ACCOUNT, REGION = "123456789012", "us-east-1"
# The names of the state machines in moto. A test may give the deployment another ARN, so that it can't start one.
WORKFLOWS = {"TrainingWorkflow": "winnow-training", "BatchWorkflow": "winnow-batches"}


@dataclass(frozen=True)
class Moment:
    """Rows, objects (with when they were written, and their metadata) and executions (by workflow), as they were at one moment."""

    rows: Any
    objects: dict[str, dict[str, tuple[bytes, datetime, dict[str, Any]]]]
    executions: dict[str, list[Any]]


def create_buckets(*names: str) -> None:
    """As S3's CreateBucket does, at a tenth of its price."""
    for name in names:
        s3_backends[ACCOUNT]["aws"].create_bucket(name, REGION)


def executions(workflow: str = "TrainingWorkflow") -> list[Any]:
    """The workflow's executions, as moto holds them: their status can be set."""
    backend = stepfunctions_backends[ACCOUNT][REGION]
    [machine] = [machine for machine in backend.state_machines if machine.name == WORKFLOWS[workflow]]
    found: list[Any] = machine.executions
    return found


def keep(winnow: Winnow) -> Moment:
    """The deployment as it is now."""
    objects = {}
    for name, bucket in s3_backends[ACCOUNT]["aws"].buckets.items():
        objects[name] = {key: (made.value, made.last_modified, dict(made.metadata)) for key, made in bucket.keys.items()}
    return Moment(deepcopy(_rows(winnow)), objects, {name: [copy(each) for each in executions(name)] for name in WORKFLOWS})


def nothing(winnow: Winnow) -> Moment:
    """A deployment that holds nothing but its clients' data sets."""
    kept = keep(winnow)
    return Moment({}, kept.objects | {winnow.names["Models"]: {}, winnow.names["Datasets"]: {}}, {})


def bring_back(winnow: Winnow, moment: Moment) -> None:
    """Make the deployment what it was."""
    rows = _rows(winnow)
    rows.clear()
    rows.update(deepcopy(moment.rows))
    for name, bucket in s3_backends[ACCOUNT]["aws"].buckets.items():
        for key in list(bucket.keys):
            bucket.keys.pop(key)
        for key, (body, written_at, metadata) in moment.objects.get(name, {}).items():
            made = FakeKey(name=key, value=body, account_id=ACCOUNT, region_name=REGION, bucket_name=name)
            made.last_modified = written_at
            made.set_metadata(dict(metadata))
            bucket.keys[key] = made
    for name in WORKFLOWS:
        executions(name)[:] = [copy(execution) for execution in moment.executions.get(name, [])]


def rows(winnow: Winnow) -> list[Json]:
    """The registry's rows, as a scan would give them, at a hundredth of its price."""
    found = (row for part in _rows(winnow).values() for row in part.values())
    return [{name: _plain(value) for name, value in row.attrs.items()} for row in found]


def keys(winnow: Winnow) -> set[str]:
    """The keys in the models' bucket."""
    return set(s3_backends[ACCOUNT]["aws"].buckets[winnow.names["Models"]].keys)


def bodies(winnow: Winnow) -> dict[str, bytes]:
    """The objects in the stack's two buckets, by key."""
    buckets = (s3_backends[ACCOUNT]["aws"].buckets[winnow.names[name]] for name in ("Models", "Datasets"))
    return {key: made.value for bucket in buckets for key, made in bucket.keys.items()}


def _rows(winnow: Winnow) -> Any:
    return dynamodb_backends[ACCOUNT][REGION].tables[winnow.names["Registry"]].items


def _plain(value: Any) -> Any:
    """What boto3 makes of a value. moto's own way there copies each map once for each level around it."""
    if value.type == "M":
        return {name: _plain(each) for name, each in value.value.items()}
    if value.type == "L":
        return [_plain(each) for each in value.value]
    encoded: Any = {value.type: value.value}
    return _DESERIALIZER.deserialize(encoded)
