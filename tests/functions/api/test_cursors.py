"""The cursors of all lists: a page's cursor leads to the next page. A cursor that a client makes up leads to no other list."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import objects
from tests.support.contract import operations
from winnow.api import paging

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Ready, Winnow

# The functions of lists, and the name of the list in their answers.
LISTS = {
    "list_models": "models",
    "list_datasets": "datasets",
    "list_versions": "versions",
    "list_examples": "batches",
    "list_batches": "batches",
    "get_suspects": "suspects",
}
OF_A_MODEL = ("list_versions", "list_examples", "list_batches")
SUSPECT = {"kind": "wrong", "label": "baking", "proposed": "cycling", "label_score": 0.1, "proposed_score": 0.8}
TEXTS = ["I want to save for vacation!", "What do I owe the bank?", "Where does my money go?"]


@pytest.fixture
def full(ready: Ready) -> Winnow:
    """A deployment with three entries in each list, and another model with its own versions."""
    winnow = ready("exclusive.json")
    winnow.s3.put_object(Bucket=winnow.names["Models"], Key="texts", Body=b"unread")
    bucket = winnow.names["Datasets"]
    for number, text in enumerate(TEXTS):
        upload = winnow.call("create_dataset", body={"name": f"{number}.json"}).body
        winnow.s3.put_object(Bucket=bucket, Key=upload["training_object"], Body=b"[]")
        winnow.s3.put_object(Bucket=bucket, Key=f"texts-{number}.jsonl", Body=json.dumps({"text": text}).encode())
        winnow.call("add_examples", body={"examples": [{"text": text, "label": "saving"}], "retrain": "no"})
        assert winnow.call("create_batch", body={"s3bucket": bucket, "object": f"texts-{number}.jsonl"}).status == 202
    for model_id in ("tc-01", "tc-01", "tc-02", "tc-02", "tc-03"):
        version = winnow.create("create_model_force_update", id=model_id).body["version"]
        winnow.call("cancel_version", path={"model_id": model_id, "version": str(version)})
    report = {"checked_by": "held-out", "checked": 9, "found": 3, "suspects": [SUSPECT | {"row": row} for row in (7, 8, 9)]}
    objects.write(winnow, "/suspects.json", json.dumps(report).encode())
    return winnow


def page(winnow: Winnow, function: str, model_id: str = "tc-01", **query: str) -> Answer:
    path = {"model_id": "tc-01", "version": "1"} if function == "get_suspects" else {"model_id": model_id} if function in OF_A_MODEL else {}
    return winnow.call(function, query=query, path=path)


def cursor(winnow: Winnow, function: str, model_id: str = "tc-01") -> str:
    given: str = page(winnow, function, model_id, limit="1").body["next"]
    return given


def read(given: str) -> Json:
    content: Json = json.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
    return content


def made_up(content: Any) -> str:
    text = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def refused(winnow: Winnow, function: str, given: str, model_id: str = "tc-01") -> bool:
    answer = page(winnow, function, model_id, next=given)
    assert answer.status == 200 or (answer.status, answer.body["field"]) == (422, "next"), answer
    return answer.status == 422


def test_pages_lead_through_the_whole_list(full: Winnow) -> None:
    for function in LISTS:
        whole = page(full, function).body[LISTS[function]]
        found, given = [], None
        while True:
            one = page(full, function, limit="1", **({} if given is None else {"next": given})).body
            found += one[LISTS[function]]
            given = one["next"]
            if given is None:
                break
        assert len(whole) == 3
        assert found == whole


def test_a_cursor_is_good_for_its_own_list_alone(full: Winnow) -> None:
    given = {function: cursor(full, function) for function in LISTS}
    good = {(of, used) for of in LISTS for used in LISTS if not refused(full, used, given[of])}
    assert good == {(function, function) for function in LISTS}
    assert refused(full, "list_versions", given["list_versions"], "tc-02")
    assert not refused(full, "list_versions", cursor(full, "list_versions", "tc-02"), "tc-02")


def test_a_cursor_that_was_changed_anywhere_is_refused_or_a_place_of_the_same_list(full: Winnow) -> None:
    for function in LISTS:
        given = cursor(full, function)
        whole = page(full, function).body[LISTS[function]]
        taken = 0
        for place in range(len(given)):
            other = given[:place] + ("A" if given[place] != "A" else "B") + given[place + 1 :]
            answer = page(full, function, next=other)
            if answer.status == 200:
                taken += 1
                assert read(other).keys() == {"list", "after"}
                assert read(other)["list"] == read(given)["list"]
                assert all(entry in whole for entry in answer.body[LISTS[function]])
            else:
                assert (answer.status, answer.body["field"]) == (422, "next")
        assert taken < len(given) / 2
        assert all(refused(full, function, other) for other in (given + "A", given[:-1], given + "=", given + "\n"))


def test_what_no_list_gives_is_refused(full: Winnow) -> None:
    for function in LISTS:
        given = read(cursor(full, function))
        name, after = given["list"], given["after"]
        wrong: list[Any] = [
            *(b"", b"{", b"\xff\xfe", b"[" * 140, b"1" * 140, b"NaN", b'"after"', b"null", b"[]", b"{}", b'{"after":NaN}'),
            # An old cursor, with an HMAC of 16 bytes before the place.
            bytes(range(100, 116)) + after.encode(),
            *({"list": name}, {"after": after}, [name, after], {"list": None, "after": after}, {"list": [name], "after": after}),
            # Right content, written differently.
            {"after": after, "list": name},
            given | {"more": 1},
            json.dumps(given).encode() + b" ",
            f'{{"list":"{name}","after":"{after}","after":"{after}"}}'.encode(),
            # Places that don't exist.
            *({"list": name, "after": value} for value in (None, 1, 1.5, True, [], [after], {}, {"S": after}, {"pk": "ROLES", "sk": "a"})),
            *({"list": name, "after": value} for value in ("", " ", "a b", f"{after} ", f"{after}\n", "../a", "a#000001", "ROLES#", "/")),
            *({"list": name, "after": value} for value in ("\0", "é", "٣", "\ud800", "a" * 65, "%2e", "-1")),
            {"list": name.upper(), "after": after},
            {"list": "", "after": after},
            {"list": f"{name} ", "after": after},
        ]
        for content in wrong:
            assert refused(full, function, made_up(content)), (function, content)


def test_a_place_that_somebody_made_up_shows_nothing_but_what_the_list_has(full: Winnow) -> None:
    batches = ["00000000T000000000-00000000", "99999999T999999999-ffffffff"]
    for function, places in {
        "list_models": ["0", "ROLES", "MODELS", "tc-01", "tc-011", "zz"],
        "list_datasets": ["0" * 32, "8" * 32, "f" * 32],
        "list_versions": ["1", "2", "3", "4", "999999"],
        "list_examples": batches,
        "list_batches": batches,
        "get_suspects": ["1", "2", "3", "999999"],
    }.items():
        name = read(cursor(full, function))["list"]
        whole = page(full, function).body[LISTS[function]]
        shown = 0
        for place in places:
            answer = page(full, function, next=made_up({"list": name, "after": place}))
            assert answer.status == 200
            assert all(entry in whole for entry in answer.body[LISTS[function]])
            shown += len(answer.body[LISTS[function]])
        assert shown, function


def test_a_cursor_of_a_deleted_model_is_none_of_the_one_made_again(full: Winnow) -> None:
    given = {function: cursor(full, function) for function in OF_A_MODEL}
    assert full.call("delete_model").status in (200, 202)
    full.create("create_model_force_update")

    assert all(refused(full, function, given[function]) for function in OF_A_MODEL)


def test_all_environments_of_a_function_give_and_take_the_same(full: Winnow) -> None:
    given = cursor(full, "list_versions")
    full.environments.clear()

    assert not refused(full, "list_versions", given)
    assert cursor(full, "list_versions") == given


def test_a_list_leaves_nothing_in_the_registry(full: Winnow) -> None:
    before = full.table.scan()["Items"]
    for function in LISTS:
        cursor(full, function)
    assert full.table.scan()["Items"] == before


def test_the_places_of_cursors_look_like_the_ids_of_the_contract() -> None:
    ids = {
        parameter["name"]: parameter["schema"]
        for it in operations().values()
        for parameter in it["parameters"]
        if parameter["in"] == "path"
    }
    for name, pattern in (("model_id", paging.MODEL_ID), ("version", paging.VERSION), ("batch", paging.BATCH)):
        assert ids[name]["pattern"] == f"^{pattern}$"
    assert ids["name"]["pattern"].startswith(f"^{paging.UPLOAD_NUMBER}-")


def test_the_longest_cursor_is_one_that_the_contract_takes() -> None:
    [schema] = [it["schema"] for it in operations()["GET /models"]["parameters"] if it["name"] == "next"]
    assert schema["pattern"] == "^[A-Za-z0-9_-]{1,200}$"
    uid = "0" * 32
    longest = [("models", "a" * 64), ("datasets", "0" * 32), *((f"batch predictions of {uid}", "20260101T000000000-abcdef01"),)]
    assert all(len(paging.cursor(name, place) or "") <= 200 for name, place in longest)
