"""The lines that a call writes to the log."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from winnow.aws.log import logger

if TYPE_CHECKING:
    from tests.conftest import Winnow


@pytest.fixture
def lines(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """The lines of one call for a model that doesn't exist."""
    written = io.StringIO()
    monkeypatch.setattr(logger.handlers[0], "stream", written)
    assert winnow.call("get_model").status == 404
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_call_leaves_one_line_with_what_it_was_and_how_long_it_took(lines: list[dict[str, object]]) -> None:
    [line] = lines
    assert line.keys() >= {"level", "message", "timestamp", "service", "correlation_id", "method", "resource", "status", "milliseconds"}
    assert (line["level"], line["message"], line["service"], line["status"]) == ("INFO", "answered", "winnow", 404)


def test_its_time_is_one_that_lambda_reads_and_so_its_level_counts(lines: list[dict[str, object]]) -> None:
    # RFC 3339: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
    told = datetime.fromisoformat(str(lines[0]["timestamp"]))
    assert told.utcoffset() == timedelta(0)
    assert "T" in str(lines[0]["timestamp"])
    assert abs(datetime.now(UTC) - told) < timedelta(minutes=1)
