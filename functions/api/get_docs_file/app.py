"""GET /docs/{file}: a script, a style or a picture of the documentation page. Needs no key."""

from winnow.api import documents
from winnow.api.endpoint import Answer, Request, endpoint


@endpoint("GET /docs/{file}")
def handler(request: Request) -> Answer:
    return documents.answer(request.path["file"], documents.A_DAY)
