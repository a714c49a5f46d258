"""How a version is measured: on a test set, or by cross-validation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from winnow.aws import resources
from winnow.domain.job import Hyperparameters
from winnow.evaluation.dial import Dial
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
