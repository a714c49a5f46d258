"""GET /models/{model_id}/batches: the batch predictions of a model, newest first, page by page."""

from http import HTTPStatus

from winnow.api import paging
from winnow.api.batch_views import batch_predictions_view
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources


@endpoint("GET /models/{model_id}/batches")
def handler(request: Request) -> Answer:
    model = resources.models().get(request.path["model_id"])
    name = f"batch predictions of {model.uid}"
    before = paging.place(name, request.fields.get("next"), paging.BATCH)
    batches, more = resources.batch_predictions().list(model, int(request.fields.get("limit", 100)), before)
    return Answer(HTTPStatus.OK, {**batch_predictions_view(batches, model), "next": paging.cursor(name, more)})
