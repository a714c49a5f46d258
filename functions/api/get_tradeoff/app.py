"""GET /models/{model_id}/versions/{version}/tradeoff: the share of answered texts against the share of right answers."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources
from winnow.domain.errors import NoDialError
from winnow.evaluation.tradeoff import tradeoff_report
from winnow.prediction.policy import dial_of


@endpoint("GET /models/{model_id}/versions/{version}/tradeoff")
def handler(request: Request) -> Answer:
    model_id, number = request.path["model_id"], int(request.path["version"])
    dial = dial_of(resources.versions().get_ready(model_id, number))
    if dial is None:
        raise NoDialError(model_id, number)
    return Answer(HTTPStatus.OK, {"model_id": model_id, "version": number, **tradeoff_report(dial)})
