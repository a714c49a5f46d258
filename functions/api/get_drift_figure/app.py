"""GET /models/{model_id}/drift.svg: a picture of the last days of drift."""

from http import HTTPStatus

from winnow.api.endpoint import SVG, Answer, Request, endpoint
from winnow.aws import resources
from winnow.domain.errors import NoDriftError
from winnow.evaluation.drift_figure import MOST_DAYS, drift_figure


@endpoint("GET /models/{model_id}/drift.svg")
def handler(request: Request) -> Answer:
    model = resources.models().get(request.path["model_id"])
    days, _ = resources.drift_days().list(model.uid, MOST_DAYS)
    if not days and model.log is None:
        raise NoDriftError(model.model_id)
    return Answer(HTTPStatus.OK, drift_figure(days), SVG)
