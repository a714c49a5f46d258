"""Files as people have them are read as meant, or refused with a sentence that helps. docs/tried-files.md lists them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.people_files import TRIED
from tests.support.tried_files import Tried, documented, in_document, read
from winnow.datasets import unpacking


@pytest.mark.parametrize("tried", TRIED, ids=lambda tried: f"{tried.kind}: {tried.what}"[:60])
def test_a_file_is_read_as_meant_or_refused(tried: Tried) -> None:
    reader, report, examples = read(tried)

    assert report.first_refused == tried.refused
    if tried.refused is None:
        assert [(example.text, example.labels) for example in examples] == tried.expected()
        assert report.examples == len(examples)
        warned = {str(found.kind): found.count for found in report.problems if found.kind != "scarce-label"}
        assert warned == tried.warns
        assert reader.facts()["understood"].items() >= tried.understood.items()


@pytest.mark.parametrize("tried", TRIED, ids=lambda tried: f"{tried.kind}: {tried.what}"[:60])
def test_the_pieces_in_which_it_comes_do_not_matter(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    _, whole, examples = read(tried)
    monkeypatch.setattr(unpacking, "_PIECE", 3)

    _, report, again = read(replace(tried))

    assert again == examples
    assert report == whole


def test_the_table_in_the_documentation_is_current() -> None:
    assert in_document() == documented(), "remake it: python -m tests.support.tried_files"
