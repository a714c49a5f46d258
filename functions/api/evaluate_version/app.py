"""POST /models/{model_id}/versions/{version}/evaluations: measure a ready version on another labelled file."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import clients, resources
from winnow.domain.dataset import DatasetReference, Layout
from winnow.versions.evaluations import start_evaluation


@endpoint("POST /models/{model_id}/versions/{version}/evaluations")
def handler(request: Request) -> Answer:
    given = request.fields
    version = resources.versions().get_ready(request.path["model_id"], int(request.path["version"]))
    file = DatasetReference(given["s3bucket"], given["training_object"], layout=Layout.of(given))
    # The stack's own bucket has the texts anyway.
    evaluation_id = start_evaluation(version, file, keep_texts=file.s3bucket == clients.setting("DATASETS_BUCKET"))
    about = {"model_id": version.job.model_id, "version": version.job.version}
    return Answer(
        HTTPStatus.ACCEPTED,
        {**about, "evaluation": evaluation_id, "status": "running"},
        {"Location": f"evaluations/{evaluation_id}", "Retry-After": "5"},
    )
