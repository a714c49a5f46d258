"""GET /console and GET /console/{asset}."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.functions.api.test_docs import References, gzipped
from tests.support.contract import ROOT
from winnow.api.console_files import FILES

if TYPE_CHECKING:
    from tests.conftest import Answer, Winnow

CALLS = ("get_console", "get_console_file")


def get_file(winnow: Winnow, name: str) -> Answer:
    return winnow.call("get_console_file", path={"asset": name})


def test_the_page_loads_its_own_files_by_relative_paths_and_nothing_else(winnow: Winnow) -> None:
    answer = winnow.call("get_console")
    page = References(answer.body)

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    # Relative to …/console, so it works with and without a stage in the path.
    assert set(page.found) == {"docs/favicon.svg", "console/app.css", "console/app.js"}
    assert not page.inline


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_answered_as_what_it_is(winnow: Winnow, name: str) -> None:
    answer = get_file(winnow, name)

    kinds = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "json": "application/json"}
    assert (answer.status, answer.headers["Content-Type"]) == (200, kinds[name.rpartition(".")[2]])


def test_the_sample_is_that_of_the_project(winnow: Winnow) -> None:
    assert get_file(winnow, "sample.json").body == json.loads((ROOT / "local/sample/savings.json").read_text())


@pytest.mark.parametrize("name", ["console", "APP.JS", "index.html", "..", "%2e%2e", "../page.js", "__init__.py", "é" * 99])
def test_another_file_is_not_found(winnow: Winnow, name: str) -> None:
    answer = get_file(winnow, name.replace("/", "%2F"))

    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:console-file-not-found")
    assert answer.body["detail"].endswith("the page GET /console has app.css, app.js and sample.json.")


@pytest.mark.parametrize("call", CALLS)
def test_no_answer_lets_the_page_reach_or_be_reached_from_elsewhere(winnow: Winnow, call: str) -> None:
    headers = winnow.call(call).headers

    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert (policy["default-src"], policy["base-uri"], policy["form-action"], policy["frame-ancestors"]) == ("'none'",) * 4
    assert (policy["script-src"], policy["style-src"]) == ("'self'", "'self'")
    # Files go to the bucket of uploads, at the address of the presigned URLs.
    place = winnow.call("create_dataset", body={"name": "texts.csv"}).body
    regional = f"https://{place['s3bucket']}.s3.us-east-1.amazonaws.com"
    assert policy["connect-src"].split() == ["'self'", regional, place["upload_url"].partition("/uploads/")[0]]
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")


@pytest.mark.parametrize("call", CALLS)
def test_browsers_ask_each_time_and_get_only_what_changed(winnow: Winnow, call: str) -> None:
    headers = winnow.call(call).headers
    # A page of one deployment with a script of another would call the API wrong.
    assert headers["Cache-Control"] == "no-cache"
    assert winnow.call(call, headers={"If-None-Match": headers["ETag"]}).status == 304


def test_all_of_it_is_light(winnow: Winnow) -> None:
    loaded = [winnow.call("get_console").body, *(get_file(winnow, name).body for name in FILES if name != "sample.json")]
    assert sum(map(gzipped, loaded)) < 80_000


@pytest.mark.parametrize("call", CALLS)
def test_the_calls_take_no_fields(winnow: Winnow, call: str) -> None:
    answer = winnow.call(call, query={"url": "https://example.org/"})
    assert (answer.status, answer.body["field"]) == (422, "url")
