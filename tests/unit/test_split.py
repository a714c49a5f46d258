"""Splitting a data set: stratified, seeded, and never the same text on both sides."""

from __future__ import annotations

from collections import Counter

import pytest

from winnow.datasets.split import fold_of, sample, split
from winnow.domain.dataset import Example
from winnow.domain.errors import DatasetError


def examples(**counts: int) -> list[Example]:
    """The given number of distinct texts per label."""
    return [Example(f"{label} number {number}", (label,)) for label, count in counts.items() for number in range(count)]


def counted(parted: list[Example]) -> Counter[str]:
    return Counter(label for example in parted for label in example.labels)


def test_every_label_is_on_both_sides_in_its_proportion() -> None:
    parts = split(examples(many=100, some=20, few=5, two=2), seed=0)

    assert counted(parts.test) == {"many": 20, "some": 4, "few": 1, "two": 1}
    assert counted(parts.train) == {"many": 80, "some": 16, "few": 4, "two": 1}
    assert parts.labels == ("few", "many", "some", "two")
    assert parts.exclusive


def test_above_two_thousand_examples_one_in_ten_is_held_out() -> None:
    assert len(split(examples(a=1000, b=1000), seed=0).test) == 400
    assert len(split(examples(a=1000, b=1001), seed=0).test) == 200


def test_both_sides_together_are_the_data_set() -> None:
    given = examples(a=30, b=7)
    parts = split(given, seed=0)

    assert sorted(parts.train + parts.test, key=lambda example: example.text) == sorted(given, key=lambda example: example.text)


def test_the_same_seed_parts_alike_and_another_differently() -> None:
    given = examples(a=50, b=50)

    assert split(given, seed=0) == split(given, seed=0)
    assert split(given, seed=0).test != split(given, seed=1).test


def test_training_examples_are_not_in_the_order_of_their_labels() -> None:
    labels = [example.labels[0] for example in split(examples(a=50, b=50), seed=0).train]

    assert labels != sorted(labels)


@pytest.mark.parametrize("seed", range(5))
def test_the_same_text_is_never_on_both_sides(seed: int) -> None:
    given = examples(a=10, b=10)
    again = [Example(f"  {example.text.upper()}\n", example.labels) for example in given] + given[:5]

    parts = split(given + again, seed)

    trained = {" ".join(example.text.split()).casefold() for example in parts.train}
    assert not trained & {" ".join(example.text.split()).casefold() for example in parts.test}
    assert len(parts.train) + len(parts.test) == 45


def test_a_text_with_two_opinions_of_its_label_stays_on_one_side() -> None:
    given = [*examples(a=10, b=10), Example("both", ("a",)), Example("Both", ("b",))]
    parts = split(given, seed=0)

    assert len({"test" if example in parts.test else "train" for example in given[-2:]}) == 1
    assert parts.exclusive


def test_several_labels_an_example_are_not_exclusive_and_neither_is_none() -> None:
    two = [*examples(a=4, b=4), Example("both", ("a", "b"))]
    none = [*examples(a=4, b=4), Example("none", ())]

    assert not split(two, seed=0).exclusive
    assert not split(none, seed=0).exclusive


def test_a_rare_label_beside_a_common_one_is_held_out_too() -> None:
    given = [*examples(common=100), *(Example(f"odd {number}", ("common", "rare")) for number in range(4))]

    parts = split(given, seed=0)

    assert counted(parts.test)["rare"] == 1
    assert counted(parts.train)["rare"] == 3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "no label at all"),
        ([Example("a", ()), Example("b", ())], "no label at all"),
        (examples(a=5), "only the label 'a'"),
        (examples(a=5, b=1), "Fewer than two distinct texts for 'b':"),
        (examples(a=5, b=1, c=1), "Fewer than two distinct texts for 'b', 'c':"),
        (examples(z=5, **{f"l{number}": 1 for number in range(7)}), "and 2 more: training needs one"),
        ([Example(f"{number}", (f"{number // 2}",)) for number in range(2002)], "1,001 labels: at most 1,000"),
        ([Example("same", ("a", "b")), Example("SAME", ("a", "b"))], "Fewer than two distinct texts for 'a', 'b':"),
    ],
)
def test_what_no_classifier_can_be_made_of_is_refused(given: list[Example], said: str) -> None:
    with pytest.raises(DatasetError) as refused:
        split(given, seed=0)

    assert said in refused.value.sentence


def test_a_sample_keeps_the_proportions() -> None:
    taken = sample(examples(many=800, few=200), most=100, seed=0)

    assert counted(taken) == {"many": 80, "few": 20}
    assert sample(examples(many=800, few=200), most=100, seed=0) == taken
    assert sample(examples(many=800, few=200), most=100, seed=1) != taken


def test_a_sample_of_more_than_there_are_is_all() -> None:
    given = examples(a=3, b=3)

    assert sample(given, most=6, seed=0) == given
    assert sample(given, most=100, seed=0) == given


def test_a_sample_with_room_for_every_label_loses_none() -> None:
    taken = sample(examples(a=100, b=100, rare=4), most=20, seed=0)

    assert set(counted(taken)) == {"a", "b", "rare"}
    # One to train on and one to hold out.
    assert counted(taken)["rare"] >= 2
    assert len(taken) == 20


def test_a_sample_without_room_for_every_label_is_refused() -> None:
    with pytest.raises(DatasetError, match="`n_texts` is 5, too few for 3 labels: use at least 6"):
        sample(examples(a=100, b=100, rare=4), most=5, seed=0)


def test_a_label_with_one_text_repeated_is_refused() -> None:
    with pytest.raises(DatasetError, match="Fewer than two distinct texts for 'c'"):
        split([*examples(a=5, b=5), Example("same", ("c",)), Example("Same", ("c",))], seed=0)


def test_a_label_whose_texts_all_have_another_label_too_is_trained_on_whatever_the_seed() -> None:
    given = [Example("one", ("a", "x")), Example("two", ("a",)), Example("three", ("b", "x")), Example("four", ("b",))]

    for seed in range(20):
        assert "x" in counted(split(given, seed).train)


def test_up_to_a_number_of_examples_nothing_is_held_out() -> None:
    given = examples(a=30, b=20)

    few, many = (split(given, seed=0, most_cross_validated=most) for most in (50, 49))

    assert (len(few.train), few.test, few.labels) == (50, [], ("a", "b"))
    assert len(many.test) == 10
    assert few.train != split(given, seed=1, most_cross_validated=50).train


@pytest.mark.parametrize("seed", range(5))
def test_folds_hold_out_each_text_once_and_have_all_labels(seed: int) -> None:
    given = [
        *examples(many=40, some=10, two=2),
        Example("Some 1", ("some",)),
        Example("x", ("two", "rare")),
        Example("y", ("many", "rare")),
    ]

    folds = [fold_of(given, place, 5, seed) for place in range(5)]

    assert sorted(example.text for _, held_out in folds for example in held_out) == sorted(example.text for example in given)
    for train, held_out in folds:
        assert {label for example in train for label in example.labels} == {"many", "some", "two", "rare"}
        keys = [{example.text.casefold() for example in part} for part in (train, held_out)]
        assert not keys[0] & keys[1]
        assert 9 <= len(held_out) <= 13


def test_a_label_s_only_text_is_held_out_in_no_fold() -> None:
    given = [*examples(a=10, b=10), Example("only", ("c",))]

    assert all(Example("only", ("c",)) in fold_of(given, place, 5, 0)[0] for place in range(5))


def test_with_a_few_more_examples_nearly_all_texts_stay_in_their_folds() -> None:
    given = examples(a=60, b=60, c=9)
    more = [*given, *(Example(f"another {number}", ("abc"[number % 3],)) for number in range(6))]

    before, after = ({example.text: place for place in range(5) for example in fold_of(data, place, 5, 3)[1]} for data in (given, more))

    assert sum(before[text] != after[text] for text in before) <= 10
    assert fold_of(given, 0, 5, 3)[1] != fold_of(given, 0, 5, 4)[1]
