"""GET /models/{model_id}/history: who did what when, an entry for each deed that happened, also when the model is gone."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import load_event
from tests.support.clock import Clock
from tests.support.contract import contract
from tests.support.feedback import add, labelled, set_properties
from tests.support.races import before_write
from winnow.domain.clock import timestamp, utc_now
from winnow.domain.history import CallerKind, Deed

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Once, Ready, Winnow

# As the events name their caller.
KEY = {"kind": "key", "name": "clerk", "key_id": "f6g7h8i9j0"}
WINNOW = {"kind": "winnow", "name": None, "key_id": None}
SWEEP = "functions/upkeep/sweep"


@pytest.fixture
def two(ready: Ready, once: Once) -> Winnow:
    """tc-01 with two ready versions. The second is live."""

    def make() -> None:
        assert ready("exclusive.json").train(force_update=True)["status"] == "ready"

    return once("two", make)


def entries(winnow: Winnow, **query: str) -> list[Json]:
    found: list[Json] = winnow.call("get_history", query=query).body["entries"]
    return found


def told(winnow: Winnow) -> list[tuple[str, int | None]]:
    """The deeds, oldest first, each with its version."""
    return [(entry["deed"], entry["version"]) for entry in reversed(entries(winnow))]


def promote(winnow: Winnow, version: int, **more: Any) -> Answer:
    return winnow.call("promote_version", body={"version": version}, **more)


def path(version: int) -> dict[str, str]:
    return {"model_id": "tc-01", "version": str(version)}


def test_the_words_are_those_of_the_contract() -> None:
    schemas = contract()["components"]["schemas"]
    assert schemas["HistoryEntry"]["properties"]["deed"]["enum"] == [*Deed]
    assert schemas["Caller"]["properties"]["kind"]["enum"] == [*CallerKind]


def test_each_deed_has_an_entry_with_its_caller_newest_first(two: Winnow) -> None:
    began = timestamp(utc_now() - timedelta(hours=1))
    promote(two, 1)
    promote(two, 2)
    set_properties(two, tolerance=0.5, title="Sentences")
    batch = add(two, labelled(3), retrain="no").body["batch"]
    two.call("delete_examples", path={"model_id": "tc-01", "batch": batch})
    two.call("change_version", path=path(1), body={"note": "the first"})
    two.call("delete_version", path=path(1))
    two.create("create_model_force_update")
    two.call("cancel_version", path=path(3))
    two.call("delete_model")

    answer = two.call("get_history")
    found = answer.body["entries"]

    assert answer.status == 200
    assert answer.body["next"] is None
    assert [(entry["deed"], entry["version"], entry["call"]) for entry in reversed(found)] == [
        ("train", 1, "POST /models"),
        ("go-live", 1, "POST /models"),
        ("train", 2, "POST /models"),
        ("go-live", 2, "POST /models"),
        ("roll-back", 1, "PUT /models/{model_id}/live"),
        ("promote", 2, "PUT /models/{model_id}/live"),
        ("change-model", None, "PATCH /models/{model_id}"),
        ("add-examples", None, "POST /models/{model_id}/examples"),
        ("take-back-examples", None, "DELETE /models/{model_id}/examples/{batch}"),
        ("change-version", 1, "PATCH /models/{model_id}/versions/{version}"),
        ("delete-version", 1, "DELETE /models/{model_id}/versions/{version}"),
        ("train", 3, "POST /models"),
        ("cancel", 3, "POST /models/{model_id}/versions/{version}/cancel"),
        ("delete-model", None, "DELETE /models/{model_id}"),
    ]
    assert all(entry["by"] == KEY for entry in found)
    assert all(began < entry["at"] <= timestamp(utc_now() + timedelta(seconds=1)) for entry in found)
    assert [entry["at"] for entry in found] == sorted((entry["at"] for entry in found), reverse=True)
    by_deed = {entry["deed"]: entry for entry in found}
    assert (by_deed["roll-back"]["before"], by_deed["promote"]["before"], by_deed["delete-model"]["before"]) == (2, 1, 2)
    assert [entry["before"] for entry in reversed(found) if entry["deed"] == "go-live"] == [None, 1]
    assert by_deed["change-model"]["settings"] == {"tolerance": 0.5, "title": None}
    for deed in ("add-examples", "take-back-examples"):
        assert (by_deed[deed]["batch"], by_deed[deed]["examples"]) == (batch, 3)


def test_neither_a_key_nor_a_text_nor_a_label_is_in_it(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    set_properties(winnow, title="a planted title", note="a planted note", tags=["a planted tag"])
    winnow.call("change_version", path=path(1), body={"note": "a planted remark"})
    add(winnow, [{"text": "a planted text", "label": "a planted label"}], retrain="no")

    rows = [row for row in winnow.table.scan()["Items"] if row["pk"].startswith("HISTORY#")]

    key = load_event("api/create_model")["headers"]["x-api-key"]
    assert len(rows) == 5
    assert "planted" not in str(rows)
    assert not [row for row in winnow.table.scan()["Items"] if key in str(row)]


def test_a_version_from_feedback_is_of_who_asked_and_the_sweeper_s_is_winnow_s(ready: Ready, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    winnow.create("create_model_force_update")
    # It asks for a training, but one is under way.
    assert add(winnow, labelled(4), retrain="now").body["retrain"] == "underway"
    winnow.call("cancel_version", path=path(2))
    clock.advance(minutes=6)
    winnow.invoke(SWEEP, load_event("upkeep/sweep"))
    winnow.call("cancel_version", path=path(3))
    assert add(winnow, labelled(4, "bike"), retrain="now").body["version"] == 4

    trained = {entry["version"]: (entry["by"], entry["call"]) for entry in entries(winnow) if entry["deed"] == "train"}

    assert trained[3] == (WINNOW, None)
    assert trained[4] == (KEY, "POST /models/{model_id}/examples")


def test_a_version_that_goes_live_by_itself_is_of_who_asked_for_it(winnow: Winnow) -> None:
    winnow.put_dataset()
    context = load_event("api/create_model")["requestContext"]
    context["authorizer"] |= {"key": "somebody"}
    context["identity"] |= {"apiKeyId": "another"}
    body = json.loads(load_event("api/create_model")["body"]) | {"n_iter": 1}
    winnow.call("create_model", body=body, requestContext=context)
    winnow.run_workflow(winnow.started_job())

    live, trained = entries(winnow)

    assert (live["deed"], live["version"], live["before"]) == ("go-live", 1, None)
    assert live["by"] == trained["by"] == {"kind": "key", "name": "somebody", "key_id": "another"}


def test_a_version_that_waits_for_its_promotion_has_no_entry_for_going_live(winnow: Winnow) -> None:
    winnow.put_dataset()
    assert winnow.train(promote="never")["status"] == "ready"
    promote(winnow, 1)
    assert told(winnow) == [("train", 1), ("promote", 1)]


def test_a_version_of_an_earlier_release_goes_live_by_nobody_known(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    for row in winnow.table.scan()["Items"]:
        if row["pk"].startswith("VERSIONS#"):
            winnow.table.put_item(Item={name: value for name, value in row.items() if name != "asked_by"})
        elif row["pk"] == "MODELS":
            winnow.table.put_item(Item={name: value for name, value in row.items() if name != "history"})
    winnow.run_workflow(winnow.started_job())

    newest = entries(winnow)[0]
    assert (newest["deed"], newest["by"], newest["call"]) == ("go-live", None, None)
    promote(winnow, 1)
    set_properties(winnow, tolerance=0.1)
    assert told(winnow) == [("train", 1), ("go-live", 1), ("change-model", None)]


def test_pages_are_the_whole_without_overlap_and_a_cursor_is_of_its_model(two: Winnow) -> None:
    whole = entries(two)
    found, query = [], {"limit": "3"}
    while True:
        page = two.call("get_history", query=query).body
        found += page["entries"]
        if page["next"] is None:
            break
        query["next"] = page["next"]
    assert found == whole
    assert len(whole) == 4

    refused = two.call("list_versions", query={"next": query["next"]})
    assert (refused.status, refused.body["field"]) == (422, "next")


def test_the_history_of_a_deleted_model_stays_and_goes_on_if_its_id_is_used_again(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.call("delete_model")
    assert winnow.call("get_model").status == 404
    assert told(winnow) == [("train", 1), ("go-live", 1), ("delete-model", None)]

    winnow.create()
    assert told(winnow) == [("train", 1), ("go-live", 1), ("delete-model", None), ("train", 1)]


def test_an_id_that_never_was_is_not_found_and_a_model_of_an_earlier_release_has_none_yet(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    answer = winnow.call("get_history", path={"model_id": "nobody"})
    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:model-not-found")

    for row in winnow.table.scan()["Items"]:
        if row["pk"].startswith("HISTORY#"):
            winnow.table.delete_item(Key={"pk": row["pk"], "sk": row["sk"]})
    assert winnow.call("get_history").body == {"model_id": "tc-01", "entries": [], "next": None}


def test_what_was_not_done_has_no_entry(two: Winnow) -> None:
    before = entries(two)
    stale = {"If-Match": '"0000000000000000-0000000000000000"'}

    assert promote(two, 2).status == 200  # it is live already
    assert promote(two, 1, headers=stale).status == 412
    assert promote(two, 9).status == 404
    assert two.call("change_model", body={"tolerance": 0}).status == 200  # as it is
    assert two.call("change_version", path=path(1), body={"note": None}).status == 200
    assert two.call("change_version", path=path(1), body={"note": "x"}, headers=stale).status == 412
    assert two.call("cancel_version", path=path(2)).status == 409
    assert two.call("delete_version", path=path(2)).status == 409
    assert two.call("delete_model", headers=stale).status == 412
    assert two.create().status == 409
    assert add(two, [{"text": "", "label": "a"}]).status == 422

    assert entries(two) == before


def test_a_repeated_request_has_one_entry(two: Winnow) -> None:
    before = len(entries(two))
    body = json.loads(load_event("api/create_model")["body"]) | {"force_update": True}
    for _ in range(2):
        assert two.call("create_model", body=body, headers={"Idempotency-Key": "one"}).status == 202
        assert add(two, key="two", retrain="no").status == 201
    assert [deed for deed, _ in told(two)[before:]] == ["train", "add-examples"]


def test_deeds_of_one_moment_have_entries_of_their_own_in_their_order(two: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = utc_now() + timedelta(minutes=1)
    monkeypatch.setattr("winnow.domain.clock.clock", lambda: moment)
    for version in (1, 2) * 5:
        promote(two, version)
    # A function whose clock is behind.
    monkeypatch.setattr("winnow.domain.clock.clock", lambda: moment - timedelta(minutes=1))
    promote(two, 1)
    for number in range(20):
        add(two, labelled(1, f"label {number}"), retrain="no")

    found = told(two)

    assert [deed for deed in found if deed[1]][4:] == [("roll-back", 1), ("promote", 2)] * 5 + [("roll-back", 1)]
    assert found.count(("add-examples", None)) == 20


def test_a_deed_between_the_read_and_the_write_comes_first(two: Winnow) -> None:
    with before_write(lambda: promote(two, 1)):
        set_properties(two, tolerance=0.5)
    with before_write(lambda: set_properties(two, tolerance=0.25)):
        promote(two, 2)

    assert told(two)[4:] == [("roll-back", 1), ("change-model", None), ("change-model", None), ("promote", 2)]
    assert (two.model()["live_version"], two.model()["tolerance"]) == (2, 0.25)


def test_a_cancel_meets_a_change_of_the_settings(two: Winnow) -> None:
    two.create("create_model_force_update")
    with before_write(lambda: set_properties(two, tolerance=0.5)):
        assert two.call("cancel_version", path=path(3)).status == 200
    assert told(two)[5:] == [("change-model", None), ("cancel", 3)]


def test_a_commit_meets_a_promotion(two: Winnow) -> None:
    two.create("create_model_force_update", s3bucket="albert-textcats", n_iter=1)
    data = two.run_task("train", two.run_task("prepare", two.started_job()))
    with before_write(lambda: promote(two, 1)):
        two.run_task("publish", data)

    assert told(two)[5:] == [("roll-back", 1), ("go-live", 3)]
    assert (entries(two)[0]["before"], two.model()["live_version"]) == (1, 3)


def test_an_entry_is_kept_for_four_hundred_days(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    until = utc_now() + timedelta(days=400)
    rows = [row for row in winnow.table.scan()["Items"] if row["pk"] == "HISTORY#tc-01"]
    assert [abs(int(row["expires"]) - until.timestamp()) < 3600 for row in rows] == [True, True]


@pytest.mark.parametrize(
    ("authorizer", "identity", "by"),
    [
        # sam local has neither.
        ("KeyRoles", {"apiKeyId": None}, None),
        ("KeyRoles", {"apiKeyId": "only-the-id"}, {"kind": "key", "name": None, "key_id": "only-the-id"}),
        (
            "AWS_IAM",
            {"userArn": "arn:aws:iam::123456789012:user/clerk"},
            {"kind": "iam", "name": "arn:aws:iam::123456789012:user/clerk", "key_id": "f6g7h8i9j0"},
        ),
    ],
)
def test_who_has_no_key_is_said_as_it_is(ready: Ready, authorizer: str, identity: Json, by: Json | None) -> None:
    winnow = ready("exclusive.json")
    winnow.parameters["Authorizer"] = authorizer
    context = load_event("api/change_model")["requestContext"]
    context["authorizer"] = {"role": "admin"}
    context["identity"] |= identity

    winnow.call("change_model", body={"tolerance": 0.5}, requestContext=context)

    assert entries(winnow)[0]["by"] == by


def test_a_damaged_entry_is_left_out(two: Winnow) -> None:
    [row, *_] = [row for row in two.table.scan()["Items"] if row["pk"] == "HISTORY#tc-01" and row["deed"] == "go-live"]
    two.table.put_item(Item=row | {"deed": "dance"})
    assert len(entries(two)) == 3
