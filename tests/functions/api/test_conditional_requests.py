"""ETag and If-None-Match: a client that asks again gets the body only when something changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import load_event

if TYPE_CHECKING:
    from tests.conftest import Json, Ready, Winnow


def etag(winnow: Winnow) -> str:
    return winnow.call("get_model").headers["ETag"]


def test_what_did_not_change_is_not_sent_again(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    tag = etag(winnow)

    answer = winnow.call("get_model", headers={"If-None-Match": tag})

    assert (answer.status, answer.body, answer.headers) == (304, "", {"ETag": tag})
    assert etag(winnow) == tag


def test_every_step_of_a_training_changes_the_tag_of_its_model(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    seen: list[tuple[str, Json]] = []
    job = winnow.started_job()
    for task in ("prepare", "train", "publish", None):
        answer = winnow.call("get_model", headers={"If-None-Match": seen[-1][0]} if seen else None)
        assert answer.status == 200
        seen.append((answer.headers["ETag"], answer.body))
        if task:
            job = winnow.run_task(task, job)

    assert len({tag for tag, _ in seen}) == 4


def test_a_model_made_again_under_its_id_has_another_tag(winnow: Winnow) -> None:
    winnow.create()
    before = etag(winnow)
    winnow.call("delete_model")
    winnow.create()

    assert winnow.call("get_model", headers={"If-None-Match": before}).status == 200


@pytest.mark.parametrize("given", ["*", " * ", "{}", "W/{}", '"other", {}', 'W/"a,b" , W/{},"c"'])
def test_the_tag_may_be_weak_or_one_of_several_or_any(winnow: Winnow, given: str) -> None:
    winnow.create()

    assert winnow.call("get_model", headers={"if-none-match": given.replace("{}", etag(winnow))}).status == 304


@pytest.mark.parametrize("given", ["", "**", '"other"', "bare", '"half'])
def test_another_tag_or_none_gets_the_body(winnow: Winnow, given: str) -> None:
    winnow.create()

    assert winnow.call("get_model", headers={"If-None-Match": given}).status == 200


def test_a_tag_without_its_quotes_is_none(winnow: Winnow) -> None:
    winnow.create()

    assert winnow.call("get_model", headers={"If-None-Match": etag(winnow).strip('"')}).status == 200


def test_a_header_sent_twice_counts_as_a_list(winnow: Winnow) -> None:
    winnow.create()
    tag = etag(winnow)

    assert winnow.call("get_model", multiValueHeaders={"If-None-Match": ['"other"', tag]}).status == 304


def test_without_lists_of_values_the_headers_are_read(winnow: Winnow) -> None:
    winnow.create()
    event = load_event("api/get_model") | {"multiValueHeaders": None, "headers": {"IF-NONE-MATCH": etag(winnow), "x-empty": ""}}

    assert winnow.invoke("functions/api/get_model", event)["statusCode"] == 304
    assert winnow.invoke("functions/api/get_model", event | {"headers": None})["statusCode"] == 200


def test_a_model_that_is_gone_is_not_found_whatever_the_header(winnow: Winnow) -> None:
    assert winnow.call("get_model", headers={"If-None-Match": "*"}).status == 404
