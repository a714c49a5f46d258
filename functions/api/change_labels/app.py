"""PATCH /models/{model_id}/labels: train a version with labels renamed or merged."""

from http import HTTPStatus

from winnow.api.conditional import condition_on_model
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.idempotency import idempotency_key
from winnow.domain.model import VersionStatus
from winnow.training.label_changes import LabelChanges, change_labels


@endpoint("PATCH /models/{model_id}/labels")
def handler(request: Request) -> Answer:
    wanted = LabelChanges(request.fields.get("rename", {}), request.fields.get("merge", {}))
    condition = condition_on_model(request.headers.get("if-match"))
    job = change_labels(request.path["model_id"], wanted, idempotency_key(request), condition)
    answer = {"model_id": job.model_id, "version": job.version, "status": VersionStatus.QUEUED}
    return Answer(HTTPStatus.ACCEPTED, answer, {"Retry-After": "5"})
