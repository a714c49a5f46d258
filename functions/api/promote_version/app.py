"""PUT /models/{model_id}/live: promote a version, or roll back to an earlier one."""

from http import HTTPStatus

from winnow.api.conditional import condition_on_model, model_tag
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.views import model_with_version_view
from winnow.aws import resources
from winnow.versions.promote import promote_version


@endpoint("PUT /models/{model_id}/live")
def handler(request: Request) -> Answer:
    model_id = request.path["model_id"]
    # JSON Schema counts 3.0 as a whole number.
    promote_version(model_id, int(request.fields["version"]), condition_on_model(request.headers.get("if-match")))
    model, version = resources.versions().latest_with_model(model_id)
    return Answer(HTTPStatus.OK, model_with_version_view(model, version), {"ETag": model_tag(model, version)})
