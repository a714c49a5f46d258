"""GET /models/{model_id}/drift: what was measured of each day of the prediction log, newest first, page by page."""

from dataclasses import asdict
from http import HTTPStatus

from winnow.api import paging
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.views import drift_view
from winnow.aws import resources
from winnow.domain.errors import NoDriftError


@endpoint("GET /models/{model_id}/drift")
def handler(request: Request) -> Answer:
    model = resources.models().get(request.path["model_id"])
    name = f"drift of {model.uid}"
    before = paging.place(name, request.fields.get("next"), paging.DAY)
    days, more = resources.drift_days().list(model.uid, int(request.fields.get("limit", 100)), before)
    if not days and model.log is None:
        raise NoDriftError(model.model_id)
    log = None if model.log is None else asdict(model.log)
    shown = [drift_view(day) for day in days]
    return Answer(HTTPStatus.OK, {"model_id": model.model_id, "log": log, "days": shown, "next": paging.cursor(name, more)})
