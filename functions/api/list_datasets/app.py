"""GET /datasets: the uploaded data sets, page by page."""

from http import HTTPStatus

from winnow.api import paging
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.views import dataset_view
from winnow.aws import resources

_LIST = "datasets"


@endpoint("GET /datasets")
def handler(request: Request) -> Answer:
    after = paging.place(_LIST, request.fields.get("next"), paging.UPLOAD_NUMBER)
    uploads, more = resources.datasets().uploads(int(request.fields.get("limit", 100)), after)
    return Answer(HTTPStatus.OK, {"datasets": [dataset_view(upload) for upload in uploads], "next": paging.cursor(_LIST, more)})
