"""POST /models/{model_id}/batches/{batch}/cancel: stop a batch prediction."""

from http import HTTPStatus

from winnow import batches
from winnow.api import endpoint, fields
from winnow.api.batch_views import batch_prediction_view
from winnow.api.endpoint import Answer, Request, Source


@endpoint(fields.NONE, Source.BODY)
def handler(request: Request) -> Answer:
    batch = batches.cancel(request.path["model_id"], request.path["batch"])
    return Answer(HTTPStatus.OK, {"model_id": batch.job.model_id, **batch_prediction_view(batch)})
