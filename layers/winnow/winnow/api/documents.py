"""Answers with the documentation page's files: browsers keep them, and run and fetch nothing that isn't this API's."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from importlib import resources

from winnow.api import conditional, docs_files
from winnow.api.endpoint import Answer

# Whether it is still the same has to be asked each time: a deployment changes page and contract at once.
ASK_AGAIN = "no-cache"
# The page's files: a deployment changes them seldom, and the page works with those of the one before.
A_DAY = "public, max-age=86400"

# Content-Security-Policy (https://www.w3.org/TR/CSP3/): the page's own files, calls of the API that served it, and the pictures that
# stand in Swagger UI's style sheet itself.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # API Gateway compresses for whoever takes it.
    "Vary": "Accept-Encoding",
}


@cache
def answer(name: str, keep: str) -> Answer:
    """One of the package's files. keep: the answer's Cache-Control."""
    text = resources.files("winnow_docs").joinpath(name).read_text(encoding="utf-8")
    about = {"Content-Type": docs_files.MEDIA_TYPES[name], "ETag": conditional.text_tag(text), "Cache-Control": keep}
    return Answer(HTTPStatus.OK, text, about | _HEADERS)
