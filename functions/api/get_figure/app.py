"""GET /models/{model_id}/versions/{version}/evaluation/{figure}: a picture of a version's evaluation."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources
from winnow.registry.versions import check_measured

# An SVG can contain scripts. Ours contain none, and browsers must not run any.
_HEADERS = {
    "Content-Type": "image/svg+xml",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


@endpoint("GET /models/{model_id}/versions/{version}/evaluation/{figure}")
def handler(request: Request) -> Answer:
    version = resources.versions().get_ready(request.path["model_id"], int(request.path["version"]))
    check_measured(version)
    return Answer(HTTPStatus.OK, resources.version_reports().figure(version, request.path["figure"]), _HEADERS)
