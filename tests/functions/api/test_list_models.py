"""GET /models: all models, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow


def test_without_models_the_list_is_empty(winnow: Winnow) -> None:
    assert winnow.call("list_models").body == {"models": [], "next": None}


def test_pages_together_hold_every_model_once(winnow: Winnow) -> None:
    ids = ["a.b", "tc-01", "tc-02", "tc-03", "tc_04"]
    for model_id in ids:
        assert winnow.create(id=model_id).status == 202

    listed: list[str] = []
    query = {"limit": "2"}
    while True:
        page = winnow.call("list_models", query=query).body
        assert len(page["models"]) <= 2
        listed.extend(model["model_id"] for model in page["models"])
        if page["next"] is None:
            break
        query = {"limit": "2", "next": page["next"]}

    assert sorted(listed) == ids


def test_a_page_that_holds_all_is_the_last(winnow: Winnow) -> None:
    winnow.create(id="tc-01")
    winnow.create(id="tc-02")

    assert winnow.call("list_models", query={"limit": "2"}).body["next"] is None


def test_a_model_tells_whether_it_answers(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.create(id="tc-02")

    trained, training = winnow.call("list_models").body["models"]

    assert (trained["model_id"], trained["status"], trained["live_version"], trained["labels"]) == ("tc-01", "ready", 1, 3)
    assert (training["model_id"], training["status"], training["live_version"], training["labels"]) == ("tc-02", "training", None, None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"next": "not a cursor"}, "next"),
        ({"next": ""}, "next"),
        ({"next": "a"}, "next"),
        ({"next": "_____w"}, "next"),
        ({"page": "2"}, "page"),
    ],
)
def test_a_query_that_is_wrong_is_named(winnow: Winnow, query: dict[str, str], field: str) -> None:
    answer = winnow.call("list_models", query=query)

    assert (answer.status, answer.body["field"]) == (422, field)


def test_a_tag_leaves_out_all_other_models(winnow: Winnow) -> None:
    for number in range(6):
        winnow.create(id=f"tc-{number}", tags=["even", "all"] if number % 2 == 0 else ["all"])

    def ids(**query: str) -> tuple[list[str], str | None]:
        page = winnow.call("list_models", query=query).body
        return [model["model_id"] for model in page["models"]], page["next"]

    assert ids(tag="even") == (["tc-0", "tc-2", "tc-4"], None)
    assert ids(tag="eve") == ([], None)
    first, more = ids(tag="even", limit="2")
    assert first == ["tc-0", "tc-2"]
    assert more is not None
    assert ids(tag="even", limit="2", next=more) == (["tc-4"], None)


def test_a_page_of_a_tag_looks_at_few_models(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.registry.models._MOST_SEEN", 2)
    for number in range(5):
        winnow.create(id=f"tc-{number}", tags=["last"] if number == 4 else [])
    pages, query = [], {"tag": "last"}
    while True:
        page = winnow.call("list_models", query=query).body
        pages.append([model["model_id"] for model in page["models"]])
        if page["next"] is None:
            break
        query["next"] = page["next"]
    assert pages == [[], [], ["tc-4"]]
