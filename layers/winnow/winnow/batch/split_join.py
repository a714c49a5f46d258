"""The first and the last task of a batch prediction: split its object into shards, and join their results. Both can be repeated."""

from __future__ import annotations

import json
from typing import Any

from winnow.aws import resources
from winnow.batch.result_table import encoded, header
from winnow.datasets.row_problems import FileError
from winnow.datasets.unlabelled import UnlabelledTexts
from winnow.domain.batch import BatchJob, BatchStatus, Shard
from winnow.domain.errors import DatasetError, JobSupersededError

MOST_LINES = 10_000
# With this limit one Lambda has time to classify a shard of even the slowest texts (docs/batches.md).
MOST_BYTES = 1_000_000


def split(job: BatchJob) -> dict[str, Any]:
    """Split the object into shards. Returns the place of their list, and whether it is empty. DatasetError if the object can't be read."""
    batches, objects = resources.batch_predictions(), resources.batch_objects()
    batch = batches.note(job)
    opened = resources.datasets().open(batch.s3bucket, batch.object)
    shards = _Shards(job)
    texts = UnlabelledTexts(opened.stream, batch.object, resources.ceilings(), batch.layout)
    try:
        for text in texts:
            line = json.dumps(text.as_dict(), ensure_ascii=False).encode()
            if shards.add(line, is_error=text.error is not None):
                # Renews the lease, and raises JobSupersededError if the batch was cancelled.
                batches.note(job)
    except FileError as error:
        raise DatasetError(error.sentence) from error
    shards.close()
    lines, errors = (sum(getattr(shard, name) for shard in shards.closed) for name in ("lines", "errors"))
    found: dict[str, int | str] = {"lines": lines, "errors": errors, "shards": len(shards.closed)}
    if texts.table is not None:
        names = header(texts.table.names, batch.n_top, errors=errors > 0)
        objects.write_header(job, encoded([names], texts.table.delimiter))
        found["delimiter"] = texts.table.delimiter
    if warning := texts.warning():
        found["warning"] = warning
    where = objects.write_manifest(job, shards.closed)
    batches.note(job, **found)
    return {"manifest": where, "empty": not shards.closed}


class _Shards:
    """Collects the lines of a batch into shards, and writes each full one."""

    def __init__(self, job: BatchJob) -> None:
        self._job = job
        self._lines: list[bytes] = []
        self._bytes = 0
        self._errors = 0
        self.closed: list[Shard] = []

    def add(self, line: bytes, *, is_error: bool) -> bool:
        """True if the shard before this line was full and is closed now."""
        full = len(self._lines) == MOST_LINES or (bool(self._lines) and self._bytes + len(line) > MOST_BYTES)
        if full:
            self.close()
        self._lines.append(line)
        self._bytes += len(line)
        self._errors += is_error
        return full

    def close(self) -> None:
        """Write the lines as a shard, if there are any."""
        if not self._lines:
            return
        shard = Shard(len(self.closed), len(self._lines), self._errors)
        resources.batch_objects().write_shard(self._job, shard, self._lines)
        self.closed.append(shard)
        self._lines, self._bytes, self._errors = [], 0, 0


def join(job: BatchJob) -> None:
    """Write the result, make the batch ready, and remove the intermediate files."""
    batches, objects = resources.batch_predictions(), resources.batch_objects()
    try:
        objects.join(job, batches.note(job).ending)
        batches.commit(job)
    except JobSupersededError:
        # An earlier try of this task may have made the batch ready before it was killed.
        if batches.get(job).status is not BatchStatus.READY:
            raise
    objects.remove_shards(job)
