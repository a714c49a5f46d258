"""GET /models/{model_id}/batches/{batch}: the progress of a batch prediction and, when it is ready, a link to its result."""

from dataclasses import asdict
from http import HTTPStatus

from winnow.api.batch_views import batch_prediction_view, batch_progress_view
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources
from winnow.batch import queue
from winnow.domain.batch import BatchJob, BatchProgress, BatchStatus


@endpoint("GET /models/{model_id}/batches/{batch}")
def handler(request: Request) -> Answer:
    model = resources.models().get(request.path["model_id"])
    batch = resources.batch_predictions().get(BatchJob(model.model_id, model.uid, request.path["batch"]))
    objects = resources.batch_objects()
    ready = batch.status is BatchStatus.READY
    # The shards of a ready batch are removed, so its numbers come from the registry.
    done = BatchProgress(batch.lines or 0, batch.errors or 0, batch.shards or 0) if ready else objects.progress(batch.job)
    link = objects.link(batch.job, batch.object, batch.ending) if ready else None
    return Answer(
        HTTPStatus.OK,
        {
            "model_id": model.model_id,
            **batch_prediction_view(batch),
            "ahead": queue.ahead(batch.job) if batch.status is BatchStatus.QUEUED else None,
            "progress": batch_progress_view(batch, done),
            "result": None if link is None else asdict(link),
        },
    )
