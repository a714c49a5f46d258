"""GET /health: whether the API answers at all, or with `deep` whether all that it stands on does. Needs no key without `deep`."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import health


@endpoint("GET /health")
def handler(request: Request) -> Answer:
    deep = request.fields.get("deep") == "1"
    # The route is open, so API Gateway asks no authorizer who the caller is.
    parts = {"parts": health.ask_all(request.headers.get("x-api-key"))} if deep else {}
    return Answer(HTTPStatus.OK, {"status": health.OK, **parts})
