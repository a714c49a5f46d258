"""GET and POST /prediction: the labels of one text, or of up to a hundred."""

import gc

# What is imported stays: to look through it for garbage, again and again, took a fifteenth of the imports' time.
gc.disable()

import random
from functools import cache
from http import HTTPStatus

from winnow.api import schemas
from winnow.api.endpoint import Answer, Request, Source, endpoint
from winnow.api.fields import is_true
from winnow.api.views import prediction_view
from winnow.aws import clients, resources
from winnow.prediction.predictor import Predictor, prepare_snapshot

gc.freeze()
gc.enable()

_N_TOP = 5


@cache
def predictor() -> Predictor:
    """One for the whole life of the execution environment: it holds the loaded models."""
    return Predictor(resources.models(), resources.versions(), resources.artifacts(keeps_files=True), resources.memory())


def before_snapshot() -> None:
    """Leave no connection, no credentials and nothing of the registry in what Lambda will start from."""
    prepare_snapshot()
    predictor.cache_clear()
    clients.forget_session()


def after_restore() -> None:
    """Each process that begins out of a snapshot draws by a chance of its own, and makes its own clients."""
    random.seed()
    predictor()


if clients.is_lambda():
    # The clients are made while the function is initialised, with all the processor that there is.
    predictor()
    clients.around_snapshot(before_snapshot, after_restore)


@endpoint(schemas.PREDICT, Source.BODY_OR_QUERY)
def handler(request: Request) -> Answer:
    given = request.fields
    texts = given["texts"] if "texts" in given else [given["text"]]
    version, predictions = predictor().predict(
        given["model_id"],
        texts,
        int(given.get("n_top", _N_TOP)),
        version=int(given["version"]) if "version" in given else None,
        explain=is_true(given.get("explain", False)),
    )
    answer = {"model_id": given["model_id"], "version": version}
    views = [prediction_view(prediction) for prediction in predictions]
    return Answer(HTTPStatus.OK, {**answer, "predictions": views} if "texts" in given else {**answer, **views[0]})
