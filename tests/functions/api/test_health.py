"""GET /health."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Winnow


def test_health_answers_without_a_key(winnow: Winnow) -> None:
    answer = winnow.call("health")

    assert (answer.status, answer.body) == (200, {"status": "ok"})
    assert answer.headers["Content-Type"] == "application/json"
