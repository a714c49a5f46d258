"""GET /models/{model_id}/queue: the next texts of the review queue, which no other reviewer gets for some minutes."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.review.hand_out import hand_out

_LIMIT = 10


@endpoint("GET /models/{model_id}/queue")
def handler(request: Request) -> Answer:
    model_id = request.path["model_id"]
    out = hand_out(model_id, int(request.fields.get("limit", _LIMIT)))
    return Answer(HTTPStatus.OK, {"model_id": model_id, **out.as_dict()}, {"Cache-Control": "no-store"})
