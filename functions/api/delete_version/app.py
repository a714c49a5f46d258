"""DELETE /models/{model_id}/versions/{version}: a version that isn't live, and every object made for it."""

from http import HTTPStatus

from winnow import deletion
from winnow.api import endpoint
from winnow.api.endpoint import Answer, Request

# Left over of the Lambda's time, to answer in.
_SECONDS_TO_ANSWER = 5


@endpoint()
def handler(request: Request) -> Answer:
    model_id, number = request.path["model_id"], int(request.path["version"])
    shown = {"model_id": model_id, "version": number}
    if deletion.delete_version(model_id, number, request.seconds_left - _SECONDS_TO_ANSWER):
        return Answer(HTTPStatus.OK, {**shown, "status": "deleted"})
    return Answer(HTTPStatus.ACCEPTED, {**shown, "status": "deleting"})
