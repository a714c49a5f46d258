"""Measures drift: once a day, each model's prediction log of the day before, beside the held-out examples of the version."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from winnow.aws import clients, resources
from winnow.aws.log import logger
from winnow.domain.clock import now, utc_now
from winnow.domain.drift import DriftDay, Usual
from winnow.domain.errors import ArtifactError, DamagedRowError, VersionNotFoundError
from winnow.domain.prediction_log import has_expired
from winnow.storage import removal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from winnow.domain.logged_prediction import LoggedPrediction
    from winnow.domain.model import Model
    from winnow.evaluation.drift import Comparison

# The most texts of a day that are looked at.
MOST_TEXTS = 2_000
# The log writes a text up to a minute after its answer.
_LATEST_WRITE = timedelta(minutes=10)
_PAGE = 100


def measure_drift(seconds: float) -> tuple[int, int]:
    """Measure the day before of each model that has a log, within `seconds`; the next call does the rest.

    Returns how many days it wrote, and how many models it passed over because of an error.
    """
    written = faults = 0
    time_left = removal.time_left(seconds)
    day = _day_before()
    for model in _not_measured(day):
        if not next(time_left):
            break
        try:
            written += resources.drift_days().add(model, _measured(model, day))
        except DamagedRowError:
            # It is logged and counted already.
            continue
        except Exception:
            # One broken model must not stop the others.
            logger.exception("passed over", extra={"row": model.model_id})
            faults += 1
    return written, faults


def is_needed() -> bool:
    """Whether a model has a log whose day before isn't measured yet."""
    return next(_not_measured(_day_before()), None) is not None


def start() -> None:
    """Have the function DRIFT_FUNCTION call `measure_drift`."""
    clients.lambda_().invoke(FunctionName=clients.setting("DRIFT_FUNCTION"), InvocationType="Event", Payload=b"{}")


def _day_before() -> str:
    return f"{utc_now() - _LATEST_WRITE - timedelta(days=1):%Y-%m-%d}"


def _not_measured(day: str) -> Iterator[Model]:
    """The models that have a log, without those whose row of the day is there already."""
    after: str | None = None
    while True:
        models, after = resources.models().list(_PAGE, after)
        for model in models:
            # A model that is younger than the day has no texts of it.
            if model.log is not None and model.created_at[:10] <= day and not resources.drift_days().has(model.uid, day):
                yield model
        if after is None:
            return


def _measured(model: Model, day: str) -> DriftDay:
    drawn = _drawn(model, day)
    versions = Counter(prediction.version for prediction in drawn)
    if not versions:
        return _day(model, day, reason="The log has no text of this day.")
    [(version, texts)] = versions.most_common(1)
    known = _compared(_usual(model, version), [each for each in drawn if each.version == version])
    return _day(model, day, version=version, other_texts=len(drawn) - texts, **known)


def _drawn(model: Model, day: str) -> Sequence[LoggedPrediction]:
    """The texts of evenly drawn requests of the day, about MOST_TEXTS of them."""
    drawn: list[LoggedPrediction] = []
    for logged in resources.prediction_log().of_day(model.uid, day, random.Random(f"{model.uid} {day}")):
        drawn += [each for each in logged if each.labels and not has_expired(each.prediction_id, utc_now())]
        if len(drawn) >= MOST_TEXTS:
            break
    return drawn[:MOST_TEXTS]


def _usual(model: Model, number: int) -> tuple[Usual | None, str]:
    """How the version answers usually. If that isn't known: None, and a sentence why."""
    try:
        found = resources.version_reports().usual(resources.versions().of_life(model.model_id, model.uid, number))
    except VersionNotFoundError:
        return None, f"Version {number} is deleted, so there is nothing to compare with."
    except ArtifactError as error:
        return None, str(error)
    if found is None:
        return None, (
            f"Version {number} has nothing to compare with, because an earlier release trained it, or because it was made without examples:"
            " train it again with `force_update`, or with examples."
        )
    return Usual(**found), ""


def _compared(known: tuple[Usual | None, str], drawn: Sequence[LoggedPrediction]) -> dict[str, Any]:
    """The members of `DriftDay` that say what the texts of one version are like. known: from `_usual`."""
    # Only a model with a log needs numpy.
    from winnow.evaluation import drift  # noqa: PLC0415

    usual, why = known
    seen = drift.Seen(
        labels=[each.labels[0].label for each in drawn],
        scores=[each.labels[0].score for each in drawn],
        accepted=sum(any(label.accepted for label in each.labels) for each in drawn),
        familiarity=[each.familiarity for each in drawn if each.familiarity is not None],
    )
    found = None if usual is None else drift.compare(usual, seen)
    labels, more_labels = drift.label_shares(usual, seen)
    if usual is not None and found is None:
        sizes = f"{len(drawn):,} of the day and {usual.texts:,} held-out examples"
        why = f"Too few texts to judge: {sizes}. It takes {drift.LEAST_TEXTS} of each."
    return {
        "texts": len(drawn),
        "accepted_share": _rounded(seen.accepted / len(drawn)),
        "mean_score": _rounded(sum(seen.scores) / len(drawn)),
        "mean_familiarity": _rounded(sum(seen.familiarity) / len(seen.familiarity)) if seen.familiarity else None,
        "labels": labels,
        "more_labels": more_labels,
        "usual": None if usual is None else drift.figures_of(usual),
        "psi": None if found is None else found.psi,
        "p_labels": None if found is None else found.p_labels,
        "p_scores": None if found is None else found.p_scores,
        "drifted": found is not None and found.drifted,
        "reason": why or _judgement(found, drift.LEAST_P),
    }


def _judgement(found: Comparison | None, least: float) -> str:
    changed = [] if found is None else [name for name, p in (("labels", found.p_labels), ("scores", found.p_scores)) if p <= least]
    if changed:
        return f"The {' and the '.join(changed)} of this day differ from those of the held-out examples."
    return "The day is as the held-out examples are."


def _day(model: Model, day: str, *, reason: str, texts: int = 0, drifted: bool = False, **known: Any) -> DriftDay:
    """A day of a model. known: other members of `DriftDay`; those that aren't known are None, and numbers of texts 0."""
    absent: dict[str, Any] = dict.fromkeys(
        ("version", "accepted_share", "mean_score", "mean_familiarity", "usual", "psi", "p_labels", "p_scores")
    )
    counts: dict[str, Any] = {"other_texts": 0, "labels": (), "more_labels": 0}
    return DriftDay(
        model_id=model.model_id, day=day, texts=texts, drifted=drifted, reason=reason, measured_at=now(), **absent | counts | known
    )


def _rounded(number: float) -> float:
    return round(number, 6)
