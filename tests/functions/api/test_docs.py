"""GET /docs, GET /docs/{file} and GET /openapi.json."""

from __future__ import annotations

import gzip
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.support import contract
from winnow.api.docs_files import FILES
from winnow.api.endpoint import MOST_ANSWER_BYTES

if TYPE_CHECKING:
    from tests.conftest import Answer, Winnow

OPEN = ("get_docs", "get_docs_file", "get_contract")


def get_file(winnow: Winnow, name: str) -> Answer:
    return winnow.call("get_docs_file", path={"file": name})


class References(HTMLParser):
    """What a page loads and links to, and what a Content-Security-Policy without 'unsafe-inline' would block."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [value for name in ("src", "href") if (value := given.get(name))]
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in given) else []


def test_the_contract_is_openapi_yaml(winnow: Winnow) -> None:
    answer = winnow.call("get_contract")

    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.body == contract.document(), "make it again: make env"


def test_the_contract_calls_the_api_that_it_was_read_from(winnow: Winnow) -> None:
    assert [server["url"] for server in winnow.call("get_contract").body["servers"]] == ["."]


def test_the_page_loads_its_own_files_by_relative_paths_and_nothing_else(winnow: Winnow) -> None:
    answer = winnow.call("get_docs")
    page = References(answer.body)

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    # Relative to …/docs, so it works with and without a stage in the path.
    assert set(page.found) == {"openapi.json", *(f"docs/{name}" for name in FILES)}
    assert not page.inline
    assert "<title>Winnow: the API</title>" in answer.body


@pytest.mark.parametrize("name", FILES)
def test_each_file_of_the_page_is_answered_as_what_it_is(winnow: Winnow, name: str) -> None:
    answer = get_file(winnow, name)

    kinds = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
    assert (answer.status, answer.headers["Content-Type"]) == (200, kinds.get(name.rpartition(".")[2], "text/plain; charset=utf-8"))


def test_the_viewer_comes_with_its_licence(winnow: Winnow) -> None:
    assert "SwaggerUIBundle" in get_file(winnow, "swagger-ui-bundle.js").body
    assert "Apache License" in get_file(winnow, "LICENSE").body


@pytest.mark.parametrize("name", ["page", "PAGE.JS", "index.html", "openapi.json", "..", "%2e%2e", "../page.js", "__init__.py", "é" * 99])
def test_another_file_is_not_found(winnow: Winnow, name: str) -> None:
    answer = get_file(winnow, name.replace("/", "%2F"))

    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:docs-file-not-found")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "swagger-ui-bundle.js and swagger-ui.css" in answer.body["detail"]


@pytest.mark.parametrize("call", OPEN)
def test_no_answer_lets_the_page_reach_or_be_reached_from_elsewhere(winnow: Winnow, call: str) -> None:
    headers = winnow.call(call).headers

    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert (policy["default-src"], policy["base-uri"], policy["form-action"], policy["frame-ancestors"]) == ("'none'",) * 4
    assert policy.pop("img-src") == "'self' data:"
    assert {source for sources in policy.values() for source in sources.split()} == {"'none'", "'self'"}
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")


@pytest.mark.parametrize(("call", "kept"), [*zip(OPEN, ("no-cache", "public, max-age=86400", "no-cache"), strict=True)])
def test_what_a_client_has_is_not_sent_again(winnow: Winnow, call: str, kept: str) -> None:
    headers = winnow.call(call).headers
    assert (headers["Cache-Control"], headers["Vary"]) == (kept, "Accept-Encoding")

    answer = winnow.call(call, headers={"If-None-Match": f'"other", {headers["ETag"]}'})

    assert (answer.status, answer.body) == (304, "")
    assert answer.headers == {"ETag": headers["ETag"], "Cache-Control": kept, "Vary": "Accept-Encoding"}
    assert winnow.call(call, headers={"If-None-Match": '"other"'}).status == 200


def test_each_file_has_a_tag_of_its_own(winnow: Winnow) -> None:
    answers = [winnow.call("get_docs"), winnow.call("get_contract"), *(get_file(winnow, name) for name in FILES)]
    tags = [answer.headers["ETag"] for answer in answers]
    assert len(set(tags)) == len(tags)


def test_all_of_it_is_light(winnow: Winnow) -> None:
    sizes = {name: gzipped(get_file(winnow, name).body) for name in FILES if name != "LICENSE"}
    sizes |= {"index.html": gzipped(winnow.call("get_docs").body)}

    assert sum(sizes.values()) < 500_000
    # Lambda's answer isn't compressed yet.
    assert max(len(get_file(winnow, name).body.encode()) for name in FILES) < MOST_ANSWER_BYTES / 2


def gzipped(text: str) -> int:
    return len(gzip.compress(text.encode(), compresslevel=6))


@pytest.mark.parametrize("call", OPEN)
def test_the_calls_take_no_fields(winnow: Winnow, call: str) -> None:
    answer = winnow.call(call, query={"url": "https://example.org/openapi.json"})

    assert (answer.status, answer.body["field"]) == (422, "url")


def test_no_file_of_our_page_names_another_host() -> None:
    page = contract.ROOT / "layers/docs/page"
    named = {match for file in page.iterdir() for match in re.findall(r"https?://[^\s\"']+", file.read_text())}
    assert named == {"http://www.w3.org/2000/svg"}  # a name, not an address
