"""GET /forget/{forgetting}: how far a forgetting is, and in the end its receipt."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.forgetting_views import forgetting_view
from winnow.aws import resources


@endpoint("GET /forget/{forgetting}")
def handler(request: Request) -> Answer:
    return Answer(HTTPStatus.OK, forgetting_view(resources.forgettings().get(request.path["forgetting"])))
