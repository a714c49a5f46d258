"""The inbox: a file in inbox/MODEL_ID/ is classified into outbox/MODEL_ID/, and one in training/MODEL_ID/ trains a version."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import CLIENT_BUCKET, Context, load_dataset, load_event
from tests.support.batches import TEXTS, predicted
from tests.support.contract import template
from tests.support.inbox import TAKE, Bus, Inbox
from winnow.batch import queue
from winnow.batch.requests import start_batch
from winnow.domain.batch import BatchJob
from winnow.domain.dropped_file import DroppedFile, error_key, outbox_key
from winnow.storage.bucket import Bucket
from winnow.storage.dropped_files import DroppedFiles
from winnow.upkeep import inbox as upkeep_inbox

if TYPE_CHECKING:
    from tests.conftest import Json, Ready, Winnow
    from tests.support.clock import Clock

CSV = b"id,text\n1,a flat tyre\n2,prune the roses\n"
KEY = "inbox/tc-01/texts.jsonl"


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Bus:
    made = Bus()
    made.install(monkeypatch)
    return made


@pytest.fixture
def inbox(ready: Ready, bus: Bus) -> Inbox:
    """The folders of a deployment with the live model tc-01."""
    return Inbox(ready("exclusive.json"), bus)


# --- classified ---


def test_a_file_is_classified_as_a_batch_is_and_its_result_lies_in_the_outbox(inbox: Inbox) -> None:
    inbox.drop(KEY, TEXTS)
    inbox.settle()

    [batch] = inbox.batches()
    assert (batch["s3bucket"], batch["object"], batch["version"], batch["batch_status"]) == (inbox.bucket, KEY, 1, "ready")
    lines = [json.loads(line) for line in inbox.read("outbox/tc-01/texts.jsonl").splitlines()]
    assert [line["labels"] for line in lines] == predicted(inbox.winnow, TEXTS, 1)
    assert inbox.objects() == [KEY, "outbox/tc-01/texts.jsonl"]
    head = inbox.winnow.s3.head_object(Bucket=inbox.bucket, Key="outbox/tc-01/texts.jsonl")
    assert (head["ContentType"], head["Metadata"]["winnow-batch"]) == ("application/jsonl", batch["batch"])


def test_a_table_comes_back_as_a_table(inbox: Inbox) -> None:
    inbox.drop("inbox/tc-01/texts.csv", CSV)
    inbox.settle()
    first, *records = inbox.read("outbox/tc-01/texts.csv").decode().splitlines()
    assert first == "id,text,label,score,accepted"
    assert [record.partition(",")[2].partition(",")[0] for record in records] == ["a flat tyre", "prune the roses"]


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("two words.csv", "two words.csv"),
        ("für Köln.csv", "für Köln.csv"),
        ("a+b.csv", "a+b.csv"),
        ("100%.csv", "100%.csv"),
        ("%2B %20.csv", "%2B %20.csv"),
        ("2026/03/mail.csv", "2026/03/mail.csv"),
        ("texts", "texts.csv"),
        ("TEXTS.CSV", "TEXTS.CSV.csv"),
    ],
)
def test_any_name_is_a_name(inbox: Inbox, name: str, result: str) -> None:
    inbox.drop(f"inbox/tc-01/{name}", CSV)
    inbox.settle()
    assert f"outbox/tc-01/{result}" in inbox.objects()
    assert len(inbox.batches()) == 1


def test_a_packed_file_comes_back_plain(inbox: Inbox) -> None:
    inbox.drop("inbox/tc-01/texts.csv.gz", gzip.compress(CSV))
    inbox.settle()
    assert inbox.read("outbox/tc-01/texts.csv.gz.csv").startswith(b"id,text,label")


def test_the_names_of_results_and_of_sentences_fit_into_a_key() -> None:
    longest = "inbox/tc-01/" + "ü" * 506
    assert len(longest.encode()) == 1024
    for made in (error_key(longest), outbox_key(longest, "jsonl")):
        assert 1020 <= len(made.encode()) <= 1024
    assert error_key("inbox/a/b").endswith("b.error.json")


def test_what_comes_twice_is_started_once(inbox: Inbox, clock: Clock) -> None:
    event = inbox.drop(KEY, TEXTS, deliveries=3)
    inbox.settle()
    # From the queue of failed events, which keeps them for 14 days.
    clock.advance(days=13)
    inbox.winnow.invoke(TAKE, event)

    assert len(inbox.batches()) == 1
    inbox.drop(KEY, TEXTS)
    assert len(inbox.batches()) == 2, "another file of the same name is another batch"


def test_without_s3_versions_the_sequencer_tells_files_apart(inbox: Inbox) -> None:
    event = inbox.put(KEY, TEXTS)
    del event["detail"]["object"]["version-id"]
    for sequencer in ("00617F08299329D189", "00617F08299329D189", "00617F08299329D200"):
        event["detail"]["object"]["sequencer"] = sequencer
        inbox.winnow.invoke(TAKE, event)
    assert len(inbox.batches()) == 2


def test_the_event_of_the_end_may_come_twice_and_late(inbox: Inbox, bus: Bus) -> None:
    inbox.drop(KEY, ["a flat tyre"])
    inbox._run()
    inbox.drop(KEY, ["prune the roses", "a flat tyre"])
    inbox._run()
    images = list(inbox.batches())
    inbox.settle()
    newer = inbox.read("outbox/tc-01/texts.jsonl")
    assert len(newer.splitlines()) == 2

    older = {"model_id": "tc-01", "batch": images[0]["batch"], "object": KEY, "result": None}
    inbox.deliver({"source": "winnow", "detail-type": "Winnow Batch Ended", "detail": older})
    assert inbox.read("outbox/tc-01/texts.jsonl") == newer


# --- refused, with a sentence beside the file ---


def test_a_file_of_a_model_that_does_not_exist_is_told_so(inbox: Inbox) -> None:
    inbox.drop("inbox/savings/texts.csv", CSV)
    inbox.drop("training/savings/texts.csv", CSV)
    for key in ("inbox/savings/texts.csv", "training/savings/texts.csv"):
        told = inbox.error(key)
        assert told.keys() == {"file", "error", "model_id", "at"}
        assert (told["file"], told["model_id"]) == (key, "savings")
        assert told["error"] == "There is no model 'savings': GET /models lists all models."
    assert [row["sk"] for row in inbox.rows("MODELS")] == ["tc-01"]
    assert inbox.waiting() == []


def test_a_model_without_a_live_version_is_told_so(winnow: Winnow, bus: Bus) -> None:
    winnow.put_dataset()
    assert winnow.create(promote="never").status == 202
    inbox = Inbox(winnow, bus)
    inbox.drop(KEY, TEXTS)
    assert inbox.error(KEY)["error"].startswith("No version of model 'tc-01' is live: ")
    assert inbox.batches() == []


@pytest.mark.parametrize("key", ["inbox/texts.csv", "training/texts.csv", "inbox//texts.csv"])
def test_a_file_in_no_folder_of_a_model_is_told_where_it_belongs(inbox: Inbox, key: str) -> None:
    inbox.drop(key, CSV)
    folder, _, name = key.partition("/")
    assert inbox.error(key)["error"] == f"Put the file into a folder with the id of its model: {folder}/MODEL_ID/{name}"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [(b"", "is empty"), (b'"a flat tyre"\n' * 100, "at most 1,000"), (b"\x1f\x8bno gzip", "gzip")],
    ids=["empty", "over the limit", "broken"],
)
def test_a_file_that_cannot_be_read_is_told_why(inbox: Inbox, body: bytes, sentence: str) -> None:
    inbox.winnow.parameters["MostBytes"] = "1000"
    inbox.drop(KEY, body)
    inbox.settle()
    [batch] = inbox.batches()
    told = inbox.error(KEY)
    assert (told["error"], told["batch"], told["model_id"]) == (batch["error"], batch["batch"], "tc-01")
    assert sentence in told["error"]
    assert inbox.objects() == [KEY, f"{KEY}.error.json"]


def test_a_batch_that_was_cancelled_is_told_so(inbox: Inbox) -> None:
    inbox.drop(KEY, TEXTS)
    inbox.winnow.call("cancel_batch", path={"model_id": "tc-01", "batch": inbox.batches()[0]["batch"]})
    inbox.settle()
    assert inbox.error(KEY)["error"] == "The batch was cancelled."


def test_the_sentence_goes_when_the_file_is_put_there_again_and_is_classified(inbox: Inbox) -> None:
    inbox.drop(KEY, b"")
    inbox.settle()
    assert f"{KEY}.error.json" in inbox.objects()
    inbox.drop(KEY, TEXTS)
    inbox.settle()
    assert inbox.objects() == [KEY, "outbox/tc-01/texts.jsonl"]


@pytest.mark.parametrize("key", ["inbox/", "inbox/tc-01/", f"{KEY}.error.json", "uploads/texts.csv", "inboxes/tc-01/texts.csv"])
def test_folders_sentences_and_other_objects_start_nothing(inbox: Inbox, key: str) -> None:
    before = inbox.winnow.table.scan()["Items"]
    inbox.drop(key, b"")
    assert inbox.winnow.table.scan()["Items"] == before
    assert inbox.objects() == [key]


def test_the_recorded_event_is_understood() -> None:
    file = DroppedFile.from_event(load_event("upkeep/take_file"))
    assert file is not None
    assert (file.key, file.model_id, file.state) == (KEY, "tc-01", "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e")


# --- waiting ---


def test_files_wait_while_no_batch_may_be_added_and_then_start_in_their_order(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_WAITING", 0)
    inbox.winnow.parameters["MostBatches"] = "1"
    names = [f"inbox/tc-01/{number}.jsonl" for number in range(4)]
    for name in names:
        inbox.drop(name, TEXTS)
    assert inbox.waiting() == names[1:]

    inbox.settle()

    assert inbox.waiting() == []
    assert [batch["object"] for batch in inbox.batches()] == names
    assert [key for key in inbox.objects() if key.startswith("outbox/")] == [name.replace("inbox", "outbox") for name in names]


def test_a_training_file_waits_for_the_end_of_another_training(inbox: Inbox) -> None:
    inbox.winnow.create("create_model_force_update", n_iter=1)
    for name in ("first", "second"):
        inbox.drop(f"training/tc-01/{name}.json", json.dumps(load_dataset("exclusive.json")).encode(), deliveries=2)
    assert inbox.waiting() == ["training/tc-01/first.json", "training/tc-01/second.json"]

    inbox.settle()

    assert inbox.waiting() == []
    trained = [row["dataset"]["training_object"] for row in inbox.rows("VERSIONS#")]
    assert trained == ["trainingSet.json", "trainingSet.json", "training/tc-01/first.json", "training/tc-01/second.json"]


def test_one_file_that_fails_keeps_no_other_from_its_start(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_WAITING", 0)
    inbox.winnow.parameters["MostBatches"] = "1"
    for name in ("a", "b", "c"):
        inbox.drop(f"inbox/tc-01/{name}.jsonl", TEXTS)
    start = start_batch

    def broken(request: Any, key: Any) -> Any:
        if request.object.endswith("b.jsonl"):
            raise RuntimeError("an unforeseen fault")
        return start(request, key)

    monkeypatch.setattr(upkeep_inbox, "start_batch", broken)
    inbox._run()
    with pytest.raises(RuntimeError, match="1 files"):
        inbox._tell()
    assert inbox.waiting() == ["inbox/tc-01/b.jsonl"]
    assert [batch["object"] for batch in inbox.batches()] == ["inbox/tc-01/a.jsonl", "inbox/tc-01/c.jsonl"]


def test_without_time_the_others_go_on_waiting(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_WAITING", 0)
    inbox.winnow.parameters["MostBatches"] = "1"
    for name in ("a", "b"):
        inbox.drop(f"inbox/tc-01/{name}.jsonl", TEXTS)
    inbox._run()
    other = {"source": "winnow", "detail-type": "Winnow Batch Ended", "detail": {"model_id": "other", "batch": "b", "result": None}}
    inbox.winnow.invoke(TAKE, other, Context(seconds=60))
    assert inbox.waiting() == ["inbox/tc-01/b.jsonl"]
    inbox.winnow.invoke(TAKE, other)
    assert inbox.waiting() == []


# --- trained on ---


def test_a_training_file_makes_a_version_that_must_be_better_with_the_settings_of_the_live_one(inbox: Inbox) -> None:
    before = inbox.winnow.version()
    event = inbox.drop("training/tc-01/März 2026.json", json.dumps(load_dataset("exclusive.json")).encode(), deliveries=2)
    inbox.settle()
    inbox.winnow.invoke(TAKE, event)

    after = inbox.winnow.version()
    assert (after["version"], after["status"]) == (2, "ready")
    assert after["dataset"]["training_object"] == "training/tc-01/März 2026.json"
    assert after["hyperparameters"] == before["hyperparameters"] | {"keep_texts": True}
    assert after["recipe"] == before["recipe"]
    assert after["gate"]["against"] == 1
    assert inbox.winnow.model()["live_version"] == 2
    assert inbox.objects() == ["training/tc-01/März 2026.json"]


def test_a_training_that_fails_is_told_beside_its_file_until_one_succeeds(inbox: Inbox) -> None:
    key = "training/tc-01/texts.json"
    inbox.drop(key, b"[]")
    inbox.settle()
    told = inbox.error(key)
    assert (told["error"], told["version"], told["model_id"]) == (inbox.winnow.version()["error"], 2, "tc-01")
    assert inbox.winnow.model()["live_version"] == 1

    inbox.drop(key, json.dumps(load_dataset("exclusive.json")).encode())
    inbox.settle()
    assert inbox.objects() == [key]


def test_a_version_from_feedback_says_nothing_beside_the_file_of_its_base(inbox: Inbox) -> None:
    key = "training/tc-01/texts.json"
    inbox.drop(key, json.dumps(load_dataset("exclusive.json")).encode())
    inbox.settle()
    inbox.winnow.call("promote_version", body={"version": 2}, path={"model_id": "tc-01"})
    inbox.winnow.call("add_examples", body={"examples": [{"text": "sour dough", "label": "baking"}], "retrain": "now"})
    inbox.winnow.call("cancel_version", path={"model_id": "tc-01", "version": "3"})
    inbox.settle()
    assert inbox.objects() == [key]


# --- what Winnow removes ---


def test_the_results_of_a_deleted_model_go_and_those_of_the_next_one_stay(inbox: Inbox) -> None:
    inbox.drop(KEY, TEXTS)
    inbox.drop("inbox/tc-01/other.csv", CSV)
    inbox.settle()
    assert len([key for key in inbox.objects() if key.startswith("outbox/")]) == 2

    assert inbox.winnow.call("delete_model", path={"model_id": "tc-01"}).status == 200

    assert inbox.objects() == ["inbox/tc-01/other.csv", KEY]


def test_the_sweeper_leaves_the_results_of_a_new_model_with_the_same_id(inbox: Inbox, clock: Clock) -> None:
    inbox.winnow.call("delete_model", path={"model_id": "tc-01"})
    clock.advance(seconds=-30)
    [row] = inbox.rows("DELETIONS")
    early = row | {"at": "2020-01-01T00:00:00.000Z", "final_after": "2020-01-01T00:00:00.000Z"}
    inbox.winnow.table.put_item(Item=early)
    inbox.winnow.s3.put_object(Bucket=inbox.bucket, Key="outbox/tc-01/of-the-new-one.csv", Body=b"text,label\n")
    inbox.winnow.invoke("functions/upkeep/sweep", load_event("upkeep/sweep"), Context(seconds=240))
    assert inbox.rows("DELETIONS") == []
    assert inbox.objects() == ["outbox/tc-01/of-the-new-one.csv"]


def test_a_result_that_comes_after_its_model_was_deleted_goes_too(inbox: Inbox, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox.drop(KEY, TEXTS)
    inbox._run()
    copied = DroppedFiles.deliver

    def late(files: DroppedFiles, *given: Any) -> bool:
        done = copied(files, *given)
        inbox.winnow.table.delete_item(Key={"pk": "MODELS", "sk": "tc-01"})
        return done

    monkeypatch.setattr(DroppedFiles, "deliver", late)
    inbox._tell()
    assert inbox.objects() == [KEY]
    # The function ended before its look at the model.
    [batch] = inbox.batches()
    job, place = BatchJob("tc-01", batch["uid"], batch["batch"]), f"batches/{batch['uid']}/{batch['batch']}/result.jsonl"
    source = {"Bucket": inbox.winnow.names["Models"], "Key": place}
    copied(DroppedFiles(Bucket(inbox.winnow.s3, inbox.bucket)), job, source, "outbox/tc-01/texts.jsonl", "application/jsonl")
    told = {"model_id": "tc-01", "batch": job.batch, "object": KEY, "result": {"s3bucket": source["Bucket"], "object": place}}
    inbox.deliver({"source": "winnow", "detail-type": "Winnow Batch Ended", "detail": told})
    assert inbox.objects() == [KEY]


def test_off_no_folder_of_the_bucket_is_winnow_s(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.s3.put_object(Bucket=winnow.names["Datasets"], Key="outbox/tc-01/a-clients-own.csv", Body=CSV)
    winnow.call("delete_model", path={"model_id": "tc-01"})
    assert winnow.s3.get_object(Bucket=winnow.names["Datasets"], Key="outbox/tc-01/a-clients-own.csv")["Body"].read() == CSV


def test_a_clients_batch_of_another_file_has_no_result_in_the_outbox(inbox: Inbox) -> None:
    inbox.winnow.s3.put_object(Bucket=CLIENT_BUCKET, Key=KEY, Body=CSV)
    inbox.winnow.call("create_batch", body={"s3bucket": CLIENT_BUCKET, "object": KEY})
    inbox.settle()
    assert inbox.objects() == []


# --- the template ---


def test_without_the_parameter_nothing_of_it_exists() -> None:
    parts: Json = template()
    assert parts["Parameters"]["Inbox"]["Default"] == "false"
    assert parts["Conditions"]["HasInbox"] == {"Equals": [{"Ref": "Inbox"}, "true"]}
    for name in ("TakeFile", "FilesNotTaken"):
        assert parts["Resources"][name]["Condition"] == "HasInbox"
    bucket = parts["Resources"]["Datasets"]["Properties"]
    assert bucket["NotificationConfiguration"]["If"][0] == "HasInbox"
    folders = [rule["If"] for rule in bucket["LifecycleConfiguration"]["Rules"] if "If" in rule]
    assert {(condition, rule["Prefix"], rule["ExpirationInDays"]["Ref"]) for condition, rule, _ in folders} == {
        ("HasInbox", "inbox/", "UploadDays"),
        ("HasInbox", "training/", "UploadDays"),
        ("HasInbox", "outbox/", "BatchDays"),
    }
