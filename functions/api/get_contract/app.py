"""GET /openapi.json: the contract, openapi.yaml, as JSON. Without a key."""

from winnow import documentation
from winnow.http import Answer, Request, documents, endpoint


@endpoint()
def handler(request: Request) -> Answer:
    return documents.answer(documentation.CONTRACT, documents.ASK_AGAIN)
