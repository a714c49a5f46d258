"""The documentation page and the contract: the files of the package winnow_docs, which layers/docs makes, and what they are."""

PAGE = "index.html"
CONTRACT = "openapi.json"
MEDIA_TYPES = {
    PAGE: "text/html; charset=utf-8",
    CONTRACT: "application/json",
    "favicon.svg": "image/svg+xml",
    "LICENSE": "text/plain; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
}
# Those that the page asks for by a path of their own, docs/NAME.
FILES = tuple(name for name in MEDIA_TYPES if name not in (PAGE, CONTRACT))
