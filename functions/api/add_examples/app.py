"""POST /models/{model_id}/examples: keep newly labelled examples, and train on them when it is time."""

from dataclasses import asdict
from http import HTTPStatus

from winnow.api.conditional import condition_on_model
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.idempotency import idempotency_key
from winnow.domain.dataset import DatasetReference, Layout
from winnow.domain.feedback import Retrain
from winnow.domain.model import VersionStatus
from winnow.training import feedback
from winnow.training.feedback_examples import in_file, in_request

# The time that is kept for saving the examples and for answering.
_SECONDS_TO_ANSWER = 8


@endpoint("POST /models/{model_id}/examples")
def handler(request: Request) -> Answer:
    given, model_id = request.fields, request.path["model_id"]
    key, condition = idempotency_key(request), condition_on_model(request.headers.get("if-match"))
    if "examples" in given:
        examples = in_request(given["examples"])
    elif "s3bucket" in given:
        file = DatasetReference(given["s3bucket"], given["training_object"], layout=Layout.of(given))
        examples = in_file(file, request.seconds_left - _SECONDS_TO_ANSWER)
    else:
        job = feedback.train_on_pending(model_id, key, condition)
        queued = {"model_id": model_id, "version": job.version, "status": VersionStatus.QUEUED}
        return Answer(HTTPStatus.ACCEPTED, queued, {"Retry-After": "5"})
    received = asdict(feedback.receive_feedback(model_id, examples, Retrain(given.get("retrain", Retrain.AUTO)), key, condition))
    if received["file"] is None:
        del received["file"]
    return Answer(HTTPStatus.CREATED, received)
