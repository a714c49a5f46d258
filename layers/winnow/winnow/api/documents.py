"""Answers with the files of the pages GET /docs and GET /console. Browsers may cache them, and may run nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from importlib import resources

from winnow.api import conditional, console_files, docs_files
from winnow.api.endpoint import Answer
from winnow.aws import clients

# Browsers check for a change each time, because a deployment changes the page and the contract together.
ASK_AGAIN = "no-cache"
# For the page's other files. A deployment seldom changes them, and the page works with the files of the previous deployment.
A_DAY = "public, max-age=86400"


@cache
def answer(name: str, keep: str) -> Answer:
    """The answer with one of the documentation page's files. keep: its Cache-Control."""
    return _answer(name, docs_files.MEDIA_TYPES[name], keep, ("'self'",))


@cache
def console(name: str) -> Answer:
    """The answer with one of the console's files. The console alone may send to another address: files to the bucket of uploads."""
    hosts = clients.setting("UPLOADS_HOST"), clients.setting("UPLOADS_GLOBAL_HOST")
    connects = ("'self'", *(f"https://{host}" for host in hosts))
    return _answer(f"{console_files.FOLDER}/{name}", console_files.MEDIA_TYPES[name], ASK_AGAIN, connects)


def _answer(path: str, media_type: str, keep: str, connects: Sequence[str]) -> Answer:
    text = resources.files("winnow_docs").joinpath(path).read_text(encoding="utf-8")
    # Content-Security-Policy (https://www.w3.org/TR/CSP3/) allows the page's own files, calls to the same API, and the pictures inside
    # Swagger UI's style sheet.
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src {' '.join(connects)}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Type": media_type,
        "ETag": conditional.text_tag(text),
        "Cache-Control": keep,
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        # API Gateway compresses the answer if the client accepts that.
        "Vary": "Accept-Encoding",
    }
    return Answer(HTTPStatus.OK, text, headers)
