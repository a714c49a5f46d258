"""GET /docs on the local cloud: over HTTP, and in a real browser if Chromium is installed (`make browser`). GET /console: over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Locator

from tests.e2e.conftest import Deployed
from tests.support.browser import Visit, chromium
from tests.support.contract import document
from winnow.api.console_files import FILES as CONSOLE_FILES
from winnow.api.docs_files import FILES

OPEN_PATHS = ["/docs", "/openapi.json", *(f"/docs/{name}" for name in FILES), "/console", *(f"/console/{name}" for name in CONSOLE_FILES)]


# --- over HTTP ---


def get(api: Deployed, path: str, accepted: str) -> requests.Response:
    return api.request("GET", path, key=None, headers={"Accept-Encoding": accepted})


@pytest.mark.parametrize("path", OPEN_PATHS)
def test_it_needs_no_key_and_is_compressed_for_who_takes_it(api: Deployed, path: str) -> None:
    plain, packed = get(api, path, "identity"), get(api, path, "gzip, deflate, br, zstd")

    assert (plain.status_code, packed.status_code) == (200, 200)
    assert packed.content == plain.content  # requests has unpacked it
    assert "Content-Encoding" not in plain.headers
    assert packed.headers.get("Content-Encoding") == ("gzip" if len(plain.content) >= 1400 else None)
    assert int(packed.headers["Content-Length"]) <= len(plain.content)
    for refusal in ("gzip;q=0", "br", "*"):
        assert "Content-Encoding" not in get(api, path, refusal).headers


def test_the_page_is_light_on_the_wire(api: Deployed) -> None:
    loaded = ["/docs", "/openapi.json", *(f"/docs/{name}" for name in FILES if name != "LICENSE")]
    assert sum(int(get(api, path, "gzip").headers["Content-Length"]) for path in loaded) < 520_000


@pytest.mark.parametrize("path", OPEN_PATHS)
def test_what_a_browser_has_is_not_sent_again(api: Deployed, path: str) -> None:
    tag = get(api, path, "gzip").headers["ETag"]
    again = api.request("GET", path, key=None, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)


def test_the_contract_that_is_served_is_that_of_the_project(api: Deployed) -> None:
    assert get(api, "/openapi.json", "gzip").json() == document()


def test_an_unknown_file_is_a_problem(api: Deployed) -> None:
    answer = get(api, "/docs/app.js", "gzip")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["type"] == "urn:winnow:problem:docs-file-not-found"


# --- in a browser ---


class DocsVisit(Visit):
    """A visit of the page GET /docs."""

    def open(self, url: str) -> None:
        self.page.goto(f"{url}/docs", wait_until="networkidle")
        self.page.locator(".opblock").first.wait_for()

    def call(self, tag: str, operation: str) -> Locator:
        """The opened form of a call."""
        form = self.page.locator(f"#operations-{tag}-{operation}")
        form.locator(".opblock-summary-control").click()
        return form

    def type_key(self, key: str) -> None:
        self.page.locator("button.authorize").first.click()
        dialog = self.page.locator(".modal-ux")
        dialog.locator("input").fill(key)
        dialog.locator("button.authorize").click()
        dialog.locator("button.btn-done").click()


def send(form: Locator) -> tuple[int, str]:
    """Send the form. Returns the status and the body that the page shows."""
    for older_answer in form.locator("button.btn-clear").all():
        older_answer.click()
    form.locator("button.execute").click()
    answer = form.locator(".live-responses-table tbody tr.response")
    answer.locator(".highlight-code code").first.wait_for()
    return int(answer.locator(".response-col_status").inner_text().split()[0]), answer.locator(".highlight-code code").first.inner_text()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser) -> Iterator[DocsVisit]:
    page = browser.new_page()
    yield DocsVisit(page)
    page.close()


@pytest.fixture(scope="module")
def trained(api: Deployed, small_dataset: bytes) -> Iterator[None]:
    """The model of the contract's examples."""
    api.client.train("tc-01", api.client.upload("small.jsonl", small_dataset), recipe="linear", n_iter=5)
    assert api.client.wait("tc-01")["status"] == "ready"
    yield
    api.client.call("DELETE", "/models/tc-01")


@pytest.mark.usefixtures("trained")
def test_a_call_is_tried_on_the_page_as_it_stands(api: Deployed, visit: DocsVisit) -> None:
    visit.open(api.url)
    form = visit.call("prediction", "predict")
    assert send(form)[0] == 403

    visit.type_key(api.key)
    status, shown = send(form)

    assert status == 200
    answer = json.loads(shown)
    assert answer["model_id"] == "tc-01"
    # Browsers send no GET with a body, so its fields go into the query.
    status, shown = send(visit.call("prediction", "predictWithGet"))
    assert (status, json.loads(shown)["labels"]) == (200, answer["labels"])
    assert [url for url in visit.requested if "/prediction?" in url]


@pytest.mark.usefixtures("trained")
def test_lists_are_tried_without_the_cursor_of_the_example(api: Deployed, visit: DocsVisit) -> None:
    visit.open(api.url)
    visit.type_key(api.key)
    status, shown = send(visit.call("models", "listModels"))
    assert (status, [model["model_id"] for model in json.loads(shown)["models"]].count("tc-01")) == (200, 1)


@pytest.mark.usefixtures("trained")
def test_nothing_goes_to_another_host_and_nothing_is_refused_by_the_policy(api: Deployed, visit: DocsVisit) -> None:
    visit.open(api.url)
    visit.type_key(api.key)
    for tag, operation in (("prediction", "predict"), ("models", "getModel"), ("models", "createModel")):
        visit.call(tag, operation).locator("button.execute").wait_for()
    assert send(visit.page.locator("#operations-models-getModel"))[0] == 200

    sent = {urlsplit(url).netloc for url in visit.requested if not url.startswith("data:")}
    assert sent == {urlsplit(api.url).netloc}
    assert all(url.startswith((api.url, "data:")) for url in visit.requested)
    assert not visit.faults


def test_the_key_is_gone_with_the_page(api: Deployed, visit: DocsVisit) -> None:
    visit.open(api.url)
    visit.type_key(api.key)
    assert visit.page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])") == '[{},{},""]'

    visit.page.reload(wait_until="networkidle")

    assert send(visit.call("models", "listModels"))[0] == 403


def test_every_call_of_the_contract_is_on_the_page(api: Deployed, visit: DocsVisit) -> None:
    visit.open(api.url)
    assert visit.page.title() == "Winnow: the API"
    shown = visit.page.locator(".opblock").count()
    assert shown == sum(len(item.keys() - {"parameters"}) for item in document()["paths"].values())
    tags = [tag.get_attribute("data-tag") for tag in visit.page.locator("h3.opblock-tag").all()]
    assert tags == [tag["name"] for tag in document()["tags"]]
