"""Reads the artifacts of versions. A manifest lists an artifact's files and their digests; the registry has the manifest's digest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from winnow.domain.job import TrainingJob
from winnow.domain.model import DESCRIPTION
from winnow.storage.job_objects import read_of_job

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket
    from winnow.storage.disk_cache import KeptFiles

# Under a job's prefix.
ARTIFACT = "artifact/"
MANIFEST = f"{ARTIFACT}manifest.json"


class Artifacts:
    """The artifacts in a bucket, by job and manifest. kept: the cache for files that were read."""

    def __init__(self, bucket: Bucket, kept: KeptFiles | None = None) -> None:
        self._bucket = bucket
        self._kept = kept

    def read(self, job: TrainingJob, manifest_sha256: str, *, manifest: str = MANIFEST, keep: bool = True) -> dict[str, bytes]:
        """An artifact's files. ArtifactError if one is missing or isn't what the training wrote.

        manifest: the manifest's key under the job's prefix. keep: whether to put the files into the cache, if there is one.
        """
        entries = self._manifest(job, manifest_sha256, manifest, keep=keep)
        return {name: self._checked(job, entry["key"], name, entry["sha256"], keep=keep) for name, entry in entries.items()}

    def opened(self, job: TrainingJob, manifest_sha256: str, *, keep: bool = True) -> Mapping[str, bytes]:
        """The same files. Each is read, and checked, when it is asked for. ArtifactError also then."""
        entries = self._manifest(job, manifest_sha256, keep=keep)
        return _Files({name: partial(self._checked, job, each["key"], name, each["sha256"], keep=keep) for name, each in entries.items()})

    def description(self, job: TrainingJob, manifest_sha256: str) -> dict[str, Any]:
        """The description of an artifact's classifier: `labels`, `exclusive` and more. ArtifactError as in `read`."""
        entry = self._manifest(job, manifest_sha256)[DESCRIPTION]
        description: dict[str, Any] = json.loads(self._checked(job, entry["key"], DESCRIPTION, entry["sha256"]))
        return description

    def keys(self, job: TrainingJob, manifest_sha256: str) -> set[str]:
        """The keys, under the job's prefix, of an artifact's files and its manifest. ArtifactError as in `read`."""
        return {entry["key"] for entry in self._manifest(job, manifest_sha256).values()} | {MANIFEST}

    def _manifest(self, job: TrainingJob, manifest_sha256: str, key: str = MANIFEST, *, keep: bool = True) -> dict[str, dict[str, Any]]:
        manifest: dict[str, dict[str, Any]] = json.loads(self._checked(job, key, key, manifest_sha256, keep=keep))
        return manifest

    def _checked(self, job: TrainingJob, key: str, name: str, sha256: str, *, keep: bool = True) -> bytes:
        """An object with a known digest. key, name: as in `read_of_job`. ArtifactError if the digest is different."""
        body = self._kept.read(sha256) if self._kept else None
        if body is None:
            body = read_of_job(self._bucket, job, key, name, sha256)
            if self._kept and keep:
                self._kept.keep(sha256, body)
        return body


class _Files(Mapping[str, bytes]):
    """Files by name, each read when it is asked for."""

    def __init__(self, reads: Mapping[str, Callable[[], bytes]]) -> None:
        self._reads = reads

    def __getitem__(self, name: str) -> bytes:
        return self._reads[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._reads)

    def __len__(self) -> int:
        return len(self._reads)
