"""GET /datasets and DELETE /datasets/{name}: uploaded data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

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
    winnow.s3.put_bucket_versioning(Bucket=winnow.names["Datasets"], VersioningConfiguration={"Status": "Enabled"})
    made = upload(winnow, "texts.json")
    winnow.s3.put_object(Bucket=made["s3bucket"], Key=made["training_object"], Body=b"again")
    longer = upload(winnow, "texts.json.gz")

    assert delete(winnow, made["name"]).status == 200

    left = winnow.s3.list_object_versions(Bucket=made["s3bucket"])
    assert [entry["Key"] for entry in left["Versions"]] == [longer["training_object"]]
    assert "DeleteMarkers" not in left


def test_one_of_which_only_a_delete_marker_is_there_is_not_there(winnow: Winnow) -> None:
    # An expired object leaves the same.
    winnow.s3.put_bucket_versioning(Bucket=winnow.names["Datasets"], VersioningConfiguration={"Status": "Enabled"})
    made = upload(winnow, "texts.json")
    winnow.s3.delete_object(Bucket=made["s3bucket"], Key=made["training_object"])

    answer = delete(winnow, made["name"])

    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:dataset-not-found")
    assert made["name"] in answer.body["detail"]


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
