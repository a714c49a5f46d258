"""POST /models/{model_id}/batches: classify all texts of an S3 object, for example a million."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.idempotency import idempotency_key
from winnow.batch.requests import start_batch
from winnow.domain.batch import BatchRequest, BatchStatus
from winnow.domain.dataset import Layout


@endpoint("POST /models/{model_id}/batches")
def handler(request: Request) -> Answer:
    given = request.fields
    version = int(given["version"]) if "version" in given else None
    n_top = int(given.get("n_top", 1))
    wanted = BatchRequest(request.path["model_id"], given["s3bucket"], given["object"], version, n_top, Layout.of(given))
    job, number = start_batch(wanted, idempotency_key(request))
    return Answer(
        HTTPStatus.ACCEPTED,
        {"model_id": job.model_id, "batch": job.batch, "version": number, "status": BatchStatus.QUEUED},
        {"Location": f"batches/{job.batch}", "Retry-After": "5"},
    )
