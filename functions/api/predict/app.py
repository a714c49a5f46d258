"""GET and POST /prediction: the labels of one text, or of at most 100 texts."""

import gc

# Imported modules are never garbage. Searching them for garbage took a fifteenth of the imports' time.
gc.disable()

import random
from functools import cache
from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.fields import is_true
from winnow.api.views import prediction_view
from winnow.aws import clients, resources
from winnow.prediction.log import FEWEST_LABELS, PredictionLogger
from winnow.prediction.predictor import Predictor, prepare_snapshot

gc.freeze()
gc.enable()

_N_TOP = 5

# Writes after the answer.
prediction_log = PredictionLogger()


@cache
def predictor() -> Predictor:
    """The predictor of this execution environment. It keeps the loaded models."""
    return Predictor(resources.models(), resources.versions(), resources.artifacts(keeps_files=True), resources.memory())


def before_snapshot() -> None:
    """Drop connections, credentials and everything read from the registry before Lambda takes the snapshot."""
    prepare_snapshot()
    predictor.cache_clear()
    clients.forget_session()


def after_restore() -> None:
    """Give each process that starts from the snapshot its own random seed and its own clients."""
    random.seed()
    predictor()


if clients.is_lambda():
    # Make the clients during initialization, when Lambda gives the function the most CPU.
    predictor()
    prediction_log.after_answer.register()
    clients.around_snapshot(before_snapshot, after_restore)


@prediction_log.after_answer.around
@endpoint("GET /prediction")
def handler(request: Request) -> Answer:
    given = request.fields
    texts = given["texts"] if "texts" in given else [given["text"]]
    n_top = int(given.get("n_top", _N_TOP))
    version, predictions = predictor().predict(
        given["model_id"],
        texts,
        max(n_top, FEWEST_LABELS),
        seconds=request.seconds_left,
        version=int(given["version"]) if "version" in given else None,
        explain=is_true(given.get("explain", False)),
    )
    ids = prediction_log.logged(predictor().model(given["model_id"]), version, texts, predictions)
    answer = {"model_id": given["model_id"], "version": version}
    views = [prediction_view(prediction, each, n_top) for prediction, each in zip(predictions, ids, strict=True)]
    return Answer(HTTPStatus.OK, {**answer, "predictions": views} if "texts" in given else {**answer, **views[0]})
