"""DELETE /datasets/{name}: delete an uploaded data set. Versions keep their own copy of the examples they were trained on."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources
from winnow.storage.removal import time_left

# The time that is kept for answering.
_SECONDS_TO_ANSWER = 5


@endpoint("DELETE /datasets/{name}")
def handler(request: Request) -> Answer:
    name = request.path["name"]
    resources.datasets().delete(name, time_left(request.seconds_left - _SECONDS_TO_ANSWER))
    return Answer(HTTPStatus.OK, {"name": name, "status": "deleted"})
