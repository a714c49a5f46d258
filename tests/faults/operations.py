"""The operations: each of their writes gets faults. An operation has a moment to begin at and sequels. New ones are added here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any

from tests.conftest import CLIENT_BUCKET, DATA, Context, load_event
from tests.faults.deployed import DIED, SERVICE_FAULT, UnheardError, VanishedError
from tests.faults.outside import Outside
from tests.faults.wire import How, Write
from tests.faults.world import MODEL, Promises, Segments, World
from tests.support import moments
from tests.support.feedback import frozen
from tests.support.moments import Moment
from winnow.domain.dataset import Example, example_id
from winnow.domain.job import Hyperparameters
from winnow.domain.keys import MODELS_PREFIX
from winnow.recipes.pipeline import archive
from winnow.training.fit import train

Step = Callable[[World], object]
LOGGED = "I want to save for vacation!"
THREE = (MODEL, "tc-02", "tc-03")
# Aims of policies. Whole numbers come back from DynamoDB as they were.
STRICT, CHEAP = {"thresholds": {"baking": 1}}, {"cost": {"wrong": 1, "refused": 10}}


INBOX_FILE, TRAINING_FILE = f"inbox/{MODEL}/texts.jsonl", f"training/{MODEL}/texts.json"


def nothing(_: World) -> None:
    """Leave everything to the platform and the sweeper."""


@dataclass(frozen=True)
class Variant:
    """The world's reaction to a fault: the error of a task's death, and the client's next step. after: the faults that it can follow."""

    death: type[BaseException] = DIED
    then: Step = nothing
    after: frozenset[How] = frozenset(How)


@dataclass(frozen=True)
class Operation:
    """An operation. of: which writes get faults, by the beginnings of "FUNCTION CALL". An empty one means all."""

    name: str
    start: str
    act: Step
    variants: Mapping[str, Variant] = field(default_factory=lambda: {"left alone": Variant()})
    of: tuple[str, ...] = ("",)


# --- moments to begin at; each builds on the one that it calls first ---


def _queued(world: World) -> None:
    world.post()


def _labels_queued(world: World) -> None:
    """A training without examples. Its encoder is there from now on."""
    world.winnow.parameters["Encoder"] = "minilm"
    world.post(labels=["baking", {"name": "cycling", "description": "Bicycles"}], s3bucket=None, training_object=None, n_texts=None)


def _artifact_queued(world: World) -> None:
    """The import of a version of another deployment."""
    body, bucket = _archive(), world.winnow.names["Datasets"]
    world.winnow.s3.put_object(Bucket=bucket, Key="a.tar.gz", Body=body)
    artifact = {"s3bucket": bucket, "object": "a.tar.gz", "sha256": sha256(body).hexdigest()}
    of_trainings: Any = dict.fromkeys(("s3bucket", "training_object", "n_texts", "n_iter"))
    world.post(artifact=artifact, **of_trainings)


@cache
def _archive() -> bytes:
    examples = [Example(f"{word} {label}", (label,)) for label in ("baking", "cycling") for word in ("one", "two", "three")]
    return archive(train("linear", examples, Hyperparameters(n_iter=1), exclusive=True), "a-1", {})


def _ready(world: World) -> None:
    world.post()
    world.run_executions()


def _governed(world: World) -> None:
    _ready(world)
    world.govern(STRICT)
    world.govern(CHEAP)


def _three_wait(world: World) -> None:
    """Three trainings without a slot. From now on there is one."""
    world.winnow.parameters["MostTrainings"] = "0"
    for model_id in THREE:
        world.post(model_id)


def _two_for_one_slot(world: World) -> None:
    world.winnow.parameters["MostTrainings"] = "1"
    for model_id in THREE[:2]:
        world.post(model_id)


def _never_started(world: World) -> None:
    world.post()
    moments.executions().clear()


def _absent_data_set(world: World) -> None:
    world.post(training_object="absent.json")


def _to_be_published(world: World) -> None:
    """A training before the last task of its workflow."""
    world.post()
    [execution] = moments.executions()
    while execution.status == "RUNNING":
        kept = moments.keep(world.winnow), list(world.logs.get(execution.name, []))
        world.run(execution, tasks=1)
    moments.bring_back(world.winnow, kept[0])
    world.logs = {execution.name: kept[1]}


def _retraining(world: World) -> None:
    _ready(world)
    world.post(force_update=True)


def _second_ready(world: World) -> None:
    _retraining(world)
    world.run_executions()


def _third_ready(world: World) -> None:
    _second_ready(world)
    world.post(force_update=True)
    world.run_executions()


def _stopped(tasks: int) -> Step:
    """The execution was stopped after this number of tasks, and Winnow got no event."""

    def start(world: World) -> None:
        world.post()
        [execution] = moments.executions()
        world.run(execution, tasks)
        execution.status = "ABORTED"
        world.told.add(execution.name)

    return start


def _strangers_object(world: World) -> None:
    """An object of a version that isn't in the registry."""
    _ready(world)
    key = f"{MODELS_PREFIX}{'0' * 32}/versions/1/1/artifact/weights.bin"
    world.winnow.s3.put_object(Bucket=world.winnow.names["Models"], Key=key, Body=b"weights")


def _feedback_waits(world: World) -> None:
    _ready(world)
    world.add_examples("no")


def _feedback_is_trained_on(world: World) -> None:
    _ready(world)
    world.add_examples("now")


def _asked_while_training(world: World) -> None:
    """A training was requested during another one, which has ended since."""
    _retraining(world)
    world.add_examples("now")
    world.run_executions()


def _corrections_wait(world: World) -> None:
    _ready(world)
    world.add_examples("no", examples=corrections(world))


def _corrections_are_trained_on(world: World) -> None:
    _ready(world)
    world.add_examples("now", examples=corrections(world))


def _labels_change(world: World) -> None:
    _corrections_wait(world)
    world.change_labels()


def _feedback_of_nobody(world: World) -> None:
    """An object of a batch that isn't in the registry."""
    _feedback_waits(world)
    [key] = [key for key in moments.keys(world.winnow) if "/feedback/" in key]
    lost = key.rpartition("/")[0] + "/20200101T000000000-00000000.jsonl.gz"
    world.winnow.s3.put_object(Bucket=world.winnow.names["Models"], Key=lost, Body=b"examples")


def _texts(world: World) -> None:
    """A ready model, and texts to classify."""
    _ready(world)
    world.winnow.s3.put_object(Bucket=CLIENT_BUCKET, Key="texts.jsonl", Body=b'"a flat tyre"\n"prune the roses"\n')


def _a_queue(world: World) -> None:
    """A review queue of two texts, of which one is handed out."""
    _texts(world)
    world.post_queue()
    world.get_queue()


def _a_queue_from_the_log(world: World) -> None:
    """A review queue of the text that is logged."""
    _logged(world)
    world.post_queue(from_log=True)


def _batches_wait(world: World) -> None:
    """Three batch predictions, of which one has the only slot."""
    _texts(world)
    _one_batch_at_once(world)
    for _ in range(3):
        world.clock.advance(milliseconds=5)
        world.post_batch()


def _batch_never_started(world: World) -> None:
    _batches_wait(world)
    moments.executions("BatchWorkflow").clear()


def _logged(world: World) -> None:
    """A model whose log has a text."""
    _ready(world)
    world.change(log={"share": 1, "days": 30})
    world.winnow.new_environment()
    world.predict()


def learnt(world: World) -> str:
    """A text that version 1 has learnt, and that nothing else repeats."""
    text: str = frozen(world.winnow, 1, "train")[0]["text"]
    return text


def forgettable(world: World) -> list[str]:
    """Texts that lie in every place of the moment "to forget"."""
    return [learnt(world), LOGGED, "a flat tyre"]


def _to_forget(world: World) -> None:
    """A live version, pending feedback, a log, a queue, a batch prediction and an upload, each with a text to forget."""
    _logged(world)
    world.winnow.s3.put_object(Bucket=CLIENT_BUCKET, Key="texts.jsonl", Body=b'"a flat tyre"\n"prune the roses"\n')
    world.post_queue()
    world.post_batch()
    world.run_executions()
    world.add_examples("no", examples=[{"text": learnt(world), "label": "baking"}, {"text": "kept as it is", "label": "baking"}])
    key = f"uploads/{'0' * 32}-texts.csv"
    world.winnow.s3.put_object(Bucket=world.winnow.names["Datasets"], Key=key, Body=b"text,label\na flat tyre,cycling\n")


def _asked_to_forget(world: World) -> None:
    """A forgetting of a text that a live version has learnt, and that lies in pending feedback. Nobody works on it yet."""
    _texts(world)
    text = learnt(world)
    world.add_examples("no", examples=[{"text": text, "label": "baking"}])
    world.forget([text])
    world.outside.calls.clear()


def _classified(world: World) -> None:
    """The result of a file lies in the outbox."""
    _ready(world)
    _drop_and_run(INBOX_FILE)(world)


def _deleting(world: World) -> None:
    """A model is gone for clients, but all its objects and rows still exist."""
    _ready(world)
    path = {"model_id": MODEL}
    answer = world.winnow.invoke(
        "functions/api/delete_model", load_event("api/delete_model") | {"pathParameters": path}, Context(seconds=5)
    )
    assert answer["statusCode"] == 202
    world.lives[MODEL][-1].deleted = True


STARTS: Mapping[str, Step] = {
    "nothing": nothing,
    "queued": _queued,
    "labels queued": _labels_queued,
    "artifact queued": _artifact_queued,
    "three wait": _three_wait,
    "two for one slot": _two_for_one_slot,
    "never started": _never_started,
    "absent data set": _absent_data_set,
    "to be published": _to_be_published,
    "ready": _ready,
    "governed": _governed,
    "retraining": _retraining,
    "deleting": _deleting,
    "two versions": _second_ready,
    "three versions": _third_ready,
    "stopped before it began": _stopped(0),
    "stopped in the middle": _stopped(1),
    "an object of nobody": _strangers_object,
    "feedback waits": _feedback_waits,
    "feedback is trained on": _feedback_is_trained_on,
    "corrections wait": _corrections_wait,
    "corrections are trained on": _corrections_are_trained_on,
    "labels change": _labels_change,
    "asked while training": _asked_while_training,
    "feedback of nobody": _feedback_of_nobody,
    "logged": _logged,
    "to forget": _to_forget,
    "asked to forget": _asked_to_forget,
    "texts": _texts,
    "a queue": _a_queue,
    "a queue from the log": _a_queue_from_the_log,
    "a file is classified": _classified,
    "batches wait": _batches_wait,
    "a batch never started": _batch_never_started,
}


@dataclass(frozen=True)
class Kept:
    """A world at a moment, to go on from there. writes: their number in the operation so far."""

    moment: Moment
    lives: dict[str, list[Promises]]
    logs: dict[str, list[Any]]
    told: set[str]
    outside: Outside
    context: Context | None
    writes: int

    @staticmethod
    def of(world: World) -> Kept:
        """The world as it is now."""
        logs = {name: list(log) for name, log in world.logs.items()}
        context = deepcopy(world.lambda_context)
        told, outside = set(world.told), deepcopy(world.outside)
        return Kept(moments.keep(world.winnow), deepcopy(world.lives), logs, told, outside, context, len(world.wire.writes))

    def bring_back(self, world: World) -> None:
        world.bring_back(self.moment, self.lives)
        world.logs, world.told = {name: list(log) for name, log in self.logs.items()}, set(self.told)
        world.lambda_context = deepcopy(self.context)
        world.outside.bring_back(self.outside)


_KEPT: dict[str, Kept] = {}


def begin(world: World, start: str) -> None:
    """Bring the world to the moment. Each moment is made once per session."""
    if start not in _KEPT:
        world.bring_back(moments.nothing(world.winnow), {})
        STARTS[start](world)
        assert not world.wire.hits
        _KEPT[start] = Kept.of(world)
    _KEPT[start].bring_back(world)


# --- acts ---


def _while_train_writes(what: Step) -> Step:
    """Act in the middle of Train. Train goes on: StopExecution doesn't stop a running Lambda."""

    def act(world: World) -> None:
        world.during("training/train", "PutObject", lambda: what(world))
        world.run_executions()

    return act


def _fails(task: str) -> Step:
    """The task fails in each call, with an unforeseen error."""

    def act(world: World) -> None:
        world.winnow.failing = {task}
        world.run_executions()
        world.winnow.failing = set()

    return act


def _two_candidates(world: World) -> None:
    world.winnow.parameters["Encoder"] = "minilm"
    world.run_executions()


def _on_labels(world: World) -> None:
    world.winnow.parameters["Encoder"] = "minilm"
    world.run_executions()


def _one_after_the_other(world: World) -> None:
    world.winnow.parameters["MostTrainings"] = "1"
    world.run_executions()


def _dry_run(world: World) -> None:
    world.dry_run()
    world.make_calls()


def _in_segments(world: World) -> None:
    # Where it goes on from a moment, it has looked at the clock before.
    world.lambda_context = world.lambda_context or Segments()
    world.run_executions()


def _client(again: Step) -> Mapping[str, Variant]:
    return {"the client gives up": Variant(), "the client repeats": Variant(then=again, after=frozenset(How) - {How.LOST})}


# What Step Functions sees when a task dies. Its reaction depends on it.
DEATHS: Mapping[str, type[BaseException]] = {
    "its task died": DIED,
    "the service tries again": SERVICE_FAULT,
    "its execution is gone": VanishedError,
    "its execution is gone unheard": UnheardError,
}
# A training of another kind writes the same objects by the same code, so the two operations that come first sweep these.
_ROWS = ("training/prepare", *(f"training/{task} {call}" for task in ("train", "publish") for call in ("UpdateItem", "Trans", "Delete")))
# The kind of death matters only if the task died.
_TASK = {name: Variant(death=death, after=frozenset(How if death is DIED else (How.BEFORE, How.AFTER))) for name, death in DEATHS.items()}


def _post(world: World) -> None:
    world.post()


def _post_update(world: World) -> None:
    world.post(force_update=True)


def _post_with_key(world: World) -> None:
    world.post(force_update=True, key="a-key-of-the-client")


def _post_with_key_late(world: World) -> None:
    """Without the key this would start another training."""
    world.run_executions()
    _post_with_key(world)


_LATE = Variant(then=_post_with_key_late)


def _cancel(version: int) -> Step:
    return lambda world: world.cancel(MODEL, version)


def _delete(world: World) -> None:
    world.delete()


def _delete_and_post(world: World) -> None:
    world.delete()
    world.post()


def _promote(*versions: int) -> Step:
    def act(world: World) -> None:
        for version in versions:
            world.promote(version)

    return act


def _delete_version(world: World) -> None:
    # The latest version is live, so the first can be deleted.
    world.delete_version(1)


def _feedback(retrain: str, key: str | None = None) -> Step:
    return lambda world: world.add_examples(retrain, key)


def corrections(world: World) -> list[Any]:
    """A text to drop, one to keep, and one with another label, of those that the model learnt."""
    uid = next(row["uid"] for row in world.rows() if row["pk"] == "MODELS" and row["sk"] == MODEL)
    texts: dict[str, list[str]] = {}
    for each in frozen(world.winnow, 1, "train"):
        texts.setdefault(each["labels"][0], []).append(each["text"])
    many, other = sorted(texts, key=lambda label: -len(texts[label]))[:2]
    dropped, kept, relabelled = (example_id(uid, text) for text in (*texts[many][:2], texts[other][0]))
    return [{"example": dropped, "drop": True}, {"example": kept, "keep": True}, {"example": relabelled, "label": many}]


def _correct(retrain: str) -> Step:
    return lambda world: world.add_examples(retrain, examples=corrections(world))


def _take_back(world: World) -> None:
    world.take_back()


def _change_labels(world: World) -> None:
    world.change_labels()


def _change(world: World) -> None:
    world.change(retrain_after=10)


def _change_log(world: World) -> None:
    world.change(log={"share": 0.5, "days": 7})


def _predict(world: World) -> None:
    world.predict()


def _measure_drift(world: World) -> None:
    world.clock.advance(days=1)
    world.sweep()
    world.make_calls()


def _delete_while_drift_is_measured(world: World) -> None:
    world.clock.advance(days=1)
    world.during("upkeep/measure_drift", "TransactWriteItems", world.delete)
    world.measure_drift()


def _delete_while_a_text_is_logged(world: World) -> None:
    world.during("api/predict", "PutObject", world.delete)
    world.predict()


def _govern(*aims: Any) -> Step:
    def act(world: World) -> None:
        for aim in aims:
            world.govern(aim)

    return act


def _govern_and_tell(world: World) -> None:
    world.govern(STRICT)
    world.tell_readers()


def _write_note(world: World) -> None:
    world.write_note()


def _one_batch_at_once(world: World) -> None:
    world.winnow.parameters["MostBatches"] = "1"


def _forget(world: World) -> None:
    world.forget(forgettable(world), "a-key-of-the-client")


def _forget_to_the_end(world: World) -> None:
    """From a later moment, where the client has asked already, it goes on."""
    if not any(row["pk"] == "FORGETTINGS" for row in world.rows()):
        world.forget(forgettable(world))
    for _ in range(5):
        if not any(row["pk"] == "FORGETTINGS" and row["status"] != "done" for row in world.rows()):
            # What is left to do, the world does when it settles.
            break
        _while_it_works(world)


def _while_it_works(world: World) -> None:
    world.make_calls()
    world.run_executions()
    world.clock.advance(minutes=6)
    world.sweep()
    world.run_executions()


def _drop_and_run(key: str, body: bytes | None = None) -> Step:
    def act(world: World) -> None:
        world.winnow.parameters["Inbox"] = "true"
        given = (b'"a flat tyre"\n' if key == INBOX_FILE else (DATA / "exclusive.json").read_bytes()) if body is None else body
        # From a later moment, where the file is there already, it goes on.
        if key not in moments.bodies(world.winnow):
            world.drop(key, given)
        world.run_executions()
        # What waited for the end of another training.
        world.run_executions()

    return act


def _delete_with_outbox(world: World) -> None:
    world.winnow.parameters["Inbox"] = "true"
    world.delete()


def _post_queue(world: World) -> None:
    world.post_queue()


def _post_queue_from_log(world: World) -> None:
    world.post_queue(from_log=True)


def _get_queue(world: World) -> None:
    world.get_queue()


def _post_batch(world: World) -> None:
    _one_batch_at_once(world)
    world.post_batch()


def _cancel_a_batch_that(runs_or_waits: str) -> Step:
    place = {"runs": 0, "waits": 1}[runs_or_waits]

    def act(world: World) -> None:
        _one_batch_at_once(world)
        world.cancel_batch(sorted(world.lives[MODEL][-1].batches)[place])

    return act


def _delete_with_batches(world: World) -> None:
    _one_batch_at_once(world)
    world.delete()


def _batch_ends(world: World) -> None:
    """One batch ends, and the registry's stream tells of it, as often as Lambda tries."""
    _one_batch_at_once(world)
    world.run_executions()


def _sweep_batches_after(**time: float) -> Step:
    def act(world: World) -> None:
        _one_batch_at_once(world)
        world.run_executions()
        world.clock.advance(**time)
        world.sweep()

    return act


def _schedule_comes(world: World) -> None:
    world.change(schedule="rate(1 hour)")
    # At most one version comes of it.
    world.lives[MODEL][-1].asked += 1
    world.clock.advance(hours=2)
    world.sweep()


def _told_of_the_end(world: World) -> None:
    world.told.clear()
    world.tell_of_ends()


def _sweep_after(**time: float) -> Step:
    def act(world: World) -> None:
        world.clock.advance(**time)
        world.sweep()

    return act


OPERATIONS: tuple[Operation, ...] = (
    Operation("POST /models", "nothing", _post, _client(_post)),
    Operation("POST /models force_update", "ready", _post_update, _client(_post_update)),
    Operation(
        "POST /models with an Idempotency-Key", "ready", _post_with_key, {**_client(_post_with_key), "the client repeats late": _LATE}
    ),
    Operation("training", "queued", lambda world: world.run_executions(), _TASK, of=("training/prepare", "training/publish")),
    Operation("training in segments", "queued", _in_segments, _TASK, of=("training/train",)),
    Operation("a data set that is absent", "absent data set", lambda world: world.run_executions(), _TASK),
    Operation("training of two candidates", "queued", _two_candidates, _TASK, of=_ROWS),
    Operation("POST /models with labels", "nothing", _labels_queued, _client(_labels_queued)),
    Operation("training on labels", "labels queued", _on_labels, _TASK, of=("training/",)),
    Operation("training on an artifact", "artifact queued", lambda world: world.run_executions(), _TASK, of=_ROWS),
    Operation("training whose candidates all fail", "queued", _fails("train"), _TASK, of=("training/publish",)),
    Operation("Fail", "queued", _fails("publish"), _TASK, of=("training/fail",)),
    Operation("cancel", "queued", _cancel(1), _client(_cancel(1))),
    Operation("cancel while Train writes", "queued", _while_train_writes(_cancel(1)), _client(_cancel(1)), of=("api/",)),
    Operation("cancel a second version", "retraining", _cancel(2), _client(_cancel(2))),
    Operation("DELETE model", "ready", _delete, _client(_delete)),
    Operation("DELETE while Train writes", "queued", _while_train_writes(_delete), _client(_delete), of=("api/",)),
    Operation("DELETE, and POST of the same id", "retraining", _delete_and_post, _client(_delete_and_post)),
    Operation("promote", "two versions", _promote(1), _client(_promote(1))),
    Operation("promote and roll back", "two versions", _promote(1, 2), _client(_promote(2))),
    Operation("DELETE version", "two versions", _delete_version, _client(_delete_version)),
    Operation("the rule that is told of an end", "stopped in the middle", _told_of_the_end, of=("upkeep/",)),
    Operation("the end of a training, and the next", "two for one slot", _one_after_the_other, of=("upkeep/",)),
    Operation("a dry run that nobody waits for", "nothing", _dry_run, _client(_dry_run)),
    Operation("sweeper: a training that never started", "never started", _sweep_after(minutes=6)),
    Operation("sweeper: a training to be started again", "stopped before it began", _sweep_after(minutes=6)),
    Operation("sweeper: a lease that ran out", "stopped in the middle", _sweep_after(minutes=66)),
    Operation("sweeper: a deletion to be finished", "deleting", _sweep_after(minutes=17)),
    Operation("POST examples", "ready", _feedback("no"), _client(_feedback("no"))),
    Operation("POST examples and train", "feedback waits", _feedback("now"), _client(_feedback("now"))),
    Operation("POST examples with an Idempotency-Key", "ready", _feedback("now", "a-key"), _client(_feedback("now", "a-key"))),
    Operation("POST examples while one is trained", "retraining", _feedback("now"), _client(_feedback("now"))),
    Operation("DELETE examples", "feedback waits", _take_back, _client(_take_back)),
    Operation("PATCH labels", "ready", _change_labels, _client(_change_labels)),
    Operation("PATCH labels with feedback", "corrections wait", _change_labels, _client(_change_labels)),
    Operation("training with other labels", "labels change", lambda world: world.run_executions(), _TASK, of=_ROWS),
    Operation("POST corrections", "ready", _correct("no"), _client(_correct("no"))),
    Operation("POST corrections and train", "corrections wait", _correct("now"), _client(_correct("now"))),
    Operation("DELETE corrections", "corrections wait", _take_back, _client(_take_back)),
    Operation("training on corrections", "corrections are trained on", lambda world: world.run_executions(), _TASK, of=_ROWS),
    Operation("DELETE model with corrections", "corrections are trained on", _delete, _client(_delete)),
    Operation("PATCH model", "ready", _change, _client(_change)),
    Operation("PATCH model, its log", "ready", _change_log, _client(_change_log)),
    Operation("a prediction that is logged", "logged", _predict, _client(_predict)),
    Operation("DELETE model with a log", "logged", _delete, _client(_delete)),
    Operation("a day of drift", "logged", _measure_drift),
    Operation("DELETE while drift is measured", "logged", _delete_while_drift_is_measured, _client(_delete)),
    Operation("DELETE while a text is logged", "logged", _delete_while_a_text_is_logged, _client(_delete), of=("api/",)),
    Operation("PUT policy", "ready", _govern(STRICT), _client(_govern(STRICT))),
    Operation("PUT policy, another and DELETE", "ready", _govern(STRICT, CHEAP, None), _client(_govern(None))),
    Operation("the registry's stream tells of a policy", "ready", _govern_and_tell, of=("upkeep/",)),
    Operation("DELETE model with policies", "governed", _delete, _client(_delete)),
    Operation("PATCH version", "ready", _write_note, _client(_write_note)),
    Operation("training on feedback", "feedback is trained on", lambda world: world.run_executions(), _TASK, of=_ROWS),
    Operation("cancel a training on feedback", "feedback is trained on", _cancel(2), _client(_cancel(2))),
    Operation("DELETE model with feedback", "feedback is trained on", _delete, _client(_delete)),
    Operation("sweeper: feedback to be trained on", "asked while training", _sweep_after(minutes=6)),
    Operation("sweeper: a schedule that has come", "feedback waits", _schedule_comes),
    Operation("sweeper: an orphan of feedback", "feedback of nobody", _sweep_after(hours=25)),
    Operation("sweeper: an orphan", "an object of nobody", _sweep_after(hours=25)),
    Operation("POST queue", "texts", _post_queue, _client(_post_queue)),
    Operation("POST queue in place of another", "a queue", _post_queue, _client(_post_queue)),
    Operation("POST queue from the log", "logged", _post_queue_from_log, _client(_post_queue_from_log)),
    Operation("GET queue", "a queue", _get_queue, _client(_get_queue)),
    Operation("GET queue from the log", "a queue from the log", _get_queue, _client(_get_queue)),
    Operation("DELETE model with a queue", "a queue", _delete, _client(_delete)),
    Operation("POST /forget", "to forget", _forget, _client(_forget), of=("api/",)),
    Operation("a forgetting to its end", "to forget", _forget_to_the_end, {"left alone": Variant(then=_while_it_works)}, of=("upkeep/",)),
    Operation("a file of the inbox", "ready", _drop_and_run(INBOX_FILE), of=("upkeep/take_file",)),
    Operation("a file of the inbox that is empty", "ready", _drop_and_run(INBOX_FILE, b""), of=("upkeep/take_file",)),
    Operation("a training file that waits", "retraining", _drop_and_run(TRAINING_FILE), of=("upkeep/take_file",)),
    Operation("DELETE model with results in the outbox", "a file is classified", _delete_with_outbox, _client(_delete), of=("api/",)),
    Operation("POST batches", "texts", _post_batch, _client(_post_batch)),
    Operation("POST batches while others wait", "batches wait", _post_batch, _client(_post_batch)),
    Operation("cancel a batch", "batches wait", _cancel_a_batch_that("runs"), _client(_cancel_a_batch_that("runs"))),
    Operation("cancel a batch that waits", "batches wait", _cancel_a_batch_that("waits"), _client(_cancel_a_batch_that("waits"))),
    Operation("DELETE model with batches", "batches wait", _delete_with_batches, _client(_delete_with_batches)),
    Operation("a batch ends while others wait", "batches wait", _batch_ends, of=("batch/join", "upkeep/")),
    Operation("sweeper: a batch that waits", "batches wait", _sweep_batches_after(minutes=6), of=("upkeep/",)),
    Operation("sweeper: a batch that never started", "a batch never started", _sweep_batches_after(minutes=6), of=("upkeep/",)),
)


@dataclass(frozen=True)
class Place:
    """A write of an operation, and its number since the moment right before the task of a workflow that makes it."""

    write: Write
    number: int
    before: Kept


def run(world: World, operation: Operation, variant: Variant, place: Place, how: How) -> None:
    """Run the operation with a fault at this place, and everything after it, until the world has settled.

    It goes on from the moment before the place. There the act is repeated: tasks that have run before have their results.
    """
    place.before.bring_back(world)
    world.winnow.death = variant.death
    world.wire.arm({place.number: how})
    operation.act(world)
    world.wire.at_each_call = None
    variant.then(world)
    world.run_executions()
    world.settle()


def places_of(world: World, operation: Operation) -> list[Place]:
    """The writes of the operation without faults."""
    begin(world, operation.start)
    before = [Kept.of(world)]
    world.winnow.before_task = lambda: before.append(Kept.of(world))
    operation.act(world)
    world.winnow.before_task = world.wire.at_each_call = None
    found = []
    for made, write in enumerate(world.wire.writes):
        last = [kept for kept in before if kept.writes <= made][-1]
        found.append(Place(write, made + 1 - last.writes, last))
    return [place for place in found if f"{place.write.function} {place.write.operation}".startswith(operation.of)]
