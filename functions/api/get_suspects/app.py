"""GET /models/{model_id}/versions/{version}/suspects: the examples whose labels look wrong, worst first, page by page."""

from http import HTTPStatus

from winnow.api import paging
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources
from winnow.domain.errors import SuspectsNotFoundError
from winnow.registry.versions import check_measured


@endpoint("GET /models/{model_id}/versions/{version}/suspects")
def handler(request: Request) -> Answer:
    version = resources.versions().get_ready(request.path["model_id"], int(request.path["version"]))
    check_measured(version)
    job = version.job
    # The uid is part of the name, because a model that is deleted and created again numbers its versions from 1 again.
    name = f"suspects of {job.uid}/{job.version}"
    begin = int(paging.place(name, request.fields.get("next"), paging.PLACE) or 0)
    report = resources.version_reports().suspects(version)
    if report is None:
        raise SuspectsNotFoundError(job.model_id, job.version)
    end = begin + int(request.fields.get("limit", 100))
    page, more = report["suspects"][begin:end], len(report["suspects"]) > end
    answer = {**report, "suspects": page, "next": paging.cursor(name, str(end) if more else None)}
    return Answer(HTTPStatus.OK, {"model_id": job.model_id, "version": job.version, **answer})
