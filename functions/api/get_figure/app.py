"""GET /models/{model_id}/versions/{version}/evaluation/{figure}: a picture of a version's evaluation."""

from http import HTTPStatus

from winnow.api.endpoint import SVG, Answer, Request, endpoint
from winnow.aws import resources
from winnow.registry.versions import check_measured


@endpoint("GET /models/{model_id}/versions/{version}/evaluation/{figure}")
def handler(request: Request) -> Answer:
    version = resources.versions().get_ready(request.path["model_id"], int(request.path["version"]))
    check_measured(version)
    return Answer(HTTPStatus.OK, resources.version_reports().figure(version, request.path["figure"]), SVG)
