"""POST /forget and GET /forget/{forgetting}: a subject, or texts, are removed from everything that Winnow keeps."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import CLIENT_BUCKET, Context
from tests.support.feedback import add, frozen, set_properties, told
from tests.support.forgetting import WORK, ask, having, receipt, run_trainings, sweep, to_the_end, work
from tests.support.inbox import Bus, Inbox
from tests.support.invoked import Invoked
from winnow.aws import clients
from winnow.aws.log import logger
from winnow.domain.forgetting import Forgotten
from winnow.forgetting import find
from winnow.storage import removal
from winnow.storage.example_lines import packed
from winnow.storage.forgetting_objects import Findings
from winnow.storage.uploads import Datasets

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Winnow
    from tests.support.clock import Clock

WORDS = {"baking": "dough oven flour crumb", "cycling": "bicycle saddle brake chain", "gardening": "compost seedlings lawn hedge"}
PLANTED = "xylografikoz"
SUBJECT = "quokka-customer-17"


@pytest.fixture
def invoked(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> Invoked:
    invoked = Invoked("WorkOnForgetting")
    monkeypatch.setattr(clients.lambda_(), "invoke", invoked.invoke)
    return invoked


def examples(*planted: Json) -> list[Json]:
    return [*({"text": f"{words} {number}", "label": label} for label, words in WORDS.items() for number in range(8)), *planted]


def said(number: int = 0, **more: Any) -> Json:
    return {"text": f"{PLANTED} {number}", "label": "baking", **more}


def upload(winnow: Winnow, content: bytes, name: str = "texts.json") -> Json:
    """PUT a file as a client does. Returns the fields that name it."""
    made = winnow.call("create_dataset", body={"name": name}).body
    winnow.s3.put_object(Bucket=made["s3bucket"], Key=made["training_object"], Body=content)
    return {"s3bucket": made["s3bucket"], "training_object": made["training_object"]}


def train(winnow: Winnow, rows: list[Json], **more: Any) -> Json:
    fields = upload(winnow, json.dumps(rows).encode())
    winnow.train(recipe="linear", keep_texts=True, **fields, **more)
    return fields


@pytest.mark.parametrize("wanted", [{"subject": SUBJECT}, {"texts": [f"{PLANTED} 0", f" {PLANTED.upper()}  1"]}], ids=["subject", "texts"])
def test_the_planted_words_are_found_nowhere_afterwards(
    winnow: Winnow, invoked: Invoked, clock: Clock, wanted: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = io.StringIO()
    monkeypatch.setattr(logger.handlers[0], "stream", lines)
    train(winnow, examples(said(0, subject=SUBJECT), said(1, subject=SUBJECT), said(0)))
    add(winnow, [said(1), {"text": "a loaf of bread", "label": "baking"}], retrain="no")
    assert having(winnow, PLANTED)

    answer = ask(winnow, **wanted)
    assert (answer.status, answer.body["status"]) == (202, "working")
    assert answer.headers["Location"] == f"forget/{answer.body['forgetting']}"
    done = to_the_end(winnow, invoked, clock, answer.body["forgetting"])

    assert having(winnow, PLANTED) == []
    assert having(winnow, SUBJECT) == []
    assert "forgotten" in lines.getvalue()
    assert PLANTED not in lines.getvalue().lower()
    assert {(place["kind"], place["version"]) for place in done["touched"]} == {("upload", None), ("version", 1), ("feedback", None)}
    assert done["models"] == [{"model_id": "tc-01", "made": 2, "withdrawn": [1], "lost_labels": [], "problem": None}]
    assert told(winnow) == (2, 2, 2)
    assert winnow.version()["forgetting"] == done["forgetting"]
    assert (
        winnow.call("predict", "predict_get_body", body={"model_id": "tc-01", "text": "dough oven"}).body["labels"][0]["label"] == "baking"
    )


def versioned(winnow: Winnow) -> None:
    """From now on the buckets keep what is overwritten or deleted, as with KeepData."""
    for name in ("Models", "Datasets"):
        winnow.s3.put_bucket_versioning(Bucket=winnow.names[name], VersioningConfiguration={"Status": "Enabled"})


def predict(winnow: Winnow, text: str) -> Answer:
    return winnow.call("predict", "predict_post_text", body={"model_id": "tc-01", "text": text})


def begun(winnow: Winnow, **wanted: Any) -> str:
    forgetting: str = ask(winnow, **wanted).body["forgetting"]
    return forgetting


def kinds(done: Json) -> list[str]:
    return sorted({place["kind"] for place in done["touched"]})


def test_it_is_removed_from_every_place_with_all_its_earlier_s3_versions(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    versioned(winnow)
    # The label in the evaluated file is wrong, so the evaluation quotes it.
    text = f"{PLANTED} everywhere: dough, oven, flour"
    train(winnow, examples())
    set_properties(winnow, log={"share": 1, "days": 30})
    winnow.new_environment()
    predict(winnow, text)
    predict(winnow, "a slow bicycle")
    unlabelled = upload(winnow, f'id,text\n1,"{text}"\n2,a slow bicycle\n'.encode(), "texts.csv")
    of_object = {"s3bucket": unlabelled["s3bucket"], "object": unlabelled["training_object"]}
    assert winnow.call("create_queue", body=of_object).status == 201
    batches = [winnow.call("create_batch", body=of_object).body["batch"]]
    winnow.run_batch(winnow.started_job("BatchWorkflow"))
    lines = upload(winnow, json.dumps({"text": text}).encode(), "texts.jsonl")
    batches.append(winnow.call("create_batch", body={"s3bucket": lines["s3bucket"], "object": lines["training_object"]}).body["batch"])
    winnow.run_batch(winnow.started_job("BatchWorkflow"))
    labelled = upload(winnow, json.dumps([{"text": text, "label": "cycling"}, {"text": "a red bicycle", "label": "cycling"}]).encode())
    evaluation = measured(winnow, labelled)
    # An upload and a batch of feedback that a client has deleted.
    gone = upload(winnow, json.dumps([{"remark": text}]).encode(), "odd.json")["training_object"].removeprefix("uploads/")
    winnow.s3.delete_object(Bucket=winnow.names["Datasets"], Key=f"uploads/{gone}")
    batch = add(winnow, [{"text": text, "label": "baking"}, {"text": "a small loaf", "label": "baking"}], retrain="no").body["batch"]
    assert {place.split("/")[0] for place in having(winnow, PLANTED)} == {"uploads", "models", "log", "batches"}

    done = to_the_end(winnow, invoked, clock, begun(winnow, texts=[text]))

    assert having(winnow, PLANTED) == []
    assert kinds(done) == ["batch", "evaluation", "feedback", "log", "queue", "upload"]
    # The rest is as it was.
    assert {place["name"] for place in done["touched"] if place["kind"] == "batch"} == set(batches)
    assert winnow.call("get_queue").status == 404
    shown = winnow.call("get_feedback_batch", path={"model_id": "tc-01", "batch": batch}).body["examples"]
    assert [each["text"] for each in shown] == ["a small loaf"]
    assert having(winnow, "a slow bicycle")
    assert told(winnow) == (1, 2, 1)
    report = winnow.call("get_evaluation_by_id", path={"model_id": "tc-01", "version": "1", "evaluation": evaluation}).body["report"]
    assert report["examples"] == 2
    for made in batches:
        assert winnow.call("get_batch", path={"model_id": "tc-01", "batch": made}).body["result"] is None


def test_a_queue_of_the_log_goes_with_the_words_of_its_candidate_labels(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    versioned(winnow)
    train(winnow, examples())
    set_properties(winnow, log={"share": 1, "days": 30})
    winnow.new_environment()
    texts = [f"{PLANTED} {number}" for number in range(30)]
    for text in texts:
        predict(winnow, text)
    assert winnow.call("create_queue", body={"from": "log"}).status == 201
    assert PLANTED in winnow.call("get_queue").body["groups"][0]["words"]

    done = to_the_end(winnow, invoked, clock, begun(winnow, texts=texts))

    assert having(winnow, PLANTED) == []
    assert (kinds(done), winnow.call("get_queue").status) == (["log"], 404)


def test_a_queue_of_other_logged_texts_stays(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    train(winnow, examples())
    set_properties(winnow, log={"share": 1, "days": 30})
    winnow.new_environment()
    predict(winnow, "a slow bicycle")
    assert winnow.call("create_queue", body={"from": "log"}).status == 201
    predict(winnow, PLANTED)

    assert kinds(to_the_end(winnow, invoked, clock, begun(winnow, texts=[PLANTED]))) == ["log"]
    assert winnow.call("get_queue").status == 200


def measured(winnow: Winnow, file: Json) -> str:
    """An evaluation on a file, which quotes its texts."""
    invoke, measuring = clients.lambda_().invoke, Invoked("MeasureVersion")
    clients.lambda_().invoke = measuring.invoke
    try:
        evaluation: str = winnow.call("evaluate_version", body=file).body["evaluation"]
    finally:
        clients.lambda_().invoke = invoke
    winnow.invoke("functions/upkeep/measure_version", measuring.events[0])
    return evaluation


def test_a_file_of_an_evaluation_is_read_as_the_client_has_read_it(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    train(winnow, examples())
    file = upload(winnow, f"greeting,rest,kind\n{PLANTED},my name is Anna,baking\nHello,dough oven,baking\n".encode(), "a.csv")
    measured(winnow, file | {"text_column": ["greeting", "rest"], "label_column": "kind"})

    done = to_the_end(winnow, invoked, clock, begun(winnow, texts=[f"{PLANTED}\n\nmy name is Anna"]))

    assert having(winnow, PLANTED) == []
    assert "upload" in kinds(done)


def test_the_same_text_of_another_subject_stays(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    train(winnow, examples(said(0, subject="u1"), said(0, subject="u2"), said(0)))

    to_the_end(winnow, invoked, clock, begun(winnow, subject="u1"))

    left = [each for part in ("train", "test") for each in frozen(winnow, 2, part) if PLANTED in each["text"]]
    assert [each["subject"] for each in left] == ["u2"]


def test_a_text_that_is_a_part_of_another_stays(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    train(winnow, examples(said(0, text=f"{PLANTED} and more")))
    done = to_the_end(winnow, invoked, clock, begun(winnow, texts=[PLANTED]))
    assert (done["touched"], done["models"], told(winnow)) == ([], [], (1, 0, 1))


def test_while_a_version_is_trained_it_waits(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    train(winnow, examples(said(subject="u1")))
    fields = upload(winnow, json.dumps(examples(said(subject="u1"))).encode())
    assert winnow.create(recipe="linear", force_update=True, n_iter=1, **fields).status == 202
    forgetting = begun(winnow, subject="u1")
    work(winnow, invoked)

    waiting = receipt(winnow, forgetting)
    assert waiting["status"] == "waiting"
    name = fields["training_object"].removeprefix("uploads/")
    assert waiting["waiting_for"] == [
        f"version 2 of model 'tc-01', which is to read the upload {name}",
        "version 2 of model 'tc-01', which is in training",
    ]
    assert told(winnow)[2] == 1
    run_trainings(winnow)
    assert told(winnow)[2] == 2

    done = to_the_end(winnow, invoked, clock, forgetting)
    assert having(winnow, PLANTED) == []
    assert done["models"] == [{"model_id": "tc-01", "made": 3, "withdrawn": [1, 2], "lost_labels": [], "problem": None}]


def test_it_ends_after_what_was_asked_for_before_has_read_its_texts(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    """A training without a slot reads a file in the client's own bucket when it gets one."""
    winnow.parameters["MostTrainings"] = "0"
    winnow.put_dataset(examples(said(subject="u1")))
    assert winnow.create(recipe="linear", n_iter=1).status == 202
    clock.advance(minutes=1)
    forgetting = begun(winnow, subject="u1")
    work(winnow, invoked)
    for _ in range(4):
        clock.advance(minutes=6)
        sweep(winnow, invoked)
    assert receipt(winnow, forgetting)["waiting_for"] == ["version 1 of model 'tc-01', which has not read its examples yet"]

    winnow.parameters["MostTrainings"] = "1"
    sweep(winnow, invoked)
    done = to_the_end(winnow, invoked, clock, forgetting)

    assert having(winnow, PLANTED) == []
    assert (done["models"][0]["made"], done["models"][0]["withdrawn"]) == (2, [1])


def test_a_label_with_too_few_texts_left_is_left_out_and_the_receipt_says_so(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    planted = [said(number, label="sailing", subject="u1") for number in range(3)]
    train(winnow, examples(*planted, {"text": "a boat at sea", "label": "sailing"}))

    done = to_the_end(winnow, invoked, clock, begun(winnow, subject="u1"))

    assert done["models"][0]["lost_labels"] == ["sailing"]
    assert having(winnow, PLANTED) == []
    version = winnow.version()
    assert (version["live"], version["dataset"]["labels"], version["dataset"]["lost_labels"]) == (True, 3, ["sailing"])
    assert "The version doesn't know 'sailing'" in version["warnings"][0]


def test_if_no_version_can_be_made_the_live_one_goes_all_the_same(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    rows = [{"text": f"{words} {number}", "label": label} for label, words in list(WORDS.items())[:2] for number in range(4)]
    train(winnow, [each | ({"subject": "u1"} if each["label"] == "baking" else {}) for each in rows])
    assert predict(winnow, "dough").status == 200

    done = to_the_end(winnow, invoked, clock, begun(winnow, subject="u1"))

    [model] = done["models"]
    assert (model["made"], model["withdrawn"]) == (None, [1])
    assert "fewer than 2 labels with 2 texts or more are left" in model["problem"]
    assert "No version answers any more: train one" in model["problem"]
    assert having(winnow, "dough oven") == []
    winnow.new_environment()
    assert (predict(winnow, "dough").status, winnow.model()["live_version"]) == (409, None)


def test_older_versions_that_learnt_it_go_and_the_others_stay(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    train(winnow, examples(said(subject="u1")))
    train(winnow, examples(), force_update=True)
    train(winnow, examples(said(subject="u1")), force_update=True, promote="never")

    done = to_the_end(winnow, invoked, clock, begun(winnow, subject="u1"))

    assert done["models"] == [{"model_id": "tc-01", "made": None, "withdrawn": [1, 3], "lost_labels": [], "problem": None}]
    assert told(winnow)[2] == 2
    assert [version["version"] for version in winnow.call("list_versions").body["versions"]] == [2]


def test_a_newer_version_that_went_live_meanwhile_is_made_again_from_its_own_examples(
    winnow: Winnow, invoked: Invoked, clock: Clock
) -> None:
    train(winnow, examples(said(subject="u1")))
    forgetting = begun(winnow, subject="u1")
    work(winnow, invoked)
    run_trainings(winnow)
    clock.advance(minutes=6)
    sweep(winnow, invoked)
    assert told(winnow)[2] == 2
    # The client's own file still has the text.
    winnow.put_dataset(examples(said(subject="u1"), *({"text": f"a new loaf {number}", "label": "baking"} for number in range(2))))
    winnow.train(recipe="linear", force_update=True)
    assert told(winnow)[2] == 3

    done = to_the_end(winnow, invoked, clock, forgetting)

    assert done["models"] == [{"model_id": "tc-01", "made": 4, "withdrawn": [1, 3], "lost_labels": [], "problem": None}]
    left = [each["text"] for part in ("train", "test") for each in frozen(winnow, 4, part)]
    assert ("a new loaf 0" in left, [text for text in left if PLANTED in text]) == (True, [])


def test_a_wish_for_a_training_and_pending_feedback_stay(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    train(winnow, examples(said(subject="u1")))
    set_properties(winnow, retrain_after=50)
    add(winnow, [{"text": "a small loaf", "label": "baking"}], retrain="auto")

    to_the_end(winnow, invoked, clock, begun(winnow, subject="u1"))

    assert told(winnow) == (2, 1, 2)
    row = next(row for row in winnow.table.scan()["Items"] if row["pk"] == "MODELS")
    assert row["retrain_auto"] is True
    assert "a small loaf" not in [each["text"] for part in ("train", "test") for each in frozen(winnow, 2, part)]


def test_what_a_deleted_model_has_left_goes_too(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    versioned(winnow)
    train(winnow, examples(said(subject="u1")))
    [key] = [key for key in winnow.objects() if key.endswith("examples/train.jsonl.gz")]
    left = winnow.objects()[key]
    winnow.call("delete_model", path={"model_id": "tc-01"})
    winnow.s3.put_object(Bucket=winnow.names["Models"], Key=key, Body=left)

    done = to_the_end(winnow, invoked, clock, begun(winnow, texts=[said()["text"]]))

    assert having(winnow, PLANTED) == []
    assert {"kind": "version", "texts": 1, "model_id": None, "version": 1, "name": None} in done["touched"]
    assert done["models"] == []


def test_a_file_in_a_bucket_of_the_client_is_named_and_left(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    winnow.put_dataset(examples(said(subject="u1")))
    winnow.train(recipe="linear")

    done = to_the_end(winnow, invoked, clock, begun(winnow, subject="u1"))

    assert having(winnow, PLANTED) == []
    assert done["not_done"][0].startswith(
        f"s3://{CLIENT_BUCKET}/trainingSet.json, which version 1 of model 'tc-01' read, is in a bucket of yours"
    )
    assert "Recovery copies" in done["not_done"][-1]
    assert PLANTED in winnow.s3.get_object(Bucket=CLIENT_BUCKET, Key="trainingSet.json")["Body"].read().decode()


def test_a_file_in_the_uploads_bucket_that_is_no_upload_is_named(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    bucket = winnow.names["Datasets"]
    winnow.s3.put_object(Bucket=bucket, Key="mine/texts.json", Body=json.dumps(examples(said(subject="u1"))).encode())
    winnow.train(recipe="linear", s3bucket=bucket, training_object="mine/texts.json")
    winnow.s3.put_object(Bucket=bucket, Key="mine/texts.jsonl", Body=json.dumps({"text": said()["text"]}).encode())
    assert winnow.call("create_batch", body={"s3bucket": bucket, "object": "mine/texts.jsonl"}).status == 202
    winnow.run_batch(winnow.started_job("BatchWorkflow"))

    done = to_the_end(winnow, invoked, clock, begun(winnow, subject="u1"))

    assert having(winnow, PLANTED) == ["mine/texts.json", "mine/texts.jsonl"]
    named = [told.partition(", which ")[0] for told in done["not_done"] if "is not an upload: remove the texts there" in told]
    assert named == [f"s3://{bucket}/mine/texts.json", f"s3://{bucket}/mine/texts.jsonl"]
    assert kinds(done) == ["batch", "version"]


def test_the_files_of_the_inbox_and_their_results_go_with_all_their_s3_versions(
    winnow: Winnow, invoked: Invoked, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    versioned(winnow)
    bus = Bus()
    bus.install(monkeypatch)
    train(winnow, examples())
    inbox = Inbox(winnow, bus)
    text = said()["text"]
    table = f"text,subject\n{text},{SUBJECT}\na slow bicycle,u2\n".encode()
    inbox.drop("inbox/tc-01/ä +%.csv", table)
    inbox.settle()
    # What was overwritten stays as an earlier S3 version.
    inbox.drop("inbox/tc-01/ä +%.csv", b"text,subject\na red bicycle,u2\n")
    inbox.drop("inbox/tc-01/lines.jsonl", [{"text": text, "id": "a"}, {"text": "a slow bicycle"}])
    inbox.drop("inbox/tc-01/others.csv", b"text\na slow bicycle\n")
    inbox.drop("training/tc-01/more.json", json.dumps(examples(said(1, subject=SUBJECT))).encode())
    inbox.drop("inbox/tc-01/empty.csv", b"")
    inbox.settle()
    assert {place.partition("/")[0] for place in having(winnow, PLANTED)} == {"inbox", "outbox", "training", "models", "batches"}

    done = to_the_end(winnow, invoked, clock, begun(winnow, subject=SUBJECT))

    assert having(winnow, PLANTED) == []
    uploads = sorted(place["name"] for place in done["touched"] if place["kind"] == "upload")
    names = ["inbox/tc-01/lines.jsonl", "inbox/tc-01/ä +%.csv", "outbox/tc-01/ä +%.csv", "training/tc-01/more.json"]
    assert uploads == sorted(names)
    empty = "inbox/tc-01/empty.csv"
    left = [key for key in inbox.objects() if not key.startswith("uploads/")]
    assert left == [empty, f"{empty}.error.json", "inbox/tc-01/others.csv", "outbox/tc-01/others.csv"]
    assert not [told for told in done["not_done"] if "inbox" in told or "outbox" in told]


def test_what_cannot_be_read_is_named(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    name = upload(winnow, b"%PDF-1.7", "scan.pdf")["training_object"]
    done = to_the_end(winnow, invoked, clock, begun(winnow, texts=["a text"]))
    assert done["not_done"][0] == f"{name} can't be read, or not in time: remove it if it may have the texts."


def test_a_file_that_takes_too_long_is_named_and_the_forgetting_ends(
    winnow: Winnow, invoked: Invoked, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = train(winnow, examples())
    add(winnow, [said()], retrain="no")
    monkeypatch.setattr(find, "_LONGEST_READ", -1)
    done = to_the_end(winnow, invoked, clock, begun(winnow, texts=[said()["text"]]))
    assert done["not_done"][0] == f"{fields['training_object']} can't be read, or not in time: remove it if it may have the texts."
    assert kinds(done) == ["feedback"]


def time_is_up(look: find._Look) -> None:
    raise find._TimeUpError


def test_a_run_that_ends_within_a_file_goes_on_with_this_file(
    winnow: Winnow, invoked: Invoked, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(winnow, json.dumps(examples(said())).encode())
    forgetting = begun(winnow, texts=[said()["text"]])
    with monkeypatch.context() as patched:
        # The run has less time than a file may take.
        patched.setattr(find, "_LONGEST_READ", 10_000)
        patched.setattr(find._Look, "_check_time", time_is_up)
        patched.setattr(removal, "time_left", lambda _: iter([True, True, False, False]))
        work(winnow, invoked)
    assert having(winnow, PLANTED)
    done = to_the_end(winnow, invoked, clock, forgetting)
    assert (kinds(done), [told for told in done["not_done"] if "can't be read" in told]) == (["upload"], [])
    assert having(winnow, PLANTED) == []


def test_a_file_of_a_client_is_not_read_for_batches_that_have_nothing_left(
    winnow: Winnow, invoked: Invoked, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(winnow, examples())
    winnow.s3.put_object(Bucket=CLIENT_BUCKET, Key="texts.jsonl", Body=json.dumps(said()["text"]).encode())
    assert winnow.call("create_batch", body={"s3bucket": CLIENT_BUCKET, "object": "texts.jsonl"}).status == 202
    winnow.run_batch(winnow.started_job("BatchWorkflow"))
    assert kinds(to_the_end(winnow, invoked, clock, begun(winnow, texts=[said()["text"]]))) == ["batch"]

    opened: list[object] = []
    real = Datasets.open

    def open_(self: Datasets, *given: Any) -> Any:
        opened.append(given)
        return real(self, *given)

    monkeypatch.setattr(Datasets, "open", open_)
    assert to_the_end(winnow, invoked, clock, begun(winnow, texts=[said()["text"]]))["touched"] == []
    assert opened == []


def test_the_examples_of_a_version_are_read_one_by_one() -> None:
    body = packed({"text": f"a text with the number {number}", "labels": ["a"]} for number in range(20_000))
    version = find._Version("", lambda: body, lambda: None)
    look = find._Look(Findings(1, "", 0, []), Forgotten.of("ab" * 32, None, ["a text with the number 7"]), 0)
    tracemalloc.start()
    assert look._in_lines(version) == 1
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2_000_000


def test_a_run_ends_when_its_time_is_up_and_the_next_one_goes_on(
    winnow: Winnow, invoked: Invoked, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(winnow, examples(said(subject="u1")))
    add(winnow, [said(1, subject="u1")], retrain="no")
    forgetting = begun(winnow, subject="u1")
    with monkeypatch.context() as patched:
        patched.setattr(removal, "time_left", lambda _: iter([True] * 5 + [False] * 1000))
        for _ in range(30):
            work(winnow, invoked)
            clock.advance(minutes=1)
            invoked.events.append({"forgetting": forgetting})
    assert receipt(winnow, forgetting)["waiting_for"] == ["version 2 of model 'tc-01', which is in training"]
    to_the_end(winnow, invoked, clock, forgetting)
    assert having(winnow, PLANTED) == []


def test_only_one_works_on_it_at_a_time_and_the_sweeper_waits_for_its_end(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    forgetting = begun(winnow, subject="u1")
    invoked.events.clear()
    claimed = winnow.table.update_item(
        Key={"pk": "FORGETTINGS", "sk": forgetting},
        UpdateExpression="SET lease_until = :time",
        ExpressionAttributeValues={":time": "9999"},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    winnow.invoke(WORK, {"forgetting": forgetting}, Context(seconds=900))
    sweep(winnow, invoked)
    assert winnow.table.get_item(Key={"pk": "FORGETTINGS", "sk": forgetting})["Item"] == claimed


def test_one_that_never_began_is_begun_by_the_sweeper(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    forgetting = begun(winnow, subject="u1")
    invoked.events.clear()
    sweep(winnow, invoked)
    assert receipt(winnow, forgetting)["status"] == "waiting"
    done = to_the_end(winnow, invoked, clock, forgetting)
    # Nothing but the receipt is left, and it tells nothing.
    [row] = [row for row in winnow.table.scan()["Items"] if row["pk"] in {"FORGETTINGS", "DELETIONS"}]
    assert row.keys().isdisjoint({"salt", "subject", "texts"})
    assert [key for key in winnow.objects() if key.startswith("forgettings/")] == []
    assert (done["touched"], done["finished_at"] is not None) == ([], True)


def test_the_history_names_who_asked_and_the_forgetting(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    train(winnow, examples(said(subject="u1")))
    forgetting = begun(winnow, subject="u1")
    done = to_the_end(winnow, invoked, clock, forgetting)

    entries = winnow.call("get_history").body["entries"]
    assert [entry["deed"] for entry in entries] == ["delete-version", "go-live", "train", "go-live", "train"]
    assert {entry["call"] for entry in entries[:3]} == {f"POST /forget ({forgetting})"}
    assert [entry["by"] for entry in entries[:3]] == [done["by"]] * 3
    assert done["by"]["kind"] == "key"


def test_a_repeated_request_with_a_key_is_the_same_forgetting(winnow: Winnow, invoked: Invoked) -> None:
    key = {"Idempotency-Key": "a-key"}
    first, again = (ask(winnow, headers=key, subject="u1").body["forgetting"] for _ in range(2))
    assert (first, len(invoked.events)) == (again, 1)
    assert ask(winnow, headers=key, subject="u2").body["type"] == "urn:winnow:problem:idempotency-key-reused"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "Send either subject or texts"),
        ({"subject": "u1", "texts": ["a"]}, "Send either subject or texts"),
        ({"subject": " "}, "subject must be your name for the person"),
        ({"subject": 7}, "subject must be your name for the person"),
        ({"texts": []}, "texts must be a list of 1 to 1000 texts"),
        ({"texts": [" "]}, "texts[0] must be a text of 1 to 20000 characters"),
        ({"texts": ["\u200b"]}, "texts[0] has only characters that nobody sees"),
        ({"text": "a"}, "text"),
    ],
)
def test_bad_input_is_refused(winnow: Winnow, invoked: Invoked, body: Json, told: str) -> None:
    answer = ask(winnow, **body)
    assert (answer.status, told in answer.body["detail"]) == (422, True), answer.body
    assert (invoked.events, winnow.table.scan()["Items"]) == ([], [])


def test_an_unknown_forgetting_is_not_found_and_a_receipt_expires(winnow: Winnow, invoked: Invoked, clock: Clock) -> None:
    unknown = winnow.call("get_forgetting")
    assert (unknown.status, unknown.body["type"]) == (404, "urn:winnow:problem:forgetting-not-found")
    forgetting = begun(winnow, subject="u1")
    clock.advance(days=401)
    assert winnow.call("get_forgetting", path={"forgetting": forgetting}).status == 404
