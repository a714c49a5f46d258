"""GET /models/{model_id}/versions, and GET /models/{model_id}/versions/{version}."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from winnow.registry.versions import Versions

if TYPE_CHECKING:
    from tests.conftest import Json, Ready, Winnow
    from winnow.domain.model import Model, Version


def cancelled_versions(winnow: Winnow, number: int, model_id: str = "tc-01") -> None:
    """Make this number of versions of a model and cancel each."""
    for _ in range(number):
        version = winnow.create("create_model_force_update", id=model_id).body["version"]
        assert winnow.call("cancel_version", path={"model_id": model_id, "version": str(version)}).status == 200


def pages(winnow: Winnow, limit: int) -> list[list[int]]:
    found = []
    query = {"limit": str(limit)}
    while True:
        page = winnow.call("list_versions", query=query).body
        found.append([version["version"] for version in page["versions"]])
        if page["next"] is None:
            return found
        query["next"] = page["next"]


def version(winnow: Winnow, number: int) -> Json:
    shown: Json = winnow.call("get_version", path={"model_id": "tc-01", "version": str(number)}).body
    return shown


def test_versions_come_newest_first_page_by_page(winnow: Winnow) -> None:
    cancelled_versions(winnow, 11)

    assert pages(winnow, 4) == [[11, 10, 9, 8], [7, 6, 5, 4], [3, 2, 1]]
    assert pages(winnow, 11) == [[11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]]


def test_a_page_is_whole_where_dynamodb_cuts_one_at_a_megabyte(winnow: Winnow) -> None:
    cancelled_versions(winnow, 4)
    for row in winnow.table.scan()["Items"]:
        if "fence" in row:
            winnow.table.put_item(Item=row | {"error": "é" * 190_000})

    assert pages(winnow, 4) == [[4, 3, 2, 1]]


def test_a_version_in_the_list_is_the_one_by_its_number_and_the_one_of_its_model(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    cancelled_versions(winnow, 1)

    second, first = winnow.call("list_versions").body["versions"]

    assert {"model_id": "tc-01", **first} == version(winnow, 1)
    assert {"model_id": "tc-01", **second} == version(winnow, 2)
    assert second == winnow.version()
    assert [(it["status"], it["live"]) for it in (first, second)] == [("ready", True), ("cancelled", False)]


def test_versions_of_other_models_are_not_listed(winnow: Winnow) -> None:
    cancelled_versions(winnow, 1)
    cancelled_versions(winnow, 2, "tc-02")

    assert pages(winnow, 10) == [[1]]


@pytest.mark.parametrize("call", ["list_versions", "get_version"])
def test_without_the_model_there_are_none(winnow: Winnow, call: str) -> None:
    answer = winnow.call(call)

    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:model-not-found")


def test_a_version_that_is_not_there_is_not_found(winnow: Winnow) -> None:
    winnow.create()

    answer = winnow.call("get_version", path={"model_id": "tc-01", "version": "2"})

    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:version-not-found")
    assert "version 2" in answer.body["detail"]


@pytest.mark.parametrize("number", ["0", "01", "latest", "1000000"])
def test_a_version_is_a_number(winnow: Winnow, number: str) -> None:
    answer = winnow.call("get_version", path={"model_id": "tc-01", "version": number})

    assert (answer.status, answer.body["field"]) == (422, "version")


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "1001"}, {"next": ""}, {"next": "MQ"}, {"next": "_____w"}, {"page": "2"}])
def test_a_query_that_is_wrong_is_named(winnow: Winnow, query: dict[str, str]) -> None:
    winnow.create()

    answer = winnow.call("list_versions", query=query)

    assert (answer.status, [answer.body["field"]]) == (422, list(query))


def test_the_tag_of_a_version_changes_with_it_and_with_nothing_else(winnow: Winnow) -> None:
    cancelled_versions(winnow, 1)
    first, second = ({"model_id": "tc-01", "version": number} for number in "12")
    tag = winnow.call("get_version", path=first).headers["ETag"]
    winnow.create("create_model_force_update")
    queued = winnow.call("get_version", path=second).headers["ETag"]

    assert winnow.call("get_version", path=first, headers={"If-None-Match": tag}).status == 304
    winnow.call("cancel_version", path=second)
    assert winnow.call("get_version", path=second, headers={"If-None-Match": queued}).status == 200
    assert winnow.call("get_version", path=first, headers={"If-None-Match": tag}).status == 304


def test_a_version_that_becomes_live_between_the_two_reads_is_seen_live(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    read = Versions.get

    def ended_meanwhile(versions: Versions, model: Model, number: int) -> Version:
        monkeypatch.setattr(Versions, "get", read)
        winnow.run_workflow(winnow.started_job())
        return read(versions, model, number)

    monkeypatch.setattr(Versions, "get", ended_meanwhile)
    version = winnow.call("get_version", path={"model_id": "tc-01", "version": "1"}).body

    assert (version["status"], version["live"]) == ("ready", True)


def test_so_it_is_in_the_list(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    read = Versions.list

    def ended_meanwhile(versions: Versions, model: Model, limit: int, before: int | None = None) -> tuple[list[Version], int | None]:
        monkeypatch.setattr(Versions, "list", read)
        winnow.run_workflow(winnow.started_job())
        return read(versions, model, limit, before)

    monkeypatch.setattr(Versions, "list", ended_meanwhile)
    [version] = winnow.call("list_versions").body["versions"]

    assert (version["status"], version["live"]) == ("ready", True)


def test_a_training_on_another_page_does_not_matter(winnow: Winnow) -> None:
    cancelled_versions(winnow, 2)
    winnow.create("create_model_force_update")

    assert pages(winnow, 1) == [[3], [2], [1]]
