"""A version of another deployment: from its archive to a version that answers the same, or a sentence that says why not."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import CLIENT_BUCKET, load_dataset
from tests.support.batches import done, put, result
from tests.support.invoked import Invoked
from winnow.aws import clients

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.conftest import Answer, Json, Ready, Winnow

DATASETS = "winnow-datasets"
TEXTS = ["How deep do tulip bulbs go?", "a flat tyre", "?", "🙂 İstanbul", "bake a cake, then ride", "I forgot my password"]
IMPORTED = {"model_id": "there", "version": "1"}
ABOUT, MODEL = "tc-01-1/classifier.json", "tc-01-1/textcat/model"


def archive(winnow: Winnow, model_id: str = "tc-01") -> bytes:
    """What the link of the model's first version leads to."""
    link = winnow.call("get_artifact", path={"model_id": model_id, "version": "1"}).body
    found = [body for key, body in winnow.objects().items() if key in link["url"]]
    assert [hashlib.sha256(body).hexdigest() for body in found] == [link["sha256"]]
    return found[0]


def asked(winnow: Winnow, body: bytes, sha256: str | None = None, **fields: Any) -> Answer:
    winnow.s3.put_object(Bucket=DATASETS, Key="uploads/savings.tar.gz", Body=body)
    artifact = {"s3bucket": DATASETS, "object": "uploads/savings.tar.gz", "sha256": sha256 or hashlib.sha256(body).hexdigest()}
    return winnow.call("create_model", body={"id": "there", "artifact": artifact, **fields})


def imported(winnow: Winnow, body: bytes, sha256: str | None = None, **fields: Any) -> Json:
    answer = asked(winnow, body, sha256, **fields)
    assert answer.status == 202, answer.body
    winnow.run_workflow(winnow.started_job())
    return winnow.version(answer.body["model_id"])


def scores(winnow: Winnow, model_id: str) -> Any:
    answer = winnow.call("predict", "predict_post_texts", body={"model_id": model_id, "texts": TEXTS, "n_top": 1000})
    return [prediction["labels"] for prediction in answer.body["predictions"]]


def view(winnow: Winnow, call: str, **path: str) -> Answer:
    return winnow.call(call, path=IMPORTED | path)


def members(body: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}  # type: ignore[union-attr]


def packed(files: Mapping[str, bytes], *more: tarfile.TarInfo) -> bytes:
    with io.BytesIO() as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as tar:
            for name, body in files.items():
                about = tarfile.TarInfo(name)
                about.size = len(body)
                tar.addfile(about, io.BytesIO(body))
            for member in more:
                tar.addfile(member)
        return file.getvalue()


def changed(body: bytes, **fields: Any) -> bytes:
    """The archive with these fields of its description."""
    files = members(body)
    return packed({**files, ABOUT: json.dumps(json.loads(files[ABOUT]) | fields).encode()})


# --- from the archive to a version ---


def test_the_imported_version_answers_as_the_one_that_was_trained(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    body = archive(winnow)
    version = imported(winnow, body, note="from the stage")

    assert version["error"] is None
    assert (version["status"], version["live"], version["recipe"], version["note"]) == ("ready", True, "linear", "from the stage")
    assert (version["evaluation"], version["selection"], version["gate"]) == (None, None, None)
    [warning] = version["warnings"]
    assert "Nothing was measured here" in warning
    assert "POST /models/there/versions/1/evaluations" in warning
    was = winnow.version()["dataset"]
    dataset = version["dataset"]
    assert dataset["artifact"] == {
        "s3bucket": DATASETS,
        "object": "uploads/savings.tar.gz",
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    assert (dataset["examples"], dataset["s3bucket"], dataset["labels"], dataset["exclusive"]) == (0, None, was["labels"], True)
    assert scores(winnow, "there") == scores(winnow, "tc-01")
    assert winnow.model("there")["labels"] == was["labels"]
    # What Prepare kept for Train is gone, and the archive of the imported version can be imported again.
    assert not [key for key in winnow.objects() if "checkpoints" in key]
    assert members(archive(winnow, "there"))["there-1/textcat/model"] == members(body)[MODEL]


def test_an_artifact_goes_live_only_if_it_is_better_on_the_examples_of_the_live_version(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    # With the labels in another order it answers wrongly.
    labels = json.loads(members(archive(winnow))[ABOUT])["labels"]
    worse = changed(archive(winnow), labels=[*labels[1:], labels[0]])
    better = imported(winnow, archive(winnow), id="tc-01", force_update=True, promote="if-better")
    version = imported(winnow, worse, id="tc-01", force_update=True, promote="if-better")

    assert (better["live"], better["gate"]["passed"]) == (True, True)
    assert better["gate"]["examples"] > 0
    assert (version["status"], version["live"], version["gate"]["passed"]) == ("ready", False, False)


def test_what_needs_examples_says_that_there_are_none(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    imported(winnow, archive(winnow))

    calls = ("get_evaluation", "get_suspects", "list_version_examples")
    answers = {call: view(winnow, call) for call in calls}
    assert {call: answer.body["type"] for call, answer in answers.items()} == dict.fromkeys(calls, "urn:winnow:problem:not-measured")
    assert all("imported" in answer.body["detail"] for answer in answers.values())
    report = view(winnow, "get_report")
    assert (report.status, report.body["type"]) == (404, "urn:winnow:problem:report-not-found")
    assert "it was imported" in report.body["detail"]
    renamed = winnow.call("change_labels", body={"rename": {"baking": "bread"}}, path={"model_id": "there"})
    assert (renamed.status, renamed.body["type"]) == (409, "urn:winnow:problem:model-not-ready")


def test_feedback_makes_a_version_of_its_own_examples(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    labels = imported(winnow, archive(winnow))["dataset"]["labels"]
    body = {"examples": load_dataset("exclusive.json"), "retrain": "now"}
    answer = winnow.call("add_examples", body=body, path={"model_id": "there"})
    assert answer.body["retrain"] == "started"
    winnow.run_workflow(winnow.started_job())
    version = winnow.version("there")

    assert (version["status"], version["source"], version["error"]) == ("ready", "feedback", None)
    assert version["dataset"]["labels"] == labels
    assert version["dataset"]["examples"] == version["dataset"]["feedback_examples"] > 0
    assert "artifact" not in version["dataset"]
    assert (version["evaluation"] is None, version["gate"] is None) == (False, False)


def test_batches_and_comparisons_take_it(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    imported(winnow, archive(winnow), id="tc-01", force_update=True)
    put(winnow, "\n".join(json.dumps({"text": text}) for text in TEXTS).encode())
    lines = result(winnow, done(winnow))
    compared = winnow.call("compare_versions", path={"model_id": "tc-01", "version": "1"}, query={"to": "2"})

    assert [line["labels"][0] for line in lines] == [labels[0] for labels in scores(winnow, "tc-01")]
    assert compared.status == 200
    assert compared.body["before"]["macro_f1"] <= compared.body["after"]["macro_f1"]


@pytest.mark.parametrize(
    "field", [{"recipe": "linear"}, {"n_iter": 3}, {"labels": ["a", "b"]}, {"training_object": "a.json"}, {"dry_run": True}, {"seed": 1}]
)
def test_fields_of_a_training_are_refused_beside_an_artifact(winnow: Winnow, field: Json) -> None:
    answer = asked(winnow, b"", **field)
    assert (answer.status, answer.body["field"]) == (422, *field)
    assert answer.body["detail"] == (
        f"{next(iter(field))} can't be sent with artifact: nothing is trained, and the artifact says how the version was made."
    )


def test_it_is_measured_here_on_a_file_and_a_policy_is_set_by_that(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow = ready("exclusive.json")
    imported(winnow, archive(winnow))
    invoked = Invoked("MeasureVersion")
    monkeypatch.setattr(clients.lambda_(), "invoke", invoked.invoke)
    rows = [{"text": f"{each['text']} {number}", "label": each["label"]} for each in load_dataset("exclusive.json") for number in range(5)]
    put(winnow, json.dumps(rows).encode(), "may.json")
    file = {"s3bucket": CLIENT_BUCKET, "training_object": "may.json"}
    asked = winnow.call("evaluate_version", body=file, path=IMPORTED).body
    winnow.invoke("functions/upkeep/measure_version", invoked.events[-1])
    found = view(winnow, "get_evaluation_by_id", evaluation=asked["evaluation"]).body
    policy = {"min_precision": 0.8, "evaluation": asked["evaluation"]}
    answer = winnow.call("set_policy", body=policy, path={"model_id": "there"})

    assert (found["status"], found["learnt"], found["report"]["examples"]) == ("ready", 0, len(rows))
    assert (answer.status, answer.body["policy"]["min_precision"]) == (200, 0.8)


# --- what can't be imported ---


def test_another_digest_fails_the_version(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    version = imported(winnow, archive(winnow), sha256="0" * 64)
    assert (version["status"], version["live"]) == ("failed", False)
    assert version["error"].startswith("The SHA-256 of s3://winnow-datasets/uploads/savings.tar.gz is ")
    assert "but the request says 000000000000…" in version["error"]


def _linked(kind: bytes, name: str = "tc-01-1/link") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc/passwd"
    return member


BROKEN: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "not an archive": (lambda _: b"text,label\n", "no tar.gz archive"),
    "gzip of something else": (lambda _: gzip.compress(b"text,label\n" * 200), "no tar.gz archive"),
    "cut": (lambda body: body[: len(body) // 2], "ends before its gzip stream does"),
    "a bomb": (lambda _: gzip.compress(bytes(30_000_000)), "unpacks to more than 200 times its size"),
    "a link": (lambda body: packed(members(body), _linked(tarfile.SYMTYPE)), "'tc-01-1/link' is no plain file"),
    "a hard link": (lambda body: packed(members(body), _linked(tarfile.LNKTYPE)), "'tc-01-1/link' is no plain file"),
    "a device": (lambda body: packed(members(body), _linked(tarfile.CHRTYPE)), "'tc-01-1/link' is no plain file"),
    "a sparse file": (lambda body: packed(members(body), _linked(tarfile.GNUTYPE_SPARSE)), "is no plain file|no tar.gz archive"),
    "a path outside": (lambda body: packed({**members(body), "tc-01-1/../../x": b""}), "is no plain file in its folder"),
    "an absolute path": (lambda body: packed({"/etc/x": b"", **members(body)}), "is no plain file in its folder"),
    "many files": (lambda _: packed({f"a/{number}": b"" for number in range(1_001)}), "or one too many"),
    "two models": (lambda body: packed({**members(body), "x/textcat_multilabel/model": b""}), "two files model"),
    "another pipeline": (lambda _: packed({"en-1/meta.json": b"{}"}), "it has no pipeline"),
    "an earlier release": (
        lambda body: packed({name: each for name, each in members(body).items() if name != ABOUT}),
        "an earlier release",
    ),
    "a later form": (lambda body: changed(body, form=3), "has the form 3 .* a later one made it"),
    "a later recipe": (lambda body: changed(body, recipe="os.system"), "the recipe os.system, which this release doesn't know"),
    "another recipe": (lambda body: changed(body, recipe="cnn"), "can't read the artifact's weights"),
    "one label": (lambda body: changed(body, labels=["a"]), "wrong labels"),
    "a label twice": (lambda body: changed(body, labels=["a", "a"]), "wrong labels"),
    "a long label": (lambda body: changed(body, labels=["a", "b" * 201]), "wrong labels"),
    "too many labels": (lambda body: changed(body, labels=[f"label {number}" for number in range(1_001)]), r"1,001 labels.*MostLabels"),
    "other labels than weights": (
        lambda body: changed(body, labels=["a", "b"], thresholds=[0.5, 0.5]),
        "can't read the artifact's weights",
    ),
    "no temperature": (lambda body: changed(body, temperature=0), "not as a training writes it"),
    "text as a threshold": (lambda body: changed(body, thresholds=["0.5"] * 4), "not as a training writes it"),
    "a module as the language": (lambda body: changed(body, language="..os"), "not as a training writes it"),
    "NaN": (lambda body: packed({**members(body), ABOUT: b'{"temperature": NaN}'}), "is no JSON"),
    "a list": (lambda body: packed({**members(body), ABOUT: b"[]"}), "is no object"),
    "other weights": (lambda body: packed({**members(body), MODEL: b"\x80"}), "can't read the artifact's weights"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_artifact_fails_the_version_with_a_sentence(ready: Ready, what: str) -> None:
    winnow = ready("exclusive.json")
    breaking, sentence = BROKEN[what]
    version = imported(winnow, breaking(archive(winnow)))

    assert (version["status"], version["live"]) == ("failed", False)
    assert re.search(sentence, version["error"]), version["error"]


def test_an_archive_above_the_limit_of_the_deployment_fails_the_version(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.parameters["MostBytes"] = "10000"
    assert "has more than 10,000 bytes after unpacking" in imported(winnow, archive(winnow))["error"]


def test_an_absent_archive_fails_the_version(winnow: Winnow) -> None:
    artifact = {"s3bucket": DATASETS, "object": "uploads/absent.tar.gz", "sha256": "0" * 64}
    assert winnow.call("create_model", body={"id": "there", "artifact": artifact}).status == 202
    winnow.run_workflow(winnow.started_job())
    assert "there is no such object" in winnow.version("there")["error"]


@pytest.mark.slow
def test_an_encoder_that_the_deployment_lacks_is_named(winnow: Winnow) -> None:
    winnow.parameters["Encoder"] = "minilm"
    winnow.put_dataset("exclusive.json")
    winnow.train(recipe="light")
    body = archive(winnow)
    same = imported(winnow, body)
    encoder = same["encoder"]
    assert scores(winnow, "there") == scores(winnow, "tc-01")
    other = changed(body, encoders=[{**encoder, "digest": "0" * 64}])
    version = imported(winnow, other, force_update=True)
    assert (version["status"], "use-multilingual (000000000000)" in version["error"]) == ("failed", True)
    winnow.parameters["Encoder"] = "none"
    version = imported(winnow, body, force_update=True)
    assert version["error"] == (
        "The artifact needs the sentence encoder use-multilingual, and this deployment has none: deploy it with Encoder=minilm."
    )
    assert winnow.model("there")["live_version"] == 1
