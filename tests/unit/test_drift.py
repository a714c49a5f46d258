"""The tests behind drift: their false alarms, and what they find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from winnow.domain.drift import Usual
from winnow.evaluation.drift import LEAST_P, Comparison, Seen, compare, label_shares, usual_of

LABELS = tuple("abcdefghij")
# One label of three in ten texts, and rare ones.
SHARES = np.array([0.3, 0.2, 0.15, 0.1, 0.08, 0.07, 0.05, 0.03, 0.015, 0.005])


def answers(random: np.random.Generator, texts: int, shares: Any = SHARES, sureness: float = 4) -> Any:
    """Scores of shape (texts, labels)."""
    best, top = random.choice(len(LABELS), size=texts, p=shares), random.beta(sureness, 1, size=texts) * 0.9 + 0.1
    scores = np.full((texts, len(LABELS)), 0.001, np.float32)
    scores[np.arange(texts), best] = top
    return scores


def usual(scores: Any, measured_by: str = "held-out", **more: Any) -> Usual:
    return Usual(**usual_of(LABELS, measured_by, scores=scores, accepted=scores.max(axis=1) > 0.5, surplus=None, **more))


def day(of: Usual, scores: Any) -> Comparison:
    found = compare(of, Seen([LABELS[best] for best in scores.argmax(axis=1)], scores.max(axis=1).tolist(), 0, []))
    assert found is not None
    return found


def counted(held_out: Any, of_day: Any) -> Comparison:
    """From the counts of labels alone: all scores are alike."""
    names = [f"label {number}" for number in range(len(held_out))]
    said = [name for name, count in zip(names, of_day, strict=True) for _ in range(count)]
    texts = int(held_out.sum())
    of_usual = Usual("held-out", texts, 0, 0.0, None, dict(zip(names, held_out.tolist(), strict=True)), [texts] + [0] * 999)
    found = compare(of_usual, Seen(said, [0.0] * len(said), 0, []))
    assert found is not None
    return found


def test_without_drift_p_values_are_as_rare_as_they_say() -> None:
    random = np.random.default_rng(1)
    found = [day(usual(answers(random, 300)), answers(random, 200)) for _ in range(60)]
    for values in ([each.p_labels for each in found], [each.p_scores for each in found]):
        # Each is a mean of 60: within three standard deviations.
        assert sum(p <= 0.2 for p in values) / 60 < 0.36
        assert sum(p <= 0.05 for p in values) / 60 < 0.14
        # And not much rarer.
        assert sum(p <= 0.2 for p in values) / 60 > 0.1


@pytest.mark.parametrize(("to", "label"), [(9, "the rarest"), (0, "the commonest")])
def test_a_tenth_with_one_label_is_found_in_a_thousand_texts(to: int, label: str) -> None:
    random = np.random.default_rng(2)
    changed = SHARES * (0.9 - SHARES[to]) / (1 - SHARES[to])
    changed[to] = SHARES[to] + 0.1
    found = [day(usual(answers(random, 1500)), answers(random, 1000, changed)).p_labels <= LEAST_P for _ in range(10)]
    assert sum(found) >= 8, label


@pytest.mark.parametrize(("count", "factor"), [(5, 2.8), (2, 0.0)], ids=["5 labels grow", "2 labels vanish"])
def test_a_change_of_a_few_labels_is_found_in_both_directions(count: int, factor: float) -> None:
    random = np.random.default_rng(6)
    shares = np.full(80, 1 / 80)
    changed = shares.copy()
    changed[:count] *= factor
    drawn = [(random.multinomial(2000, shares), random.multinomial(1000, changed / changed.sum())) for _ in range(8)]
    assert sum(counted(*each).p_labels <= LEAST_P for each in drawn) >= 6


def test_one_label_can_not_drift() -> None:
    assert counted(np.array([500]), np.array([300])).p_labels == 1


def test_scores_that_fell_are_found_and_folds_may_be_a_little_less_sure() -> None:
    random = np.random.default_rng(3)
    held_out, fallen = answers(random, 1000), answers(random, 1000, sureness=3)
    assert day(usual(held_out), fallen).drifted
    assert not day(usual(held_out, "cross-validation"), fallen).drifted
    assert day(usual(held_out, "cross-validation"), answers(random, 1000, sureness=2)).drifted


def test_the_texts_of_folds_count_for_the_labels_only() -> None:
    random = np.random.default_rng(4)
    own, more = answers(random, 400), answers(random, 600)
    found = usual(own, of_folds=more)
    assert (found.texts, sum(found.labels.values()), sum(found.scores)) == (400, 1000, 400)
    assert found.accepted == int((own.max(axis=1) > 0.5).sum())
    shares, others = label_shares(found, Seen(["a", "new"], [0.5, 0.5], 0, []))
    assert sum(each.usual_share for each in shares) == pytest.approx(1)
    assert others == 0


def test_a_label_that_the_version_never_gave_and_many_labels_are_no_error() -> None:
    random = np.random.default_rng(5)
    names = [f"label {number}" for number in range(2000)]
    scores = random.random((500, len(names)), np.float32)
    many = Usual(**usual_of(names, "held-out", scores=scores, accepted=scores[:, 0] > 0, surplus=scores[:, 0]))
    seen = Seen(["another"] * 300, [0.5] * 300, 0, [])
    found = compare(many, seen)
    assert found is not None
    assert found.drifted
    shares, others = label_shares(many, seen)
    assert (shares[0].label, len(shares), others) == ("another", 50, len(many.labels) - 49)
