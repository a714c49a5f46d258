"""POST /datasets: a URL to upload a data set to, and how to name it when training."""

from http import HTTPStatus
from uuid import uuid4

from winnow import deployment
from winnow.http import Answer, Request, Source, endpoint, schemas


@endpoint(schemas.CREATE_DATASET, Source.BODY)
def handler(request: Request) -> Answer:
    datasets = deployment.datasets()
    # A prefix of its own for each upload: the same name twice is two data sets, and none is overwritten.
    key = f"uploads/{uuid4().hex}/{request.fields['name']}"
    return Answer(
        HTTPStatus.CREATED,
        {"upload_url": datasets.upload_url(key), "s3bucket": datasets.bucket, "training_object": key},
    )
