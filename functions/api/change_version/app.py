"""PATCH /models/{model_id}/versions/{version}: set the version's note."""

from http import HTTPStatus

from winnow.api.conditional import condition_on_version, version_tag
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.views import version_view
from winnow.aws import resources
from winnow.versions.promote import change_version


@endpoint("PATCH /models/{model_id}/versions/{version}")
def handler(request: Request) -> Answer:
    model_id, number = request.path["model_id"], int(request.path["version"])
    change_version(model_id, number, request.fields["note"], condition_on_version(request.headers.get("if-match")))
    model, version = resources.versions().get_with_model(model_id, number)
    shown = {"model_id": model_id, **version_view(version, model.live_version)}
    return Answer(HTTPStatus.OK, shown, {"ETag": version_tag(version, model.live_version)})
