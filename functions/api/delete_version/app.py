"""DELETE /models/{model_id}/versions/{version}: delete a version that isn't live, and every object made for it."""

from http import HTTPStatus

from winnow.api.conditional import condition_on_version
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.versions.delete import delete_version

# The time that is kept for answering.
_SECONDS_TO_ANSWER = 5


@endpoint("DELETE /models/{model_id}/versions/{version}")
def handler(request: Request) -> Answer:
    model_id, number = request.path["model_id"], int(request.path["version"])
    shown = {"model_id": model_id, "version": number}
    condition = condition_on_version(request.headers.get("if-match"))
    if delete_version(model_id, number, request.seconds_left - _SECONDS_TO_ANSWER, condition):
        return Answer(HTTPStatus.OK, {**shown, "status": "deleted"})
    return Answer(HTTPStatus.ACCEPTED, {**shown, "status": "deleting"})
