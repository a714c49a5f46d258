"""What an Idempotency-Key identifies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from winnow.api.endpoint import Headers, Request
from winnow.api.idempotency import idempotency_key


def digest(call: str = "POST /a", path: Mapping[str, str] | None = None, **fields: Any) -> str:
    key = idempotency_key(Request(call, path or {}, fields, Headers({"headers": {"Idempotency-Key": "k"}}), 1.0))
    assert key is not None
    return key.digest


def test_the_same_name_of_two_callers_is_two_keys_and_no_caller_s_key_is_in_it() -> None:
    def value(caller: str) -> str:
        key = idempotency_key(Request("POST /a", {}, {}, Headers({"headers": {"Idempotency-Key": "k", "X-Api-Key": caller}}), 1.0))
        assert key is not None
        return key.value

    assert value("secret-1") != value("secret-2")
    assert "secret-1" not in value("secret-1")


def test_the_order_of_fields_is_no_part_of_it() -> None:
    assert digest(a=1, b=2) == digest(b=2, a=1)


@pytest.mark.parametrize("other", [digest("POST /b", a=1), digest(path={"model_id": "a"}, a=1), digest(a=2), digest()])
def test_another_call_path_or_field_is_another_request(other: str) -> None:
    assert digest(a=1) != other


def test_without_the_header_there_is_none() -> None:
    assert idempotency_key(Request("POST /a", {}, {}, Headers({}), 1.0)) is None
