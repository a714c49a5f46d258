"""`make bench-console`: the console's size on the wire, and the time to the first paint of 1,000 models in Chromium.

The API behind the page is that of the tests (tests/console), so the times are those of the page alone: loading it, one list of 1,000
models, drawing.
"""

from __future__ import annotations

import gzip
import os
import re
import statistics

from playwright.sync_api import Browser

from tests.console.conftest import KEY, ORIGIN, UPLOADS, URL, FakeApi, model, version
from tests.support.browser import chromium
from winnow.api import console_files, documents

MODELS = 1000
ROUNDS = 5
# From the beginning of the navigation: when the table was in the page, and when the browser had painted it.
WATCH = """
sessionStorage.setItem("winnow-key", KEY);
new MutationObserver((_, watcher) => {
  if (document.querySelectorAll("tbody tr").length < MODELS) return;
  watcher.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now(); }, 0));
}).observe(document, { childList: true, subtree: true });
"""


def sizes() -> dict[str, int]:
    """The bytes of each file that the page loads, packed as API Gateway packs them."""
    names = [console_files.PAGE, *(name for name in console_files.FILES if name != "sample.json")]
    return {name: len(gzip.compress(str(documents.console(name).body).encode(), 6)) for name in names}


def first_paint(browser: Browser) -> tuple[float, float]:
    """The seconds until anything was painted, and until all models were."""
    api = FakeApi()
    names = [f"model-{number:04}" for number in range(MODELS)]
    api.on("GET /models", {"models": [model(name) for name in names], "next": None})
    for name in names:
        api.on(f"GET /models/{name}/versions/1", version(model_id=name))
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    # The tests check the answers against the contract. Here that would take most of the time.
    page.route(re.compile(f"^{re.escape(ORIGIN)}/"), lambda route, request: api.handle(route, request, check=False))
    page.add_init_script(WATCH.replace("KEY", repr(KEY)).replace("MODELS", str(MODELS)))
    page.goto(f"{URL}/console#/models")
    while (painted := page.evaluate("window.painted")) is None:
        page.wait_for_timeout(50)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000")
    page.unroute_all(behavior="wait")
    context.close()
    return paint, painted / 1000


def main() -> None:
    for name in ("UPLOADS_HOST", "UPLOADS_GLOBAL_HOST"):
        os.environ[name] = UPLOADS
    packed = sizes()
    print(f"size, packed: {sum(packed.values()) / 1000:.1f} kB ({', '.join(f'{name} {size / 1000:.1f}' for name, size in packed.items())})")
    with chromium() as browser:
        rounds = [first_paint(browser) for _ in range(ROUNDS)]
    for what, times in zip(("first paint", f"{MODELS:,} models painted"), zip(*rounds, strict=True), strict=True):
        print(f"{what}: {statistics.median(times):.2f} s, the median of {ROUNDS} ({min(times):.2f} to {max(times):.2f})")


if __name__ == "__main__":
    main()
