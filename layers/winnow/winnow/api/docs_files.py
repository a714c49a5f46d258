"""The files of the documentation page and the contract, with their media types. layers/docs makes them, as the package winnow_docs."""

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
# The files that the page loads from docs/NAME.
FILES = tuple(name for name in MEDIA_TYPES if name not in (PAGE, CONTRACT))
