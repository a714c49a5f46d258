"""What was made for models and lies in S3: a job's frozen examples, its report and evaluation, and the artifacts of versions."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from winnow.domain.clock import timestamp, utc_now
from winnow.domain.dataset import Example
from winnow.domain.errors import ArtifactError
from winnow.domain.job import TrainingJob
from winnow.domain.keys import MODELS_PREFIX, feedback_key, prefixes, version_prefix
from winnow.domain.model import DESCRIPTION

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_s3 import S3Client

    from winnow.storage.disk_cache import KeptFiles

DOWNLOAD_SECONDS = 900

# Under a job's prefix. CHECKPOINTS: what its candidates need until one of them is the version, each under its recipe's name.
CHECKPOINTS = "checkpoints/"
_ARTIFACT = "artifact/"
_MANIFEST = f"{_ARTIFACT}manifest.json"
_EPOCHS = "epochs.json"
_DATASET_REPORT = "report.json"
_PIPELINE = "pipeline.tar.gz"
_DIGITS_IN_NAME = 16


@dataclass(frozen=True, slots=True)
class Stored:
    """An S3 version of an object, or a delete marker. version_id None: an object as it is now."""

    key: str
    version_id: str | None
    modified: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """A presigned URL of an object of so many bytes, good until expires_at."""

    url: str
    bytes: int
    expires_at: str


class Storage:
    """What was made for models, each training job under a prefix of its own. kept: where files of artifacts stay once they were read."""

    def __init__(self, s3: S3Client, bucket: str, kept: KeptFiles | None = None) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._kept = kept

    def freeze_examples(self, job: TrainingJob, part: str, examples: Sequence[Example]) -> None:
        """Keep the examples of one part ("train" or "test") of the job's data set."""
        self._write_examples(_examples_key(job, part), examples)
        # Apart, so that the same examples are the same bytes, whatever format they came in.
        self._put_lines(_rows_key(job, part), (example.row for example in examples))

    def frozen_examples(self, job: TrainingJob, part: str) -> list[Example]:
        """The examples that `freeze_examples` kept."""
        rows = self._lines(_rows_key(job, part))
        return [replace(example, row=row) for example, row in zip(self._read_examples(_examples_key(job, part)), rows, strict=True)]

    def write_feedback(self, uid: str, batch: str, examples: Sequence[Example]) -> None:
        """Keep the examples of a batch of feedback."""
        self._write_examples(feedback_key(uid, batch), examples)

    def read_feedback(self, uid: str, batch: str) -> list[Example]:
        """The examples that `write_feedback` kept."""
        return list(self._read_examples(feedback_key(uid, batch)))

    def remove_feedback(self, uid: str, batch: str) -> None:
        """Remove what `write_feedback` kept."""
        self._remove(feedback_key(uid, batch), itertools.repeat(True))

    def _write_examples(self, key: str, examples: Iterable[Example]) -> None:
        self._put_lines(key, ({"text": example.text, "labels": example.labels} for example in examples))

    def _read_examples(self, key: str) -> Iterator[Example]:
        return (Example(record["text"], tuple(record["labels"])) for record in self._lines(key))

    def _put_lines(self, key: str, records: Iterable[Any]) -> None:
        """One JSON value a line, none behind the last, packed as it is made: only the packed ones are in memory."""
        with BytesIO() as body:
            with gzip.GzipFile(fileobj=body, mode="wb", compresslevel=6, mtime=0) as packed:
                for number, record in enumerate(records):
                    packed.write((b"\n" if number else b"") + json.dumps(record, ensure_ascii=False).encode())
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body.getvalue())

    def _lines(self, key: str) -> Iterator[Any]:
        body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]
        with gzip.GzipFile(fileobj=BytesIO(body.read())) as packed:
            for line in packed:
                yield json.loads(line)

    def write_checkpoint(self, job: TrainingJob, recipe: str, content: BytesIO) -> None:
        """Keep where the training of a candidate is. One object, so that another checkpoint is there whole or not at all."""
        content.seek(0)
        self._s3.put_object(Bucket=self._bucket, Key=job.prefix + _checkpoint(recipe), Body=content)

    def read_checkpoint(self, job: TrainingJob, recipe: str) -> BytesIO | None:
        """What `write_checkpoint` kept last, or None."""
        try:
            return BytesIO(self._s3.get_object(Bucket=self._bucket, Key=job.prefix + _checkpoint(recipe))["Body"].read())
        except self._s3.exceptions.NoSuchKey:
            return None

    def write_candidate(self, job: TrainingJob, recipe: str, files: Mapping[str, bytes], epochs: Mapping[str, Any]) -> str:
        """Write the story of a candidate's epochs, its artifact's files, and last their manifest. Returns the manifest's SHA-256.

        Files have names with their digest, and the manifest is written once. So where a task is repeated, or two race, nothing that a
        manifest names is ever overwritten: the artifact that was there first is the one, if it is whole. ArtifactError where it isn't.
        """
        self.write_report(job, _of_candidate(recipe, _EPOCHS), epochs)
        manifest: dict[str, dict[str, str | int]] = {}
        for name, body in files.items():
            sha256 = hashlib.sha256(body).hexdigest()
            path = PurePosixPath(name)
            key = f"{_ARTIFACT}{path.stem}-{sha256[:_DIGITS_IN_NAME]}{path.suffix}"
            self._s3.put_object(Bucket=self._bucket, Key=job.prefix + key, Body=body)
            manifest[name] = {"key": key, "bytes": len(body), "sha256": sha256}
        body = json.dumps(manifest, sort_keys=True).encode()
        key = _of_candidate(recipe, _MANIFEST)
        if self._put_once(job.prefix + key, body):
            return hashlib.sha256(body).hexdigest()
        there = hashlib.sha256(self._object(job, key)).hexdigest()
        self._files(job, self._manifest(job, there, key))
        return there

    def take_candidate(self, job: TrainingJob, recipe: str) -> None:
        """Make what `write_candidate` wrote the version's: its files lie where they shall already, so that only its manifest names them.

        Where another task did so before, nothing changes.
        """
        try:
            taken = {name: self._object(job, _of_candidate(recipe, name)) for name in (_EPOCHS, _MANIFEST)}
        except ArtifactError:
            # Taken before, and its leftovers are removed. If not, reading the version's artifact says what is missing.
            return
        # The manifest last: where it is, the epochs are.
        for name, body in taken.items():
            self._put_once(job.prefix + name, body)

    def read_artifact(self, job: TrainingJob, manifest_sha256: str, *, keep: bool = True) -> dict[str, bytes]:
        """An artifact's files. ArtifactError where one is missing or isn't what the training wrote.

        keep: whether what is fetched is worth keeping, where files are kept.
        """
        return self._files(job, self._manifest(job, manifest_sha256, keep=keep), keep=keep)

    def _files(self, job: TrainingJob, manifest: Mapping[str, Mapping[str, Any]], *, keep: bool = True) -> dict[str, bytes]:
        """The files that a manifest names."""
        return {name: self._checked(job, entry["key"], name, entry["sha256"], keep=keep) for name, entry in manifest.items()}

    def artifact_description(self, job: TrainingJob, manifest_sha256: str) -> dict[str, Any]:
        """What an artifact says of its classifier: `labels`, `exclusive` and more. ArtifactError as by `read_artifact`."""
        entry = self._manifest(job, manifest_sha256)[DESCRIPTION]
        description: dict[str, Any] = json.loads(self._checked(job, entry["key"], DESCRIPTION, entry["sha256"]))
        return description

    def _manifest(self, job: TrainingJob, manifest_sha256: str, key: str = _MANIFEST, *, keep: bool = True) -> dict[str, dict[str, Any]]:
        manifest: dict[str, dict[str, Any]] = json.loads(self._checked(job, key, key, manifest_sha256, keep=keep))
        return manifest

    def _checked(self, job: TrainingJob, key: str, name: str, sha256: str, *, keep: bool = True) -> bytes:
        """An object of which the digest is known, by key and name as `_object` takes them. ArtifactError where it is another."""
        body = self._kept.read(sha256) if self._kept else None
        if body is None:
            body = self._object(job, key, name)
            if hashlib.sha256(body).hexdigest() != sha256:
                raise _other(job, name)
            if self._kept and keep:
                self._kept.keep(sha256, body)
        return body

    def write_report(self, job: TrainingJob, name: str, report: Mapping[str, Any]) -> None:
        """Write a JSON report beside the version's artifact."""
        body = json.dumps(report, ensure_ascii=False, indent=1).encode()
        self._s3.put_object(Bucket=self._bucket, Key=f"{job.prefix}{name}", Body=body, ContentType="application/json")

    def read_report(self, job: TrainingJob, name: str) -> dict[str, Any]:
        """A report that `write_report` wrote. ArtifactError where there is none."""
        report: dict[str, Any] = json.loads(self._object(job, name))
        return report

    def write_dataset_report(self, job: TrainingJob, report: Mapping[str, Any]) -> None:
        """Write what is said of the job's data set."""
        self.write_report(job, _DATASET_REPORT, report)

    def dataset_report(self, job: TrainingJob) -> dict[str, Any] | None:
        """What `write_dataset_report` wrote, or None."""
        try:
            return self.read_report(job, _DATASET_REPORT)
        except ArtifactError:
            return None

    def epochs(self, job: TrainingJob) -> dict[str, Any]:
        """The story of the epochs of the candidate that is the version. ArtifactError where none is."""
        return self.read_report(job, _EPOCHS)

    def write_figure(self, job: TrainingJob, name: str, svg: str) -> None:
        """Write a figure of the version's evaluation."""
        self._s3.put_object(Bucket=self._bucket, Key=job.prefix + _figure(name), Body=svg.encode(), ContentType="image/svg+xml")

    def read_figure(self, job: TrainingJob, name: str) -> str:
        """A figure that `write_figure` wrote. ArtifactError where there is none."""
        return self._object(job, _figure(name)).decode()

    def write_pipeline(self, job: TrainingJob, archive: bytes) -> None:
        """Write the version as a pipeline."""
        self._s3.put_object(Bucket=self._bucket, Key=job.prefix + _PIPELINE, Body=archive, ContentType="application/gzip")

    def pipeline_link(self, job: TrainingJob) -> Link:
        """A link to what `write_pipeline` wrote. ArtifactError where there is none."""
        found = link(self._s3, self._bucket, job.prefix + _PIPELINE, f"{job.model_id}-{job.version}.tar.gz")
        if found is None:
            raise _lacking(job, _PIPELINE)
        return found

    def remove_model(self, uid: str, time_left: Iterator[bool]) -> bool:
        """Remove every object made for a model, while there is time. True when none is left."""
        return all(self._remove(prefix, time_left) for prefix in prefixes(uid))

    def remove_version(self, uid: str, version: int, time_left: Iterator[bool]) -> bool:
        """Remove every object made for a version, under whatever fence, while there is time. True when none is left."""
        return self._remove(version_prefix(uid, version), time_left)

    def remove_checkpoints(self, job: TrainingJob) -> None:
        """Remove the checkpoints of a job."""
        self._remove(job.prefix + CHECKPOINTS, itertools.repeat(True))

    def remove_leftovers(self, job: TrainingJob, manifest_sha256: str) -> None:
        """Remove what a job needed until its artifact was written: checkpoints, the other candidates, and the files of a task that was
        killed or came second."""
        self.remove_checkpoints(job)
        named = {entry["key"] for entry in self._manifest(job, manifest_sha256).values()} | {_MANIFEST}
        for page in _pages(self._s3, self._bucket, job.prefix + _ARTIFACT):
            self.remove([stored for stored in page if stored.key.removeprefix(job.prefix) not in named])

    def everything(self) -> Iterator[list[Stored]]:
        """All objects that were made for models as they are now, by pages of at most 1,000."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=MODELS_PREFIX):
            yield [Stored(entry["Key"], None, entry["LastModified"]) for entry in page.get("Contents", [])]

    def remove(self, page: Sequence[Stored]) -> int:
        """Remove these, at most 1,000. Returns how many of them S3 removed."""
        return _remove_page(self._s3, self._bucket, page)

    def _remove(self, prefix: str, time_left: Iterator[bool]) -> bool:
        return remove_prefix(self._s3, self._bucket, prefix, time_left)

    def _put_once(self, key: str, body: bytes) -> bool:
        """Write an object that doesn't exist yet. False where it does."""
        while True:
            try:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*")
            except ClientError as error:
                match error.response["Error"]["Code"]:
                    case "PreconditionFailed":
                        return False
                    case "ConditionalRequestConflict":
                        # Another is writing it at this moment. S3 says: try again.
                        continue
                raise
            return True

    def _object(self, job: TrainingJob, key: str, name: str | None = None) -> bytes:
        """An object by its key under the job's prefix. name: what a sentence calls it, where that isn't the key."""
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=job.prefix + key)["Body"].read()
        except self._s3.exceptions.NoSuchKey as error:
            raise _lacking(job, name or key) from error


class DryRunReports:
    """The reports of dry runs, which are of no model. The template has S3 remove them after a week."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def write(self, report_id: str, record: Mapping[str, Any]) -> None:
        body = json.dumps(record, ensure_ascii=False).encode()
        self._s3.put_object(Bucket=self._bucket, Key=_dry_run_key(report_id), Body=body, ContentType="application/json")

    def find(self, report_id: str) -> dict[str, Any] | None:
        """What `write` wrote last, or None."""
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=_dry_run_key(report_id))["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None
        record: dict[str, Any] = json.loads(body)
        return record


def link(s3: S3Client, bucket: str, key: str, saved_as: str) -> Link | None:
    """A link to an object, for a client to save under this name. None where there is no such object."""
    try:
        size = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        return None
    wanted = {"Bucket": bucket, "Key": key, "ResponseContentDisposition": f'attachment; filename="{saved_as}"'}
    url = s3.generate_presigned_url("get_object", Params=wanted, ExpiresIn=DOWNLOAD_SECONDS)
    return Link(url, size, timestamp(utc_now() + timedelta(seconds=DOWNLOAD_SECONDS)))


def remove_prefix(s3: S3Client, bucket: str, prefix: str, time_left: Iterator[bool]) -> bool:
    """Remove what lies under a prefix, of each object every S3 version and delete marker, while there is time.

    True when a last look has found nothing.
    """
    while True:
        found, refused = False, False
        for page in _pages(s3, bucket, prefix):
            if not next(time_left):
                return False
            found = found or bool(page)
            # One object that is refused must not keep the others.
            refused = _remove_page(s3, bucket, page) < len(page) or refused
        if refused or not found:
            return not refused


def _pages(s3: S3Client, bucket: str, prefix: str) -> Iterator[list[Stored]]:
    """Every S3 version and delete marker under a prefix, by pages of at most 1,000, which is what DeleteObjects takes."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        yield [Stored(entry["Key"], entry["VersionId"], entry["LastModified"]) for entry in listed]


def _remove_page(s3: S3Client, bucket: str, page: Sequence[Stored]) -> int:
    if not page:
        return 0
    objects = [{"Key": stored.key} | ({"VersionId": stored.version_id} if stored.version_id else {}) for stored in page]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})  # type: ignore[typeddict-item]
    return len(page) - len(answer.get("Errors", []))


def _lacking(job: TrainingJob, name: str) -> ArtifactError:
    return ArtifactError(f"Version {job.version} of model {job.model_id!r} lacks its file {name}: train it again.")


def _other(job: TrainingJob, name: str) -> ArtifactError:
    return ArtifactError(
        f"The file {name} of version {job.version} of model {job.model_id!r} isn't the one its training wrote: train it again."
    )


def _examples_key(job: TrainingJob, part: str) -> str:
    return f"{job.prefix}examples/{part}.jsonl.gz"


def _rows_key(job: TrainingJob, part: str) -> str:
    return f"{job.prefix}examples/{part}-rows.jsonl.gz"


def _dry_run_key(report_id: str) -> str:
    return f"reports/{report_id}.json"


def _of_candidate(recipe: str, name: str) -> str:
    return f"{CHECKPOINTS}{recipe}/{name}"


def _checkpoint(recipe: str) -> str:
    return _of_candidate(recipe, "training.npz")


def _figure(name: str) -> str:
    return f"evaluation/{name}"
