"""POST /datasets: a URL to upload a data set to."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources
from winnow.domain.errors import InvalidFieldError


@endpoint("POST /datasets")
def handler(request: Request) -> Answer:
    length = request.fields.get("bytes")
    most = resources.ceilings().bytes
    if length is not None and length > most:
        raise InvalidFieldError(f"bytes must be at most {most:,}, the largest data set that can be trained on.", field="bytes")
    # JSON Schema counts 3.0 as a whole number.
    upload = resources.datasets().upload(request.fields["name"], None if length is None else int(length))
    return Answer(
        HTTPStatus.CREATED,
        {
            "upload_url": upload.url,
            "headers": upload.headers,
            "name": upload.name,
            "s3bucket": upload.s3bucket,
            "training_object": upload.training_object,
        },
    )
