"""The form of the pages: README is one page, and lines are short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contract.test_documented_commands import PAGES
from tests.support.contract import ROOT

LONGEST_LINE = 100


def test_readme_is_one_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 150
    assert len(readme.encode()) <= 9_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_lines_are_short_but_for_tables_and_addresses(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    long = [line for line in prose.splitlines() if len(line) > LONGEST_LINE]
    # Rows of tables and addresses can't be broken.
    assert not [line for line in long if not line.startswith("|") and "](" not in line]
