"""Answers with the files of the documentation page. Browsers may cache them, and may load and run nothing from elsewhere."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from importlib import resources

from winnow.api import conditional, docs_files
from winnow.api.endpoint import Answer

# Browsers check for a change each time, because a deployment changes the page and the contract together.
ASK_AGAIN = "no-cache"
# For the page's other files. A deployment seldom changes them, and the page works with the files of the previous deployment.
A_DAY = "public, max-age=86400"

# Content-Security-Policy (https://www.w3.org/TR/CSP3/) allows the page's own files, calls to the same API, and the pictures inside
# Swagger UI's style sheet.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # API Gateway compresses the answer if the client accepts that.
    "Vary": "Accept-Encoding",
}


@cache
def answer(name: str, keep: str) -> Answer:
    """The answer with one of the package's files. keep: its Cache-Control."""
    text = resources.files("winnow_docs").joinpath(name).read_text(encoding="utf-8")
    about = {"Content-Type": docs_files.MEDIA_TYPES[name], "ETag": conditional.text_tag(text), "Cache-Control": keep}
    return Answer(HTTPStatus.OK, text, about | _HEADERS)
