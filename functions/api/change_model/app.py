"""PATCH /models/{model_id}: set the model's own properties."""

from http import HTTPStatus

from winnow.api.conditional import condition_on_model, model_tag
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.properties import model_properties
from winnow.api.views import model_with_version_view
from winnow.aws import resources
from winnow.versions.promote import change_model


@endpoint("PATCH /models/{model_id}")
def handler(request: Request) -> Answer:
    model_id = request.path["model_id"]
    change_model(model_id, model_properties(dict(request.fields)), condition_on_model(request.headers.get("if-match")))
    model, version = resources.versions().latest_with_model(model_id)
    return Answer(HTTPStatus.OK, model_with_version_view(model, version), {"ETag": model_tag(model, version)})
