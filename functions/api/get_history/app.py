"""GET /models/{model_id}/history: who did what when, newest first, page by page; also of a model that was deleted."""

from http import HTTPStatus

from winnow.api import paging
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.views import history_view
from winnow.aws import resources


@endpoint("GET /models/{model_id}/history")
def handler(request: Request) -> Answer:
    model_id = request.path["model_id"]
    name = f"history of {model_id}"
    before = paging.place(name, request.fields.get("next"), paging.BATCH)
    entries, more = resources.history().list(model_id, int(request.fields.get("limit", 100)), before)
    if not entries:
        # A model of an earlier release may have no history yet. An id that was never used is an error.
        resources.models().get(model_id)
    return Answer(HTTPStatus.OK, {**history_view(entries, model_id), "next": paging.cursor(name, more)})
