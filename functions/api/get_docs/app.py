"""GET /docs: a page that shows the contract and can send calls. Needs no key."""

from winnow.api import docs_files, documents
from winnow.api.endpoint import Answer, Request, endpoint


@endpoint("GET /docs")
def handler(request: Request) -> Answer:
    return documents.answer(docs_files.PAGE, documents.ASK_AGAIN)
