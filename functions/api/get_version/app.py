"""GET /models/{model_id}/versions/{version}: a version: status, progress, data set, evaluation."""

from http import HTTPStatus

from winnow.api.conditional import version_tag
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.views import version_view
from winnow.aws import resources


@endpoint("GET /models/{model_id}/versions/{version}")
def handler(request: Request) -> Answer:
    model, version = resources.versions().get_with_model(request.path["model_id"], int(request.path["version"]))
    view = {"model_id": model.model_id, **version_view(version, model.live_version)}
    return Answer(HTTPStatus.OK, view, {"ETag": version_tag(version, model.live_version)})
