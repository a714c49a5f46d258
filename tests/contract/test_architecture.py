"""Every file and folder that docs/architecture.md names exists."""

from __future__ import annotations

import re

import pytest

from tests.support.contract import ROOT

PAGE = ROOT / "docs" / "architecture.md"
PACKAGE = ROOT / "layers" / "winnow" / "winnow"
# A path has a slash or one of our extensions. NAME stands for the reader's own name.
_PATH = re.compile(r"`([\w.-]+(?:/[\w.-]+)*/?)`")
_FILE = re.compile(r".*(/.*|\.(py|yaml|md))$")


def paths() -> list[str]:
    named = _PATH.findall(PAGE.read_text(encoding="utf-8"))
    return sorted({path for path in named if _FILE.fullmatch(path) and "NAME" not in path})


@pytest.mark.parametrize("path", paths())
def test_each_path_that_the_page_names_exists(path: str) -> None:
    assert (ROOT / path).is_dir() if path.endswith("/") else (ROOT / path).is_file()


def test_the_page_names_every_folder_of_the_package_and_of_the_functions() -> None:
    folders = {path for root in (PACKAGE, ROOT / "functions") for path in root.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {f"{path.relative_to(ROOT)}/" for path in folders} <= set(paths())


def test_the_page_follows_a_request_through_each_folder_of_the_package_by_files() -> None:
    files = {path.split("/")[3] for path in paths() if path.startswith("layers/winnow/winnow/") and path.endswith(".py")}
    assert files >= {"domain", "registry", "storage", "datasets", "recipes", "evaluation", "aws", "prediction", "api", "training", "upkeep"}
