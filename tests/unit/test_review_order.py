"""The order of review queues, and the groups of texts without an accepted label."""

from __future__ import annotations

import numpy as np
import pytest

from winnow.evaluation.review_order import least_certain, nearest, spread, uncertainty, without_examples
from winnow.evaluation.text_groups import groups, telling_words
from winnow.recipes.text_vectors import hashed


def directions(*degrees: float) -> np.ndarray:
    return np.array([[np.cos(np.radians(each)), np.sin(np.radians(each))] for each in degrees], np.float32)


def test_exclusive_labels_are_uncertain_by_their_margin_and_others_by_their_thresholds() -> None:
    scores = np.array([[0.5, 0.4, 0.1], [0.9, 0.05, 0.05]], np.float32)
    thresholds = np.full_like(scores, 0.45)

    assert uncertainty(scores, thresholds, exclusive=True) == pytest.approx([0.9, 0.15], abs=1e-6)
    assert uncertainty(scores, thresholds, exclusive=False) == pytest.approx([0.95, 0.6], abs=1e-6)
    # Labels without examples accept nothing.
    assert uncertainty(scores, thresholds * 0 + 2, exclusive=False) == pytest.approx([0.5, 0.9], abs=1e-6)
    assert least_certain([0.2, 0.9, 0.9, 0.1], 3) == [1, 2, 0]


def test_a_text_that_stands_for_others_comes_first_and_then_what_is_far_from_it() -> None:
    # Three close together, one alone, and one of which the version is nearly sure.
    assert spread([0.9, 0.9, 0.9, 1.0, 0.01], directions(0, 20, 40, 130, 220), same=0.999, most=3) == [1, 3, 0]
    assert spread([0.9, 0.9], directions(0, 90), same=0.9, most=1) == [0]


def test_near_duplicates_are_left_out_and_the_most_are_kept_to() -> None:
    assert sorted(spread([1.0, 1.0, 1.0], directions(0, 1, 90), same=0.99, most=9)) in ([0, 2], [1, 2])


def test_what_texts_before_stand_for_comes_last_and_what_repeats_them_is_left_out() -> None:
    vectors = directions(0, 1, 20, 90)

    near = nearest(vectors, [*directions(0)])

    assert near == pytest.approx(np.cos(np.radians([0, 1, 20, 90])), abs=1e-6)
    assert spread([1.0] * 4, vectors, same=0.999, most=4, near=near) == [3, 2]
    assert nearest(vectors, []).tolist() == [-1] * 4


def test_without_examples_each_label_gets_the_most_typical_of_its_surest_texts_and_then_what_is_uncertain_comes() -> None:
    # Three texts of each of two labels, the middle one of which is the most typical, and one that says nothing.
    vectors = directions(0, 10, 20, 90, 100, 110, 200)
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.2, 0.8], [0.5, 0.5]], np.float32)
    uncertain = uncertainty(scores, np.ones_like(scores), exclusive=True).tolist()

    def order(*lacking: int, most: int = 7) -> list[int]:
        return without_examples(scores, uncertain, vectors, nearest(vectors, []), lacking=lacking, same=0.9999, most=most)

    assert order(1, 1)[:3] == [1, 4, 6]
    assert [place // 3 for place in order(2, 2)[:4]] == [0, 1, 0, 1]
    assert [place // 3 for place in order(1, 2)[:3]] == [1, 0, 1]
    assert order(0, 0)[0] == 6
    assert sorted(order(2, 2)) == [*range(7)]
    assert order(2, 2, most=3) == order(2, 2)[:3]


def test_without_examples_no_text_comes_twice_and_few_texts_are_enough() -> None:
    vectors, scores = directions(0, 90), np.full((2, 5), 0.2, np.float32)

    assert sorted(without_examples(scores, [1.0, 1.0], vectors, nearest(vectors, []), lacking=[2] * 5, same=0.9, most=9)) == [0, 1]
    assert without_examples(scores, [1.0, 1.0], vectors, nearest(vectors, [*vectors]), lacking=[2] * 5, same=0.9, most=9) == []


def test_the_lazy_order_is_that_of_the_whole_search() -> None:
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(60, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    weights = generator.uniform(0.1, 1, 60).astype(np.float32)

    stands_for, covered, free, searched = np.maximum(vectors @ vectors.T, 0) ** 4, np.zeros(60), np.ones(60, bool), list[int]()
    for _ in range(20):
        added = np.where(free, np.maximum(stands_for - covered, 0) @ weights, -1)
        searched.append(int(added.argmax()))
        covered, free[searched[-1]] = np.maximum(covered, stands_for[searched[-1]]), False

    assert spread(weights.tolist(), vectors, same=1.1, most=20) == searched


def test_groups_are_dense_and_lonely_texts_are_left_alone() -> None:
    vectors = directions(0, 1, 2, 3, 4, 5, 90, 91, 92, 93, 94, 200, 260)

    assert groups(vectors, 0.99) == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]
    assert groups(directions(0, 90), 0.9) == []
    assert groups(vectors[:0], 0.9) == []


def test_words_that_stand_everywhere_tell_nothing() -> None:
    texts = ["my card is lost!", "my card was stolen!", "the card is gone!", *(f"my text about thing {each}!" for each in range(9))]

    [words] = telling_words(texts, [[0, 1, 2]])

    assert words[0] == "card"
    assert "!" not in words


def test_hashed_vectors_are_close_for_similar_words() -> None:
    one, same, other, nothing = hashed(["freeze my card", "Freeze my card!", "water the roses daily", ""])

    assert one @ same > 0.8
    assert abs(one @ other) < 0.2
    assert not nothing.any()
