"""DELETE /models/{model_id}/examples/{batch}: take back a pending feedback batch."""

from http import HTTPStatus

from winnow.api.conditional import condition_on_model
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.training import feedback


@endpoint("DELETE /models/{model_id}/examples/{batch}")
def handler(request: Request) -> Answer:
    model_id, batch = request.path["model_id"], request.path["batch"]
    feedback.take_back_feedback(model_id, batch, condition_on_model(request.headers.get("if-match")))
    return Answer(HTTPStatus.OK, {"model_id": model_id, "batch": batch, "status": "deleted"})
