"""Two faults in one life of a model, from the first POST to DELETE. A seed decides their kinds and places, and everyone's next steps.

`make test-all` runs 200 lives. `make test-faults PAIRS=…` runs any number. SEED=… is the first seed.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.faults.invariants import violations
from tests.faults.operations import DEATHS
from tests.faults.wire import How
from tests.support import moments

if TYPE_CHECKING:
    from tests.conftest import Tell
    from tests.faults.world import World

PAIRS = int(os.environ.get("PAIRS") or 200)
SEED = int(os.environ.get("SEED") or 0)
# Lives per test, so that tests can run side by side.
LIVES = 50


@pytest.mark.parametrize("first", range(SEED, SEED + PAIRS, LIVES))
def test_two_faults_in_one_life_lose_nothing_and_double_nothing(world: World, tell: Tell, first: int) -> None:
    seeds = range(first, min(first + LIVES, SEED + PAIRS))
    world.bring_back(moments.nothing(world.winnow), {})
    live(world, random.Random(SEED))
    writes = len(world.wire.writes)
    assert violations(world) == []
    hits: Counter[int] = Counter()
    ways: Counter[str] = Counter()
    for seed in seeds:
        chance = random.Random(seed)
        plan = {number: chance.choice(list(How)) for number in sorted(chance.sample(range(1, writes + 1), 2))}
        world.bring_back(moments.nothing(world.winnow), {})
        world.winnow.death = chance.choice(list(DEATHS.values()))
        world.wire.arm(plan)

        live(world, chance)

        found = violations(world)
        assert found == [], f"seed {seed}: {found}\n  faults: {[str(hit) for hit in world.wire.hits]}\n  answers: {world.answers}"
        hits[len(world.wire.hits)] += 1
        ways.update(hit.fault.value for hit in world.wire.hits if hit.fault)
    met = ", ".join(f"{number} met {faults} faults" for faults, number in sorted(hits.items(), reverse=True))
    tell(f"{len(seeds)} lives of {writes} writes (seeds {seeds[0]} to {seeds[-1]}): {met}; {dict(ways)}; 0 violations")
    assert hits[2] > len(seeds) // 2


def live(world: World, chance: random.Random) -> None:
    """A model's life: training, prediction, second training, deletion. A client without a good answer may ask again."""

    def insist(call: str, *, force_update: bool = False) -> None:
        for _ in range(1 + chance.randrange(3)):
            answer = world.delete() if call == "delete" else world.post(force_update=force_update)
            if answer is not None and answer.status < 500:
                return

    insist("post")
    world.run_executions()
    world.predict()
    insist("post", force_update=True)
    if chance.random() < 0.5:
        world.sweep()
    if chance.random() < 0.2:
        world.cancel(version=2)
    world.run_executions()
    if chance.random() < 0.8:
        insist("delete")
    if chance.random() < 0.3:
        insist("post")
    world.run_executions()
    world.settle()
