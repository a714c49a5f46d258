"""The prediction log: which texts of a request it keeps, and how they come into S3 after the answer."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

from winnow.aws import resources
from winnow.aws.after_answer import AfterAnswer
from winnow.aws.log import logger
from winnow.aws.metrics import count
from winnow.domain.answer import Prediction
from winnow.domain.clock import sortable_id, utc_now
from winnow.domain.model import Model
from winnow.domain.prediction_log import PredictionId, Sampled

# The log keeps at least two labels of a text, also if the client asked for one. The distance of their scores says how sure the first is.
FEWEST_LABELS = 2
# Requests whose texts may wait for S3. Each has at most 1 MB.
_MOST_WAITING = 16
# Older texts are not written any more: their model may be deleted by then, and a frozen environment may go on after hours.
_LATEST = timedelta(minutes=1)
_TRIES = 2


class PredictionLogger:
    """Gives predictions their ids, and keeps a sample of the texts."""

    def __init__(self) -> None:
        self.after_answer = AfterAnswer(_write, _MOST_WAITING)

    def logged(self, model: Model, version: int, texts: Sequence[str], predictions: Sequence[Prediction]) -> list[PredictionId]:
        """The ids of the answers to these texts. Those that the model's log keeps are written after the answer."""
        request, log = sortable_id(), model.log
        if log is None:
            return [PredictionId(request, place) for place in range(len(texts))]
        days = [log.days if random.random() < log.share else None for _ in texts]
        ids = [PredictionId(request, place, each) for place, each in enumerate(days)]
        kept = [place for place, each in enumerate(days) if each is not None]
        if kept:
            of_kept = [ids[place] for place in kept], [texts[place] for place in kept], [predictions[place] for place in kept]
            if not self.after_answer.later(Sampled(model.uid, version, *of_kept)):
                _drop(len(kept), "too many wait")
        return ids


def _write(sampled: Sampled) -> None:
    """Write the texts of a request. Texts that can't be written are counted, and lost: no prediction may fail because of the log."""
    log, reason = resources.hasty_prediction_log(), "too late"
    for _ in range(_TRIES):
        if utc_now() - sampled.ids[0].at > _LATEST:
            break
        try:
            log.write(sampled)
        except Exception as error:
            reason = type(error).__name__
        else:
            return
    _drop(len(sampled.ids), reason)


def _drop(texts: int, reason: str) -> None:
    logger.warning("not logged", extra={"texts": texts, "reason": reason})
    count("PredictionsNotLogged", texts)
