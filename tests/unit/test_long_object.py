"""An S3 object written in parts, some of them copied. Like S3, moto refuses a part below 5 MiB unless it is the last."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from winnow.storage.multipart import LEAST_PART, LongObject

MIB = 1024 * 1024


@pytest.fixture
def s3(boto_session: boto3.Session) -> Iterator[Any]:
    with mock_aws():
        client = boto_session.client("s3")
        client.create_bucket(Bucket="long")
        yield client


def body(s3: Any, key: str) -> bytes:
    content: bytes = s3.get_object(Bucket="long", Key=key)["Body"].read()
    return content


@pytest.mark.parametrize(
    "sizes",
    [
        [10],
        [LEAST_PART],
        [LEAST_PART - 1, 1, 7],
        [LEAST_PART, LEAST_PART, 3],
        [3, LEAST_PART, LEAST_PART],
        [3, 12 * MIB, 5],
        [2 * MIB, 2 * MIB, 2 * MIB, 2 * MIB, 9 * MIB],
        [3, 2 * LEAST_PART - 4],
        [3, 2 * LEAST_PART - 3],
    ],
)
def test_objects_of_any_size_are_joined_in_their_order(s3: Any, sizes: list[int]) -> None:
    chance = random.Random(0)
    parts = [chance.randbytes(size) for size in sizes]
    for place, part in enumerate(parts):
        s3.put_object(Bucket="long", Key=f"part-{place}", Body=part)

    with LongObject(s3, "long", "whole") as whole:
        for place, part in enumerate(parts):
            whole.append(f"part-{place}", len(part))

    assert body(s3, "whole") == b"".join(parts)
    assert whole.bytes == sum(sizes)


def test_what_lies_in_s3_in_long_pieces_is_copied_and_not_read(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put_object(Bucket="long", Key="piece", Body=b"x" * 6 * MIB)
    read: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(s3, "get_object", lambda **given: read.append(given["Range"]))
        with LongObject(s3, "long", "whole") as whole:
            for _ in range(3):
                whole.append("piece", 6 * MIB)
    assert not read
    assert len(body(s3, "whole")) == 18 * MIB


def test_pieces_are_written_as_they_come(s3: Any) -> None:
    with LongObject(s3, "long", "whole") as whole:
        for number in range(13):
            whole.write(bytes([number]) * MIB)
    assert body(s3, "whole") == b"".join(bytes([number]) * MIB for number in range(13))


def test_an_upload_names_its_checksum_and_completes_with_that_of_each_part(s3: Any) -> None:
    s3.put_object(Bucket="long", Key="piece", Body=b"x" * 6 * MIB)
    # Of its own, because of the hooks.
    client: Any = boto3.Session().client("s3")
    sent: dict[str, list[Any]] = defaultdict(list)
    answered: list[str] = []
    for operation in ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"):
        client.meta.events.register(f"before-send.s3.{operation}", lambda request, event_name, **_: sent[event_name].append(request))
    client.meta.events.register("after-call.s3.UploadPart", lambda parsed, **_: answered.append(parsed["ChecksumCRC32"]))
    # As S3 answers for the first copy, and as a store without checksums of copies for the second one.
    of_copies: Iterator[dict[str, str]] = iter([{"ChecksumCRC32": "Q29weQ=="}, {}])
    client.meta.events.register("after-call.s3.UploadPartCopy", lambda parsed, **_: parsed["CopyPartResult"].update(next(of_copies)))

    with LongObject(client, "long", "whole") as whole:
        whole.write(b"y" * LEAST_PART)
        whole.append("piece", 6 * MIB)
        whole.append("piece", 6 * MIB)
        whole.write(b"z")

    [create] = sent["before-send.s3.CreateMultipartUpload"]
    assert create.headers["x-amz-checksum-algorithm"] == b"CRC32"
    assert [it.headers["x-amz-sdk-checksum-algorithm"] for it in sent["before-send.s3.UploadPart"]] == [b"CRC32", b"CRC32"]
    [complete] = sent["before-send.s3.CompleteMultipartUpload"]
    parts = re.findall(r"<Part>(.*?)</Part>", complete.body.decode())
    first, last = answered
    assert [re.findall(r"<ChecksumCRC32>(.*?)</ChecksumCRC32>", part) for part in parts] == [[first], ["Q29weQ=="], [], [last]]


def test_where_it_breaks_nothing_is_there_and_no_upload_is_left(s3: Any) -> None:
    def break_off() -> None:
        with LongObject(s3, "long", "whole") as whole:
            whole.write(b"x" * 6 * MIB)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert "Contents" not in s3.list_objects_v2(Bucket="long")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="long")
