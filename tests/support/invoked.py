"""A stand-in of Lambda for asynchronous calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Json


class Invoked:
    """It keeps the events of calls of one function, which it doesn't run."""

    def __init__(self, function: str) -> None:
        self.events: list[Json] = []
        self._function = function

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> Json:  # noqa: N803
        assert (FunctionName, InvocationType) == (self._function, "Event")
        self.events.append(json.loads(Payload))
        return {"StatusCode": 202}
