"""GET /models/{model_id}/versions/{version}/evaluation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import objects
from tests.support.reports import made

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow

EPOCHS = [{"epoch": 1, "loss": 0.7, "score": 0.5}, {"epoch": 2, "loss": None, "score": None}]


def write(winnow: Winnow, report: dict[str, Any]) -> None:
    """Put the report in place of that of version 1."""
    objects.write(winnow, "/evaluation.json", json.dumps(report).encode())


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(made(3, exclusive=True), id="exclusive"),
        pytest.param(made(60, exclusive=True), id="many labels"),
        pytest.param(made(4, exclusive=False), id="multilabel"),
        pytest.param(made(3, exclusive=True, texts=True), id="texts kept"),
        pytest.param(
            made(3, exclusive=True) | {"epochs": [{"epoch": 1, "loss": 0.7, "score": 0.5}, {"epoch": 2, "loss": None, "score": None}]},
            id="epochs",
        ),
    ],
)
def test_a_version_s_whole_report_is_shown(ready: Ready, report: dict[str, Any]) -> None:
    winnow = ready("exclusive.json")
    write(winnow, report)

    # The call checks the answer against openapi.yaml, which allows no other fields.
    answer = winnow.call("get_evaluation")

    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.body == {"model_id": "tc-01", "version": 1, **report}
    assert report["most_wrong"]


def test_each_version_has_its_own(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    write(winnow, made(3, exclusive=True))
    winnow.create("create_model_force_update")

    second = winnow.call("get_evaluation", path={"model_id": "tc-01", "version": "2"})

    assert (winnow.call("get_evaluation").status, second.status) == (200, 409)


def test_a_model_or_version_that_is_not_there_is_not_found(winnow: Winnow) -> None:
    answer = winnow.call("get_evaluation")
    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:model-not-found")

    winnow.create()
    answer = winnow.call("get_evaluation", path={"model_id": "tc-01", "version": "2"})
    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:version-not-found")


def test_a_version_that_was_not_evaluated_says_why(winnow: Winnow) -> None:
    def refused(version: int) -> str:
        answer = winnow.call("get_evaluation", path={"model_id": "tc-01", "version": str(version)})
        assert (answer.status, answer.body["type"]) == (409, "urn:winnow:problem:version-not-ready")
        detail: str = answer.body["detail"]
        return detail

    winnow.create()
    assert "still in training: GET /models/tc-01 shows" in refused(1)
    winnow.call("cancel_version")
    assert "its training was cancelled" in refused(1)
    winnow.put_dataset(b"[]")
    assert winnow.train(force_update=True)["status"] == "failed"
    assert "Version 2 of model 'tc-01' is not ready, because its training failed" in refused(2)


def test_a_report_that_is_gone_is_a_fault_of_ours(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    [key] = [key for key in winnow.objects() if key.endswith("/evaluation.json")]
    winnow.s3.delete_object(Bucket=winnow.names["Models"], Key=key)

    answer = winnow.call("get_evaluation")

    assert (answer.status, answer.body["type"]) == (500, "urn:winnow:problem:artifact")
    assert "evaluation.json" in answer.body["detail"]


def test_a_deleted_model_has_no_evaluation(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.call("delete_model", path={"model_id": "tc-01"})

    assert winnow.call("get_evaluation").status == 404


@pytest.mark.parametrize("version", ["0", "01", "live", "1.0", "1000000"])
def test_a_version_is_a_number(winnow: Winnow, version: str) -> None:
    answer = winnow.call("get_evaluation", path={"model_id": "tc-01", "version": version})

    assert (answer.status, answer.body["field"]) == (422, "version")


def test_the_call_takes_no_fields(winnow: Winnow) -> None:
    answer = winnow.call("get_evaluation", query={"texts": "true"})

    assert (answer.status, answer.body["field"]) == (422, "texts")
