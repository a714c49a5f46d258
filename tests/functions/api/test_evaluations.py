"""POST and GET /models/{model_id}/versions/{version}/evaluations: a ready version measured on another labelled file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import CLIENT_BUCKET, load_dataset
from tests.support.invoked import Invoked
from tests.support.policies import LABELS, put
from winnow.aws import clients
from winnow.storage.bucket import Bucket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import Answer, Json, Ready, Winnow
    from tests.support.clock import Clock

WORDS = {"baking": "dough oven flour crumb loaf", "cycling": "bicycle saddle brake chain", "gardening": "compost seedlings lawn hedge"}


@pytest.fixture
def invoked(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> Invoked:
    invoked = Invoked("MeasureVersion")
    monkeypatch.setattr(clients.lambda_(), "invoke", invoked.invoke)
    return invoked


def records(times: int) -> list[Json]:
    return [{"text": f"{words} {number}", "label": label} for number in range(times) for label, words in WORDS.items()]


def ask(winnow: Winnow, rows: Sequence[Json], **fields: Any) -> str:
    winnow.s3.put_object(Bucket=CLIENT_BUCKET, Key="may.json", Body=json.dumps(rows).encode())
    answer = winnow.call("evaluate_version", body={"s3bucket": CLIENT_BUCKET, "training_object": "may.json", **fields})
    assert (answer.status, answer.body["status"]) == (202, "running")
    found: str = answer.body["evaluation"]
    assert answer.headers["Location"] == f"evaluations/{found}"
    return found


def get(winnow: Winnow, evaluation: str, version: int = 1) -> Answer:
    path = {"model_id": "tc-01", "version": str(version), "evaluation": evaluation}
    return winnow.call("get_evaluation_by_id", path=path)


def measured(winnow: Winnow, invoked: Invoked, rows: Sequence[Json]) -> Json:
    evaluation = ask(winnow, rows)
    assert get(winnow, evaluation).body["status"] == "running"
    winnow.invoke("functions/upkeep/measure_version", invoked.events[-1])
    found: Json = get(winnow, evaluation).body
    return found


def test_a_version_is_measured_on_another_file(ready: Ready, invoked: Invoked) -> None:
    winnow = ready("exclusive.json")
    rows = records(10)
    # Three are called something that they aren't, and two were learnt.
    for row in rows[:3]:
        row["label"] = "cycling" if row["label"] != "cycling" else "baking"

    found = measured(winnow, invoked, [*rows, *load_dataset("exclusive.json")[:2]])

    assert (found["status"], found["error"], found["learnt"]) == ("ready", None, 2)
    report = found["report"]
    assert (report["model_id"], report["version"], report["measured_by"], report["examples"]) == ("tc-01", 1, "test-object", 30)
    assert report["accuracy"] == 0.9
    assert len(report["most_wrong"]) == 3
    assert "text" not in report["most_wrong"][0]


def test_a_policy_may_be_set_from_it(ready: Ready, invoked: Invoked) -> None:
    winnow = ready("exclusive.json")
    assert put(winnow, min_precision=0.9).body["type"] == "urn:winnow:problem:too-few-examples"
    found = measured(winnow, invoked, records(40))

    answer = put(winnow, min_precision=0.9, evaluation=found["evaluation"])

    assert answer.status == 200, answer.body
    assert answer.body["policy"]["evaluation"] == found["evaluation"]
    assert answer.body["applied"]["held_out"]["examples"] == 120
    assert winnow.call("get_policy").body["applied"] == answer.body["applied"]


def test_another_version_uses_its_own_examples(ready: Ready, invoked: Invoked) -> None:
    winnow = ready("exclusive.json")
    found = measured(winnow, invoked, records(40))
    put(winnow, cost={"wrong": 1, "refused": 10}, evaluation=found["evaluation"])
    winnow.put_dataset("exclusive.json")
    winnow.train(n_iter=8, force_update=True)

    applied = winnow.call("get_policy").body["applied"]

    assert (applied["version"], applied["held_out"]["examples"]) == (2, 36)
    refused = put(winnow, cost={"wrong": 1, "refused": 9}, evaluation=found["evaluation"])
    assert (refused.status, refused.body["type"]) == (404, "urn:winnow:problem:evaluation-not-found")


def test_one_that_runs_sets_no_policy(ready: Ready, invoked: Invoked) -> None:
    winnow = ready("exclusive.json")
    evaluation = ask(winnow, records(1))
    answer = put(winnow, min_precision=0.5, evaluation=evaluation)
    assert (answer.status, answer.body["type"]) == (409, "urn:winnow:problem:evaluation-not-ready")
    assert invoked.events


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            [{"text": "a", "label": "sailing"}, {"text": "b", "label": "baking"}],
            "The file has examples of 'sailing', which the version doesn't know",
        ),
        (load_dataset("exclusive.json")[:3], "has learnt every text"),
        ([], "no label at all"),
    ],
)
def test_a_file_that_measures_nothing_fails_with_a_reason(ready: Ready, invoked: Invoked, rows: list[Json], told: str) -> None:
    found = measured(ready("exclusive.json"), invoked, rows)
    assert (found["status"], found["report"]) == ("failed", None)
    assert told in found["error"]


def test_one_without_its_dial_is_not_ready(ready: Ready, invoked: Invoked, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow = ready("exclusive.json")
    evaluation = ask(winnow, records(3))
    put_object = Bucket.put

    def refuse(self: Bucket, key: str, *given: Any) -> None:
        if key.endswith(".npz"):
            raise RuntimeError("S3 fails")
        put_object(self, key, *given)

    monkeypatch.setattr(Bucket, "put", refuse)
    with pytest.raises(RuntimeError):
        winnow.invoke("functions/upkeep/measure_version", invoked.events[-1])

    assert get(winnow, evaluation).body["status"] == "running"


def test_a_repeated_call_changes_nothing(ready: Ready, invoked: Invoked) -> None:
    winnow = ready("exclusive.json")
    found = measured(winnow, invoked, records(3))
    before = winnow.objects()
    winnow.s3.put_object(Bucket=CLIENT_BUCKET, Key="may.json", Body=json.dumps(records(4)).encode())

    winnow.invoke("functions/upkeep/measure_version", invoked.events[-1])

    assert winnow.objects() == before
    assert get(winnow, found["evaluation"]).body == found


def test_it_goes_with_its_version(ready: Ready, invoked: Invoked) -> None:
    winnow = ready("exclusive.json")
    evaluation = ask(winnow, records(3))
    winnow.call("delete_model", path={"model_id": "tc-01"})

    winnow.invoke("functions/upkeep/measure_version", invoked.events[-1])

    assert winnow.objects() == {}
    assert get(winnow, evaluation).status == 404


def test_one_that_never_ends_says_so(ready: Ready, invoked: Invoked, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    evaluation = ask(winnow, records(1))
    clock.advance(hours=1)
    found = get(winnow, evaluation).body
    assert (found["status"], bool(found["error"]), bool(invoked.events)) == ("failed", True, True)


def test_what_is_not_there_is_not_found(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    answer = get(winnow, "0" * 32)
    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:evaluation-not-found")
    assert get(winnow, "x").status == 422
    assert get(winnow, "0" * 32, version=2).body["type"] == "urn:winnow:problem:version-not-found"
    assert put(winnow, thresholds=dict.fromkeys(LABELS, 0.5), evaluation="0" * 32).status == 404
