"""The pages for each job: whoever types their commands, one page after the other, sees what they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud import LocalCloud
from tests.support.guides import PAGES, Shell, commands, shape


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with LocalCloud(tmp_path_factory.mktemp("guides"), port=None) as cloud:
        cloud.deploy()
        yield Shell(tmp_path_factory.mktemp("reader"), cloud.environment())


def test_there_is_a_page_for_each_job_in_the_list() -> None:
    listed = (PAGES[0].parent / "README.md").read_text(encoding="utf-8")
    assert len(PAGES) == 7
    assert all(f"({page.name})" in listed for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_answer_what_the_page_says(shell: Shell, page: Path) -> None:
    typed = list(commands(page))
    assert typed
    for command in typed:
        assert shape(shell.run(command)) == shape(command.answered), command.typed
