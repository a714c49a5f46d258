"""Hypothesis compares the whole API with a plain dictionary, step by step, with faults and a clock.

`make test-all` runs 2,000 steps, always the same. `make test-faults STEPS=…` runs any number, different each time. Hypothesis shrinks a
failing example, prints it with the line that repeats it, and keeps it in .hypothesis to try it first in the next run.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.conftest import ROOT
from tests.faults import broken
from tests.faults.invariants import violations
from tests.faults.operations import DEATHS
from tests.faults.wire import Crash, How
from tests.support import moments

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Answer, Json, Tell
    from tests.faults.world import World

STEPS = int(os.environ.get("STEPS") or 2000)
STEPS_OF_ONE = 50
STEPS_OF_A_SHORT_RUN = 1000
IDS = ("tc-01", "tc-02")
ACTIVE = {"queued", "training", "evaluating"}
# A job with a sign of life in the last minutes is never given up.
_MINUTES_OF_GRACE = 20

Faults = dict[int, How]
# Most calls meet no fault; one in three meets one or two.
FAULTS: st.SearchStrategy[Faults] = st.one_of(
    st.just({}), st.just({}), st.dictionaries(st.integers(1, 8), st.sampled_from(list(How)), min_size=1, max_size=2)
)


@dataclass
class Known:
    """The expected state of a model.

    versions: number to status. "active" stands for the three statuses of a version that is being made.
    latest: the highest number so far. unpromoted: the versions that don't go live by themselves.
    """

    versions: dict[int, str]
    latest: int
    live: int | None = None
    unpromoted: frozenset[int] = frozenset()

    @property
    def active(self) -> int | None:
        return next((number for number, status in self.versions.items() if status == "active"), None)

    def begun(self, *, promote: bool) -> Known:
        """The state with a next, active version."""
        number = self.latest + 1
        unpromoted = self.unpromoted if promote else self.unpromoted | {number}
        return Known(self.versions | {number: "active"}, number, self.live, unpromoted)

    def ended(self, status: str) -> Known:
        """The state after its active version ended with this status."""
        number = self.active
        assert number is not None
        goes_live = status == "ready" and number not in self.unpromoted
        return replace(self, versions=self.versions | {number: status}, live=number if goes_live else self.live)

    def without(self, number: int) -> Known:
        """The state without this version."""
        versions = {each: status for each, status in self.versions.items() if each != number}
        return replace(self, versions=versions, unpromoted=self.unpromoted - {number})


# None: no model has the id.
State = Known | None


class Api(RuleBasedStateMachine):
    """Calls in any order. After each, every model has the dictionary's state, or one of several states if a fault allows them."""

    world: World
    done: Counter[str]
    most_trainings: str

    def __init__(self) -> None:
        super().__init__()
        self.world.bring_back(moments.nothing(self.world.winnow), {})
        self.world.winnow.parameters["MostTrainings"] = self.most_trainings
        self.models: dict[str, State] = dict.fromkeys(IDS)
        # When each model's job last showed a sign of life.
        self.seen_at: dict[str, float] = dict.fromkeys(IDS, 0.0)

    # --- clients ---

    @rule(model_id=st.sampled_from(IDS), force_update=st.booleans(), promote=st.booleans(), faults=FAULTS)
    def post(self, model_id: str, force_update: bool, promote: bool, faults: Faults) -> None:
        before = self.models[model_id]
        if before is None:
            status, after = 202, Known({}, 0).begun(promote=promote)
        elif before.active is not None or not force_update:
            status, after = 409, before
        else:
            status, after = 202, before.begun(promote=promote)
        fields: dict[str, Any] = {"force_update": force_update} | ({} if promote else {"promote": "never"})
        answer = self._ask("POST", model_id, (status, after), faults, lambda: self.world.post(model_id, **fields))
        if answer is not None and answer.status == 202:
            assert answer.body["version"] == after.latest
        self._sign_of_life(model_id)

    @rule(model_id=st.sampled_from(IDS), version=st.integers(1, 4), faults=FAULTS)
    def promote(self, model_id: str, version: int, faults: Faults) -> None:
        before = self.models[model_id]
        if before is None or version not in before.versions:
            status, after = 404, before
        elif before.versions[version] != "ready":
            status, after = 409, before
        else:
            status, after = 200, replace(before, live=version)
        self._ask("promote", model_id, (status, after), faults, lambda: self.world.promote(version, model_id))

    @rule(model_id=st.sampled_from(IDS), version=st.integers(1, 4), faults=FAULTS)
    def delete_version(self, model_id: str, version: int, faults: Faults) -> None:
        before = self.models[model_id]
        if before is None or version not in before.versions:
            status, after = 404, before
        elif version in {before.live, before.active}:
            status, after = 409, before
        else:
            status, after = 200, before.without(version)
        self._ask("DELETE version", model_id, (status, after), faults, lambda: self.world.delete_version(version, model_id))

    @rule(model_id=st.sampled_from(IDS), version=st.integers(1, 3), faults=FAULTS)
    def cancel(self, model_id: str, version: int, faults: Faults) -> None:
        before = self.models[model_id]
        if before is None or version not in before.versions:
            status, after = 404, before
        elif before.active != version:
            status, after = 409, before
        else:
            status, after = 200, before.ended("cancelled")
        self._ask("cancel", model_id, (status, after), faults, lambda: self.world.cancel(model_id, version))

    @rule(model_id=st.sampled_from(IDS), faults=FAULTS)
    def delete(self, model_id: str, faults: Faults) -> None:
        status = 404 if self.models[model_id] is None else 200
        self._ask("DELETE", model_id, (status, None), faults, lambda: self.world.delete(model_id))

    @rule(model_id=st.sampled_from(IDS), faults=FAULTS)
    def add_examples(self, model_id: str, faults: Faults) -> None:
        before = self.models[model_id]
        status = 404 if before is None else 201 if "ready" in before.versions.values() else 409
        # The examples are pending: no version changes.
        self._ask("POST examples", model_id, (status, before), faults, lambda: self.world.add_examples("no", model_id=model_id))

    @rule(model_id=st.sampled_from(IDS))
    def predict(self, model_id: str) -> None:
        # A fresh environment: a warm one may use its cache for another second.
        self.world.winnow.new_environment()
        answer = self.world.predict(model_id)
        assert answer is not None
        known = self.models[model_id]
        if known is None:
            assert answer.status == 404, answer
        elif known.live is None:
            assert answer.status == 409, answer
        else:
            assert (answer.status, answer.body["version"]) == (200, known.live), answer
        self._done("predict")

    @rule(limit=st.integers(1, 3))
    def list_models(self, limit: int) -> None:
        found: list[Json] = []
        after: str | None = ""
        while after is not None:
            query = {"limit": str(limit)} | ({"next": after} if after else {})
            page = self.world.winnow.call("list_models", query=query).body
            found, after = found + page["models"], page["next"]
        expected = [(model_id, known.live, known.latest) for model_id, known in self.models.items() if known]
        assert [(model["model_id"], model["live_version"], model["latest_version"]) for model in found] == expected
        self._done("list")

    @rule(model_id=st.sampled_from(IDS))
    def get(self, model_id: str) -> None:
        answer = self.world.winnow.call("get_model", path={"model_id": model_id})
        known = self.models[model_id]
        if known is None:
            assert answer.status == 404
        else:
            assert answer.body["live_version"] == known.live
            shown = answer.body["version"]
            assert (shown and shown["version"]) == max(known.versions, default=None)
            assert shown is None or _simple(shown["status"]) == known.versions[shown["version"]]
        self._done("get")

    # --- the platform ---

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 5), tasks=st.integers(1, 3), death=st.sampled_from(sorted(DEATHS)), faults=FAULTS)
    def run_some_tasks(self, which: int, tasks: int, death: str, faults: Faults) -> None:
        self._run(which, tasks, death, faults)

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 5))
    def run_to_the_end(self, which: int) -> None:
        self._run(which, math.inf, "its task died", {})

    @property
    def running(self) -> list[Any]:
        return [execution for execution in moments.executions() if execution.status == "RUNNING"]

    def _run(self, which: int, tasks: float, death: str, faults: Faults) -> None:
        execution = self.running[which % len(self.running)]
        self.world.winnow.death = DEATHS[death]
        self.world.wire.arm(faults)
        model_id = self._model_of(execution.name)
        self.world.run(execution, tasks)
        self.world.winnow.death = DEATHS["its task died"]
        whole = not self.world.wire.hits and execution.status == "SUCCEEDED"
        self._may_have_moved(model_id, must_end="ready" if whole else None)
        self._done("task")

    @precondition(lambda self: self.world.winnow.delivered)
    @rule(which=st.integers(0, 30), faults=FAULTS)
    def deliver_again(self, which: int, faults: Faults) -> None:
        """Deliver an earlier event of a task of any job again, late."""
        delivered = self.world.winnow.delivered
        folder, event = delivered[-1 - which % len(delivered)]
        model_id = self._model_of("{uid}-{version}-{fence}".format(**event["job"]))
        self.world.wire.arm(faults)
        # Only the state afterwards counts, even if it was refused or died.
        with suppress(Crash, Exception):
            self.world.winnow.once(folder, event)
        self.world.observe()
        self._may_have_moved(model_id)
        self._done("task again")

    @rule(faults=FAULTS)
    def events_arrive(self, faults: Faults) -> None:
        """Deliver the events of executions that ended without success."""
        ended = [it.name for it in moments.executions() if it.status in {"FAILED", "ABORTED"} and it.name not in self.world.told]
        meant = {self._model_of(name) for name in ended}
        self.world.wire.arm(faults)
        self.world.tell_of_ends()
        for model_id, known in self.models.items():
            may_have_failed = model_id in meant and known is not None and known.active is not None
            self._is_one_of(model_id, [known, known.ended("failed")] if may_have_failed and known else [known])
        self._done("event")

    @precondition(lambda self: self.world.outside.records)
    @rule(faults=FAULTS)
    def records_arrive(self, faults: Faults) -> None:
        """The registry's stream tells of the ends of trainings. That starts trainings which wait, and changes no version."""
        self.world.wire.arm(faults)
        self.world.tell_readers()
        for model_id, known in self.models.items():
            self._is_one_of(model_id, [known])
        self._done("records")

    @rule(faults=FAULTS)
    def sweep(self, faults: Faults) -> None:
        self.world.wire.arm(faults)
        self.world.sweep()
        for model_id, known in self.models.items():
            allowed = [known]
            idle = self.world.clock.ahead.total_seconds() / 60 - self.seen_at[model_id]
            if known is not None and known.active is not None and idle >= _MINUTES_OF_GRACE:
                allowed.append(known.ended("failed"))
            self._is_one_of(model_id, allowed)
        self._done("sweep")

    @rule(minutes=st.sampled_from((1, 6, 20, 51, 25 * 60)))
    def time_passes(self, minutes: int) -> None:
        self.world.clock.advance(minutes=minutes)
        self._done("time")

    # --- expectations ---

    def teardown(self) -> None:
        self.world.wire.arm({})
        self.world.settle()
        found = violations(self.world)
        assert found == [], (found, self.world.answers)

    def _ask(
        self, what: str, model_id: str, expected: tuple[int, State], faults: Faults, call: Callable[[], Answer | None]
    ) -> Answer | None:
        """Make a call. Without a fault it answers with this status and leaves the model in this state."""
        status, after = expected
        before = self.models[model_id]
        self.world.wire.arm(faults)
        answer = call()
        if not self.world.wire.hits:
            assert answer is not None
            assert answer.status == status or (status == 200 and answer.status == 202), answer
        answered = answer is not None and answer.status < 500
        self._is_one_of(model_id, [after] if answered else [before, after])
        self._done(what)
        return answer

    def _may_have_moved(self, model_id: str | None, must_end: str | None = None) -> None:
        """A task of a job ran. If the job makes the model's active version, it may have ended. Nothing else may have changed."""
        for each, known in self.models.items():
            if each != model_id or known is None or known.active is None:
                self._is_one_of(each, [known])
            elif must_end:
                self._is_one_of(each, [known.ended(must_end)])
            else:
                self._is_one_of(each, [known, known.ended("ready"), known.ended("failed")])
        if model_id is not None:
            self._sign_of_life(model_id)

    def _model_of(self, execution: str) -> str | None:
        """The model whose active version the execution's job makes. None if it no longer does."""
        for row in self.world.rows():
            if (
                row["pk"].startswith("VERSIONS#")
                and execution == f"{row['uid']}-{row['version']}-{row['fence']}"
                and row["status"] in ACTIVE
            ):
                model_id: str = row["model_id"]
                return model_id if any(it["pk"] == "MODELS" and it["uid"] == row["uid"] for it in self.world.rows()) else None
        return None

    def _is_one_of(self, model_id: str, allowed: list[Any]) -> None:
        actual = _actual(self.world, model_id)
        assert actual in allowed, f"{model_id} is {actual}, and may be: {allowed}"
        self.models[model_id] = deepcopy(actual)

    def _sign_of_life(self, model_id: str) -> None:
        self.seen_at[model_id] = self.world.clock.ahead.total_seconds() / 60

    def _done(self, what: str) -> None:
        self.done[what] += 1


def _actual(world: World, model_id: str) -> State:
    rows = world.rows()
    for model in rows:
        if model["pk"] == "MODELS" and model["sk"] == model_id:
            own = [row for row in rows if row["pk"] == f"VERSIONS#{model['uid']}"]
            live = model.get("live_version")
            return Known(
                versions={int(row["version"]): _simple(row["status"]) for row in own},
                latest=int(model["latest_version"]),
                live=None if live is None else int(live),
                unpromoted=frozenset(int(row["version"]) for row in own if row["promote"] == "never"),
            )
    return None


def _simple(status: str) -> str:
    return "active" if status in ACTIVE else status


def test_the_api_does_what_a_dictionary_does(world: World, tell: Tell) -> None:
    steps = _run(world, STEPS, [Phase.reuse, Phase.generate, Phase.shrink], always_the_same="STEPS" not in os.environ)

    tell(f"{sum(steps.values())} steps: {', '.join(f'{what} {times}' for what, times in sorted(steps.items()))}")
    assert sum(steps.values()) >= STEPS


def test_it_does_so_where_one_training_waits_for_the_other(world: World, tell: Tell) -> None:
    steps = _run(world, STEPS_OF_A_SHORT_RUN, [Phase.generate, Phase.shrink], most_trainings="1")

    tell(f"{sum(steps.values())} steps with one slot")


@pytest.mark.parametrize("break_it", [broken.no_condition, broken.no_fence])
def test_it_finds_what_is_broken_on_purpose(world: World, tell: Tell, monkeypatch: pytest.MonkeyPatch, break_it: Any) -> None:
    break_it(monkeypatch)

    with pytest.raises(AssertionError) as found:
        _run(world, STEPS_OF_A_SHORT_RUN, [Phase.generate])

    tell(f"{break_it.__name__}: {found.value!s:.150}")


def _run(world: World, at_least: int, phases: list[Phase], *, always_the_same: bool = True, most_trainings: str = "5") -> Counter[str]:
    """Run at least this number of steps. Returns the number of each kind."""
    steps: Counter[str] = Counter()
    run_state_machine_as_test(
        type("Api", (Api,), {"world": world, "done": steps, "most_trainings": most_trainings}),
        settings=settings(
            # Some examples are shorter than the maximum.
            max_examples=math.ceil(at_least / STEPS_OF_ONE * 1.25),
            stateful_step_count=STEPS_OF_ONE,
            derandomize=always_the_same,
            database=None if always_the_same else DirectoryBasedExampleDatabase(ROOT / ".hypothesis" / "examples"),
            print_blob=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=phases,
        ),
    )
    return steps
