"""GET /models/{model_id}/versions: the versions of a model, newest first, page by page."""

from http import HTTPStatus

from winnow.api import paging
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.views import versions_view
from winnow.aws import resources


@endpoint("GET /models/{model_id}/versions")
def handler(request: Request) -> Answer:
    model = resources.models().get(request.path["model_id"])
    # The uid is part of the name, because a model that is deleted and created again numbers its versions from 1 again.
    name = f"versions of {model.uid}"
    before = paging.place(name, request.fields.get("next"), paging.VERSION)
    versions, more = resources.versions().list(model, int(request.fields.get("limit", 100)), None if before is None else int(before))
    return Answer(
        HTTPStatus.OK,
        {**versions_view(versions, model), "next": paging.cursor(name, None if more is None else str(more))},
    )
