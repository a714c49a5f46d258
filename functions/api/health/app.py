"""GET /health: whether the API answers at all. Needs no key."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint


@endpoint("GET /health")
def handler(request: Request) -> Answer:
    return Answer(HTTPStatus.OK, {"status": "ok"})
