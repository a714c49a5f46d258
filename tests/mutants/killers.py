"""The tests that a mutant must not pass: for each module, the cheapest first. Each item is the arguments of one run of pytest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Tests = tuple[str, ...]

_REGISTRY: Sequence[Tests] = (
    ("tests/unit/test_table.py", "tests/unit/test_idempotency.py"),
    # On moto alone: the two others take seconds to start.
    ("tests/faults/test_registry_contract.py", "tests/unit/test_lifecycle.py", "-k", "not ministack and not dynamodb-local"),
)
_SWEEP = "tests/faults/test_crash_sweep.py"
_RACES = "tests/faults/test_races.py"
_WRITES_AGAIN: Tests = ("tests/unit/test_storage.py", "tests/functions/training/test_repeated_events.py")
_TRAINING: Sequence[Tests] = (
    _WRITES_AGAIN,
    ("tests/functions/training/test_training.py",),
    (_SWEEP, "-k", "training-in-segments or training_of_two or [training]"),
)

# By module. A module that isn't here has no killers, which the tests of this folder tell.
KILLERS: Mapping[str, Sequence[Tests]] = {
    "registry.batch_predictions": (
        ("tests/functions/api/test_batches.py",),
        ("tests/functions/batch/test_batch_tasks.py", "tests/functions/upkeep/test_sweep.py"),
        (_RACES, "-k", "batch"),
        ("tests/faults/test_batch_crashes.py",),
    ),
    "registry.feedback_batches": (
        ("tests/functions/api/test_add_examples.py",),
        ("tests/scenarios/test_write_conflicts.py", "tests/scenarios/test_waiting_examples.py"),
        (_RACES, "-k", "feedback or take"),
    ),
    "registry.idempotency": (
        *_REGISTRY,
        ("tests/functions/api/test_idempotency_key.py",),
        (_RACES, "-k", "Idempotency"),
    ),
    "registry.models": (
        *_REGISTRY,
        ("tests/functions/api/test_promote_version.py", "tests/functions/api/test_change_model.py"),
        ("tests/functions/api/test_conditional_requests.py", "tests/functions/api/test_delete_model.py"),
        ("tests/scenarios/test_write_conflicts.py",),
        (_RACES, "-k", "promote or delete"),
    ),
    "registry.slots": (
        (_RACES, "-k", "slots_before"),
        ("tests/scenarios/test_waiting_trainings.py",),
        (_RACES, "-k", "give_slots"),
    ),
    "registry.table": (*_REGISTRY, (_RACES, "-k", "many_posts")),
    "registry.training_jobs": (
        *_REGISTRY,
        ("tests/functions/training/test_repeated_events.py", "tests/functions/api/test_cancel_version.py"),
        ("tests/functions/upkeep/test_sweep.py", "tests/functions/api/test_add_examples.py"),
        ("tests/scenarios/test_write_conflicts.py", "tests/scenarios/test_gate.py"),
        (_RACES, "-k", "delete or retrain"),
        (_SWEEP, "-k", "cancel or DELETE or lease"),
    ),
    "registry.upkeep": (
        ("tests/functions/upkeep/test_sweep.py", "tests/functions/api/test_delete_model.py"),
        (_SWEEP, "-k", "DELETE or deletion"),
    ),
    "registry.versions": (
        *_REGISTRY,
        ("tests/functions/api/test_delete_version.py",),
        ("tests/scenarios/test_write_conflicts.py",),
        (_RACES, "-k", "version"),
    ),
    "storage.bucket": _TRAINING,
    "storage.candidates": _TRAINING,
    "storage.example_lines": (("tests/functions/training/test_pinned_data.py",), *_TRAINING),
    "storage.frozen_examples": _TRAINING,
    "storage.multipart": (("tests/unit/test_long_object.py",), ("tests/functions/batch/test_batch_tasks.py",)),
    "storage.removal": (_WRITES_AGAIN, ("tests/functions/api/test_delete_model.py",), (_SWEEP, "-k", "DELETE or orphan")),
    "storage.uploads": (("tests/functions/api/test_datasets.py",),),
}

# Mutants that behave like the original, with the reason.
EQUIVALENT: Mapping[str, str] = {}
