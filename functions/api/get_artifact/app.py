"""GET /models/{model_id}/versions/{version}/artifact: a link to the version as a pipeline for spacy.load."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources
from winnow.storage.pipelines import PIPELINE


@endpoint("GET /models/{model_id}/versions/{version}/artifact")
def handler(request: Request) -> Answer:
    version = resources.versions().get_ready(request.path["model_id"], int(request.path["version"]))
    link = resources.pipelines().link(version)
    answer = {"model_id": version.job.model_id, "version": version.job.version, "sha256": version.digests.get(PIPELINE)}
    return Answer(HTTPStatus.OK, {**answer, "url": link.url, "bytes": link.bytes, "expires_at": link.expires_at})
