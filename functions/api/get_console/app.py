"""GET /console: the page for people who work without a terminal. Needs no key: the page asks for one."""

from winnow.api import console_files, documents
from winnow.api.endpoint import Answer, Request, endpoint


@endpoint("GET /console")
def handler(request: Request) -> Answer:
    return documents.console(console_files.PAGE)
