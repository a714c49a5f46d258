"""GET /models/{model_id}/versions/{version}/evaluation: everything measured on a version's held-out examples."""

from http import HTTPStatus

from winnow import deployment
from winnow.domain import ACTIVE, Version, VersionStatus
from winnow.errors import EvaluationNotReadyError
from winnow.http import Answer, Request, endpoint


@endpoint()
def handler(request: Request) -> Answer:
    models, model_id = deployment.models(), request.path["model_id"]
    version = models.version(models.get(model_id), int(request.path["version"]))
    if version.status is not VersionStatus.READY:
        raise EvaluationNotReadyError(_why(version))
    report = deployment.storage().read_report(version.job, "evaluation.json")
    return Answer(HTTPStatus.OK, {"model_id": model_id, "version": version.job.version, **report})


def _why(version: Version) -> str:
    model_id = version.job.model_id
    name = f"Version {version.job.version} of model {model_id!r}"
    if version.status in ACTIVE:
        return f"{name} is still being trained: GET /models/{model_id} shows how far it is."
    ended = "was cancelled" if version.status is VersionStatus.CANCELLED else "failed"
    return f"{name} was never evaluated, because its training {ended}: train another with force_update."
