"""Each condition of the registry's writes, alone: of what the write was decided on, one thing has changed, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.races import before_write
from winnow.domain.batch import BatchJob, BatchPrediction, BatchStatus
from winnow.domain.dataset import DatasetReference
from winnow.domain.errors import IdempotencyKeyReusedError, JobSupersededError
from winnow.domain.feedback import FeedbackBatch, Retrain, TakenFeedback
from winnow.domain.forgetting import Forgotten
from winnow.domain.job import Hyperparameters, IdempotencyKey, Progress, Stage, TrainingJob, TrainingRequest
from winnow.domain.model import Gate, Model, Version, VersionStatus
from winnow.domain.policy import Aim, Applied, Cost, Policy
from winnow.domain.review import ReviewQueue
from winnow.registry import table as rows
from winnow.registry.batch_predictions import BatchPredictions
from winnow.registry.feedback_batches import FeedbackBatches
from winnow.registry.forgettings import Forgettings
from winnow.registry.idempotency import AnsweredRequests
from winnow.registry.models import Models
from winnow.registry.policies import Policies
from winnow.registry.review_queues import ReviewQueues
from winnow.registry.training_jobs import Jobs
from winnow.registry.upkeep import Upkeep
from winnow.registry.versions import Versions

if TYPE_CHECKING:
    from tests.conftest import Winnow

JOB = TrainingJob("tc-01", "5f0c7a3e9b2d4c6f8a1e3b5d7f9c0a2e", version=1, fence=1)
NEXT = replace(JOB, version=2)
REQUEST = TrainingRequest("tc-01", DatasetReference("bucket", "key"), Hyperparameters(), "linear")
FEEDBACK = FeedbackBatch("20261129T100000000-00000001", 2, 1, "2026-11-29T10:00:00.000Z")
KEY = IdempotencyKey("a-key", "digest")
BATCH = BatchJob(JOB.model_id, JOB.uid, "20261129T100000000-00000002")
PREDICTION = BatchPrediction(BATCH, 1, 1, "bucket", "texts.jsonl", BatchStatus.QUEUED, "2026-11-29T10:00:00.000Z")
QUEUE = ReviewQueue("20261129T100000000-00000003", "0" * 64, 1, True, 1, "2026-11-29T10:00:00.000Z", 4_000_000_000, leases={}, answered={})
MODEL_ROW, VERSION_ROW = rows.model_key(JOB.model_id), rows.version_key(JOB.uid, 1)


class Registry:
    """A table with a model whose first version is in training, or ready and live."""

    def __init__(self, table: Any) -> None:
        self.table = table
        self.jobs, self.models, self.versions = Jobs(table), Models(table), Versions(table)
        self.feedback, self.batches, self.requests = FeedbackBatches(table), BatchPredictions(table), AnsweredRequests(table)
        assert self.jobs.create_model(JOB, REQUEST)

    def ready(self) -> Registry:
        """Version 1 has ended as ready, and is live."""
        for status, stage in ((VersionStatus.TRAINING, Stage.TRAINING), (VersionStatus.EVALUATING, Stage.EVALUATING)):
            self.jobs.note(JOB, status, Progress.of(stage), dataset={"labels": 2})
        self.jobs.commit(JOB, {"accuracy": 0.5}, "0" * 64, 2, live=True)
        return self

    @property
    def model(self) -> Model:
        return self.models.get(JOB.model_id)

    @property
    def version(self) -> Version:
        return self.versions.of_job(JOB)

    def alter(self, key: rows.Key, **values: Any) -> None:
        """Change attributes of a row, and nothing else of it, as if something had changed it meanwhile."""
        self.table.put_item(Item=self.table.get_item(Key=key)["Item"] | rows.to_item(values))

    def all(self) -> list[Any]:
        return sorted(self.table.scan()["Items"], key=str)

    def refuses(self, write: Callable[[], object]) -> bool:
        """Whether the write is refused and has written nothing."""
        before = self.all()
        try:
            refused = not write()
        except JobSupersededError:
            refused = True
        return refused and self.all() == before


@pytest.fixture
def registry(winnow: Winnow) -> Registry:
    return Registry(winnow.table)


# --- models ---


@pytest.mark.parametrize("exactly", [True, False])
@pytest.mark.parametrize("write", ["promote", "change"])
def test_a_model_of_another_life_is_not_changed(registry: Registry, write: str, exactly: bool) -> None:
    model, version = registry.ready().model, registry.version
    registry.alter(MODEL_ROW, uid="another")

    assert registry.refuses(_of_model(registry, write, model, version, exactly=exactly))


@pytest.mark.parametrize("write", ["promote", "change"])
def test_a_model_that_changed_is_not_changed_if_it_must_be_the_same(registry: Registry, write: str) -> None:
    model, version = registry.ready().model, registry.version
    registry.alter(MODEL_ROW, revision=99)

    assert registry.refuses(_of_model(registry, write, model, version, exactly=True))
    assert _of_model(registry, write, model, version, exactly=False)()


def _of_model(registry: Registry, write: str, model: Model, version: Version, *, exactly: bool) -> Callable[[], bool]:
    if write == "promote":
        return lambda: registry.models.promote(model, version, exactly=exactly)
    return lambda: registry.models.change(model, {"retrain_after": 5}, exactly=exactly)


def test_a_version_that_is_not_ready_any_more_does_not_go_live(registry: Registry) -> None:
    model, version = registry.ready().model, registry.version
    registry.alter(VERSION_ROW, status="failed")

    assert registry.refuses(lambda: registry.models.promote(model, version, exactly=False))


@pytest.mark.parametrize("change", [{"uid": "another"}, {"live_version": 2}])
def test_a_model_that_changed_gets_no_policy(registry: Registry, change: dict[str, Any]) -> None:
    model = registry.ready().model
    registry.alter(MODEL_ROW, **change)

    policy = Policy(1, "2026-11-29T10:00:00.000Z", Aim(cost=Cost(10, 1)), Applied(1, threshold=0.5))
    assert registry.refuses(lambda: Policies(registry.table).add(model, policy, exactly=False))


@pytest.mark.parametrize("change", [{"uid": "another"}, {"schedule": "rate(2 days)"}, {"scheduled_for": "2026-11-30T10:00:00.000Z"}])
def test_a_model_that_changed_does_not_go_on_to_the_next_time_of_its_schedule(registry: Registry, change: dict[str, Any]) -> None:
    registry.alter(MODEL_ROW, schedule="rate(1 day)", scheduled_for="2026-11-29T10:00:00.000Z")
    model = registry.model
    registry.alter(MODEL_ROW, **change)

    assert registry.refuses(lambda: registry.models.reschedule(model))
    assert registry.models.reschedule(registry.model)


@pytest.mark.parametrize("change", [{"uid": "another"}, {"training_version": 2}])
def test_a_model_that_changed_is_not_deleted(registry: Registry, change: dict[str, Any]) -> None:
    in_training = registry.model
    registry.alter(MODEL_ROW, **change)
    assert registry.refuses(lambda: registry.models.delete(in_training, exactly=False))

    registry.alter(MODEL_ROW, uid=JOB.uid, training_version=1)
    idle = registry.ready().model
    registry.alter(MODEL_ROW, **change)
    assert registry.refuses(lambda: registry.models.delete(idle, exactly=False))


def test_a_model_is_deleted_even_if_its_version_in_training_has_no_row(registry: Registry) -> None:
    registry.table.delete_item(Key=VERSION_ROW)

    assert registry.models.delete(registry.model, exactly=False)


@pytest.mark.parametrize("change", [{"uid": "another"}, {"revision": 99}])
def test_a_version_of_a_model_that_changed_is_not_deleted(registry: Registry, change: dict[str, Any]) -> None:
    model, version = registry.ready().model, registry.version
    registry.alter(MODEL_ROW, **change)

    assert registry.refuses(lambda: registry.versions.delete(model, version))


@pytest.mark.parametrize("change", [{"uid": "another"}, {"revision": 99}])
@pytest.mark.parametrize("row", [MODEL_ROW, VERSION_ROW], ids=["model", "version"])
def test_a_note_is_not_written_on_a_version_that_changed(registry: Registry, row: rows.Key, change: dict[str, Any]) -> None:
    model, version = registry.ready().model, registry.version
    registry.alter(row, **change)

    assert registry.refuses(lambda: registry.versions.change(model, version, "a note", exactly=True))
    if "uid" in change:
        assert registry.refuses(lambda: registry.versions.change(model, version, "a note", exactly=False))
    else:
        assert registry.versions.change(model, version, "a note", exactly=False)


# --- histories ---


@pytest.mark.parametrize("before", [True, False], ids=["with a history", "of an earlier release"])
@pytest.mark.parametrize("deed", ["promote", "change", "delete", "delete version", "train"])
def test_no_deed_is_done_on_what_another_deed_has_changed_since(registry: Registry, deed: str, before: bool) -> None:
    version = registry.ready().version
    if not before:
        registry.table.put_item(
            Item={name: value for name, value in registry.table.get_item(Key=MODEL_ROW)["Item"].items() if name != "history"}
        )
    model = registry.model
    registry.alter(MODEL_ROW, history="20991129T090000000-00000001")

    assert registry.refuses(
        {
            "promote": lambda: registry.models.promote(model, version, exactly=False),
            "change": lambda: registry.models.change(model, {"retrain_after": 5}, exactly=False),
            "delete": lambda: registry.models.delete(model, exactly=False),
            "delete version": lambda: registry.versions.delete(model, version),
            "train": lambda: registry.jobs.create_version(model, NEXT, REQUEST),
        }[deed]
    )


# --- training jobs ---


@pytest.mark.parametrize("change", [{"uid": "another"}, {"latest_version": 2}, {"training_version": 2}, {"feedback_revision": 2}])
def test_a_version_is_not_made_for_a_model_that_changed(registry: Registry, change: dict[str, Any]) -> None:
    assert registry.feedback.add(registry.ready().model, FEEDBACK, Retrain.NOW)
    model = registry.model
    registry.alter(MODEL_ROW, **change)
    of_feedback = replace(REQUEST, feedback=TakenFeedback(1, "", FEEDBACK.batch, 2))

    assert registry.refuses(lambda: registry.jobs.create_version(model, NEXT, of_feedback))
    # Only feedback makes a version whose feedback counts.
    assert registry.jobs.create_version(model, NEXT, REQUEST) == ("feedback_revision" in change)


def test_a_version_is_not_made_for_a_model_that_got_its_first_feedback_meanwhile(registry: Registry) -> None:
    model = registry.ready().model
    assert registry.feedback.add(model, FEEDBACK, Retrain.NO)
    # Such as the version of changed labels, or of a forgetting.
    of_feedback = replace(REQUEST, feedback=TakenFeedback(1, "", "", 0))

    assert registry.refuses(lambda: registry.jobs.create_version(model, NEXT, of_feedback))


@pytest.mark.parametrize("change", [{"uid": "another"}, {"training_version": 2}])
def test_a_version_that_is_not_its_model_s_does_not_end(registry: Registry, change: dict[str, Any]) -> None:
    version = registry.version
    registry.alter(MODEL_ROW, live_version=7, **change)

    assert registry.refuses(lambda: registry.jobs.fail(JOB, "It failed."))
    assert registry.refuses(lambda: registry.jobs.expire(version, "It was not heard of."))
    registry.alter(VERSION_ROW, status="evaluating")
    assert registry.refuses(lambda: _commit_against(registry, 7))


def _commit_against(registry: Registry, live: int) -> None:
    gate = Gate(against=live, **{name: None for name in Gate.__dataclass_fields__ if name != "against"})  # type: ignore[arg-type]
    registry.jobs.commit(JOB, {"accuracy": 0.5}, "0" * 64, 2, live=True, gate=gate)


def test_a_version_does_not_go_live_in_place_of_one_that_it_was_not_compared_with(registry: Registry) -> None:
    registry.alter(VERSION_ROW, status="evaluating")
    registry.alter(MODEL_ROW, live_version=8)

    assert registry.refuses(lambda: _commit_against(registry, 7))


def test_a_version_that_was_restarted_does_not_expire_even_with_the_same_lease(registry: Registry) -> None:
    version = registry.version
    registry.alter(VERSION_ROW, fence=2)

    assert registry.refuses(lambda: registry.jobs.expire(version, "It was not heard of."))


# --- feedback ---


@pytest.mark.parametrize("mark", ["feedback_taking", "feedback_taken"])
def test_feedback_that_a_version_should_have_taken_does_not_come_or_go(registry: Registry, mark: str) -> None:
    model = registry.ready().model
    earlier = replace(FEEDBACK, batch="20261129T090000000-00000001")
    assert registry.feedback.add(model, earlier, Retrain.NO)
    registry.alter(MODEL_ROW, **{mark: {"through": FEEDBACK.batch, "examples": 2}})

    assert registry.refuses(lambda: registry.feedback.add(model, FEEDBACK, Retrain.NO))
    assert registry.refuses(lambda: registry.feedback.remove(model, earlier, exactly=False))


def test_feedback_for_another_life_is_not_kept(registry: Registry) -> None:
    model = registry.ready().model
    registry.alter(MODEL_ROW, uid="another")

    assert registry.refuses(lambda: registry.feedback.add(model, FEEDBACK, Retrain.NO))


def test_feedback_is_taken_back_once(registry: Registry) -> None:
    model = registry.ready().model
    assert registry.feedback.add(model, FEEDBACK, Retrain.NO)
    assert registry.feedback.remove(model, FEEDBACK, exactly=False)

    assert registry.refuses(lambda: registry.feedback.remove(model, FEEDBACK, exactly=False))


# --- Idempotency-Keys ---


def test_of_two_answers_to_one_key_the_first_counts(registry: Registry) -> None:
    assert registry.jobs.create_version(registry.ready().model, NEXT, REQUEST, KEY)

    assert registry.requests.complete(KEY, {"version": 2}) == {"version": 2}
    assert registry.requests.complete(KEY, {"version": 3}) == {"version": 2}


def test_an_answer_is_not_given_to_another_request_with_the_key(registry: Registry) -> None:
    assert registry.jobs.create_version(registry.ready().model, NEXT, REQUEST, KEY)

    with pytest.raises(IdempotencyKeyReusedError):
        registry.requests.complete(replace(KEY, digest="another"), {"version": 2})


def test_a_key_makes_one_version(registry: Registry) -> None:
    assert registry.jobs.create_version(registry.ready().model, NEXT, REQUEST, KEY)
    registry.jobs.cancel(NEXT)

    assert registry.refuses(lambda: registry.jobs.create_version(registry.model, replace(JOB, version=3), REQUEST, KEY))


# --- batches ---


def test_a_batch_of_another_life_is_not_made(registry: Registry) -> None:
    model = registry.ready().model
    registry.alter(MODEL_ROW, uid="another")

    assert registry.refuses(lambda: registry.batches.create(model, PREDICTION, 7))


def test_a_review_queue_of_another_life_is_not_made(registry: Registry) -> None:
    queues, model = ReviewQueues(registry.table), registry.ready().model
    registry.alter(MODEL_ROW, uid="another")

    assert registry.refuses(lambda: queues.replace(model, QUEUE, None))


def test_a_review_queue_that_changed_is_neither_replaced_nor_handed_out(registry: Registry) -> None:
    queues, model = ReviewQueues(registry.table), registry.ready().model
    assert queues.replace(model, QUEUE, None)
    read = queues.get(model)
    assert registry.refuses(lambda: queues.replace(model, QUEUE, None))
    registry.alter(rows.review_queue_key(JOB.uid), revision=read.revision + 1)

    assert registry.refuses(lambda: queues.replace(model, QUEUE, read))
    assert registry.refuses(lambda: queues.note(model, read, {"later": ["an item"]}, {}, ""))
    registry.alter(rows.review_queue_key(JOB.uid), revision=read.revision, queue="another")
    assert registry.refuses(lambda: queues.note(model, read, {"later": ["an item"]}, {}, ""))


def test_a_batch_that_has_ended_is_not_revived(registry: Registry) -> None:
    assert registry.batches.create(registry.ready().model, PREDICTION, 7)
    registry.batches.cancel(BATCH)

    assert registry.refuses(lambda: registry.batches.note(BATCH))
    assert registry.refuses(lambda: registry.batches.commit(BATCH))


def test_a_batch_whose_lease_was_renewed_does_not_expire(registry: Registry) -> None:
    assert registry.batches.create(registry.ready().model, PREDICTION, 7)
    seen = registry.batches.get(BATCH)
    registry.batches.note(BATCH)

    assert registry.refuses(lambda: registry.batches.expire(seen, "It was not heard of."))


def test_a_batch_without_a_mark_ends(registry: Registry) -> None:
    assert registry.batches.create(registry.ready().model, PREDICTION, 7)
    registry.batches.forget_mark(BATCH)

    registry.batches.cancel(BATCH)

    assert registry.batches.get(BATCH).status is BatchStatus.CANCELLED


# --- upkeep ---


def test_of_two_sweepers_at_once_one_does_a_daily_task(registry: Registry) -> None:
    upkeep = Upkeep(registry.table)

    with before_write(lambda: upkeep.is_time_for("orphans", timedelta(days=1)), "dynamodb.UpdateItem") as first:
        assert not upkeep.is_time_for("orphans", timedelta(days=1))
    assert first == [True]


# --- forgettings ---

FORGETTING = "20261129T100000000-00000004"
FORGETTING_ROW = rows.forgetting_key(FORGETTING)


@pytest.fixture
def forgettings(registry: Registry) -> Forgettings:
    found = Forgettings(registry.table)
    assert found.create(FORGETTING, Forgotten.of("00" * 32, "u1", ()), None, None, KEY)
    return found


def test_a_key_makes_one_forgetting(registry: Registry, forgettings: Forgettings) -> None:
    another = "20261129T100000000-00000005"
    assert registry.refuses(lambda: forgettings.create(another, Forgotten.of("00" * 32, "u1", ()), None, None, KEY))
    assert forgettings.create(another, Forgotten.of("00" * 32, "u1", ()), None, None, None)


def test_a_forgetting_is_one_s_own_until_the_lease_ends(registry: Registry, forgettings: Forgettings) -> None:
    claimed = forgettings.claim(FORGETTING)
    assert claimed is not None
    assert registry.refuses(lambda: forgettings.claim(FORGETTING))
    forgettings.release(claimed)
    assert forgettings.claim(FORGETTING) is not None


@pytest.mark.parametrize("change", [{"status": "done"}, {"lease_until": "9999"}])
def test_a_forgetting_that_is_done_or_worked_on_is_not_claimed(
    registry: Registry, forgettings: Forgettings, change: dict[str, Any]
) -> None:
    registry.alter(FORGETTING_ROW, **change)
    assert registry.refuses(lambda: forgettings.claim(FORGETTING))


def test_a_forgetting_that_was_removed_is_not_made_again_by_claiming_it(registry: Registry, forgettings: Forgettings) -> None:
    registry.table.delete_item(Key=FORGETTING_ROW)
    assert registry.refuses(lambda: forgettings.claim(FORGETTING))


@pytest.mark.parametrize("write", ["note", "release", "finish"])
def test_whose_lease_was_taken_over_writes_nothing_more(registry: Registry, forgettings: Forgettings, write: str) -> None:
    changes = {"round": 2} if write == "note" else {}
    claimed = forgettings.claim(FORGETTING)
    assert claimed is not None
    registry.alter(FORGETTING_ROW, lease_until="9999")
    assert registry.refuses(lambda: getattr(forgettings, write)(claimed, **changes))


def test_the_digest_of_a_batch_that_was_taken_back_is_not_written(registry: Registry) -> None:
    model = registry.ready().model
    assert registry.refuses(lambda: registry.feedback.replace_digest(model, FEEDBACK.batch, "0" * 64))


def test_a_queue_that_was_replaced_meanwhile_is_not_removed(registry: Registry) -> None:
    queues = ReviewQueues(registry.table)
    assert queues.replace(registry.ready().model, QUEUE, None)
    before = registry.all()
    queues.remove(JOB.uid, "another")
    assert registry.all() == before
    queues.remove(JOB.uid, QUEUE.queue)
    assert registry.all() != before


@pytest.mark.parametrize("change", [{"uid": "another"}, {"revision": 99}])
def test_a_live_version_of_a_model_that_changed_is_not_taken_down(registry: Registry, change: dict[str, Any]) -> None:
    model, version = registry.ready().model, registry.version
    registry.alter(MODEL_ROW, **change)
    assert registry.refuses(lambda: registry.versions.take_down(model, version))


def test_a_version_that_replaces_another_does_not_go_live_in_place_of_a_third(registry: Registry) -> None:
    registry.alter(VERSION_ROW, status="evaluating")
    registry.alter(MODEL_ROW, live_version=8)
    assert registry.refuses(lambda: registry.jobs.commit(JOB, None, "0" * 64, 2, live=True, against=7))
