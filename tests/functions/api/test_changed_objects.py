"""Objects of a version that are missing, or aren't what its training wrote: none of them is used or served."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import objects
from tests.support.feedback import add, labelled
from tests.support.metrics import counted

if TYPE_CHECKING:
    from tests.conftest import Answer, Ready, Winnow

PATH = {"model_id": "tc-01", "version": "1"}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><text>all is well</text></svg>'
# Without the time, which would be part of a test's name.
ANOTHER = gzip.compress(b'{"text": "another", "labels": ["a"]}', mtime=0)
# The objects that a call serves, and another body for each.
SERVED = {
    "/report.json": ("get_report", {}, b"{}"),
    "/evaluation.json": ("get_evaluation", {}, b"{}"),
    "/suspects.json": ("get_suspects", {}, b'{"suspects": []}'),
    "/evaluation/confusion.svg": ("get_figure", {"figure": "confusion.svg"}, SVG),
    "/evaluation/examples.svg": ("get_figure", {"figure": "examples.svg"}, SVG),
    "/pipeline.tar.gz": ("get_artifact", {}, b"another pipeline"),
}


def refused(answer: Answer, name: str, why: str) -> None:
    assert (answer.status, answer.body["type"]) == (500, "urn:winnow:problem:artifact")
    assert answer.body["detail"] == f"The file {name.removeprefix('/')} of version 1 of model 'tc-01' {why}: train it again."


@pytest.mark.parametrize("ending", SERVED)
def test_what_was_replaced_or_removed_is_not_served(ready: Ready, capsys: pytest.CaptureFixture[str], ending: str) -> None:
    winnow = ready("exclusive.json")
    call, more, body = SERVED[ending]
    assert winnow.call(call, path=PATH | more).status == 200

    objects.replace(winnow, ending, body)
    capsys.readouterr()
    refused(winnow.call(call, path=PATH | more), ending, "has changed since its training")
    assert counted(capsys.readouterr().out) == {"RefusedArtifacts": 1}

    objects.remove(winnow, ending)
    refused(winnow.call(call, path=PATH | more), ending, "is missing")


@pytest.mark.parametrize("ending", SERVED)
def test_versions_of_earlier_releases_have_no_digests_and_are_served(ready: Ready, ending: str) -> None:
    winnow = ready("exclusive.json")
    objects.forget_digests(winnow)
    call, more, _ = SERVED[ending]

    assert winnow.call(call, path=PATH | more).status == 200


def compare(winnow: Winnow) -> Answer:
    return winnow.call("compare_versions", path=PATH, query={"to": "2"})


@pytest.fixture
def two(ready: Ready) -> Winnow:
    """Two versions."""
    winnow = ready("exclusive.json")
    winnow.train(force_update=True)
    return winnow


@pytest.mark.parametrize(
    "ending", ["/versions/1/1/examples/train.jsonl.gz", "/versions/1/1/examples/test-rows.jsonl.gz", "/versions/1/1/held-out.npz"]
)
def test_versions_are_not_compared_on_changed_or_missing_examples(two: Winnow, ending: str) -> None:
    assert compare(two).status == 200
    name = ending.removeprefix("/versions/1/1/")

    objects.replace(two, ending, ANOTHER)
    refused(compare(two), name, "has changed since its training")

    objects.remove(two, ending)
    refused(compare(two), name, "is missing")


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"no JSON", mtime=0), gzip.compress(b"[]", mtime=0), ANOTHER[:-9]])
def test_examples_of_earlier_releases_that_can_t_be_read_have_changed(two: Winnow, body: bytes) -> None:
    objects.forget_digests(two)
    assert compare(two).status == 200

    objects.replace(two, "/versions/1/1/examples/train.jsonl.gz", body)

    refused(compare(two), "examples/train.jsonl.gz", "has changed since its training")


@pytest.mark.parametrize("digests", [True, False], ids=["with digests", "of an earlier release"])
@pytest.mark.parametrize(
    ("ending", "body", "says"),
    [
        ("/examples/train.jsonl.gz", None, "The file examples/train.jsonl.gz of version 1 of model 'tc-01' is missing"),
        ("/examples/train.jsonl.gz", b"x", "The file examples/train.jsonl.gz of version 1 of model 'tc-01' has changed"),
        ("BATCH", None, "The examples of feedback batch 'BATCH' are missing: take the batch back"),
        ("BATCH", b"x", "The examples of feedback batch 'BATCH' have changed since they were sent"),
    ],
)
def test_a_training_on_feedback_says_what_it_lacks(ready: Ready, ending: str, body: bytes | None, says: str, digests: bool) -> None:
    winnow = ready("exclusive.json")
    batch = add(winnow, labelled(2), retrain="now").body["batch"]
    if not digests:
        objects.forget_digests(winnow)
    ending = ending.replace("BATCH", f"{batch}.jsonl.gz")
    if body is None:
        objects.remove(winnow, ending)
    else:
        objects.replace(winnow, ending, body)

    winnow.run_workflow(winnow.started_job())

    assert winnow.version()["status"] == "failed"
    assert says.replace("BATCH", batch) in winnow.version()["error"]
    # Nothing is lost: the batch waits again, and a client can take it back.
    assert winnow.model()["waiting_examples"] == 2


def test_a_report_of_a_refused_data_set_has_its_digest(winnow: Winnow) -> None:
    winnow.put_dataset(b"[]")
    winnow.create()
    winnow.run_workflow(winnow.started_job())
    assert winnow.call("get_report", path=PATH).status == 200

    objects.replace(winnow, "/report.json", b"{}")

    refused(winnow.call("get_report", path=PATH), "report.json", "has changed since its training")


def test_a_publish_that_is_repeated_keeps_what_it_wrote(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    job = winnow.run_task("train", winnow.run_task("prepare", winnow.started_job()))

    def killed(*_: Any, **__: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as dying:
        dying.setattr("winnow.registry.training_jobs.Jobs.commit", killed)
        with pytest.raises(MemoryError):
            winnow.run_task("publish", job)
    before = winnow.objects()
    winnow.run_task("publish", job)

    assert {key: body for key, body in winnow.objects().items() if key in before} == before
    for call, more, _ in SERVED.values():
        assert winnow.call(call, path=PATH | more).status == 200
