"""Evaluation: what a version's scores on the held-out test set are worth."""

from winnow.evaluation.measures import evaluate

__all__ = ["evaluate"]
