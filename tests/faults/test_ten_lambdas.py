"""A simulation of an account that has ten Lambdas, by the template's defaults and the workflows' own retries.

Lambda refuses a call at once if no Lambda is free. API Gateway doesn't try again: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from tests.support.contract import definition, template
from winnow.recipes.catalogue import AUTO, candidates

TEN = 10
HOUR = 3600.0
# The longest that a Lambda runs.
SEGMENT = float(template()["Parameters"]["TrainingTimeout"]["MaxValue"])
DEFAULTS = {name: int(template()["Parameters"][name]["Default"]) for name in ("MostTrainings", "MostBatches", "BatchConcurrency")}
EARLIER = {"MostTrainings": 5, "MostBatches": 2, "BatchConcurrency": 5}
# Seconds that something pauses, or a child whose end it doesn't wait for.
Step = float | Generator[Any]
Steps = Generator[Step]


class RefusedError(Exception):
    """No Lambda was free."""


def states(workflow: str) -> dict[str, Any]:
    """All states of a workflow, with those of its Map."""
    outer: dict[str, Any] = definition(workflow)["States"]
    return outer | {name: it for state in outer.values() if state["Type"] == "Map" for name, it in state["ItemProcessor"]["States"].items()}


TASKS = states("TrainingWorkflow") | states("BatchWorkflow")


@dataclass
class Account:
    """The account's Lambdas, and what runs in it. refused: the predictions without a Lambda. failed: the tasks that tried in vain."""

    chance: random.Random
    free: int = TEN
    now: float = 0.0
    ended: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    answered: int = 0
    refused: int = 0

    def run(self, steps: list[Steps], until: float) -> None:
        order = count()
        waiting = [(0.0, next(order), each) for each in steps]
        while waiting and waiting[0][0] <= until:
            self.now, _, running = heapq.heappop(waiting)
            step = next(running, None)
            if step is None:
                continue
            if isinstance(step, Generator):
                heapq.heappush(waiting, (self.now, next(order), step))
                step = 0.0
            heapq.heappush(waiting, (self.now + step, next(order), running))

    def invoked(self, seconds: float) -> Steps:
        """A Lambda, for so long. RefusedError if none is free."""
        if not self.free:
            raise RefusedError
        self.free -= 1
        yield seconds
        self.free += 1

    def task(self, name: str, seconds: float) -> Steps:
        """A task of a workflow, with the retries that its definition has. RefusedError if they are used up."""
        [retrier] = [each for each in TASKS[name]["Retry"] if "Lambda.TooManyRequestsException" in each["ErrorEquals"]]
        limit = float(retrier["IntervalSeconds"])
        for _ in range(retrier["MaxAttempts"]):
            try:
                return (yield from self.invoked(seconds))
            except RefusedError:
                yield self.chance.uniform(0, limit)
                limit = min(limit * retrier["BackoffRate"], retrier["MaxDelaySeconds"])
        return (yield from self.invoked(seconds))

    def at_once(self, most: int, children: Iterator[Steps]) -> Steps:
        """Children, at most so many at once, until all have ended."""
        running = 0

        def noted(child: Steps) -> Steps:
            nonlocal running
            try:
                yield from child
            finally:
                running -= 1

        for child in children:
            while running >= most:
                yield 1.0
            running += 1
            yield noted(child)
        while running:
            yield 1.0

    def work(self, name: str, steps: Steps) -> Steps:
        try:
            yield from steps
        except RefusedError:
            self.failed.append(name)
        else:
            self.ended.append(name)
        # The registry's stream starts StartWaiting and Announce.
        yield self.upkeep()
        yield self.upkeep()

    def upkeep(self) -> Steps:
        while True:
            try:
                return (yield from self.invoked(0.5))
            except RefusedError:
                yield 1.0

    def training(self) -> Steps:
        yield from self.task("Prepare", 60)
        recipes = candidates(AUTO, has_encoder=True)
        # The second has a last, shorter segment.
        yield from self.at_once(len(recipes), (self.segments(place + 1) for place, _ in enumerate(recipes)))
        yield from self.task("Publish", 60)

    def segments(self, number: int) -> Steps:
        for seconds in [SEGMENT] * (number - 1) + [SEGMENT / 2]:
            yield from self.task("Train", seconds)

    def batch(self, concurrency: int) -> Steps:
        yield from self.task("Split", 60)
        yield from self.at_once(concurrency, (self.task("Classify", 120) for _ in range(20)))
        yield from self.task("Join", 60)

    def predictions(self) -> Steps:
        """A client that asks without a pause. The authorizer's answer is remembered for a minute."""
        asked = -60.0
        while True:
            try:
                if self.now - asked >= 60:
                    yield from self.invoked(0.1)
                    asked = self.now
                yield from self.invoked(0.3)
                self.answered += 1
            except RefusedError:
                self.refused += 1
            yield 0.2

    def sweeper(self) -> Steps:
        while True:
            yield self.upkeep()
            yield 300.0


def busy(parameters: dict[str, int]) -> Account:
    """An account after six hours in which ten trainings, four batches and a client came at the beginning."""
    account = Account(random.Random(0))
    trainings = (account.work("training", account.training()) for _ in range(10))
    batches = (account.work("batch", account.batch(parameters["BatchConcurrency"])) for _ in range(4))
    account.run(
        [
            account.at_once(parameters["MostTrainings"], trainings),
            account.at_once(parameters["MostBatches"], batches),
            account.predictions(),
            account.sweeper(),
        ],
        6 * HOUR,
    )
    return account


def test_predictions_go_on_while_trainings_and_a_batch_run() -> None:
    account = busy(DEFAULTS)
    assert account.refused == 0
    assert account.answered > 20_000
    assert (sorted(account.ended), account.failed) == (["batch"] * 4 + ["training"] * 10, [])


def test_with_the_earlier_defaults_they_did_not() -> None:
    """So the simulation can find a refusal."""
    assert busy(EARLIER).refused > 1000


@pytest.mark.parametrize("seed", range(20))
def test_work_that_finds_all_lambdas_busy_for_a_segment_goes_on_after_it(seed: int) -> None:
    account = Account(random.Random(seed))
    others = [account.invoked(SEGMENT) for _ in range(TEN)]
    account.run([*others, account.work("training", account.training()), account.work("batch", account.batch(2))], 6 * HOUR)
    assert (sorted(account.ended), account.failed) == (["batch", "training"], [])
