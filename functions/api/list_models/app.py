"""GET /models: all models, page by page."""

from http import HTTPStatus

from winnow.api import paging
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.views import model_view
from winnow.aws import resources

_LIST = "models"


@endpoint("GET /models")
def handler(request: Request) -> Answer:
    after = paging.place(_LIST, request.fields.get("next"), paging.MODEL_ID)
    models, more = resources.models().list(int(request.fields.get("limit", 100)), after)
    return Answer(HTTPStatus.OK, {"models": [model_view(model) for model in models], "next": paging.cursor(_LIST, more)})
