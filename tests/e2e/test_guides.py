"""The pages for each job: a reader who types their commands in order sees the output on the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Deployed, forget_models
from tests.support.guides import PAGES, Shell, commands, shape


@pytest.fixture(scope="module")
def shell(api: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    # The pages begin with a deployment without models.
    forget_models(api)
    yield Shell(tmp_path_factory.mktemp("reader"), api.cloud.environment())
    forget_models(api)


def test_there_is_a_page_for_each_job_in_the_list() -> None:
    listed = (PAGES[0].parent / "README.md").read_text(encoding="utf-8")
    assert len(PAGES) == 17
    assert all(f"({page.name})" in listed for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_answer_what_the_page_says(shell: Shell, page: Path) -> None:
    typed = list(commands(page))
    assert typed
    for command in typed:
        assert shape(shell.run(command)) == shape(command.answered), command.typed
