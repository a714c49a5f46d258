"""GET /models/{model_id}/versions: the versions of a model, newest first, page by page."""

from http import HTTPStatus

from winnow.api import schemas
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.paging import Cursors
from winnow.api.views import versions_view
from winnow.aws import resources

cursors = Cursors(resources.cursor_key)


@endpoint(schemas.LIST)
def handler(request: Request) -> Answer:
    model = resources.models().get(request.path["model_id"])
    # Of this life of the model: numbers begin anew where it is deleted and made again.
    name = f"versions of {model.uid}"
    before = cursors.position(name, request.fields.get("next"))
    versions, more = resources.versions().list(model, int(request.fields.get("limit", 100)), None if before is None else int(before))
    return Answer(
        HTTPStatus.OK,
        {**versions_view(versions, model), "next": cursors.cursor(name, None if more is None else str(more))},
    )
