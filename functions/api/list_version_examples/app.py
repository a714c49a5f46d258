"""GET /models/{model_id}/versions/{version}/examples: the examples of a version with their out-of-fold answers, page by page."""

from http import HTTPStatus

from winnow.api import paging
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.fields import is_true
from winnow.aws import resources
from winnow.evaluation.example_index import Sort, Wanted
from winnow.registry.versions import check_measured
from winnow.versions import examples

_FILTERS = ("label", "predicted", "wrong", "split", "contains", "sort")


@endpoint("GET /models/{model_id}/versions/{version}/examples")
def handler(request: Request) -> Answer:
    version = resources.versions().get_ready(request.path["model_id"], int(request.path["version"]))
    check_measured(version)
    given, job = request.fields, version.job
    wrong = is_true(given["wrong"]) if "wrong" in given else None
    wanted = Wanted(given.get("label"), given.get("predicted"), wrong, given.get("split"), Sort(given.get("sort", Sort.ROW)))
    # The same place of another list is another example. The uid is in the name, because a model that is created again counts from 1 again.
    name = paging.named(f"examples of {job.uid}/{job.version}", *(given.get(name) for name in _FILTERS))
    begin = int(paging.place(name, given.get("next"), paging.EXAMPLE) or 0)
    page = examples.page(version, wanted, given.get("contains"), begin, int(given.get("limit", 100)))
    answer = {
        "matching": page.matching,
        "examples": page.examples,
        "next": paging.cursor(name, None if page.next is None else str(page.next)),
    }
    return Answer(HTTPStatus.OK, {"model_id": job.model_id, "version": job.version, **answer})
