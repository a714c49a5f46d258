"""The short way gives the answers of the long one, and does the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient
from botocore.response import StreamingBody
from moto.dynamodb.responses import DynamoHandler
from moto.s3.models import s3_backends

from tests.faults.invariants import violations
from tests.faults.wire import WRITES
from tests.support import moments, short_way

if TYPE_CHECKING:
    from tests.conftest import Tell
    from tests.faults.world import World

# What only the long way gives. Winnow reads none of it.
_UNREAD = {
    *("ResponseMetadata", "EncodingType", "KeyMarker", "VersionIdMarker", "Owner"),
    *("ChecksumAlgorithm", "ChecksumCRC32", "ChecksumType"),
}


def test_both_ways_answer_and_do_the_same(world: World, tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: Counter[str] = Counter()

    def make_both(client: Any, operation: Any, request: Any, context: Any) -> Any:
        undo = _undo(world) if operation.name in WRITES else None
        short = short_way.answer(operation, request, context)
        if short is None:
            return short_way.long_way(client, operation, request, context)
        after = _state(world)
        if undo:
            undo()
        http, parsed = short_way.long_way(client, operation, request, context)
        body = parsed["Body"].read() if "Body" in parsed else None
        if body is not None:
            assert short.pop("Body").read() == body
            parsed = parsed | {"Body": StreamingBody(BytesIO(body), len(body))}
        assert _read(short) == _read({name: value for name, value in parsed.items() if name != "Body"}), operation.name
        assert after == _state(world), operation.name
        compared[operation.name] += 1
        return http, parsed

    # A repeated transaction must be made again.
    transact: Any = DynamoHandler.transact_write_items
    monkeypatch.setattr(DynamoHandler, "transact_write_items", transact.__wrapped__)
    monkeypatch.setattr(BaseClient, "_make_request", make_both)

    world.post()
    world.run_executions()
    world.predict()
    world.add_examples("now")
    world.run_executions()
    world.post(force_update=True)
    world.cancel(version=3)
    world.promote(1)
    world.delete_version(2)
    world.settle()
    assert violations(world) == []
    world.delete()
    world.settle()

    assert violations(world) == []
    tell(f"{sum(compared.values())} calls: {dict(compared)}")
    assert set(compared) == {name for _, name in short_way.CALLS}


def _read(answer: Any) -> Any:
    """The answer without what nobody reads, at any depth, and without empty lists, which S3 doesn't send."""
    if isinstance(answer, dict):
        return {name: _read(value) for name, value in answer.items() if name not in _UNREAD}
    return [_read(each) for each in answer] if isinstance(answer, list) else answer


def _undo(world: World) -> Callable[[], None]:
    """What brings the rows and objects of this moment back, with the types of their contents."""
    kept = moments.keep(world.winnow)
    buckets = s3_backends[moments.ACCOUNT]["aws"].buckets
    types = {name: {key: made.metadata for key, made in bucket.keys.items()} for name, bucket in buckets.items()}
    executions = list(moments.executions())

    def undo() -> None:
        moments.bring_back(world.winnow, kept)
        moments.executions()[:] = executions
        for name, of_keys in types.items():
            for key, metadata in of_keys.items():
                buckets[name].keys[key]._metadata = metadata

    return undo


def _state(world: World) -> Any:
    """Rows and objects, without the moments of their writing."""
    buckets = s3_backends[moments.ACCOUNT]["aws"].buckets
    objects = {
        (name, key): (made.value, made.etag, made.metadata.get("content-type"), made.storage_class, made.version_id)
        for name, bucket in buckets.items()
        for key, made in bucket.keys.items()
    }
    return sorted(map(str, world.rows())), objects
