"""The answers of custom resources' functions to CloudFormation."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from winnow.aws import custom_resource

if TYPE_CHECKING:
    import urllib.request

    import pytest

    from tests.conftest import Context, Json, Winnow


def answer_of(winnow: Winnow, monkeypatch: pytest.MonkeyPatch, folder: str, event: Json, context: Context | None = None) -> Json:
    """The folder's function must answer the event once, with the ids of the request. Returns the answer."""
    told: list[Json] = []

    def put(request: urllib.request.Request, timeout: float) -> Any:
        assert request.get_method() == "PUT"
        assert request.full_url == event["ResponseURL"]
        assert isinstance(request.data, bytes)
        assert len(request.data) <= 4096
        told.append(json.loads(request.data))
        return nullcontext()

    monkeypatch.setattr(custom_resource, "urlopen", put)
    winnow.invoke(folder, event, context)
    [answer] = told
    assert {name: answer[name] for name in ("StackId", "RequestId", "LogicalResourceId")}.items() <= event.items()
    return answer
