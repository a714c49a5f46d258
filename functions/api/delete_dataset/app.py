"""DELETE /datasets/{name}: delete an uploaded data set. Versions keep their own copy of the examples they were trained on."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources


@endpoint("DELETE /datasets/{name}")
def handler(request: Request) -> Answer:
    name = request.path["name"]
    resources.datasets().delete(name)
    return Answer(HTTPStatus.OK, {"name": name, "status": "deleted"})
