"""GET /models: all models, page by page."""

from http import HTTPStatus

from winnow import deployment
from winnow.http import Answer, Request, endpoint, paging, schemas
from winnow.http.views import model_view


@endpoint(schemas.LIST_MODELS)
def handler(request: Request) -> Answer:
    limit = int(request.fields.get("limit", 100))
    models, after = deployment.models().list(limit, paging.position(request.fields.get("next")))
    return Answer(HTTPStatus.OK, {"models": [model_view(model) for model in models], "next": paging.cursor(after)})
