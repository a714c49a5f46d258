"""GET /docs: the contract as a page on which calls can be tried. Without a key."""

from winnow import documentation
from winnow.http import Answer, Request, documents, endpoint


@endpoint()
def handler(request: Request) -> Answer:
    return documents.answer(documentation.PAGE, documents.ASK_AGAIN)
