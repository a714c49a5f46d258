"""DELETE /datasets/{name}: what was uploaded under this name. What versions were trained on is kept with them."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources


@endpoint("DELETE /datasets/{name}")
def handler(request: Request) -> Answer:
    name = request.path["name"]
    resources.datasets().delete(name)
    return Answer(HTTPStatus.OK, {"name": name, "status": "deleted"})
