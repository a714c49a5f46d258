"""Answers that scripts of web pages may read: those of the origin in a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Winnow

ORIGIN = "https://app.example.org"
CALLS = [("list_models", 200), ("get_model", 404), ("health", 200)]


@pytest.mark.parametrize(("function", "status"), CALLS)
def test_every_answer_names_the_origin_and_the_headers_that_may_be_read(winnow: Winnow, function: str, status: int) -> None:
    winnow.parameters["CorsOrigin"] = ORIGIN
    answer = winnow.call(function)
    assert answer.status == status
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert {"ETag", "Location", "Retry-After"} <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))


def test_what_the_client_has_already_names_the_origin_too(winnow: Winnow) -> None:
    winnow.parameters["CorsOrigin"] = ORIGIN
    tag = winnow.call("get_contract").headers["ETag"]
    answer = winnow.call("get_contract", headers={"If-None-Match": tag})
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (304, ORIGIN)


@pytest.mark.parametrize(("function", "status"), CALLS)
def test_without_the_parameter_no_origin_is_named(winnow: Winnow, function: str, status: int) -> None:
    answer = winnow.call(function)
    assert answer.status == status
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
