"""A version names its data set by bucket, key, version id, ETag and SHA-256."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tests.conftest import CLIENT_BUCKET, DATA

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow

KEY = "trainingSet.json"


def prepared(winnow: Winnow) -> Json:
    """A version's data set after its training has read it, as GET /models/{model_id} shows it."""
    assert winnow.create(n_iter=1).status == 202
    winnow.invoke("functions/training/prepare", winnow.started_job())
    dataset: Json = winnow.version()["dataset"]
    return dataset


def test_of_a_bucket_without_versions_the_version_id_is_null(winnow: Winnow) -> None:
    winnow.put_dataset()
    there = winnow.s3.head_object(Bucket=CLIENT_BUCKET, Key=KEY)

    dataset = prepared(winnow)

    assert (dataset["s3bucket"], dataset["training_object"]) == (CLIENT_BUCKET, KEY)
    assert dataset["sha256"] == hashlib.sha256((DATA / "exclusive.json").read_bytes()).hexdigest()
    assert f'"{dataset["etag"]}"' == there["ETag"]
    assert dataset["version_id"] is None


def test_of_one_with_versions_it_is_the_one_that_was_read_and_stays_so(winnow: Winnow) -> None:
    winnow.s3.put_bucket_versioning(Bucket=CLIENT_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    winnow.put_dataset()
    there = winnow.s3.head_object(Bucket=CLIENT_BUCKET, Key=KEY)

    dataset = prepared(winnow)
    winnow.put_dataset("multilabel.jsonl")

    assert dataset["version_id"] == there["VersionId"]
    assert f'"{dataset["etag"]}"' == there["ETag"]
    assert winnow.version()["dataset"] == dataset
    pinned = winnow.s3.get_object(Bucket=CLIENT_BUCKET, Key=KEY, VersionId=dataset["version_id"])["Body"].read()
    assert hashlib.sha256(pinned).hexdigest() == dataset["sha256"]
