"""GET /models/{model_id}/versions/{version}/report: the report on a version's data set, for a failed version too."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources
from winnow.registry.versions import dataset_never_read


@endpoint("GET /models/{model_id}/versions/{version}/report")
def handler(request: Request) -> Answer:
    model = resources.models().get(request.path["model_id"])
    version = resources.versions().get(model, int(request.path["version"]))
    report = resources.version_reports().dataset_report(version)
    if report is None:
        raise dataset_never_read(version)
    return Answer(HTTPStatus.OK, {"model_id": version.job.model_id, "version": version.job.version, "report": report})
