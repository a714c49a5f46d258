"""The roles of template.yaml, enforced on what functions ask moto: its actions, buckets, keys of objects, and rows of API keys.

A call that AWS would refuse ends the test with MissingRightError. (tests/contract/test_rights.py compares all of the code with the roles,
but not the keys; the local cloud enforces the roles too, and slowly.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any
from urllib.parse import unquote

import boto3

from tests.support.aws_calls import IN_TRANSACTIONS, actions_of
from tests.support.contract import functions
from tests.support.permissions import Grant, grants
from winnow.registry.table import ROLES

# As tests/support/permissions.py writes the objects of a bucket.
_OTHERS = "arn:*:s3:::${DatasetBuckets}"
_ENCODERS = "arn:${Partition}:s3:::${EncoderBucket}"


class MissingRightError(BaseException):
    """The function's role doesn't allow the call. Not an Exception, so that no function handles it."""


@dataclass(frozen=True, slots=True)
class _Running:
    function: str
    buckets: Mapping[str, str]


_running: ContextVar[_Running | None] = ContextVar("running", default=None)


@contextmanager
def role_of(folder: str, buckets: Mapping[str, str]) -> Iterator[None]:
    """Inside the `with` block, calls are made with the role of the function in this folder. buckets: the template's, by their names."""
    [function] = [name for name, properties in functions().items() if properties["CodeUri"] == folder]
    with _as(_Running(function, buckets)):
        yield


def by_the_test() -> AbstractContextManager[None]:
    """Inside the `with` block, calls are the test's own: a function is under way, and something else happens meanwhile."""
    return _as(None)


@contextmanager
def _as(running: _Running | None) -> Iterator[None]:
    token = _running.set(running)
    try:
        yield
    finally:
        _running.reset(token)


def install(session: boto3.Session) -> None:
    """Enforce roles on every client that the session makes from now on."""
    session.events.register("before-parameter-build.s3", _check)
    session.events.register("before-parameter-build.dynamodb", _check)


def _check(params: Mapping[str, Any], model: Any, **_: Any) -> None:
    running = _running.get()
    if running is None:
        return
    asked = _of_s3(params, model.name, running) if model.service_model.service_name == "s3" else _of_dynamodb(params, model.name)
    for action, target, where in asked:
        if not any(_allows(grant, action, target, where) for grant in _of(running.function)):
            raise MissingRightError(
                f"{running.function} may not {action} {target} {where}: its role in template.yaml has no such statement"
            )


@cache
def _of(function: str) -> tuple[Grant, ...]:
    return tuple(grant for grant in grants() if grant.owner == function)


def _allows(grant: Grant, action: str, target: str, where: str) -> bool:
    fits = action in grant.actions and any(fnmatchcase(target, pattern) for pattern in grant.resources)
    # The conditions of functions' statements each name one key and one value.
    return fits and (not grant.where or fnmatchcase(where, grant.where.rpartition(" ")[2]))


def _of_s3(params: Mapping[str, Any], operation: str, running: _Running) -> Iterator[tuple[str, str, str]]:
    """Each action, with its resource and what a condition may ask for: the prefix of a list."""
    bucket = params["Bucket"]
    known = running.buckets.get(bucket)
    keys = [each["Key"] for each in params["Delete"]["Objects"]] if "Delete" in params else [params["Key"]] if "Key" in params else []
    for action in actions_of("s3", operation):
        if not keys:
            yield action, known or bucket, params.get("Prefix", "")
        # A part is copied from another object.
        copied = "CopySource" in params and action == "s3:GetObject"
        for key in [_copied_key(params["CopySource"])] if copied else keys:
            own = f"${{{known}}}" if known else _ENCODERS if key.startswith("encoders/") else _OTHERS
            yield action, f"{own}/{key}", ""


def _copied_key(source: Any) -> str:
    """boto3 makes "BUCKET/KEY" of a source, before or after this is called."""
    return unquote(source.partition("/")[2]) if isinstance(source, str) else str(source["Key"])


def _of_dynamodb(params: Mapping[str, Any], operation: str) -> Iterator[tuple[str, str, str]]:
    """Each action on the registry, with the partition. MissingRightError for a write to the rows of API keys: the boundary denies it."""
    if operation == "TransactWriteItems":
        asked = [(IN_TRANSACTIONS[kind], write) for item in params["TransactItems"] for kind, write in item.items()]
    else:
        asked = [(operation, params)]
    for action, given in asked:
        partition = (given.get("Key") or given.get("Item") or {}).get("pk", "")
        partition = partition.get("S", "") if isinstance(partition, dict) else partition
        if partition == ROLES and action != "GetItem":
            raise MissingRightError("the boundary of all functions denies writing the role of a key")
        yield f"dynamodb:{action}", "Registry", partition
