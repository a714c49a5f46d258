"""POST /models: train a new model, or with force_update a new version of it. A dry run only makes the report."""

from http import HTTPStatus

from winnow.api.conditional import condition_on_model
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.fields import is_true
from winnow.api.idempotency import idempotency_key
from winnow.api.properties import model_properties
from winnow.aws import clients, resources
from winnow.datasets.label_list import label_list
from winnow.domain.dataset import LAYOUT_FIELDS, ArtifactReference, DatasetReference, Layout
from winnow.domain.errors import EncoderError, InvalidFieldError
from winnow.domain.job import Hyperparameters, Promote, TrainingRequest
from winnow.domain.model import VersionStatus
from winnow.recipes.catalogue import AUTO, ZERO_SHOT, candidates
from winnow.training.dry_run import report_at_once, start_dry_run
from winnow.training.requests import start_training

# The time that is kept for passing a dry run on and for answering.
_SECONDS_TO_ANSWER = 8


@endpoint("POST /models")
def handler(request: Request) -> Answer:
    wanted, key = _training_request(request), idempotency_key(request)
    if request.fields.get("dry_run"):
        # A dry run changes nothing, so it needs no key and no condition.
        return _dry_run(wanted, request.seconds_left - _SECONDS_TO_ANSWER)
    job = start_training(wanted, key, condition_on_model(request.headers.get("if-match")))
    # A relative Location works under any stage and domain (RFC 9110, section 10.2.2).
    return Answer(
        HTTPStatus.ACCEPTED,
        {"model_id": job.model_id, "version": job.version, "status": VersionStatus.QUEUED},
        {"Location": f"models/{job.model_id}", "Retry-After": "5"},
    )


def _dry_run(wanted: TrainingRequest, seconds: float) -> Answer:
    found = report_at_once(wanted, seconds)
    if found is not None:
        return Answer(HTTPStatus.OK, {"dry_run": True, **found})
    report_id = start_dry_run(wanted)
    return Answer(
        HTTPStatus.ACCEPTED,
        {"dry_run": True, "report_id": report_id, "status": "running"},
        {"Location": f"reports/{report_id}", "Retry-After": "5"},
    )


def _training_request(request: Request) -> TrainingRequest:
    given = {name: value for name, value in request.fields.items() if name != "dry_run"}
    model_id = given.pop("id")
    layout = Layout.of(given)
    given = {name: value for name, value in given.items() if name not in LAYOUT_FIELDS}
    named = given.pop("labels", None)
    labels = None if named is None else label_list(named, resources.ceilings().labels)
    artifact = None if "artifact" not in given else ArtifactReference(**given.pop("artifact"))
    dataset = (
        None
        if labels or artifact
        else DatasetReference(given.pop("s3bucket"), given.pop("training_object"), given.pop("test_object", None), layout)
    )
    force_update = is_true(given.pop("force_update", False))
    promote = Promote(given.pop("promote", Promote.AUTO))
    # An archive says its own recipe, and the workflow reads it.
    recipe = AUTO if artifact else _recipe(given.pop("recipe", AUTO), without_examples=labels is not None)
    # Here the note is about the version.
    note = given.pop("note", None)
    properties = model_properties(given)
    # JSON Schema counts 3.0 as a whole number, and these fields may be strings.
    whole = {name: int(given[name]) for name in ("n_iter", "n_texts", "batch_size", "seed", "patience") if name in given}
    # The stack's own bucket has the texts anyway.
    kept = {"keep_texts": dataset is None or dataset.s3bucket == clients.setting("DATASETS_BUCKET")}
    chosen = Hyperparameters(**{**kept, **given, **whole})
    return TrainingRequest(
        model_id, dataset, chosen, recipe, force_update, promote, properties=properties, labels=labels, artifact=artifact, note=note
    )


def _recipe(name: str, *, without_examples: bool) -> str:
    """The recipe's name. InvalidFieldError if it doesn't fit the request, or needs an encoder that the deployment doesn't have."""
    if without_examples and name not in {AUTO, ZERO_SHOT}:
        raise InvalidFieldError(
            f"recipe is {name}, which learns from examples: leave it out with labels, or send a data set.", field="recipe"
        )
    if name == ZERO_SHOT and not without_examples:
        raise InvalidFieldError("recipe is zero-shot, which needs labels and no data set: send labels, or another recipe.", field="recipe")
    name = ZERO_SHOT if without_examples else name
    try:
        candidates(name, has_encoder=resources.has_encoder())
    except EncoderError as error:
        raise InvalidFieldError(error.sentence, field="labels" if without_examples else "recipe") from error
    return name
