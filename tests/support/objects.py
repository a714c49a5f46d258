"""The objects of versions in the models bucket, replaced or forgotten."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from winnow.domain.keys import JobObject
from winnow.registry import table as rows

if TYPE_CHECKING:
    from tests.conftest import Winnow


def key_of(winnow: Winnow, ending: str) -> str:
    """The key of the one object whose key ends so."""
    [key] = [key for key in winnow.objects() if key.endswith(ending)]
    return key


def replace(winnow: Winnow, ending: str, body: bytes) -> None:
    """Put a body in the place of an object. The version's row doesn't know of it."""
    winnow.s3.put_object(Bucket=winnow.names["Models"], Key=key_of(winnow, ending), Body=body)


def remove(winnow: Winnow, ending: str) -> None:
    winnow.s3.delete_object(Bucket=winnow.names["Models"], Key=key_of(winnow, ending))


def write(winnow: Winnow, ending: str, body: bytes) -> None:
    """Put a body in the place of an object, as if the version's training had written it."""
    replace(winnow, ending, body)
    made = JobObject.from_key(key_of(winnow, ending))
    assert made is not None
    winnow.table.update_item(
        Key=rows.version_key(made.uid, made.version),
        UpdateExpression="SET digests.#name = :sha256",
        ExpressionAttributeNames={"#name": made.name},
        ExpressionAttributeValues={":sha256": hashlib.sha256(body).hexdigest()},
    )


def forget_digests(winnow: Winnow) -> None:
    """Make all rows as earlier releases wrote them."""
    for row in winnow.table.scan()["Items"]:
        key = {"pk": row["pk"], "sk": row["sk"]}
        if "digests" in row:
            winnow.table.update_item(Key=key, UpdateExpression="REMOVE digests")
        if row["pk"].startswith("FEEDBACK#"):
            winnow.table.update_item(Key=key, UpdateExpression="REMOVE sha256")
