"""The choice among candidates: a pure function of their costs and results."""

from __future__ import annotations

import pytest

from winnow.domain.errors import TrainingFailedError
from winnow.recipes.catalogue import AUTO, COSTS, RECIPES, candidates
from winnow.training.choose import Candidate, choose


@pytest.fixture(autouse=True)
def _costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.training.choose.COSTS", {"cheap": 1, "dear": 2, "as dear": 2, "dearest": 3})


def winner(**scores: float | str | None) -> tuple[str, str]:
    """The chosen recipe and the reason. A string instead of a score: why the candidate failed."""
    tried = [
        Candidate(recipe.replace("_", " "), failed=score) if isinstance(score, str) else Candidate(recipe.replace("_", " "), score, 1.0)
        for recipe, score in scores.items()
    ]
    chosen = choose(tried, "en", {"en"})
    return chosen.winner.recipe, chosen.reason


@pytest.mark.parametrize(
    ("scores", "recipe"),
    [
        ({"cheap": 0.5}, "cheap"),
        ({"cheap": 0.85, "dear": 0.8599}, "cheap"),
        ({"cheap": 0.85, "dear": 0.86}, "dear"),
        # In floating point 0.35 - 0.34 is less than 0.01.
        ({"cheap": 0.34, "dear": 0.35}, "dear"),
        ({"cheap": 0.9, "dear": 0.5, "as_dear": 0.6}, "cheap"),
        ({"cheap": 0.8, "dear": 0.85, "as_dear": 0.86}, "as dear"),
        ({"cheap": 0.8, "dear": 0.86, "as_dear": 0.86}, "dear"),
        ({"dear": 0.86, "as_dear": 0.8601}, "as dear"),
        # It is better than the one that would win, but not better than all cheaper ones.
        ({"cheap": 0.8, "dear": 0.805, "dearest": 0.812}, "cheap"),
        ({"cheap": 0.8, "dear": 0.82, "dearest": 0.83}, "dearest"),
        ({"cheap": None, "dear": None}, "cheap"),
        ({"cheap": "It broke.", "dear": 0.1}, "dear"),
        ({"cheap": "It broke.", "dear": 0.1, "as_dear": 0.2}, "as dear"),
        ({"cheap": 0.1, "dear": "It broke."}, "cheap"),
    ],
)
def test_the_cheapest_that_no_dearer_one_beats_by_a_point(scores: dict[str, float | str | None], recipe: str) -> None:
    assert winner(**scores)[0] == recipe


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ({"cheap": 0.5}, "Chose cheap, the only candidate."),
        ({"cheap": "It broke.", "dear": 0.1}, "Chose dear: all other candidates failed."),
        (
            {"cheap": 0.8, "dear": 0.9},
            "Chose dear (0.900) over cheap (0.800).",
        ),
        ({"cheap": 0.8, "dear": 0.8}, "Chose cheap (0.8000): dear (0.8000) costs more and is less than 0.01 better."),
        ({"dear": 0.8, "as_dear": 0.9}, "Chose as dear (0.900), the highest score."),
    ],
)
def test_the_reason_is_a_sentence(scores: dict[str, float | str | None], reason: str) -> None:
    assert winner(**scores)[1] == reason


def test_where_all_failed_the_first_says_why() -> None:
    with pytest.raises(TrainingFailedError, match=r"^It broke\.$"):
        winner(cheap="It broke.", dear="This too.")


def test_a_recipe_that_is_named_is_the_only_candidate() -> None:
    assert {recipe: candidates(recipe, has_encoder=True) for recipe in COSTS} == {recipe: (recipe,) for recipe in COSTS}


@pytest.mark.parametrize(
    ("language", "spoken", "winner", "why"),
    [
        ("en", {"en"}, "best", "in our benchmarks it is the most accurate with few texts of the language en"),
        ("zh", {"en"}, "linear", "it is the cheapest"),
        ("zh", {"en", "zh"}, "best", "in our benchmarks it is the most accurate with few texts of the language zh"),
        ("en", None, "linear", "it is the cheapest"),
        ("", {"en"}, "linear", "it is the cheapest"),
    ],
)
def test_without_held_out_texts_the_recipe_wins_that_is_best_for_few(language: str, spoken: set[str] | None, winner: str, why: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("winnow.training.choose.COSTS", COSTS)
        choice = choose([Candidate("best"), Candidate("linear")], language, spoken)
    expected = f"Chose {winner}: {why}. There were no held-out texts to compare the candidates."
    assert (choice.winner.recipe, choice.reason) == (winner, expected)


def test_auto_is_the_default_and_tries_what_there_is_the_cheapest_first() -> None:
    assert RECIPES[0] == AUTO
    assert candidates(AUTO, has_encoder=False) == ("linear",)
    tried = candidates(AUTO, has_encoder=True)
    assert len(tried) > 1
    assert [COSTS[recipe] for recipe in tried] == sorted(COSTS[recipe] for recipe in tried)
