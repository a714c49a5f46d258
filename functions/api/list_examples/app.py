"""GET /models/{model_id}/examples: the batches of feedback that wait for a version, oldest first, page by page."""

from http import HTTPStatus

from winnow.api import schemas
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.paging import Cursors
from winnow.api.views import feedback_batches_view
from winnow.aws import resources

cursors = Cursors(resources.cursor_key)


@endpoint(schemas.LIST)
def handler(request: Request) -> Answer:
    model = resources.models().get(request.path["model_id"])
    name = f"feedback of {model.uid}"
    after = cursors.position(name, request.fields.get("next"))
    batches, more = resources.feedback_batches().waiting(model, int(request.fields.get("limit", 100)), after)
    return Answer(HTTPStatus.OK, {**feedback_batches_view(batches, model), "next": cursors.cursor(name, more)})
