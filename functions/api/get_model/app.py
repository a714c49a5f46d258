"""GET /models/{model_id}: a model with its latest version: status, progress, evaluation."""

from http import HTTPStatus

from winnow.api.conditional import model_tag
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.views import model_with_version_view
from winnow.aws import resources


@endpoint("GET /models/{model_id}")
def handler(request: Request) -> Answer:
    model, version = resources.versions().latest_with_model(request.path["model_id"])
    return Answer(HTTPStatus.OK, model_with_version_view(model, version), {"ETag": model_tag(model, version)})
