"""GET /reports/{report_id}: the report of a dry run that was too large to wait for."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.training import dry_run


@endpoint("GET /reports/{report_id}")
def handler(request: Request) -> Answer:
    return Answer(HTTPStatus.OK, dry_run.find_dry_run(request.path["report_id"]))
