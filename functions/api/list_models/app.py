"""GET /models: all models, page by page."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.paging import Cursors
from winnow.api.views import model_view
from winnow.aws import resources

_LIST = "models"

cursors = Cursors(resources.cursor_key)


@endpoint("GET /models")
def handler(request: Request) -> Answer:
    after = cursors.position(_LIST, request.fields.get("next"))
    models, more = resources.models().list(int(request.fields.get("limit", 100)), after)
    return Answer(HTTPStatus.OK, {"models": [model_view(model) for model in models], "next": cursors.cursor(_LIST, more)})
