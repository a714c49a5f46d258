"""POST /models: train a new model, or with force_update a new version of one."""

from http import HTTPStatus

from winnow import jobs
from winnow.domain import DatasetReference, Hyperparameters, TrainingRequest, VersionStatus
from winnow.http import Answer, Request, Source, endpoint, schemas


@endpoint(schemas.CREATE_MODEL, Source.BODY)
def handler(request: Request) -> Answer:
    job = jobs.start(_training_request(request))
    # Relative: it leads to the model under any stage and domain (RFC 9110, section 10.2.2).
    return Answer(
        HTTPStatus.ACCEPTED,
        {"model_id": job.model_id, "version": job.version, "status": VersionStatus.QUEUED},
        {"Location": f"models/{job.model_id}", "Retry-After": "5"},
    )


def _training_request(request: Request) -> TrainingRequest:
    given = request.fields
    return TrainingRequest(
        model_id=given["id"],
        dataset=DatasetReference(given["s3bucket"], given["training_object"]),
        hyperparameters=Hyperparameters(
            n_iter=int(given["n_iter"]) if "n_iter" in given else None,
            n_texts=int(given["n_texts"]) if "n_texts" in given else None,
            spacy_model=given.get("spacy_model", "en"),
        ),
        force_update=str(given.get("force_update", False)).lower() == "true",
    )
