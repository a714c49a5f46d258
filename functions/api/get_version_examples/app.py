"""GET /models/{model_id}/versions/{version}/examples.jsonl: a link to all examples of a version, as POST /models takes them."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources
from winnow.domain.errors import TextsNotKeptError
from winnow.registry.versions import check_measured


@endpoint("GET /models/{model_id}/versions/{version}/examples.jsonl")
def handler(request: Request) -> Answer:
    version = resources.versions().get_ready(request.path["model_id"], int(request.path["version"]))
    check_measured(version)
    job = version.job
    if not version.hyperparameters["keep_texts"]:
        raise TextsNotKeptError(job.model_id, job.version)
    link = resources.learnt_examples().link(version)
    answer = {"model_id": job.model_id, "version": job.version}
    return Answer(HTTPStatus.OK, {**answer, "url": link.url, "bytes": link.bytes, "expires_at": link.expires_at})
