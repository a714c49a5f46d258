"""Candidates: the artifacts of a training job, one for each recipe that it tried. One of them becomes the version's artifact."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from winnow.domain.errors import ArtifactError
from winnow.domain.job import TrainingJob
from winnow.storage.artifacts import ARTIFACT, MANIFEST, Artifacts
from winnow.storage.checkpoints import CHECKPOINTS, candidate_name
from winnow.storage.job_objects import read_of_job
from winnow.storage.removal import remove_page, remove_prefix, stored_under
from winnow.storage.version_reports import EPOCHS, HELD_OUT, write_report

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket

_DIGITS_IN_NAME = 16
RESULT = "result.json"


class Candidates:
    """The candidates in a bucket, by job and recipe."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._artifacts = Artifacts(bucket)

    def write(
        self, job: TrainingJob, recipe: str, files: Mapping[str, bytes], epochs: Mapping[str, Any], held_out: bytes | None = None
    ) -> str:
        """Write the history of a candidate's epochs, its artifact's files, and last their manifest. Returns the manifest's SHA-256.

        held_out: the answers of the folds (`HeldOut`), if there are any.

        The digest is part of a file's name, and the manifest is written once. So if a task is repeated, or two run at the same time, no
        file of a manifest is ever overwritten. The first manifest counts. ArtifactError if a file of it is missing or wrong.
        """
        write_report(self._bucket, job, candidate_name(recipe, EPOCHS), epochs)
        if held_out is not None:
            self._bucket.put(job.prefix + candidate_name(recipe, HELD_OUT), held_out)
        manifest: dict[str, dict[str, str | int]] = {}
        for name, body in files.items():
            sha256 = hashlib.sha256(body).hexdigest()
            path = PurePosixPath(name)
            key = f"{ARTIFACT}{path.stem}-{sha256[:_DIGITS_IN_NAME]}{path.suffix}"
            self._bucket.put(job.prefix + key, body)
            manifest[name] = {"key": key, "bytes": len(body), "sha256": sha256}
        body = json.dumps(manifest, sort_keys=True).encode()
        key = candidate_name(recipe, MANIFEST)
        if self._bucket.put_once(job.prefix + key, body):
            return hashlib.sha256(body).hexdigest()
        there = hashlib.sha256(read_of_job(self._bucket, job, key)).hexdigest()
        self._artifacts.read(job, there, manifest=key)
        return there

    def write_result(self, job: TrainingJob, recipe: str, result: Mapping[str, Any]) -> None:
        """Keep what a container has to say about a candidate, for the workflow, which doesn't see what a container returns."""
        self._bucket.put_json(job.prefix + candidate_name(recipe, RESULT), result)

    def find_result(self, job: TrainingJob, recipe: str) -> dict[str, Any] | None:
        """What `write_result` kept, or None."""
        body = self._bucket.find(job.prefix + candidate_name(recipe, RESULT))
        return None if body is None else dict(json.loads(body))

    def take(self, job: TrainingJob, recipe: str) -> None:
        """Make a candidate the version's artifact. Its files are in place already, so this writes only the other objects and the manifest.

        A repetition changes nothing.
        """
        try:
            taken = {name: read_of_job(self._bucket, job, candidate_name(recipe, name)) for name in (EPOCHS, MANIFEST)}
        except ArtifactError:
            # The candidate was taken before, and the leftovers are removed. Otherwise reading the version's artifact fails later.
            return
        held_out = self._bucket.find(job.prefix + candidate_name(recipe, HELD_OUT))
        if held_out is not None:
            self._bucket.put_once(job.prefix + HELD_OUT, held_out)
        # The manifest comes last, so if it exists, the others exist too.
        for name, body in taken.items():
            self._bucket.put_once(job.prefix + name, body)

    def remove_leftovers(self, job: TrainingJob, manifest_sha256: str) -> None:
        """Remove what a job no longer needs: checkpoints, other candidates, and files of a task that was killed or too late."""
        remove_prefix(self._bucket, job.prefix + CHECKPOINTS, itertools.repeat(True))
        needed = self._artifacts.keys(job, manifest_sha256)
        for page in stored_under(self._bucket, job.prefix + ARTIFACT):
            remove_page(self._bucket, [stored for stored in page if stored.key.removeprefix(job.prefix) not in needed])
