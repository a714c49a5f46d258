"""Artifacts in S3: the effect of repeated or racing tasks, and what is removed."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from winnow.domain.dropped_file import outbox_prefix
from winnow.domain.errors import ArtifactError
from winnow.domain.job import TrainingJob
from winnow.storage.artifacts import Artifacts
from winnow.storage.bucket import Bucket
from winnow.storage.candidates import Candidates
from winnow.storage.dropped_files import DroppedFiles
from winnow.storage.example_lines import packed, unpacked
from winnow.storage.model_objects import ModelObjects
from winnow.storage.removal import Stored, remove_object

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Winnow

JOB = TrainingJob("tc-01", "5f0c7a3e9b2d4c6f8a1e3b5d7f9c0a2e", version=1, fence=1)
FIRST = {"classifier.json": b"{}", "weights.bin": b"first"}
SECOND = {"classifier.json": b"{}", "weights.bin": b"second"}


@pytest.fixture
def bucket(winnow: Winnow) -> Bucket:
    return Bucket(winnow.s3, winnow.names["Models"])


def artifact(bucket: Bucket, files: dict[str, bytes], job: TrainingJob = JOB) -> str:
    """Write an artifact of a single candidate and make it the version's. Returns its manifest's digest."""
    digest = Candidates(bucket).write(job, "linear", files, {"epochs": []})
    Candidates(bucket).take(job, "linear")
    return digest


def keys(winnow: Winnow) -> list[str]:
    """The keys of all S3 versions and delete markers."""
    listed = winnow.s3.list_object_versions(Bucket=winnow.names["Models"])
    return [entry["Key"] for entry in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]]


def versioned(winnow: Winnow) -> None:
    winnow.s3.put_bucket_versioning(Bucket=winnow.names["Models"], VersioningConfiguration={"Status": "Enabled"})


def test_an_artifact_that_is_written_again_is_the_same(bucket: Bucket) -> None:
    assert artifact(bucket, FIRST) == artifact(bucket, FIRST)


def test_the_artifact_that_was_there_first_stays_whatever_comes_later(winnow: Winnow, bucket: Bucket) -> None:
    first = artifact(bucket, FIRST)
    before = winnow.objects()

    assert artifact(bucket, SECOND) == first

    assert Artifacts(bucket).read(JOB, first) == FIRST
    assert before.items() <= winnow.objects().items()


def test_wherever_a_training_breaks_off_a_manifest_lists_only_what_is_there(
    winnow: Winnow, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = winnow.s3.put_object
    candidates, writes, left = Candidates(bucket), 0, 0
    prefixes = (f"{JOB.prefix}checkpoints/linear/", JOB.prefix)

    def break_off(**arguments: Any) -> Any:
        nonlocal left
        if left == 0:
            raise InterruptedError
        left -= 1
        return put(**arguments)

    monkeypatch.setattr(winnow.s3, "put_object", break_off)
    whole = False
    while not whole:
        left = writes
        try:
            digest = candidates.write(JOB, "linear", FIRST, {"epochs": []}, b"answers")
            candidates.take(JOB, "linear")
            whole = True
        except InterruptedError:
            writes += 1
        there = winnow.objects()
        for prefix in prefixes:
            if f"{prefix}artifact/manifest.json" in there:
                assert {f"{prefix}epochs.json", f"{prefix}held-out.npz"} <= there.keys()
                listed = json.loads(there[f"{prefix}artifact/manifest.json"])
                assert {JOB.prefix + entry["key"] for entry in listed.values()} <= there.keys()
        if not whole:
            for key in there:
                winnow.s3.delete_object(Bucket=winnow.names["Models"], Key=key)
    assert writes == 8
    assert Artifacts(bucket).read(JOB, digest) == FIRST


def test_of_two_that_race_one_artifact_comes_out(winnow: Winnow, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    put = winnow.s3.put_object
    digests: list[str] = []

    def late(**arguments: Any) -> Any:
        # Once, the other task writes between our files and our manifest, and briefly S3 can't say who was first.
        if "IfNoneMatch" in arguments and not digests:
            digests.append("")
            digests[0] = artifact(bucket, SECOND)
            raise ClientError({"Error": {"Code": "ConditionalRequestConflict", "Message": "Try again"}}, "PutObject")
        return put(**arguments)

    monkeypatch.setattr(winnow.s3, "put_object", late)
    digests.append(artifact(bucket, FIRST))

    assert digests[0] == digests[1]
    assert Artifacts(bucket).read(JOB, digests[0]) == SECOND


def test_an_artifact_that_was_there_first_and_is_not_whole_does_not_count(winnow: Winnow, bucket: Bucket) -> None:
    artifact(bucket, FIRST)
    [weights] = [key for key in winnow.objects() if "weights" in key]
    winnow.s3.delete_object(Bucket=winnow.names["Models"], Key=weights)

    with pytest.raises(ArtifactError, match=r"The file weights\.bin of version \d+ of model .* is missing"):
        artifact(bucket, SECOND)


def test_any_other_refusal_is_raised(bucket: Bucket, winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "No"}}, "PutObject")

    monkeypatch.setattr(winnow.s3, "put_object", refused)

    with pytest.raises(ClientError):
        artifact(bucket, FIRST)


def test_the_digest_of_an_object_of_several_pieces_is_that_of_the_whole(bucket: Bucket) -> None:
    body = b"".join(bytes([number]) * (1 << 20) for number in range(3)) + b"the rest"
    bucket.put("large", body)
    assert bucket.sha256("large") == hashlib.sha256(body).hexdigest()


def test_what_an_artifact_needed_until_it_was_written_is_removed(winnow: Winnow, bucket: Bucket) -> None:
    versioned(winnow)
    other = TrainingJob(JOB.model_id, JOB.uid, version=1, fence=2)
    for job in (JOB, other):
        for name in ("epoch-1", "epoch-2", "epoch-2"):
            winnow.s3.put_object(Bucket=winnow.names["Models"], Key=f"{job.prefix}checkpoints/{name}", Body=b"1")
    digest = artifact(bucket, FIRST)
    whole = winnow.objects()
    artifact(bucket, SECOND)

    Candidates(bucket).remove_leftovers(JOB, digest)

    assert Artifacts(bucket).read(JOB, digest) == FIRST
    assert winnow.objects() == {key: body for key, body in whole.items() if f"{JOB.prefix}checkpoints/" not in key}
    assert set(keys(winnow)) == set(winnow.objects())


def test_a_version_goes_under_all_its_fences_and_the_others_stay(winnow: Winnow, bucket: Bucket) -> None:
    versioned(winnow)
    jobs = [TrainingJob(JOB.model_id, JOB.uid, version, fence) for version, fence in ((1, 1), (1, 2), (11, 1), (2, 1))]
    for job in jobs:
        artifact(bucket, FIRST, job)
    winnow.s3.delete_object(Bucket=winnow.names["Models"], Key=f"{JOB.prefix}artifact/manifest.json")

    assert ModelObjects(bucket).remove_version(JOB.uid, 1, itertools.repeat(True))

    assert {key.split("/")[3] for key in keys(winnow)} == {"11", "2"}


def test_an_object_that_can_t_be_removed_does_not_keep_the_others(winnow: Winnow, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact(bucket, FIRST)
    monkeypatch.setattr(
        "winnow.storage.removal.stored_under", lambda *_: iter([[Stored(key, "null", datetime.now(UTC))] for key in winnow.objects()])
    )
    remove = winnow.s3.delete_objects

    def refused_once(**_: Any) -> Any:
        monkeypatch.setattr(winnow.s3, "delete_objects", remove)
        return {"Errors": [{"Key": "k", "Code": "InternalError"}]}

    monkeypatch.setattr(winnow.s3, "delete_objects", refused_once)

    assert not ModelObjects(bucket).remove_model(JOB.uid, itertools.repeat(True))
    assert len(winnow.objects()) == 1
    assert ModelObjects(bucket).remove_model(JOB.uid, itertools.repeat(True))
    assert winnow.objects() == {}


def test_what_a_first_look_missed_a_second_finds(winnow: Winnow, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact(bucket, FIRST)
    remove = winnow.s3.delete_objects

    def written_meanwhile(**arguments: Any) -> Any:
        monkeypatch.setattr(winnow.s3, "delete_objects", remove)
        winnow.s3.put_object(Bucket=winnow.names["Models"], Key=f"{JOB.prefix}late", Body=b"late")
        return remove(**arguments)

    monkeypatch.setattr(winnow.s3, "delete_objects", written_meanwhile)

    assert ModelObjects(bucket).remove_model(JOB.uid, itertools.repeat(True))
    assert winnow.objects() == {}


def test_what_is_listed_is_worked_on_page_by_page_so_that_time_for_one_page_is_enough(
    winnow: Winnow, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("", "1", "2", "3"):
        bucket.put(JOB.prefix + name, b"{}")
        bucket.put(f"{outbox_prefix(JOB.model_id)}result{name}", b"{}")
    pages: list[str] = []

    def one_by_one(name: str) -> Callable[..., Any]:
        listed = getattr(winnow.s3, name)

        def counted(**given: Any) -> Any:
            pages.append(name)
            return listed(**given, MaxKeys=1)

        return counted

    with monkeypatch.context() as short:
        for name in ("list_objects_v2", "list_object_versions"):
            short.setattr(winnow.s3, name, one_by_one(name))

        assert len(next(ModelObjects(bucket).list())) == 1
        assert pages == ["list_objects_v2"]
        assert not remove_object(bucket, JOB.prefix, iter([True, False]))
        assert not ModelObjects(bucket).remove_model(JOB.uid, iter([True, False]))
        assert not DroppedFiles(bucket).remove_results(JOB.model_id, JOB.uid, datetime.now(UTC), iter([True, False]))
        assert pages == ["list_objects_v2", *["list_object_versions"] * 6]
    left = winnow.objects().keys()
    assert left == {f"{JOB.prefix}2", f"{JOB.prefix}3", *(f"{outbox_prefix(JOB.model_id)}result{number}" for number in (1, 2, 3))}


def test_lines_are_packed_in_their_order_without_a_newline_at_the_end() -> None:
    body = packed([{"text": "mañana"}, ["two"], 3])

    assert gzip.decompress(body).decode() == '{"text": "mañana"}\n["two"]\n3'
    assert list(unpacked(body)) == [{"text": "mañana"}, ["two"], 3]
