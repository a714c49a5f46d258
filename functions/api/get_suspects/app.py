"""GET /models/{model_id}/versions/{version}/suspects: the examples whose labels look wrong, worst first, page by page."""

from http import HTTPStatus

from winnow.api import paging
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.suspects import without_kept
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
    # A place counts the dismissed ones too, so that it stays right if one is dismissed between two pages.
    found = without_kept(report["suspects"], resources.kept_examples().ids(job.uid))
    hidden = sum(finding is None for finding in found)
    shown = [(place, finding) for place, finding in enumerate(found, 1) if finding is not None and place > begin]
    limit = int(request.fields.get("limit", 100))
    page = shown[:limit]
    answer = {"found": report["found"] - hidden, "suspects": [finding for _, finding in page]}
    cursor = paging.cursor(name, str(page[-1][0]) if len(shown) > limit else None)
    return Answer(HTTPStatus.OK, {"model_id": job.model_id, "version": job.version, **report, **answer, "next": cursor})
