"""POST /datasets: a presigned upload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

if TYPE_CHECKING:
    from tests.conftest import Winnow


def test_the_url_takes_what_the_answer_names(winnow: Winnow) -> None:
    answer = winnow.call("create_dataset")

    assert answer.status == 201
    assert answer.body["s3bucket"] == winnow.names["Datasets"]
    assert answer.body["training_object"] == f"uploads/{answer.body['name']}"
    assert answer.body["name"].endswith("-trainingSet.json")
    url = urlsplit(answer.body["upload_url"])
    assert winnow.names["Datasets"] in f"{url.netloc}{url.path}"
    assert url.path.endswith(answer.body["training_object"])
    query = parse_qs(url.query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-SignedHeaders"] == ["host;if-none-match"]


def test_the_url_carries_the_regions_own_host(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.Session(aws_access_key_id="fake", aws_secret_access_key="fake", region_name="eu-west-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)

    url = winnow.call("create_dataset").body["upload_url"]

    assert urlsplit(url).netloc == f"{winnow.names['Datasets']}.s3.eu-west-1.amazonaws.com"


def test_the_same_name_twice_is_two_data_sets(winnow: Winnow) -> None:
    first, second = winnow.call("create_dataset"), winnow.call("create_dataset")

    assert first.body["training_object"] != second.body["training_object"]


@pytest.mark.parametrize(
    "name",
    ["", "../secret.json", "a/b.json", ".hidden", "a" * 129, "..", "..\\a.csv", "a\\b", "a\x00", "a\x85", "trainingSet.json\n", 7, None],
)
def test_a_name_that_is_none_is_refused(winnow: Winnow, name: Any) -> None:
    answer = winnow.call("create_dataset", body={"name": name})

    assert (answer.status, answer.body["field"]) == (422, "name")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("データ.csv", "dataset.csv"),
        ("отзывы.csv.gz", "dataset.csv.gz"),
        ("_.csv", "dataset.csv"),
        ("Über uns (2).jsonl", "ber-uns-2-.jsonl"),
        ("№ 1.csv", "1.csv"),
        ("a-._B.v2.csv", "a-._B.v2.csv"),
        ("評" * 128, "dataset"),
        (f"評.{'a' * 126}", f"dataset.{'a' * 120}"),
    ],
)
def test_a_name_in_any_script_is_taken_and_its_ending_kept(winnow: Winnow, name: str, kept: str) -> None:
    answer = winnow.call("create_dataset", body={"name": name})

    assert answer.status == 201
    assert answer.body["name"].partition("-")[2] == kept
    winnow.s3.put_object(Bucket=answer.body["s3bucket"], Key=answer.body["training_object"], Body=b"text")
    assert [each["name"] for each in winnow.call("list_datasets").body["datasets"]] == [answer.body["name"]]
    assert winnow.call("delete_dataset", path={"name": answer.body["name"]}).status == 200


def test_with_bytes_the_length_is_signed(winnow: Winnow) -> None:
    answer = winnow.call("create_dataset", body={"name": "texts.json", "bytes": 41233})

    assert answer.status == 201
    assert parse_qs(urlsplit(answer.body["upload_url"]).query)["X-Amz-SignedHeaders"] == ["content-length;host;if-none-match"]


@pytest.mark.parametrize(
    ("given", "said"), [(0, "from 1 to"), (-1, "from 1 to"), ("10", "from 1 to"), (1.5, "from 1 to"), (400_000_001, "400,000,000")]
)
def test_a_length_that_can_t_be_trained_on_is_refused(winnow: Winnow, given: Any, said: str) -> None:
    answer = winnow.call("create_dataset", body={"name": "texts.json", "bytes": given})

    assert (answer.status, answer.body["field"]) == (422, "bytes")
    assert said in answer.body["detail"]


def test_a_training_reads_what_was_uploaded(winnow: Winnow) -> None:
    upload = winnow.call("create_dataset").body
    winnow.put_dataset()
    body = winnow.s3.get_object(Bucket="albert-textcats", Key="trainingSet.json")["Body"].read()
    winnow.s3.put_object(Bucket=upload["s3bucket"], Key=upload["training_object"], Body=body)

    version = winnow.train(s3bucket=upload["s3bucket"], training_object=upload["training_object"])

    assert (version["status"], version["dataset"]["training_object"]) == ("ready", upload["training_object"])
