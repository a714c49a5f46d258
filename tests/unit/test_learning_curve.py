"""The learning curve: accuracy by the number of learnt examples, and whether more of them would help."""

from __future__ import annotations

import numpy as np
import pytest

from winnow.evaluation.learning_curve import learning_curve


def right(*, of: int, wrong: range = range(0)) -> np.ndarray:
    answers = np.ones(of, np.bool_)
    answers[wrong] = False
    return answers


def test_a_point_has_the_share_of_right_answers_and_its_interval() -> None:
    curve = learning_curve([(10, right(of=40, wrong=range(20))), (20, right(of=40, wrong=range(10))), (40, right(of=40))])

    assert curve is not None
    assert [(point["examples"], point["accuracy"]) for point in curve["points"]] == [(10, 0.5), (20, 0.75), (40, 1.0)]
    # Wilson's interval of 40 of 40.
    assert curve["points"][-1]["interval"] == pytest.approx([0.912, 1.0], abs=0.001)


@pytest.mark.parametrize(
    ("texts", "before", "after", "conclusion"),
    [
        (400, range(80), range(40), "More examples will probably help"),
        (400, range(40), range(80), "More examples of this kind will hardly help"),
        (2_000, range(100), range(99), "More examples of this kind will hardly help"),
        (400, range(40), range(36), "It isn't clear whether more examples would help"),
        # Eight texts show nothing, also if no answer changes.
        (8, range(0), range(0), "It isn't clear whether more examples would help"),
        # The same shares, but the gains are as many as the losses.
        (400, range(40), range(40, 80), "It isn't clear whether more examples would help"),
    ],
)
def test_the_conclusion_compares_the_last_two_points_text_by_text(texts: int, before: range, after: range, conclusion: str) -> None:
    curve = learning_curve([(400, right(of=texts, wrong=before)), (1_600, right(of=texts, wrong=after))])

    assert curve is not None
    assert curve["conclusion"].startswith(f"{conclusion}: from 400 to 1,600 learnt examples, accuracy went from ")


def test_one_point_is_no_curve() -> None:
    assert learning_curve([(40, right(of=40))]) is None
    assert learning_curve([]) is None
