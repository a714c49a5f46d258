"""What must hold in a deployment once everything has settled, after any faults. Each violation is a sentence."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tests.conftest import CLIENT_BUCKET, DATA
from tests.support import moments
from tests.support.object_versions import unpacked
from winnow.domain.clock import utc_now
from winnow.domain.dropped_file import DROPPED_PREFIXES, OUTBOX_PREFIX, error_key, is_sentence
from winnow.domain.errors import WinnowError
from winnow.domain.job import TrainingJob
from winnow.domain.keys import (
    BATCHES_PREFIX,
    LOG_PREFIX,
    SHARDS_PREFIX,
    JobObject,
    feedback_batch_of_key,
    feedback_key,
    review_queue_key,
    review_queue_of_key,
    version_of_label_list_key,
)
from winnow.domain.model import FIGURES
from winnow.evaluation.example_index import ExampleIndex
from winnow.registry.versions import Versions
from winnow.storage.artifacts import Artifacts
from winnow.storage.bucket import Bucket
from winnow.storage.checkpoints import CHECKPOINTS
from winnow.storage.frozen_examples import FrozenExamples
from winnow.storage.learnt_examples import Block, LearntExamples
from winnow.storage.pipelines import Pipelines
from winnow.storage.version_reports import VersionReports

if TYPE_CHECKING:
    from tests.faults.world import Promises, World
    from winnow.domain.model import Version

ENDED = {"ready", "failed", "cancelled"}


def violations(world: World, dataset: str = "exclusive.json") -> list[str]:
    """The violations. None if every promise was kept."""
    _of_forgetting(world)
    # Before anything is asked: a prediction may be logged.
    forgotten = list(not_forgotten(world))
    rows = [row for row in world.rows() if not _is_torso(row)]
    models = {row["sk"]: row for row in rows if row["pk"] == "MODELS"}
    versions: dict[str, dict[int, Any]] = {}
    for row in rows:
        if row["pk"].startswith("VERSIONS#"):
            versions.setdefault(row["uid"], {})[int(row["version"])] = row
    return [
        *world.found,
        *forgotten,
        *(f"a row that nobody made: {row}" for row in world.rows() if _is_torso(row)),
        *_of_models(world, models, versions),
        *_left_over(rows, models, versions),
        *_of_feedback(world, models),
        *_of_queues(world, models),
        *_of_batches(world, models),
        *_of_inbox(world, models),
        *_of_policies(world, models),
        *_of_drift(world, models),
        *_of_executions(world),
        *_of_promises(world, models, versions),
        *_of_data_set(world, dataset),
        *_of_dry_runs(world),
        *world.outside.not_announced(),
        *world.deeds.faults(world.rows()),
        *_orphans(world),
    ]


def _of_forgetting(world: World) -> None:
    """What a forgetting may do to models beside what clients asked for: withdraw their versions, make others, and remove their queues."""
    if any(row["pk"] == "FORGETTINGS" for row in world.rows()):
        for lives in world.lives.values():
            there = {int(row["version"]) for row in world.rows() if row["pk"].startswith("VERSIONS#")}
            lives[-1].removed |= {*lives[-1].accepted} - there
            lives[-1].asked += 2
            lives[-1].queues.clear()


def not_forgotten(world: World) -> Iterator[str]:
    """A forgetting that was answered is done, has a receipt, and has left its texts nowhere."""
    rows = {row["sk"]: row for row in world.rows() if row["pk"] == "FORGETTINGS"}
    yield from (f"the forgetting {each} was answered and is gone" for each in world.forgettings - rows.keys())
    for name, row in rows.items():
        if row["status"] != "done" or row.keys() & {"salt", "subject", "texts"}:
            yield f"the forgetting {name} stays {row['status']}"
    if not rows:
        return
    kept = {f"{row['pk']}/{row['sk']}": json.dumps(row, default=str) for row in world.rows()}
    kept |= {key: unpacked(body).decode("latin-1") for key, body in moments.bodies(world.winnow).items()}
    yield from (f"{text!r} is still in {place}" for text in world.forgotten for place, content in kept.items() if text in content)


def _is_torso(row: Any) -> bool:
    """Whether an update created this row because its own row was gone."""
    return (row["pk"] == "MODELS" or row["pk"].startswith("VERSIONS#")) and "created_at" not in row


def _orphans(world: World) -> Iterator[str]:
    """Objects that nothing will read: of no version, of an earlier start, or of candidates after the end of the training."""
    known = {(row["uid"], int(row["version"])): row for row in world.rows() if row["pk"].startswith("VERSIONS#") and not _is_torso(row)}
    batches = {(row["pk"].partition("#")[2], row["sk"]) for row in world.rows() if row["pk"].startswith("FEEDBACK#")}
    uids = {row.get("uid") for row in world.rows() if row["pk"] == "MODELS"}
    queues = {(row["pk"].partition("#")[2], row["queue"]) for row in world.rows() if row["pk"].startswith("REVIEW#")}
    of_clients = (
        (lambda key: key.split("/")[2] if key.startswith(LOG_PREFIX) else None, uids, "logged texts of a model that is gone"),
        (review_queue_of_key, queues, "an object of no review queue"),
        (feedback_batch_of_key, batches, "an object of no batch"),
        (version_of_label_list_key, known, "labels of no version"),
    )
    for key in sorted(moments.keys(world.winnow)):
        if key.startswith((BATCHES_PREFIX, SHARDS_PREFIX, "reports/")):
            # _of_batches looks at the first two. Reports belong to no model: S3 removes them after a week.
            continue
        owners = [(owner, there, what) for owner_of, there, what in of_clients if (owner := owner_of(key)) is not None]
        if owners:
            yield from (f"{what}: {key}" for owner, there, what in owners if owner not in there)
            continue
        made = JobObject.from_key(key)
        row = known.get((made.uid, made.version)) if made else None
        if made is None or row is None:
            yield f"an object of no version: {key}"
        elif made.fence != row["fence"]:
            yield f"an object of an older start: {key}"
        elif made.name.startswith(CHECKPOINTS) and row["status"] in ENDED:
            yield f"a checkpoint of what isn't being made any more: {key}"
        elif made.name.startswith("artifact/") and row["status"] == "ready" and made.name not in _named(world, row):
            yield f"a file of a candidate that wasn't chosen: {key}"


def _named(world: World, version: Any) -> set[str]:
    """The keys of a version's artifact, under its job's prefix."""
    key = f"{TrainingJob.from_event(version).prefix}artifact/manifest.json"
    manifest = json.loads(world.winnow.s3.get_object(Bucket=world.winnow.names["Models"], Key=key)["Body"].read())
    return {"artifact/manifest.json", *(entry["key"] for entry in manifest.values())}


def _of_models(world: World, models: dict[str, Any], versions: dict[str, dict[int, Any]]) -> Iterator[str]:
    bucket = Bucket(world.winnow.s3, world.winnow.names["Models"])
    for model_id, model in models.items():
        own = versions.get(model["uid"], {})
        numbers = [*own, *(number for uid, number in world.made if uid == model["uid"])]
        if not numbers or int(model["latest_version"]) != max(numbers):
            yield f"{model_id} says that its latest version is {model['latest_version']}; made were {sorted(set(numbers))}"
        if "training_version" in model:
            yield f"{model_id} still trains version {model['training_version']}, and nothing trains it"
        for number, version in own.items():
            if version["status"] not in ENDED:
                yield f"{model_id}/{number} stays {version['status']}"
            if version["status"] == "ready":
                yield from _unreadable(bucket, Versions(world.winnow.table).of_life(model_id, model["uid"], number))
        live = model.get("live_version")
        if live is None:
            if any(version["status"] == "ready" and version["promote"] == "auto" for version in own.values()):
                yield f"{model_id} has a ready version and none is live"
            continue
        if own.get(int(live), {}).get("status") != "ready":
            yield f"{model_id}'s live version {live} is not ready"
            continue
        world.winnow.new_environment()
        answer = world.predict(model_id)
        if answer is None or answer.status != 200 or answer.body["version"] != live:
            yield f"{model_id}'s live version {live} doesn't answer: {answer}"


def _unreadable(bucket: Bucket, version: Version) -> Iterator[str]:
    """Each object of a ready version is there and has the digest that its row names."""
    job = version.job
    try:
        Artifacts(bucket).read(job, version.manifest_sha256 or "")
        reports, frozen = VersionReports(bucket), FrozenExamples(bucket)
        # A version without examples has nothing to be measured on.
        if not version.without_examples:
            reports.evaluation(version)
            reports.suspects(version)
            reports.dial(version)
            for figure in FIGURES:
                reports.figure(version, figure)
            yield from _unlisted(LearntExamples(bucket), version)
        for part in ("train", "test"):
            frozen.read(version, part)
        reports.dataset_report(version)
        reports.held_out(version)
        Pipelines(bucket).link(version)
    except WinnowError as error:
        yield f"{job.model_id}/{job.version} is ready and lacks an object: {error}"


def _unlisted(learnt: LearntExamples, version: Version) -> Iterator[str]:
    """The list of a version has all its examples, and each block of texts that it names is there."""
    index = ExampleIndex.from_bytes(learnt.index(version))
    if len(index) != version.dataset["examples"]:
        yield f"{version.job.model_id}/{version.job.version} lists {len(index)} of its {version.dataset['examples']} examples"
    blocks = sorted(set(index.blocks_of(range(len(index)))))
    learnt.lines(version, [Block(number, *index.block(number)[1:]) for number in blocks])
    learnt.link(version)


def _left_over(rows: list[Any], models: dict[str, Any], versions: dict[str, dict[int, Any]]) -> Iterator[str]:
    uids = {model["uid"] for model in models.values()}
    yield from (f"the deletion of {row.get('model_id', row['sk'])} was never finished" for row in rows if row["pk"] == "DELETIONS")
    yield from (f"version rows of a model that is gone: {uid}" for uid in versions if uid not in uids)
    batches = (row for row in rows if row["pk"].startswith("BATCHES"))
    yield from (f"a row of a batch of a model that is gone: {row['pk']} {row['sk']}" for row in batches if row["uid"] not in uids)


def _of_feedback(world: World, models: dict[str, Any]) -> Iterator[str]:
    """Every batch has its object and is counted once. After everything has settled, nothing waits for it."""
    batches = [(row["pk"].partition("#")[2], row) for row in world.rows() if row["pk"].startswith("FEEDBACK#")]
    uids = {model["uid"] for model in models.values()}
    keys = moments.keys(world.winnow)
    for uid, row in batches:
        if uid not in uids:
            yield f"a batch of a model that is gone: {uid}"
        if feedback_key(uid, row["sk"]) not in keys:
            yield f"a batch without its object: {row['sk']}"
    dismissing = {(uid, row["sk"]): row["keeps"] for uid, row in batches if row.get("keeps")}
    dismissed = {(row["pk"].partition("#")[2], row["sk"]): len(row["kept"]) for row in world.rows() if row["pk"].startswith("KEPT#")}
    if dismissed != dismissing:
        yield f"batches dismiss {dismissing}, and dismissed are {dismissed}"
    for model_id, model in models.items():
        there = sum(row["examples"] for uid, row in batches if uid == model["uid"])
        if model.get("feedback_received", 0) != there:
            yield f"{model_id} counts {model.get('feedback_received', 0)} examples of feedback, and {there} are there"
        if "feedback_taking" in model:
            yield f"{model_id} still trains on feedback, and nothing trains it"
        taken = model.get("feedback_taken", {"through": "", "examples": 0})
        until = sum(row["examples"] for uid, row in batches if uid == model["uid"] and row["sk"] <= taken["through"])
        if taken["examples"] != until:
            yield f"{model_id} says that a version took {taken['examples']} examples of feedback, and it took {until}"
        waiting = there - int(taken["examples"])
        if "retrain_now" in model and waiting and "live_version" in model:
            yield f"{model_id} was asked to be trained on feedback, and never was"


def _of_policies(world: World, models: dict[str, Any]) -> Iterator[str]:
    """A model's revisions have no gap, and the one that it names is the last one, and has the aim that the client was told."""
    policies: dict[str, list[Any]] = {}
    for row in world.rows():
        if row["pk"].startswith("POLICIES#"):
            policies.setdefault(row["uid"], []).append(row)
    yield from (f"policies of a model that is gone: {uid}" for uid in policies.keys() - {model["uid"] for model in models.values()})
    for model_id, model in models.items():
        own = sorted(policies.get(model["uid"], []), key=lambda row: row["revision"])
        if [row["revision"] for row in own] != list(range(1, int(model.get("policies", 0)) + 1)):
            yield f"{model_id} has had {model.get('policies', 0)} policies, and there are {len(own)}"
            continue
        last = own[-1] if own and "aim" in own[-1] else None
        if model.get("policy") != (None if last is None else last["revision"]):
            yield f"{model_id} names the policy {model.get('policy')}, and the last one is {last}"
        told = world.lives[model_id][-1] if model_id in world.lives else None
        if told is not None and not told.deleted and told.aim is not ... and {**(last or {}).get("aim", {})} != (told.aim or {}):
            yield f"{model_id} was told {told.aim}, and has the policy {last}"


def _of_drift(world: World, models: dict[str, Any]) -> Iterator[str]:
    """Days are measured of models that are there, and each day that has a logged text and has ended, while the log is on."""
    days = {(row["uid"], row["sk"]) for row in world.rows() if row["pk"].startswith("DRIFT#")}
    yield from (f"drift of a model that is gone: {uid}" for uid in {uid for uid, _ in days} - {model["uid"] for model in models.values()})
    logged = {tuple(key.split("/")[2:4]) for key in moments.keys(world.winnow) if key.startswith(LOG_PREFIX)}
    with_log, today = {model["uid"] for model in models.values() if "log" in model}, f"{utc_now():%Y-%m-%d}"
    missing = {(uid, day) for uid, day in logged if uid in with_log and day < today} - days
    yield from (f"{day} was never measured: {uid}" for uid, day in sorted(missing))


def _of_queues(world: World, models: dict[str, Any]) -> Iterator[str]:
    """A model has the last review queue that a client was told of, or a newer one, with its object. No text was handed out twice."""
    queues = {row["pk"].partition("#")[2]: row for row in world.rows() if row["pk"].startswith("REVIEW#")}
    yield from (f"the review queue of a model that is gone: {uid}" for uid in queues.keys() - {model["uid"] for model in models.values()})
    for uid, row in queues.items():
        body = Bucket(world.winnow.s3, world.winnow.names["Models"]).find(review_queue_key(uid, row["queue"]))
        if body is None or hashlib.sha256(body).hexdigest() != row["sha256"]:
            yield f"the review queue {row['queue']} has no object, or another one"
    for model_id, lives in world.lives.items():
        life = lives[-1]
        yield from (f"the text {item} was handed out {count} times" for item, count in life.handed_out.items() if count > 1)
        if life.queues and not life.deleted and model_id in models:
            there = queues.get(models[model_id]["uid"], {}).get("queue", "")
            if there < life.queues[-1]:
                yield f"{model_id} has the review queue {there!r}, and {life.queues[-1]} was made"


def _of_batches(world: World, models: dict[str, Any]) -> Iterator[str]:
    """Every batch prediction has ended, and nothing is left over of it that doesn't expire by itself."""
    batches = {(row["pk"].partition("#")[2], row["sk"]): row["batch_status"] for row in world.rows() if row["pk"].startswith("BATCHES#")}
    yield from (f"a mark is left of the batch {row['sk']}" for row in world.rows() if row["pk"] == "BATCHES")
    yield from (f"the batch {batch} stays {status}" for (_, batch), status in batches.items() if status not in ENDED)
    for key in moments.keys(world.winnow):
        kind, uid, batch = [*key.split("/"), "", ""][:3]
        status = batches.get((uid, batch), "gone")
        # Shards of what was cancelled stay until they expire, and so does a result that could not be committed.
        if (kind == "shards" and status != "cancelled") or (kind == "batches" and status == "gone"):
            yield f"an object of a batch that is {status}: {key}"
    for model_id, lives in world.lives.items():
        life = lives[-1]
        if life.deleted or model_id not in models:
            continue
        own = {batch: status for (uid, batch), status in batches.items() if uid == models[model_id]["uid"]}
        yield from (f"the batch {batch} of {model_id} was accepted and is gone" for batch in life.batches - own.keys())
        yield from (f"the batch {it} was cancelled and is {own.get(it)}" for it in life.cancelled_batches if own.get(it) != "cancelled")


def _of_inbox(world: World, models: dict[str, Any]) -> Iterator[str]:
    """Each file of the inbox has begun one batch or training, and has a result or a sentence beside it."""
    yield from (f"the file {row['object']} waits" for row in world.rows() if row["pk"] == "INBOX")
    there = moments.bodies(world.winnow)
    files = {key: key.split("/")[1] for key in there if key.startswith(DROPPED_PREFIXES) and not is_sentence(key)}
    begun = Counter(row["object"] for row in world.rows() if row["pk"].startswith("BATCHES#"))
    begun += Counter(
        row["dataset"].get("training_object") for row in world.rows() if row["pk"].startswith("VERSIONS#") and "dataset" in row
    )
    for key, model_id in files.items():
        result = f"{OUTBOX_PREFIX}{key.partition('/')[2]}"
        if model_id not in models:
            yield from (f"the result {result} of a deleted model is left" for _ in [1] if result in there)
            continue
        if begun[key] != 1:
            yield f"the file {key} has begun {begun[key]} times"
        if key.startswith("inbox/") and (result in there) == (error_key(key) in there):
            yield f"the file {key} has neither a result nor a sentence, or both"


def _of_executions(world: World) -> Iterator[str]:
    executions = [*moments.executions(), *moments.executions("BatchWorkflow")]
    inputs = Counter(execution.execution_input for execution in executions)
    yield from (f"{number} executions for {given}" for given, number in inputs.items() if number > 1)
    yield from (f"{it.name} still runs" for it in executions if it.status == "RUNNING")


def _of_promises(world: World, models: dict[str, Any], versions: dict[str, dict[int, Any]]) -> Iterator[str]:
    for model_id, lives in world.lives.items():
        for life in lives:
            yield from (f"two POSTs were given {model_id}/{number}" for number, told in Counter(life.accepted).items() if told > 1)
        yield from _of_life(world, model_id, lives[-1], models, versions)
        files = sum(key.startswith(f"training/{model_id}/") for key in moments.bodies(world.winnow))
        most = sum(len(life.accepted) + life.unanswered + life.asked for life in lives) + files
        made = sum(1 for uid, _ in world.made if uid in world.uids.get(model_id, []))
        if made > most:
            yield f"{made} versions of {model_id} were made, for at most {most} requests"


def _of_life(world: World, model_id: str, life: Promises, models: dict[str, Any], versions: dict[str, dict[int, Any]]) -> Iterator[str]:
    model = models.get(model_id)
    if life.deleted:
        # A POST without an answer may have begun another life.
        if model is not None and not life.unanswered:
            yield f"{model_id} was deleted and is there"
        return
    if model is None:
        if life.accepted:
            yield f"{model_id} was accepted and is gone"
        return
    own = versions.get(model["uid"], {})
    batches = {row["sk"] for row in world.rows() if row["pk"] == f"FEEDBACK#{model['uid']}"}
    yield from (f"batch {batch} of {model_id} was answered with 201 and is gone" for batch in life.kept - life.taken_back - batches)
    yield from (f"batch {batch} of {model_id} was taken back and is there" for batch in life.taken_back & batches)
    for number in [*life.accepted, *sorted(life.started)]:
        if number not in own and number not in life.removed:
            yield f"{model_id}/{number} was answered and is gone"
    for number in life.cancelled:
        if number in own and own[number]["status"] != "cancelled":
            yield f"{model_id}/{number} was cancelled and is {own[number]['status']}"
    yield from (f"{model_id}/{number} was deleted and is there" for number in life.removed if number in own)
    if life.live is not None and model.get("live_version") != life.live:
        yield f"{model_id}/{life.live} was promoted and {model.get('live_version')} is live"


def _of_data_set(world: World, dataset: str) -> Iterator[str]:
    body = world.winnow.s3.get_object(Bucket=CLIENT_BUCKET, Key="trainingSet.json")["Body"].read()
    if body != (DATA / dataset).read_bytes():
        yield "the client's data set was changed"


def _of_dry_runs(world: World) -> Iterator[str]:
    for report_id in world.reports:
        answer = world.winnow.call("get_dry_run", path={"report_id": report_id})
        if answer.status != 200 or answer.body["status"] == "running":
            yield f"the dry run {report_id} never ended: {answer}"
