"""The scores that suspects are found by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from winnow.evaluation.second_look import second_look

if TYPE_CHECKING:
    from winnow.evaluation.suspects import Scores
    from winnow.recipes.artifact import TrainedClassifier
    from winnow.training.calibrate import Answers


def doubting_scores(trained: TrainedClassifier, answers: Answers) -> Scores:
    """Of the answers' examples, of shape (n, C). With one label per text, a second look if the classifier keeps its texts' vectors."""
    vectors: list[Scores] = getattr(trained.classifier, "learnt_vectors", [])
    # A single fold has a tenth of the texts, which is too few to learn from.
    each_was_asked = answers.folds is not None and len(set(answers.folds.tolist())) > 1
    if not (vectors and trained.exclusive and each_was_asked):
        return answers.scores
    return second_look(answers.truth, answers.scores, [each[answers.places] for each in vectors])
