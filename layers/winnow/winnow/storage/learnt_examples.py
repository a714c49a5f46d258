"""The examples of a version as a client may see them again: an index, and the texts with their labels in blocks.

The blocks are one object: each is some JSON Lines packed with gzip, and together they are a gzip file that POST /models takes. A page reads
only the blocks that it needs. The index has where each block is, and the beginning of its digest.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from winnow.domain.errors import ExamplesNotFoundError
from winnow.storage.example_lines import UNREADABLE
from winnow.storage.job_objects import Digests, changed, lacking, read_of_job, write_once_of_job

if TYPE_CHECKING:
    from winnow.domain.job import TrainingJob
    from winnow.domain.model import Version
    from winnow.storage.bucket import Bucket, Link

INDEX = "learnt/index.npz"
EXAMPLES = "learnt/examples.jsonl.gz"
# A version with more examples has no list: the functions that read its index would need more memory than they have.
MOST_EXAMPLES = 4_000_000
# A block ends with the line that reaches this many bytes.
_BLOCK_BYTES = 64 << 10
# Blocks are read together up to so many bytes, if there are not so many bytes between two of them: S3 takes longer to begin an answer than
# to send these. And so many reads are made at once.
_MOST_AT_ONCE, _MOST_BETWEEN, _READERS = 1 << 20, 128 << 10, 8


class Block(NamedTuple):
    """One block: its number, where it begins and ends in the object, and the first 8 bytes of its digest as a number."""

    number: int
    begin: int
    end: int
    sha256: int


class LearntExamples:
    """The examples of versions in a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, job: TrainingJob, records: Iterable[Mapping[str, Any]]) -> tuple[Digests, list[int], list[int], list[int]]:
        """Write records, which have a text and labels, in blocks.

        Returns the digest, and for each block its first record, where it begins (and at last where the last one ends), and its `sha256`.
        """
        firsts, begins, digests = [0], [0], []
        with BytesIO() as body:
            for count, lines in _blocks(records):
                packed = gzip.compress(lines, compresslevel=6, mtime=0)
                body.write(packed)
                firsts.append(firsts[-1] + count)
                begins.append(body.tell())
                digests.append(_short(packed))
            return write_once_of_job(self._bucket, job, EXAMPLES, body.getvalue(), "application/gzip"), firsts[:-1], begins, digests

    def write_index(self, job: TrainingJob, index: bytes) -> Digests:
        """Write the index."""
        return write_once_of_job(self._bucket, job, INDEX, index)

    def index_digest(self, version: Version) -> str:
        """The digest of the version's index. ExamplesNotFoundError if it has none."""
        if INDEX in version.digests:
            return version.digests[INDEX]
        many = version.dataset["examples"] > MOST_EXAMPLES
        raise ExamplesNotFoundError(version.job.model_id, version.job.version, too_many=MOST_EXAMPLES if many else None)

    def index(self, version: Version) -> bytes:
        """What `write_index` wrote. ExamplesNotFoundError if the version has none; ArtifactError if it is missing or changed."""
        return read_of_job(self._bucket, version.job, INDEX, sha256=self.index_digest(version))

    def lines(self, version: Version, blocks: Sequence[Block]) -> dict[int, list[bytes]]:
        """The records of these blocks, each as JSON, by the blocks' numbers. ArtifactError if the object is missing or changed."""
        together = list(_neighbours(sorted(blocks)))
        if len(together) < 2:
            found = [self._read(version, each) for each in together]
        else:
            with ThreadPoolExecutor(min(_READERS, len(together))) as readers:
                found = list(readers.map(lambda each: self._read(version, each), together))
        return {number: lines for part in found for number, lines in part.items()}

    def link(self, version: Version) -> Link:
        """A link to the records of all blocks. ExamplesNotFoundError if there are none; ArtifactError if they are missing or changed."""
        job, _ = version.job, self.index_digest(version)
        found = self._bucket.link(job.prefix + EXAMPLES, f"{job.model_id}-{job.version}-examples.jsonl.gz")
        if found is None:
            raise lacking(job, EXAMPLES)
        if self._bucket.sha256(job.prefix + EXAMPLES) != version.digests.get(EXAMPLES):
            raise changed(job, EXAMPLES)
        return found

    def _read(self, version: Version, blocks: Sequence[Block]) -> dict[int, list[bytes]]:
        start = blocks[0].begin
        body = self._bucket.part(version.job.prefix + EXAMPLES, start, blocks[-1].end)
        if body is None:
            raise lacking(version.job, EXAMPLES)
        found = {}
        for block in blocks:
            packed = body[block.begin - start : block.end - start]
            if _short(packed) != block.sha256:
                raise changed(version.job, EXAMPLES)
            try:
                found[block.number] = gzip.decompress(packed).splitlines()
            except UNREADABLE as error:
                raise changed(version.job, EXAMPLES) from error
        return found


def _blocks(records: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, bytes]]:
    """The lines of each block, with their number."""
    lines: list[bytes] = []
    size = 0
    for record in records:
        lines.append(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        size += len(lines[-1])
        if size >= _BLOCK_BYTES:
            yield len(lines), b"".join(lines)
            lines, size = [], 0
    if lines:
        yield len(lines), b"".join(lines)


def _neighbours(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Blocks that are near each other, together up to the limit."""
    group = list(blocks[:1])
    for before, block in pairwise(blocks):
        if block.begin - before.end <= _MOST_BETWEEN and block.end - group[0].begin <= _MOST_AT_ONCE:
            group.append(block)
        else:
            yield group
            group = [block]
    if group:
        yield group


def _short(packed: bytes) -> int:
    return int.from_bytes(hashlib.sha256(packed).digest()[:8])
