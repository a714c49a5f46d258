"""The objects of batch predictions in S3: shards of the input, the results of the shards, and the whole result.

A task that is repeated writes the same objects again.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from winnow.domain.batch import CONTENT_TYPES, JSON_LINES, BatchJob, BatchProgress, Shard
from winnow.domain.errors import ArtifactError
from winnow.domain.keys import result_key, shards_prefix
from winnow.storage.multipart import LongObject
from winnow.storage.removal import remove_prefix

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket, Link

_TEXTS = "texts/"
_LABELS = "labels/"
_MANIFEST = "manifest.json"
_HEADER = "header"


class BatchObjects:
    """The objects of batch predictions in a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write_shard(self, job: BatchJob, shard: Shard, lines: Sequence[bytes]) -> None:
        """Keep the lines of a shard, each a JSON object."""
        self._bucket.put(self._texts(job, shard), b"\n".join(lines) + b"\n")

    def read_shard(self, job: BatchJob, shard: Shard) -> Iterator[dict[str, Any]]:
        """The lines of a shard."""
        body = self._get(self._texts(job, shard))
        return (json.loads(line) for line in body.splitlines())

    def write_manifest(self, job: BatchJob, shards: Sequence[Shard]) -> dict[str, str]:
        """Keep the list of all shards. Returns its place, from which the workflow reads it."""
        key = shards_prefix(job.uid, job.batch) + _MANIFEST
        self._bucket.put(key, json.dumps([{"shard": shard.name} for shard in shards]).encode())
        return {"bucket": self._bucket.name, "key": key}

    def write_header(self, job: BatchJob, header: bytes) -> None:
        """Keep the first line of the result, if it is a table."""
        self._bucket.put(shards_prefix(job.uid, job.batch) + _HEADER, header)

    def labelled(self, job: BatchJob, shard: Shard) -> LongObject:
        """The object for the results of a shard's lines."""
        return LongObject(self._bucket.s3, self._bucket.name, self._prefix_of_labels(job) + shard.name)

    def progress(self, job: BatchJob) -> BatchProgress:
        """The progress of the batch, computed from the list of results in S3."""
        shards = [Shard.from_name(name) for name, _ in self._labelled(job)]
        return BatchProgress(sum(shard.lines for shard in shards), sum(shard.errors for shard in shards), len(shards))

    def join(self, job: BatchJob, ending: str) -> None:
        """Write the result: the header of a table, and the results of all shards, in their order. ArtifactError if one is missing.

        ending: that of the result's name.
        """
        manifest = json.loads(self._get(shards_prefix(job.uid, job.batch) + _MANIFEST))
        sizes = dict(self._labelled(job))
        key = result_key(job.uid, job.batch, ending)
        with LongObject(self._bucket.s3, self._bucket.name, key, CONTENT_TYPES[ending]) as result:
            if ending != JSON_LINES:
                result.write(self._get(shards_prefix(job.uid, job.batch) + _HEADER))
            for item in manifest:
                if item["shard"] not in sizes:
                    raise _lacking(item["shard"])
                result.append(self._prefix_of_labels(job) + item["shard"], sizes[item["shard"]])

    def link(self, job: BatchJob, source: str, ending: str) -> Link | None:
        """A link to the result, which is saved under the name of its source. None if there is no result or it has expired."""
        return self._bucket.link(result_key(job.uid, job.batch, ending), f"{_stem(source)}-classified.{ending}")

    def remove_shards(self, job: BatchJob) -> None:
        """Remove everything except the result."""
        remove_prefix(self._bucket, shards_prefix(job.uid, job.batch), itertools.repeat(True))

    def _labelled(self, job: BatchJob) -> Iterator[tuple[str, int]]:
        """The names of the shards that have results, and the results' sizes in bytes."""
        prefix = self._prefix_of_labels(job)
        for page in self._bucket.s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket.name, Prefix=prefix):
            for entry in page.get("Contents", []):
                yield entry["Key"].removeprefix(prefix), entry["Size"]

    def _texts(self, job: BatchJob, shard: Shard) -> str:
        return f"{shards_prefix(job.uid, job.batch)}{_TEXTS}{shard.name}"

    def _prefix_of_labels(self, job: BatchJob) -> str:
        return shards_prefix(job.uid, job.batch) + _LABELS

    def _get(self, key: str) -> bytes:
        body = self._bucket.find(key)
        if body is None:
            raise _lacking(key.rpartition("/")[2])
        return body


def _stem(source: str) -> str:
    """The file name of a key without its endings, the number that an upload has in front, and what no file name should have."""
    name = re.sub("^[0-9a-f]{32}-", "", source.rpartition("/")[2]).removesuffix(".gz")
    return re.sub("[^A-Za-z0-9._-]+", "-", name.rpartition(".")[0] or name)


def _lacking(name: str) -> ArtifactError:
    return ArtifactError(f"The batch's object {name} is missing: send the batch again.")
