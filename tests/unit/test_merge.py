"""Feedback joins a data set that is already split: what is trained on, what is held out, and the final labels of a text."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from winnow.datasets.merge import Merged, corrected, merge
from winnow.domain.dataset import MAX_LABELS, Example
from winnow.domain.errors import DatasetError
from winnow.domain.feedback import Action, FeedbackLine
from winnow.domain.normal_form import text_key


def examples(label: str, *texts: str) -> list[Example]:
    return [Example(text, (label,)) for text in texts]


def many(label: str, count: int, prefix: str = "") -> list[Example]:
    return examples(label, *(f"{prefix}{label} {number}" for number in range(count)))


TRAIN = [*many("a", 8), *many("b", 8)]
TEST = [*many("a", 2, "test "), *many("b", 2, "test ")]


def merged(feedback: Sequence[Example], train: Sequence[Example] = TRAIN, test: Sequence[Example] = TEST, seed: int = 0) -> Merged:
    return merge(train, test, feedback, seed, exclusive=True)


def texts(found: Sequence[Example]) -> set[str]:
    return {text_key(example.text) for example in found}


def labels_of(found: Sequence[Example], text: str) -> list[tuple[str, ...]]:
    return [example.labels for example in found if text_key(example.text) == text_key(text)]


def test_one_new_text_in_five_is_held_out_of_each_label() -> None:
    new = [*many("a", 10, "new "), *many("c", 5), *many("d", 2), *many("e", 1)]

    result = merged(new)

    held_out = Counter(example.labels[0] for example in result.parts.test if example in new)
    assert held_out == {"a": 2, "c": 1, "d": 1}
    assert result.parts.labels == ("a", "b", "c", "d", "e")
    assert (result.feedback, result.dropped, result.relabelled) == (18, 0, 0)
    assert len(result.parts.train) + len(result.parts.test) == len(TRAIN) + len(TEST) + 18
    assert set(TEST) <= set(result.parts.test)


def test_the_same_seed_parts_the_same_way_and_another_not() -> None:
    new = many("a", 50, "new ")

    assert merged(new) == merged(new)
    assert merged(new, seed=1).parts.test != merged(new).parts.test


def test_the_newest_labels_win_and_the_text_is_trained_on_once() -> None:
    train = [*TRAIN, Example("A  0", ("a",))]

    result = merged([Example("a 0 ", ("c",)), Example("new", ("a",)), Example(" NEW", ("b",))], train)

    assert labels_of(result.parts.train, "a 0") == [("c",)]
    assert labels_of(result.parts.train, "new") == [("b",)]
    # Both old examples of "a 0", and the older "new".
    assert (result.feedback, result.dropped, result.relabelled) == (2, 3, 2)


def test_the_same_labels_again_are_a_duplicate_and_nothing_more() -> None:
    result = merged([Example("A 0", ("a",))])

    assert (result.feedback, result.dropped, result.relabelled) == (1, 1, 0)
    assert len(result.parts.train) == len(TRAIN)


def test_a_text_of_the_test_set_stays_there_with_its_new_labels() -> None:
    test = [Example("Test a 0", ("a",), row=7), *TEST[1:]]

    result = merged([Example("test A 0", ("b",))], test=test)

    assert [example for example in result.parts.test if example.row == 7] == [Example("Test a 0", ("b",), row=7)]
    assert "test a 0" not in texts(result.parts.train)
    assert (result.feedback, result.dropped, result.relabelled) == (1, 1, 1)


def test_a_text_that_was_trained_on_is_not_held_out() -> None:
    result = merged([Example(example.text, ("b",)) for example in TRAIN if example.labels == ("a",)][1:])

    assert texts(result.parts.test) == texts(TEST)


def test_a_label_whose_only_text_is_in_the_test_set_is_trained_on() -> None:
    result = merged([Example("test a 0", ("z",))])

    assert labels_of(result.parts.train, "test a 0") == [("z",)]
    assert "test a 0" not in texts(result.parts.test)


def test_a_label_that_feedback_took_all_training_texts_from_is_still_trained_on() -> None:
    result = merged([Example(example.text, ("b",)) for example in TRAIN if example.labels == ("a",)])

    assert Counter(example.labels for example in result.parts.train)[("a",)] == 1
    assert {"a", "b"} == {label for example in result.parts.test for label in example.labels}


@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_no_text_sits_on_both_sides_and_no_label_is_only_tested(seed: int) -> None:
    chance = random.Random(seed)
    new = [
        Example(chance.choice([f"new {number}", f"NEW  {number}", f"a {number % 9}", f"test b {number % 3}"]), (chance.choice("abcd"),))
        for number in range(60)
    ]

    result = merged(new, seed=seed)

    train, test = result.parts.train, result.parts.test
    assert not texts(train) & texts(test)
    assert {label for example in test for label in example.labels} <= {label for example in train for label in example.labels}
    assert result.parts.labels == tuple(sorted({label for example in train for label in example.labels}))
    last = {text_key(example.text): example.labels for example in new}
    assert all(labels_of([*train, *test], text) == [labels] for text, labels in last.items())
    assert len(train) + len(test) == len(TRAIN) + len(TEST) + len(new) - result.dropped


def test_several_labels_and_none() -> None:
    train, test = [Example("x", ("a", "b")), Example("y", ())], [Example("z", ("a",))]

    result = merge(train, test, [Example("Y", ("b", "c")), Example("w", ())], 0, exclusive=False)

    assert labels_of(result.parts.train, "y") == [("b", "c")]
    assert labels_of(result.parts.train, "w") == [()]
    assert (result.parts.exclusive, result.parts.labels, result.relabelled) == (False, ("a", "b", "c"), 1)


def test_the_order_of_labels_is_no_new_label() -> None:
    train, test = [Example("x", ("a", "b")), Example("y", ("b",))], [Example("z", ("a",))]

    assert merge(train, test, [Example("x", ("b", "a"))], 0, exclusive=False).relabelled == 0


@pytest.mark.parametrize(
    ("feedback", "sentence"),
    [
        ([Example(example.text, ("a",)) for example in [*TRAIN, *TEST]], "all examples have the same label"),
        ([Example(f"new {number}", (f"label {number}",)) for number in range(MAX_LABELS)], "at most 1,000"),
    ],
)
def test_what_no_classifier_can_be_made_of_is_said(feedback: list[Example], sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        merged(feedback)


def test_the_only_test_text_may_not_go() -> None:
    with pytest.raises(DatasetError, match="no example is left"):
        merged([Example("t", ("z",))], [*many("a", 2), *many("b", 2)], examples("a", "t"))


def test_a_version_without_test_examples_learns_from_all_feedback() -> None:
    again = merge(TRAIN, [], [*many("a", 5, "new "), Example("A 1", ("b",))], 0, most_cross_validated=21, exclusive=True)

    assert (len(again.parts.train), again.parts.test) == (21, [])
    assert labels_of(again.parts.train, "a 1") == [("b",)]


def test_one_that_becomes_too_large_for_cross_validation_holds_out_a_tenth() -> None:
    parts = merge(TRAIN, [], many("a", 5, "new "), 0, most_cross_validated=20, exclusive=True).parts

    assert (len(parts.train), len(parts.test)) == (19, 2)
    assert not texts(parts.train) & texts(parts.test)


# --- what feedback drops and keeps ---


def lines(action: Action, *examples: Example) -> list[FeedbackLine]:
    return [FeedbackLine(example, action) for example in examples]


def test_feedback_without_corrections_is_merged_as_it_is() -> None:
    new = many("a", 3, "new ")

    known = corrected(TRAIN, TEST, lines(Action.LABEL, *new))

    assert (known.train, known.test, known.feedback, known.removed) == (TRAIN, TEST, new, 0)


def test_dropped_texts_are_in_no_part_in_any_spelling() -> None:
    known = corrected(TRAIN, TEST, lines(Action.DROP, Example("  A 0", ("a",)), Example("test b 1", ("b",)), Example("new", ("a",))))

    assert known.train == TRAIN[1:]
    assert known.test == TEST[:-1]
    assert (known.feedback, known.removed, known.thinned) == ([], 2, frozenset({"a", "b"}))


def test_the_newest_line_of_a_text_decides() -> None:
    text = TRAIN[0]
    other = Example(text.text, ("b",))
    label, drop, keep = lines(Action.LABEL, other)[0], lines(Action.DROP, text)[0], lines(Action.KEEP, text)[0]

    for given, train, feedback in (
        ([label, drop], TRAIN[1:], []),
        ([drop, label], TRAIN, [other]),
        ([label, drop, label], TRAIN, [other, other]),
        ([label, keep], TRAIN, []),
        ([drop, keep], TRAIN, []),
        ([keep, drop], TRAIN[1:], []),
    ):
        known = corrected(TRAIN, TEST, given)
        assert (known.train, known.feedback) == (train, feedback), given


def test_kept_labels_that_the_version_has_otherwise_are_restated() -> None:
    kept = lines(Action.KEEP, Example(TRAIN[0].text, ("b",)), Example("unknown", ("a",)))

    assert corrected(TRAIN, TEST, kept).feedback == [line.example for line in kept]


def test_a_label_with_fewer_than_two_texts_left_is_an_error() -> None:
    known = corrected(TRAIN, TEST, lines(Action.DROP, *TRAIN[:8], TEST[0]))

    with pytest.raises(DatasetError, match=r"fewer than 2 are left of 'a', and a label needs 2"):
        known.check(merged(known.feedback, known.train, known.test).parts)
    known = corrected(TRAIN, TEST, [*lines(Action.DROP, *TRAIN[:8], TEST[0]), *lines(Action.LABEL, *many("a", 1, "new "))])
    known.check(merged(known.feedback, known.train, known.test).parts)
