"""Evaluation: what a version's scores on the held-out test set are worth."""

from winnow.evaluation.comparison import comparison_report
from winnow.evaluation.measures import evaluate
from winnow.evaluation.report import evaluation_report

__all__ = ["comparison_report", "evaluate", "evaluation_report"]
