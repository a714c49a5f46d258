"""GET /console/{asset}: the console's script, its style, or the sample data set. Needs no key."""

from winnow.api import documents
from winnow.api.endpoint import Answer, Request, endpoint


@endpoint("GET /console/{asset}")
def handler(request: Request) -> Answer:
    return documents.console(request.path["asset"])
