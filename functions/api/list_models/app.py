"""GET /models: all models, or those with a tag, page by page."""

from http import HTTPStatus

from winnow.api import paging
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.views import model_view
from winnow.aws import resources

_LIST = "models"


@endpoint("GET /models")
def handler(request: Request) -> Answer:
    after = paging.place(_LIST, request.fields.get("next"), paging.MODEL_ID)
    limit, tag = int(request.fields.get("limit", 100)), request.fields.get("tag")
    found = resources.models()
    models, more = found.list(limit, after) if tag is None else found.with_tag(tag, limit, after)
    return Answer(HTTPStatus.OK, {"models": [model_view(model) for model in models], "next": paging.cursor(_LIST, more)})
