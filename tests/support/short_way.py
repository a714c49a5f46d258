"""The most frequent calls, answered by moto's own backends without HTTP in between: no request, no URLs, no XML.

botocore still checks and serializes each call, its events are the same, and so are the rows and objects. Whatever isn't listed here,
asks for more, or fails goes the long way. tests/faults/test_short_way.py compares the answers of both ways.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.client import BaseClient
from botocore.response import StreamingBody
from moto.core.exceptions import ServiceException
from moto.dynamodb.responses import DynamoHandler
from moto.s3.models import FakeKey, s3_backends
from moto.s3.utils import metadata_from_headers
from werkzeug.exceptions import HTTPException

from tests.support.moments import ACCOUNT, REGION

_TABLE_CALLS = {
    "BatchWriteItem": "batch_write_item",
    "DeleteItem": "delete_item",
    "GetItem": "get_item",
    "Query": "query",
    "TransactWriteItems": "transact_write_items",
    "UpdateItem": "update_item",
}
# What moto lists on one page.
_PAGE = 1000


# As botocore makes a request.
long_way = BaseClient._make_request  # type: ignore[attr-defined]


_META = "x-amz-meta-"
_OF_KEY = {"Bucket", "Key", "ChecksumMode"}


def install(monkeypatch: pytest.MonkeyPatch, needs_request: Callable[[], bool] = lambda: False) -> None:
    """Take the short way. needs_request: whether the current call must go the long way, because something happens to its request."""

    def make_request(client: Any, operation: Any, request: Any, context: Any) -> Any:
        given = None if needs_request() else answer(operation, request, context)
        if given is None:
            return long_way(client, operation, request, context)
        status = 404 if "Error" in given else 200
        http = AWSResponse("https://aws.example", status, HTTPHeaders(), None)
        return http, given | {"ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}}

    monkeypatch.setattr(BaseClient, "_make_request", make_request)


def answer(operation: Any, request: Any, context: Any) -> dict[str, Any] | None:
    """The answer to a call, which is made by this. None: the call must go the long way, and nothing is done."""
    call = CALLS.get((operation.service_model.service_name, operation.name))
    return call(operation, request, context) if call else None


# --- DynamoDB ---


def _of_table(operation: Any, request: Any, _: Any) -> Any:
    handler = DynamoHandler()
    handler.current_account, handler.region = ACCOUNT, REGION
    handler.body = handler.params = json.loads(request["body"])
    try:
        result: Any = getattr(handler, _TABLE_CALLS[operation.name])().result
    except (HTTPException, ServiceException):
        # It has changed nothing.
        return None
    known = operation.output_shape.members
    return json.loads(json.dumps({name: value for name, value in result.items() if name in known and value is not None}))


# --- S3 ---


def _get_object(_: Any, __: Any, context: Any) -> Any:
    given = _given(context, _OF_KEY)
    if given is None:
        return None
    key = _s3().get_object(given["Bucket"], given["Key"])
    if key is None:
        return {"Error": {"Code": "NoSuchKey", "Message": "The specified key does not exist.", "Key": given["Key"]}}
    return _head(key) | {"Body": StreamingBody(BytesIO(key.value), key.size)}


def _head_object(_: Any, __: Any, context: Any) -> Any:
    given = _given(context, _OF_KEY)
    key = given and _s3().get_object(given["Bucket"], given["Key"])
    return _head(key) if key else None


def _head(key: FakeKey) -> dict[str, Any]:
    return {
        "AcceptRanges": "bytes",
        "LastModified": _seconds(key.last_modified),
        "ContentLength": key.size,
        "ETag": key.etag,
        "ContentType": key.metadata["Content-Type"],
        "Metadata": {name.removeprefix(_META): value for name, value in key.metadata.items() if name.startswith(_META)},
    }


def _put_object(_: Any, request: Any, context: Any) -> Any:
    given = _given(context, {"Bucket", "Key", "Body", "ContentType", "IfNoneMatch"})
    if given is None or ("IfNoneMatch" in given and _s3().get_object(given["Bucket"], given["Key"])):
        return None
    body = given.get("Body", b"")
    if not isinstance(body, bytes):
        file, body = body, body.read()
        file.seek(0)
    key = _s3().put_object(given["Bucket"], given["Key"], body, storage="STANDARD")
    key.set_metadata(metadata_from_headers(request["headers"]))
    key.set_acl(_s3().buckets[given["Bucket"]].acl)
    return {"ETag": key.etag}


def _delete_objects(_: Any, __: Any, context: Any) -> Any:
    given = _given(context, {"Bucket", "Delete"})
    if given is None:
        return None
    deleted, _errors = _s3().delete_objects(given["Bucket"], given["Delete"]["Objects"], False)  # (Only locked S3 versions are refused.)
    return {"Deleted": [{"Key": key} | ({"VersionId": version} if version else {}) for key, version, _marker in deleted]}


def _list_objects(_: Any, __: Any, context: Any) -> Any:
    listed = _listed(context)
    if listed is None:
        return None
    given, keys = listed
    contents = [{"Key": key.name, **_of_list(key)} for key in keys]
    return _page(given, "Contents", contents) | {"KeyCount": len(contents)}


def _list_versions(_: Any, __: Any, context: Any) -> Any:
    listed = _listed(context)
    if listed is None:
        return None
    given, keys = listed
    return _page(given, "Versions", [{"Key": key.name, "VersionId": "null", "IsLatest": True, **_of_list(key)} for key in keys])


def _page(given: Mapping[str, Any], name: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    page = {"Name": given["Bucket"], "Prefix": given.get("Prefix", ""), "MaxKeys": _PAGE, "IsTruncated": False}
    return page | ({name: entries} if entries else {})


def _of_list(key: FakeKey) -> dict[str, Any]:
    return {"LastModified": _seconds(key.last_modified), "ETag": key.etag, "Size": key.size, "StorageClass": key.storage_class}


def _listed(context: Any) -> tuple[Any, list[FakeKey]] | None:
    """What was asked, and the keys on the one page that there is. None: there are more of them."""
    given = _given(context, {"Bucket", "Prefix", "EncodingType"})
    if given is None:
        return None
    keys = [key for name, key in sorted(_s3().buckets[given["Bucket"]].keys.items()) if name.startswith(given.get("Prefix", ""))]
    return None if len(keys) > _PAGE else (given, keys)


def _given(context: Any, may: set[str]) -> Any:
    """The parameters of a call of S3. None if there are others than these, or if the bucket isn't there or keeps versions."""
    given = context["s3_redirect"]["params"]
    bucket = _s3().buckets.get(given["Bucket"])
    return given if given.keys() <= may and bucket is not None and not bucket.is_versioned else None


def _s3() -> Any:
    return s3_backends[ACCOUNT]["aws"]


def _seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0, tzinfo=UTC)


CALLS: Mapping[tuple[str, str], Callable[[Any, Any, Any], dict[str, Any] | None]] = {
    ("s3", "DeleteObjects"): _delete_objects,
    ("s3", "GetObject"): _get_object,
    ("s3", "HeadObject"): _head_object,
    ("s3", "ListObjectVersions"): _list_versions,
    ("s3", "ListObjectsV2"): _list_objects,
    ("s3", "PutObject"): _put_object,
    **{("dynamodb", name): _of_table for name in _TABLE_CALLS},
}
