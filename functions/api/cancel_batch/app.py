"""POST /models/{model_id}/batches/{batch}/cancel: stop a batch prediction."""

from http import HTTPStatus

from winnow.api.batch_views import batch_prediction_view
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.batch.requests import cancel_batch


@endpoint("POST /models/{model_id}/batches/{batch}/cancel")
def handler(request: Request) -> Answer:
    batch = cancel_batch(request.path["model_id"], request.path["batch"])
    return Answer(HTTPStatus.OK, {"model_id": batch.job.model_id, **batch_prediction_view(batch)})
