"""Our own lines at the end of pytest's output, under a title."""

from __future__ import annotations

import pytest


class Summary:
    """Such lines. Register it as a plugin in a conftest's pytest_configure: config.pluginmanager.register(SUMMARY)."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._lines: list[str] = []

    def tell(self, line: str) -> None:
        self._lines.append(line)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._lines:
            terminalreporter.section(self._title)
            for line in self._lines:
                terminalreporter.write_line(line)
