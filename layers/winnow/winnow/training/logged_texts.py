"""The texts of predictions that feedback names by their ids."""

from __future__ import annotations

from collections.abc import Mapping

from winnow.aws import resources
from winnow.domain.clock import utc_now
from winnow.domain.errors import InvalidFieldError, PredictionNotFoundError
from winnow.domain.model import Model
from winnow.domain.prediction_log import PredictionId

# Each takes a read of S3 while the client waits.
MOST_NAMED = 200


def check_named(named: Mapping[str, str]) -> None:
    """InvalidFieldError if a request names too many predictions. named: their ids, by the fields that name them."""
    if len(named) > MOST_NAMED:
        raise InvalidFieldError(f"The examples name {len(named)} predictions: send at most {MOST_NAMED} of them at once.", field="examples")


def logged_texts(model: Model, named: Mapping[str, str]) -> dict[str, str]:
    """The texts of predictions, by their ids. named: the ids, by the fields that name them. PredictionNotFoundError if the model's log
    doesn't have one of them."""
    log, read = resources.prediction_log(), set[str]()
    texts: dict[str, str] = {}
    for field, name in named.items():
        prediction = PredictionId.read(name)
        if prediction is None:
            raise PredictionNotFoundError(model.model_id, name, "it is not an id that POST /prediction gives", field)
        if prediction.days is None:
            raise PredictionNotFoundError(model.model_id, name, "its log was off, or did not keep this text", field)
        if prediction.has_expired(utc_now()):
            raise PredictionNotFoundError(model.model_id, name, f"the log kept it for {_days(prediction.days)}", field)
        if prediction.request not in read:
            read.add(prediction.request)
            texts |= {each.prediction_id: each.text for each in log.read(model.uid, prediction)}
        if name not in texts:
            reason = "it is another model's, or it was not written (the log writes after the answer, and may lose a text)"
            raise PredictionNotFoundError(model.model_id, name, reason, field)
    return texts


def _days(days: int) -> str:
    return "a day" if days == 1 else f"{days} days"
