"""GET /models/{model_id}/versions: the versions of a model, newest first, page by page."""

from http import HTTPStatus

from winnow.api import paging
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.views import versions_view
from winnow.aws import resources
from winnow.domain.model import Model


@endpoint("GET /models/{model_id}/versions")
def handler(request: Request) -> Answer:
    def before(model: Model) -> int | None:
        place = paging.place(_name(model), request.fields.get("next"), paging.VERSION)
        return None if place is None else int(place)

    model, versions, more = resources.versions().list_with_model(request.path["model_id"], int(request.fields.get("limit", 100)), before)
    return Answer(
        HTTPStatus.OK,
        {**versions_view(versions, model), "next": paging.cursor(_name(model), None if more is None else str(more))},
    )


def _name(model: Model) -> str:
    """The name of the list for its cursors. It has the uid, because a model that is created again numbers its versions from 1 again."""
    return f"versions of {model.uid}"
