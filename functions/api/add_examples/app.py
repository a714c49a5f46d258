"""POST /models/{model_id}/examples: keep newly labelled examples, and train on them when it is time."""

from dataclasses import asdict
from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.idempotency import idempotency_key
from winnow.domain.dataset import Example
from winnow.domain.feedback import Retrain
from winnow.training import feedback


@endpoint("POST /models/{model_id}/examples")
def handler(request: Request) -> Answer:
    examples = [
        Example(given["text"], tuple(dict.fromkeys([given["label"]] if "label" in given else given["labels"])))
        for given in request.fields["examples"]
    ]
    retrain = Retrain(request.fields.get("retrain", Retrain.AUTO))
    key = idempotency_key(request)
    return Answer(HTTPStatus.CREATED, asdict(feedback.receive_feedback(request.path["model_id"], examples, retrain, key)))
