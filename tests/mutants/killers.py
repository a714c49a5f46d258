"""The tests that a mutant must not pass: for each module, the cheapest first.

Each item is what runs together: files of tests, or FILE::PATTERN for those whose names have the pattern (a regular expression).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Tests = tuple[str, ...]

_CONDITIONS: Tests = ("tests/unit/test_write_conditions.py", "tests/unit/test_table.py", "tests/unit/test_lifecycle.py")
_REGISTRY: Sequence[Tests] = (
    _CONDITIONS,
    # On moto alone: the two others take seconds to start.
    (r"tests/faults/test_registry_contract.py::\[moto",),
)
_SWEEP = "tests/faults/test_crash_sweep.py"
_RACES = "tests/faults/test_races.py"
_OBJECTS: Tests = ("tests/unit/test_storage.py",)
_TRAINING: Sequence[Tests] = (
    _OBJECTS,
    ("tests/functions/training/test_repeated_events.py",),
    ("tests/functions/training/test_training.py",),
    (rf"{_SWEEP}::\[training (in segments|of two)",),
)

# By module. A module that isn't here has no killers, which the tests of this folder tell.
KILLERS: Mapping[str, Sequence[Tests]] = {
    "registry.batch_predictions": (
        *_REGISTRY,
        ("tests/functions/api/test_batches.py",),
        ("tests/functions/batch/test_batch_tasks.py", "tests/functions/upkeep/test_sweep.py"),
        (f"{_RACES}::batch",),
        ("tests/faults/test_batch_crashes.py",),
    ),
    "registry.drift_days": (
        ("tests/unit/test_write_conditions.py",),
        ("tests/functions/api/test_drift.py",),
        (f"{_SWEEP}::drift",),
    ),
    "registry.feedback_batches": (
        *_REGISTRY,
        ("tests/functions/api/test_add_examples.py",),
        ("tests/scenarios/test_write_conflicts.py", "tests/scenarios/test_waiting_examples.py"),
        (f"{_RACES}::feedback|take",),
    ),
    "registry.forgettings": (
        ("tests/unit/test_write_conditions.py",),
        ("tests/functions/api/test_forget.py",),
        (f"{_SWEEP}::forget",),
    ),
    "registry.history": (
        ("tests/unit/test_write_conditions.py",),
        ("tests/functions/api/test_get_history.py",),
        (f"{_RACES}::promote|settings",),
    ),
    "registry.idempotency": (
        *_REGISTRY,
        ("tests/functions/api/test_idempotency_key.py",),
        (f"{_RACES}::Idempotency",),
    ),
    "registry.models": (
        *_REGISTRY,
        ("tests/functions/api/test_promote_version.py", "tests/functions/api/test_change_model.py"),
        ("tests/functions/api/test_conditional_requests.py", "tests/functions/api/test_delete_model.py"),
        ("tests/functions/upkeep/test_schedule.py",),
        ("tests/scenarios/test_write_conflicts.py",),
        (f"{_RACES}::promote|delete",),
    ),
    "registry.policies": (
        *_REGISTRY,
        ("tests/functions/api/test_policy.py",),
        (r"tests/functions/api/test_if_match.py::policy",),
        (f"{_RACES}::polic",),
    ),
    "registry.review_queues": (
        *_REGISTRY,
        ("tests/functions/api/test_review_queue.py",),
        (f"{_RACES}::reviewers",),
    ),
    "registry.slots": (
        (f"{_RACES}::slots_before",),
        ("tests/scenarios/test_waiting_trainings.py",),
        (f"{_RACES}::give_slots",),
    ),
    "registry.table": (*_REGISTRY, (f"{_RACES}::many_posts",)),
    "registry.training_jobs": (
        *_REGISTRY,
        ("tests/functions/training/test_repeated_events.py", "tests/functions/api/test_cancel_version.py"),
        ("tests/functions/upkeep/test_sweep.py", "tests/functions/api/test_add_examples.py"),
        ("tests/scenarios/test_write_conflicts.py", "tests/scenarios/test_gate.py"),
        (f"{_RACES}::delete|retrain",),
        (f"{_SWEEP}::cancel|DELETE|lease",),
    ),
    "registry.upkeep": (
        *_REGISTRY,
        ("tests/functions/upkeep/test_sweep.py", "tests/functions/api/test_delete_model.py"),
        (f"{_SWEEP}::DELETE|deletion",),
    ),
    "registry.versions": (
        *_REGISTRY,
        ("tests/functions/api/test_delete_version.py", "tests/functions/api/test_change_version.py"),
        ("tests/scenarios/test_write_conflicts.py",),
        (f"{_RACES}::version",),
    ),
    "storage.batch_objects": (("tests/functions/batch/test_batch_tasks.py",), ("tests/functions/upkeep/test_sweep.py",)),
    "storage.bucket": _TRAINING,
    "storage.candidates": _TRAINING,
    "storage.dropped_files": (_OBJECTS, ("tests/functions/upkeep/test_inbox.py",), (f"{_SWEEP}::inbox|outbox",)),
    "storage.example_lines": _TRAINING,
    "storage.feedback_objects": (("tests/functions/api/test_add_examples.py", "tests/functions/api/test_corrections.py"),),
    "storage.frozen_examples": _TRAINING,
    "storage.forgetting_objects": (("tests/functions/api/test_forget.py",),),
    "storage.every_version": (("tests/functions/api/test_forget.py",),),
    "storage.file_evaluations": (("tests/functions/api/test_evaluations.py",),),
    "storage.job_objects": _TRAINING,
    "storage.learnt_examples": (("tests/functions/api/test_list_version_examples.py",), *_TRAINING),
    "storage.model_objects": (_OBJECTS, ("tests/functions/upkeep/test_sweep.py",), (f"{_SWEEP}::orphan",)),
    "storage.multipart": (("tests/unit/test_long_object.py",), ("tests/functions/batch/test_batch_tasks.py",)),
    "storage.removal": (_OBJECTS, ("tests/functions/api/test_delete_model.py",), (f"{_SWEEP}::DELETE|orphan",)),
    "storage.prediction_log": (
        ("tests/functions/api/test_drift.py", "tests/functions/api/test_prediction_log.py"),
        ("tests/functions/api/test_review_queue_from_log.py",),
    ),
    "storage.review_objects": (("tests/functions/api/test_review_queue.py",),),
    "storage.uploads": (("tests/functions/api/test_datasets.py",),),
}

# Mutants that behave like the original, with the reason.
_IN_ANY_ORDER = "BatchWriteItem has no order, and the row of the deletion stays until every other row is gone"
_BEFORE_THE_MANIFEST = "all of them come before the manifest, and nothing reads one without it"
_LEFT_OVER = "the version is ready without them, and a task or the sweeper that comes later removes what is left"
EQUIVALENT: Mapping[str, str] = {
    "registry.batch_predictions _guarded: condition {active}": "a batch that has ended has no lease, so the lease refuses the write too",
    "registry.training_jobs Jobs._finish_and_record: reversed _": "the loop only counts its tries",
    "registry.versions Versions._at_one_moment: reversed _": "the loop counts its tries, and only reads",
    **{
        f"registry.upkeep Upkeep.remove_rows: {what}": _IN_ANY_ORDER
        for what in (
            *(f"order delete_item > delete_item{place}" for place in ("", " (2)", " (3)")),
            *("reversed name", "reversed item", "reversed item (2)"),
        )
    },
    **{
        f"storage.prediction_log PredictionLog.{what}": "only the order of keys changes, and they are shuffled, or make a set"
        for what in ("_keys: reversed days", "_keys: reversed page", "newest_first: reversed keys", "_days_with_texts: reversed days")
    },
    **{
        f"storage.candidates Candidates.write: {what}": _BEFORE_THE_MANIFEST
        for what in ("order write_report > put", "order put > put", "reversed (name, body)")
    },
    "storage.candidates Candidates.remove_leftovers: reversed page": _LEFT_OVER,
    "storage.candidates Candidates.remove_leftovers: order remove_prefix > keys": "the keys come from a manifest, not from a checkpoint",
    "storage.dropped_files DroppedFiles.withdraw: reversed page": "all S3 versions of one object are removed, in any order",
    "storage.frozen_examples FrozenExamples.texts: reversed record": "its caller removes each text from a mapping, in any order",
    **{
        f"storage.batch_objects BatchObjects._labelled: reversed {what}": "its callers add up the results, or look them up by their names"
        for what in ("page", "entry")
    },
    "storage.every_version EveryVersion.remove_earlier: reversed page": "the earlier S3 versions are removed, in any order",
}
