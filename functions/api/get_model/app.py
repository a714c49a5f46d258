"""GET /models/{model_id}: a model with its latest version: status, progress, evaluation."""

from http import HTTPStatus

from winnow.aws import resources
from winnow.http import Answer, Request, endpoint
from winnow.http.conditional import model_tag
from winnow.http.views import model_with_version_view


@endpoint()
def handler(request: Request) -> Answer:
    model, version = resources.models().get_with_latest_version(request.path["model_id"])
    return Answer(HTTPStatus.OK, model_with_version_view(model, version), {"ETag": model_tag(model, version)})
