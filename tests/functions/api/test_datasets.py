"""GET /datasets and DELETE /datasets/{name}: uploaded data sets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conftest import Context, load_event
from winnow.aws import clients

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow


def upload(winnow: Winnow, name: str, body: bytes = b"[]") -> Json:
    """Upload a file as a client does. Returns the answer to POST /datasets."""
    answer: Json = winnow.call("create_dataset", body={"name": name}).body
    winnow.s3.put_object(Bucket=answer["s3bucket"], Key=answer["training_object"], Body=body)
    return answer


def listed(winnow: Winnow, **query: str) -> Json:
    answer = winnow.call("list_datasets", query=query or None)
    assert answer.status == 200
    body: Json = answer.body
    return body


def delete(winnow: Winnow, name: str) -> Any:
    return winnow.call("delete_dataset", path={"name": name})


@contextmanager
def pages_of_two() -> Iterator[None]:
    """S3 lists at most two versions in a page, as it does with a thousand."""

    def shorten(params: Json, **_: Any) -> None:
        params["MaxKeys"] = 2

    events, name = clients.s3().meta.events, "provide-client-params.s3.ListObjectVersions"
    events.register(name, shorten, unique_id="pages")
    try:
        yield
    finally:
        events.unregister(name, unique_id="pages")


def keep_versions(winnow: Winnow) -> None:
    winnow.s3.put_bucket_versioning(Bucket=winnow.names["Datasets"], VersioningConfiguration={"Status": "Enabled"})


def put_again(winnow: Winnow, made: Json, times: int) -> None:
    for number in range(times):
        winnow.s3.put_object(Bucket=made["s3bucket"], Key=made["training_object"], Body=b"%d" % number)


def test_before_the_first_upload_there_are_none(winnow: Winnow) -> None:
    winnow.call("create_dataset")

    assert listed(winnow) == {"datasets": [], "next": None}


def test_an_upload_is_listed_as_it_can_be_trained_on(winnow: Winnow) -> None:
    made = upload(winnow, "texts.csv", b"text,label\n")

    [shown] = listed(winnow)["datasets"]

    assert shown.pop("uploaded_at").endswith("Z")
    assert shown == {
        "name": made["name"],
        "bytes": 11,
        "s3bucket": winnow.names["Datasets"],
        "training_object": made["training_object"],
    }


def test_all_are_listed_page_by_page_each_once(winnow: Winnow) -> None:
    names = sorted(upload(winnow, "a" * length)["name"] for length in (1, 128, 5, 7, 9))
    pages: list[list[str]] = []
    after = None
    while pages == [] or after is not None:
        page = listed(winnow, limit="2", **({} if after is None else {"next": after}))
        pages.append([shown["name"] for shown in page["datasets"]])
        after = page["next"]

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [name for page in pages for name in page] == names


def test_a_page_that_ends_where_the_list_does_has_no_next(winnow: Winnow) -> None:
    upload(winnow, "a")
    upload(winnow, "b")

    assert listed(winnow, limit="2")["next"] is None


def test_a_cursor_of_another_list_is_refused(winnow: Winnow) -> None:
    for name in ("one", "two"):
        winnow.create(id=name)
    cursor = winnow.call("list_models", query={"limit": "1"}).body["next"]

    assert winnow.call("list_datasets", query={"next": cursor}).status == 422


def test_other_objects_of_the_bucket_are_neither_listed_nor_deleted(winnow: Winnow) -> None:
    number = "0" * 32
    for key in ("other.json", f"uploads/{number}/old.json", f"uploads/{number}.json", f"uploads/{number}-a/b.json"):
        winnow.s3.put_object(Bucket=winnow.names["Datasets"], Key=key, Body=b"1")

    assert listed(winnow)["datasets"] == []
    assert delete(winnow, f"{number}-a").status == 404


def test_a_deleted_upload_is_gone(winnow: Winnow) -> None:
    kept, gone = upload(winnow, "texts.json"), upload(winnow, "texts.json")

    answer = delete(winnow, gone["name"])

    assert (answer.status, answer.body) == (200, {"name": gone["name"], "status": "deleted"})
    assert [shown["name"] for shown in listed(winnow)["datasets"]] == [kept["name"]]
    assert delete(winnow, gone["name"]).status == 404


def test_where_the_bucket_keeps_versions_every_one_goes(winnow: Winnow) -> None:
    keep_versions(winnow)
    made = upload(winnow, "texts.json")
    put_again(winnow, made, 1)
    longer = upload(winnow, "texts.json.gz")

    assert delete(winnow, made["name"]).status == 200

    left = winnow.s3.list_object_versions(Bucket=made["s3bucket"])
    assert [entry["Key"] for entry in left["Versions"]] == [longer["training_object"]]
    assert "DeleteMarkers" not in left


def test_more_versions_than_one_page_of_s3_all_go(winnow: Winnow) -> None:
    keep_versions(winnow)
    made = upload(winnow, "texts.json")
    put_again(winnow, made, 4)

    with pages_of_two():
        assert delete(winnow, made["name"]).body["status"] == "deleted"

    assert listed(winnow)["datasets"] == []
    assert not {"Versions", "DeleteMarkers"} & winnow.s3.list_object_versions(Bucket=made["s3bucket"]).keys()
    assert delete(winnow, made["name"]).status == 404


def test_a_deletion_that_runs_out_of_time_says_so_and_can_be_repeated(winnow: Winnow) -> None:
    keep_versions(winnow)
    made = upload(winnow, "texts.json")
    event = load_event("api/delete_dataset") | {"pathParameters": {"name": made["name"]}}

    answer = winnow.invoke("functions/api/delete_dataset", event, Context(seconds=5))

    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "5")
    assert f"send DELETE /datasets/{made['name']} again" in answer["body"]
    assert delete(winnow, made["name"]).status == 200
    assert listed(winnow)["datasets"] == []


def test_what_an_expired_upload_has_left_goes_too(winnow: Winnow) -> None:
    keep_versions(winnow)
    made = upload(winnow, "texts.json")
    winnow.s3.delete_object(Bucket=made["s3bucket"], Key=made["training_object"])

    assert delete(winnow, made["name"]).status == 200

    assert not {"Versions", "DeleteMarkers"} & winnow.s3.list_object_versions(Bucket=made["s3bucket"]).keys()
    answer = delete(winnow, made["name"])
    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:dataset-not-found")
    assert made["name"] in answer.body["detail"]


def test_the_url_is_signed_for_one_put_and_the_answer_says_what_that_must_send(winnow: Winnow) -> None:
    made = winnow.call("create_dataset").body

    assert made["headers"] == {"If-None-Match": "*"}
    signed = parse_qs(urlsplit(made["upload_url"]).query)["X-Amz-SignedHeaders"][0].split(";")
    assert {name.lower() for name in made["headers"]} < set(signed)


@pytest.mark.parametrize("name", ["texts.json", f"{'0' * 31}-a", f"{'0' * 32}-", f"{'0' * 32}-.hidden", f"{'G' * 32}-a"])
def test_a_name_that_no_upload_has_is_refused(winnow: Winnow, name: str) -> None:
    answer = delete(winnow, name)

    assert (answer.status, answer.body["field"]) == (422, "name")


def test_a_version_survives_the_upload_it_was_trained_on(winnow: Winnow) -> None:
    winnow.put_dataset()
    body = winnow.s3.get_object(Bucket="albert-textcats", Key="trainingSet.json")["Body"].read()
    made = upload(winnow, "texts.json", body)
    assert winnow.train(s3bucket=made["s3bucket"], training_object=made["training_object"])["status"] == "ready"

    delete(winnow, made["name"])

    assert winnow.call("predict", "predict_get_body").status == 200
    assert winnow.call("get_report").status == 200
