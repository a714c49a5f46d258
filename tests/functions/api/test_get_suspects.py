"""GET /models/{model_id}/versions/{version}/suspects. tests/functions/training/test_suspects.py has what trainings find."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import objects

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow

FOUND: list[dict[str, Any]] = [
    {"kind": "wrong", "row": row, "label": "baking", "proposed": "cycling", "label_score": 0.1, "proposed_score": 0.8}
    for row in range(1, 251)
]


@pytest.fixture
def written(ready: Ready) -> Winnow:
    """A version with 250 suspects."""
    winnow = ready("exclusive.json")
    report = {"checked_by": "held-out", "checked": 300, "found": 250, "suspects": FOUND}
    objects.write(winnow, "/suspects.json", json.dumps(report).encode())
    return winnow


def test_pages_follow_each_other_and_the_last_one_says_so(written: Winnow) -> None:
    first = written.call("get_suspects").body
    second = written.call("get_suspects", query={"next": first["next"], "limit": "149"}).body
    third = written.call("get_suspects", query={"next": second["next"], "limit": "1"}).body

    assert [len(page["suspects"]) for page in (first, second, third)] == [100, 149, 1]
    assert [*first["suspects"], *second["suspects"], *third["suspects"]] == FOUND
    assert third["next"] is None
    assert {(page["checked"], page["found"], page["checked_by"]) for page in (first, second, third)} == {(300, 250, "held-out")}
    assert written.call("get_suspects", query={"limit": "250"}).body["next"] is None


def test_a_cursor_of_another_version_is_refused(written: Winnow) -> None:
    written.train(force_update=True)
    after = written.call("get_suspects").body["next"]

    refused = written.call("get_suspects", path={"model_id": "tc-01", "version": "2"}, query={"next": after})

    assert (refused.status, refused.body["field"]) == (422, "next")


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "1001"}, {"next": "x"}, {"kind": "wrong"}])
def test_other_fields_are_refused(written: Winnow, query: dict[str, str]) -> None:
    answer = written.call("get_suspects", query=query)

    assert (answer.status, answer.body["field"]) == (422, next(iter(query)))


def test_a_version_of_an_earlier_release_says_why_it_has_none(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    objects.forget_digests(winnow)
    objects.remove(winnow, "/suspects.json")

    answer = winnow.call("get_suspects")

    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:suspects-not-found")
    assert "an earlier release trained it" in answer.body["detail"]


def test_a_model_or_version_that_is_not_there_is_not_found(winnow: Winnow) -> None:
    answer = winnow.call("get_suspects")
    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:model-not-found")

    winnow.create()
    assert winnow.call("get_suspects", path={"model_id": "tc-01", "version": "2"}).body["type"] == "urn:winnow:problem:version-not-found"
    assert winnow.call("get_suspects").status == 409
