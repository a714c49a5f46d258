"""GET /models/{model_id}/examples: the pending feedback batches, oldest first, page by page."""

from http import HTTPStatus

from winnow.api import paging
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.views import feedback_batches_view
from winnow.aws import resources


@endpoint("GET /models/{model_id}/examples")
def handler(request: Request) -> Answer:
    model = resources.models().get(request.path["model_id"])
    name = f"feedback of {model.uid}"
    after = paging.place(name, request.fields.get("next"), paging.BATCH)
    batches, more = resources.feedback_batches().waiting(model, int(request.fields.get("limit", 100)), after)
    return Answer(HTTPStatus.OK, {**feedback_batches_view(batches, model), "next": paging.cursor(name, more)})
