"""GET /docs: the contract as a page on which calls can be tried. Without a key."""

from winnow.api import docs_files, documents
from winnow.api.endpoint import Answer, Request, endpoint


@endpoint("GET /docs")
def handler(request: Request) -> Answer:
    return documents.answer(docs_files.PAGE, documents.ASK_AGAIN)
