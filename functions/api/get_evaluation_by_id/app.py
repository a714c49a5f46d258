"""GET /models/{model_id}/versions/{version}/evaluations/{evaluation}: an evaluation on another file, or its status."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources
from winnow.versions.evaluations import find_evaluation


@endpoint("GET /models/{model_id}/versions/{version}/evaluations/{evaluation}")
def handler(request: Request) -> Answer:
    version = resources.versions().get_ready(request.path["model_id"], int(request.path["version"]))
    return Answer(HTTPStatus.OK, find_evaluation(version, request.path["evaluation"]))
