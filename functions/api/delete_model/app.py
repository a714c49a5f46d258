"""DELETE /models/{model_id}: delete the model and every object made for it, but never the client's own data set."""

from http import HTTPStatus

from winnow.api.conditional import condition_on_model
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.versions.delete import delete_model

# The time that is kept for answering.
_SECONDS_TO_ANSWER = 5


@endpoint("DELETE /models/{model_id}")
def handler(request: Request) -> Answer:
    model_id = request.path["model_id"]
    condition = condition_on_model(request.headers.get("if-match"))
    if delete_model(model_id, request.seconds_left - _SECONDS_TO_ANSWER, condition):
        return Answer(HTTPStatus.OK, {"model_id": model_id, "status": "deleted"})
    return Answer(HTTPStatus.ACCEPTED, {"model_id": model_id, "status": "deleting"})
