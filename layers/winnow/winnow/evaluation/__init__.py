"""Evaluation: what a version's scores on the held-out test set are worth."""

from winnow.evaluation.measures import evaluate
from winnow.evaluation.report import evaluation_report

__all__ = ["evaluate", "evaluation_report"]
