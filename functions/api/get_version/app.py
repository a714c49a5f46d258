"""GET /models/{model_id}/versions/{version}: a version: status, progress, data set, evaluation."""

from http import HTTPStatus

from winnow.api.conditional import version_tag
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.views import version_view
from winnow.aws import resources
from winnow.domain.model import VersionStatus


@endpoint("GET /models/{model_id}/versions/{version}")
def handler(request: Request) -> Answer:
    model = resources.models().get(request.path["model_id"])
    version = resources.versions().get(model, int(request.path["version"]))
    if version.status is VersionStatus.READY and version.job.version != model.live_version:
        # It may have become ready, and live, between the two reads.
        model = resources.models().get(model.model_id)
    view = {"model_id": model.model_id, **version_view(version, model.live_version)}
    return Answer(HTTPStatus.OK, view, {"ETag": version_tag(version, model.live_version)})
