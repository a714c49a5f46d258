"""GET /models/{model_id}/versions/{version}/evaluation: everything measured on a version's held-out examples."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources
from winnow.registry.versions import check_measured


@endpoint("GET /models/{model_id}/versions/{version}/evaluation")
def handler(request: Request) -> Answer:
    version = resources.versions().get_ready(request.path["model_id"], int(request.path["version"]))
    check_measured(version)
    report = resources.version_reports().evaluation(version)
    return Answer(HTTPStatus.OK, {"model_id": version.job.model_id, "version": version.job.version, **report})
