"""PATCH /models/{model_id}/versions/{version}, and `note` in POST /models: words about a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.races import before_write

if TYPE_CHECKING:
    from tests.conftest import Answer, Ready, Winnow

LONGEST = "ä" * 1_000


def note(winnow: Winnow, words: Any, version: int = 1, if_match: str | None = None) -> Answer:
    path = {"model_id": "tc-01", "version": str(version)}
    return winnow.call("change_version", path=path, body={"note": words}, headers={} if if_match is None else {"If-Match": if_match})


def version(winnow: Winnow) -> Answer:
    return winnow.call("get_version", path={"model_id": "tc-01", "version": "1"})


@pytest.mark.parametrize("words", ["With the corrections of February", "two\nlines\tand a tab", LONGEST, None])
def test_the_note_is_shown_with_the_version(ready: Ready, words: str | None) -> None:
    winnow = ready("exclusive.json")
    assert version(winnow).body["note"] is None

    answer = note(winnow, words)

    assert (answer.status, answer.body["note"]) == (200, words)
    shown = version(winnow)
    assert (answer.body, answer.headers["ETag"]) == (shown.body, shown.headers["ETag"])
    assert winnow.version()["note"] == words
    assert winnow.call("list_versions").body["versions"][0]["note"] == words
    assert winnow.call("predict", "predict_get_body").status == 200


@pytest.mark.parametrize("words", ["", " first", LONGEST + "ä", "a\x00b", "a\x1bb", "a\x85b", 1, ["a"]])
def test_what_is_no_plain_text_is_refused(ready: Ready, words: Any) -> None:
    winnow = ready("exclusive.json")
    answer = note(winnow, words)
    assert (answer.status, answer.body["field"]) == (422, "note")
    assert version(winnow).body["note"] is None


def test_a_request_names_the_note_of_the_new_version(winnow: Winnow) -> None:
    winnow.create(note="the first one", title="Sentences", tags=["a", "b", "a"])
    model = winnow.model()
    assert (model["title"], model["note"], model["tags"], model["version"]["note"]) == ("Sentences", None, ["a", "b"], "the first one")


def test_the_tag_of_the_version_or_of_its_model_is_its_condition(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    seen, of_model = version(winnow).headers["ETag"], winnow.call("get_model").headers["ETag"]

    assert note(winnow, "one", if_match=seen).status == 200
    assert note(winnow, "two", if_match=seen).status == 412
    assert note(winnow, "three", if_match=of_model).status == 200
    assert note(winnow, "four", if_match="*").status == 200
    with before_write(lambda: note(winnow, "five")):
        assert note(winnow, "six", if_match=version(winnow).headers["ETag"]).status == 412
    assert version(winnow).body["note"] == "five"


def test_a_version_in_training_takes_a_note_and_goes_on(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    job = winnow.started_job()
    data = winnow.run_task("prepare", job)
    assert note(winnow, "hurry").status == 200
    winnow.run_task("publish", winnow.run_task("train", data))
    assert (winnow.version()["status"], winnow.version()["note"]) == ("ready", "hurry")


def test_what_is_not_there_is_not_found(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    assert note(winnow, "x", version=2).status == 404
    with before_write(lambda: winnow.call("delete_model")):
        assert note(winnow, "x").status == 404
    assert not [row for row in winnow.table.scan()["Items"] if row["pk"].startswith(("VERSIONS#", "MODELS"))]
