"""POST /models/{model_id}/queue: make the review queue of a model from texts without labels: those of a file, or of its prediction log."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.domain.dataset import Layout
from winnow.review.make import make_queue
from winnow.review.sources import in_file, in_log

# The time that is kept for choosing, saving and answering.
_SECONDS_TO_ANSWER = 6


@endpoint("POST /models/{model_id}/queue")
def handler(request: Request) -> Answer:
    given = request.fields
    source = in_log if "from" in given else in_file(given["s3bucket"], given["object"], Layout.of(given))
    made = make_queue(request.path["model_id"], source, request.seconds_left - _SECONDS_TO_ANSWER)
    return Answer(HTTPStatus.CREATED, made, {"Location": "queue"})
