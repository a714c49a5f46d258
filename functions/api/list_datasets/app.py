"""GET /datasets: what was uploaded, page by page."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.paging import Cursors
from winnow.api.views import dataset_view
from winnow.aws import resources

_LIST = "datasets"

cursors = Cursors(resources.cursor_key)


@endpoint("GET /datasets")
def handler(request: Request) -> Answer:
    after = cursors.position(_LIST, request.fields.get("next"))
    uploads, more = resources.datasets().uploads(int(request.fields.get("limit", 100)), after)
    return Answer(HTTPStatus.OK, {"datasets": [dataset_view(upload) for upload in uploads], "next": cursors.cursor(_LIST, more)})
