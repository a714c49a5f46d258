"""GET /openapi.json: the contract, openapi.yaml, as JSON. Needs no key."""

from winnow.api import docs_files, documents
from winnow.api.endpoint import Answer, Request, endpoint


@endpoint("GET /openapi.json")
def handler(request: Request) -> Answer:
    return documents.answer(docs_files.CONTRACT, documents.ASK_AGAIN)
