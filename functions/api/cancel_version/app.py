"""POST /models/{model_id}/versions/{version}/cancel: stop a training; the live version stays."""

from http import HTTPStatus

from winnow.api import endpoint, fields
from winnow.api.endpoint import Answer, Request, Source
from winnow.api.views import version_view
from winnow.aws import resources
from winnow.training import requests


@endpoint(fields.NONE, Source.BODY)
def handler(request: Request) -> Answer:
    model_id = request.path["model_id"]
    version = requests.cancel(model_id, int(request.path["version"]))
    live = resources.models().get(model_id).live_version
    return Answer(HTTPStatus.OK, {"model_id": model_id, **version_view(version, live)})
