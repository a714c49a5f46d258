"""How a version is measured: on a test set, or by cross-validation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from winnow.aws import resources
from winnow.domain.job import Hyperparameters
from winnow.evaluation.dial import Dial
from winnow.evaluation.doubts import doubts
from winnow.evaluation.report import evaluation_report
from winnow.evaluation.stages import stage_report
from winnow.training.calibrate import Answers, answers_of, answers_of_folds
from winnow.training.held_out import HeldOut

if TYPE_CHECKING:
    from winnow.domain.model import Version
    from winnow.recipes.artifact import TrainedClassifier


def measured_answers(version: Version, trained: TrainedClassifier) -> Answers:
    """The answers that the version is measured by: about its test examples, or about its training examples if it has none."""
    if version.dataset["test_examples"]:
        return answers_of(trained, resources.frozen_examples().read(version, "test"))
    found = folds_answers(version, trained)
    if found is None:
        message = "a version without test examples has the answers of its folds"
        raise ValueError(message)
    return found


def folds_answers(version: Version, trained: TrainedClassifier, *, last_stage: bool = False) -> Answers | None:
    """The answers of the folds about the version's training examples. None if they were not kept.

    last_stage: all by the last stage, the most accurate one, so that their scores can be compared.
    """
    archive = resources.version_reports().held_out(version)
    if archive is None:
        return None
    learnt, chosen = resources.frozen_examples().read(version, "train"), Hyperparameters(**version.hyperparameters)
    held_out = HeldOut.from_bytes(archive)
    if last_stage:
        trained, held_out = replace(trained, early=()), held_out.of_last_stage
    return answers_of_folds(trained, learnt, held_out, chosen.min_precision)


def report_of(trained: TrainedClassifier, answers: Answers, *, keep_texts: bool) -> dict[str, Any]:
    """The measures of the answers, without how they were made. keep_texts: whether it may quote texts."""
    report = evaluation_report(
        truth=answers.truth,
        scores=answers.scores,
        uncalibrated=answers.uncalibrated,
        thresholds=answers.thresholds,
        labels=trained.labels,
        exclusive=trained.exclusive,
        rows=[example.row for example in answers.examples],
        texts=[example.text for example in answers.examples] if keep_texts else None,
    )
    accepted_share = round(float(answers.accepted.mean()), 6)
    calibration = {name: found["ece"] for name, found in report["calibration"].items()}
    told = {"accepted_share": accepted_share, "warnings": list(doubts(accepted_share, **calibration))}
    return {**report, **told, "stages": _stages(trained, answers)}


def _stages(trained: TrainedClassifier, answers: Answers) -> list[dict[str, Any]] | None:
    """How many texts each stage answered. None if the recipe has no stages."""
    if answers.stages is None:
        return None
    return stage_report(answers.stages, trained.stage_names, [encoder["name"] for encoder in trained.encoders])


def dial_of_answers(trained: TrainedClassifier, answers: Answers, measured_by: str) -> Dial:
    """The dial of the classifier, from answers about held-out examples. measured_by: how they were held out, in a word."""
    return Dial.of(
        trained.labels,
        measured_by,
        exclusive=trained.exclusive,
        truth=answers.truth,
        scores=answers.scores,
        thresholds=answers.thresholds,
        familiar=answers.familiar,
    )


def how_measured(version: Version, answers: Answers) -> tuple[str, str]:
    """How the version was measured: a word and a sentence."""
    texts = len(answers.examples)
    if answers.folds is not None:
        folds = len(set(answers.folds.tolist()))
        return (
            "cross-validation",
            f"In {folds} folds, classifiers answered {texts:,} examples that they had not learnt. The version has learnt all its examples.",
        )
    if "test_set" in version.dataset:
        return "test-object", f"The version answered the {texts:,} examples of your test set."
    return "held-out", f"The version answered {texts:,} examples that it did not learn."
