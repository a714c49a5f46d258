"""GET /models/{model_id}/versions/{version}/evaluation/{figure}."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from tests.support import objects
from winnow.domain.model import FIGURES

if TYPE_CHECKING:
    from tests.conftest import Answer, Ready, Winnow


def get(winnow: Winnow, figure: str = "confusion.svg", version: int = 1) -> Answer:
    return winnow.call("get_figure", path={"model_id": "tc-01", "version": str(version), "figure": figure})


@pytest.mark.parametrize("dataset", ["exclusive.json", "multilabel.jsonl"])
@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_is_answered_as_it_was_written(ready: Ready, figure: str, dataset: str) -> None:
    winnow = ready(dataset)
    [written] = [body.decode() for key, body in winnow.objects().items() if key.endswith(f"/evaluation/{figure}")]

    answer = get(winnow, figure)

    assert (answer.status, answer.body) == (200, written)
    assert ElementTree.fromstring(answer.body).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314
    assert answer.headers == {
        "Content-Type": "image/svg+xml",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "X-Content-Type-Options": "nosniff",
    }


@pytest.mark.parametrize("figure", ["confusion", "confusion.png", "Learning.svg", "..", "%2e%2e", "evaluation.json", "é" * 1_000])
def test_another_figure_is_not_found(ready: Ready, figure: str) -> None:
    answer = get(ready("exclusive.json"), figure)

    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:figure-not-found")
    assert "confusion.svg, reliability.svg, learning.svg and examples.svg" in answer.body["detail"]


def test_a_model_or_version_that_is_not_there_is_not_found(winnow: Winnow) -> None:
    answer = get(winnow)
    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:model-not-found")

    winnow.create()
    answer = get(winnow, version=2)
    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:version-not-found")


def test_a_version_that_was_not_evaluated_says_why(winnow: Winnow) -> None:
    winnow.create()
    answer = get(winnow)
    assert (answer.status, answer.body["type"]) == (409, "urn:winnow:problem:version-not-ready")
    assert "still in training" in answer.body["detail"]

    winnow.call("cancel_version")
    assert "its training was cancelled" in get(winnow).body["detail"]


def test_a_figure_that_is_gone_is_a_fault_of_ours(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    [key] = [key for key in winnow.objects() if key.endswith("/confusion.svg")]
    winnow.s3.delete_object(Bucket=winnow.names["Models"], Key=key)

    answer = get(winnow)

    assert (answer.status, answer.body["type"]) == (500, "urn:winnow:problem:artifact")
    assert "evaluation/confusion.svg" in answer.body["detail"]


def test_a_version_of_an_earlier_release_has_no_learning_curve(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    objects.forget_digests(winnow)
    objects.remove(winnow, "/examples.svg")

    answer = get(winnow, "examples.svg")

    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:figure-not-found")
    assert "an evaluation has confusion.svg, reliability.svg and learning.svg" in answer.body["detail"]


def test_the_call_takes_no_fields(ready: Ready) -> None:
    answer = ready("exclusive.json").call("get_figure", query={"width": "400"})

    assert (answer.status, answer.body["field"]) == (422, "width")
