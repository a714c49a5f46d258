"""Broken data sets: each is refused with the row and sentence in docs/datasets.md, in bounded memory, without a crash."""

from __future__ import annotations

import io
import tracemalloc

import pytest

from tests.support.hostile_datasets import BROKEN, Broken, documented, in_document
from winnow.datasets.formats import Reader
from winnow.datasets.languages import languages_of
from winnow.datasets.report import Counting, Report
from winnow.domain.dataset import Ceilings

MOST_MEMORY = 64_000_000
# Under tracemalloc these take several seconds each.
LONG = ("a gzip bomb of good examples", "a quoted text of 5 MB", "a label for each of 50,000 rows", "a million columns")


def reported(body: bytes, name: str) -> tuple[Report, list[int]]:
    """The report, and the rows that refuse the data set, in order."""
    ceilings = Ceilings()
    counting = Counting(ceilings)
    for found in Reader(io.BytesIO(body), name, ceilings):
        counting.add(found)
    report = counting.report()
    rows = [shown["row"] for found in report.problems if found.kind.refuses for shown in found.shown if "row" in shown]
    return report, sorted(rows)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.what)
def test_it_is_refused_with_row_and_sentence(broken: Broken) -> None:
    report, rows = reported(broken.body(), broken.name)

    assert report.first_refused == broken.sentence
    if broken.row is not None:
        assert rows[0] == broken.row


@pytest.mark.parametrize("broken", [pytest.param(it, id=it.what, marks=[pytest.mark.slow] if it.what in LONG else []) for it in BROKEN])
def test_memory_is_bounded(broken: Broken) -> None:
    body = broken.body()
    # The detector's n-grams stay in memory for all data sets. To load them under tracemalloc takes minutes.
    assert languages_of(["the quick brown fox"])
    tracemalloc.start()
    try:
        reported(body, broken.name)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < MOST_MEMORY


def test_the_table_in_the_documentation_is_current() -> None:
    assert in_document() == documented(), "remake it: python -m tests.support.hostile_datasets"
