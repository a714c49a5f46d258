"""Each write of every operation fails, one at a time, in every way. After that nothing is lost, duplicated or left over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults import broken
from tests.faults.invariants import violations
from tests.faults.operations import OPERATIONS, Operation, places_of, run
from tests.faults.wire import How

if TYPE_CHECKING:
    from tests.conftest import Tell
    from tests.faults.world import World

LEAST_WRITES = 30


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_fault_at_any_write_loses_nothing_and_doubles_nothing(world: World, tell: Tell, operation: Operation) -> None:
    writes = places_of(world, operation)
    found, cases = sweep(world, operation)

    sequels = ", ".join(operation.variants)
    tell(f"{len(writes)} writes, {len(How)} ways, {cases} cases ({sequels}): {len(found)} violations")
    assert writes
    assert found == [], "\n".join(found)


def test_all_writes_are_swept(world: World, tell: Tell) -> None:
    writes = {operation.name: len(places_of(world, operation)) for operation in OPERATIONS}
    cases = sum(number * len(How) for number in writes.values())

    tell(f"{sum(writes.values())} writes in {len(writes)} operations, {len(How)} ways: {cases} faults")
    assert sum(writes.values()) >= LEAST_WRITES


@pytest.mark.parametrize(
    ("breaking", "violation"),
    [
        ((broken.no_condition, "cancel while Train writes"), "stays evaluating"),
        ((broken.row_before_objects, "training"), "is ready and lacks an object"),
        ((broken.forgotten_deletion, "DELETE model"), "version rows of a model that is gone"),
        ((broken.forgotten_forgetting, "POST /forget"), "stays working"),
        ((broken.no_limit_of_batches, "POST batches while others wait"), "run at once, and MostBatches is 1"),
        ((broken.no_history, "promote"), "was done 1 times, and the history has it 0 times"),
        ((broken.history_beside, "promote"), "was done 0 times, and the history has it 1 times"),
    ],
    ids=[
        "no condition",
        "row before objects",
        "forgotten deletion",
        "forgotten forgetting",
        "no limit of batches",
        "no history",
        "history beside",
    ],
)
def test_what_is_broken_on_purpose_is_found(
    world: World, tell: Tell, monkeypatch: pytest.MonkeyPatch, breaking: tuple[Any, str], violation: str
) -> None:
    break_it, name = breaking
    [operation] = [operation for operation in OPERATIONS if operation.name == name]
    break_it(monkeypatch)

    first = dict([next(iter(operation.variants.items()))])
    found, cases = sweep(world, replace(operation, variants=first, of=("api/", "training/publish")))

    tell(f"{len(found)} violations in {cases} cases, such as: {next((it for it in found if violation in it), None)}")
    assert any(violation in it for it in found), found


def sweep(world: World, operation: Operation) -> tuple[list[str], int]:
    """Each write of the operation with each kind of fault and each sequel. Returns the violations and the number of cases."""
    found: list[str] = []
    cases = 0
    for place in places_of(world, operation):
        for how in How:
            for name, variant in operation.variants.items():
                if how not in variant.after:
                    continue
                run(world, operation, variant, place, how)
                cases += 1
                assert [replace(hit, fault=None) for hit in world.wire.hits] == [place.write], f"{place.write} [{how}] was never reached"
                where = f"{operation.name}: {place.write} [{how}], {name}"
                found += [f"{where}: {violation} (answers: {world.answers})" for violation in violations(world)]
    return found, cases
