"""POST /models/{model_id}/versions/{version}/cancel: stop a training; the live version stays."""

from http import HTTPStatus

from winnow.api.conditional import condition_on_version
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.views import version_view
from winnow.aws import resources
from winnow.training.requests import cancel_training


@endpoint("POST /models/{model_id}/versions/{version}/cancel")
def handler(request: Request) -> Answer:
    model_id = request.path["model_id"]
    version = cancel_training(model_id, int(request.path["version"]), condition_on_version(request.headers.get("if-match")))
    live = resources.models().get(model_id).live_version
    return Answer(HTTPStatus.OK, {"model_id": model_id, **version_view(version, live)})
