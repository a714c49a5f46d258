"""POST /models: train a new model, or with force_update a new version of one."""

from http import HTTPStatus

from winnow import jobs
from winnow.domain import DatasetReference, Hyperparameters, Promote, TrainingRequest, VersionStatus
from winnow.http import Answer, Request, Source, endpoint, schemas
from winnow.http.idempotency import idempotency_key
from winnow.http.properties import model_properties
from winnow.recipes import RECIPES


@endpoint(schemas.CREATE_MODEL, Source.BODY)
def handler(request: Request) -> Answer:
    job = jobs.start(_training_request(request), idempotency_key(request, "POST /models"))
    # Relative: it leads to the model under any stage and domain (RFC 9110, section 10.2.2).
    return Answer(
        HTTPStatus.ACCEPTED,
        {"model_id": job.model_id, "version": job.version, "status": VersionStatus.QUEUED},
        {"Location": f"models/{job.model_id}", "Retry-After": "5"},
    )


def _training_request(request: Request) -> TrainingRequest:
    given = dict(request.fields)
    model_id, dataset = given.pop("id"), DatasetReference(given.pop("s3bucket"), given.pop("training_object"))
    force_update = str(given.pop("force_update", False)).lower() == "true"
    promote = Promote(given.pop("promote", Promote.AUTO))
    recipe = given.pop("recipe", RECIPES[0])
    properties = model_properties(given)
    # JSON Schema takes 3.0 for a whole number, and these may be strings.
    whole = {name: int(given[name]) for name in ("n_iter", "n_texts", "batch_size", "seed", "patience") if name in given}
    return TrainingRequest(model_id, dataset, Hyperparameters(**{**given, **whole}), recipe, force_update, promote, properties=properties)
