"""GET /models/{model_id}/versions/{version}/report: what is said of the data set that a version is trained on, or failed by."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources
from winnow.registry.versions import dataset_never_read


@endpoint()
def handler(request: Request) -> Answer:
    model = resources.models().get(request.path["model_id"])
    version = resources.versions().get(model, int(request.path["version"]))
    report = resources.version_reports().dataset_report(version.job)
    if report is None:
        raise dataset_never_read(version)
    return Answer(HTTPStatus.OK, {"model_id": version.job.model_id, "version": version.job.version, "report": report})
