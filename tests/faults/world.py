"""The world around a deployment: clients that call and may repeat, a platform that runs, retries and kills, and a clock.

It keeps what clients were told, so that `invariants` can hold the deployment to it.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from tests.conftest import FUNCTIONS, WORKFLOW, Answer, Context, Json, Winnow, _variables, load_event
from tests.faults import moments
from tests.faults.moments import Moment
from tests.faults.wire import Crash, Wire
from tests.support.clock import Clock
from tests.support.contract import functions

SWEEP = "functions/upkeep/sweep"
ENDED = "functions/upkeep/execution_ended"
# An asynchronous invocation that fails is made twice more.
_DELIVERIES = 3
MODEL = "tc-01"


class StoppedError(BaseException):
    """The execution was stopped from outside: no later state of it begins. It is no error that a Catch could see."""


class VanishedError(BaseException):
    """The execution ended together with its task's process: no state of it is left to speak for it."""


class UnheardError(VanishedError):
    """The same, and the event that tells of it is lost too."""


class PausedError(BaseException):
    """The test wanted no more tasks of this execution for now."""


# What Step Functions calls a Lambda whose process ended, and a fault of the Lambda service, which may come after the work was done.
DIED = type("Runtime.ExitError", (Exception,), {})
SERVICE_FAULT = type("Lambda.ServiceException", (Exception,), {})


@dataclass
class Segments(Context):
    """A Lambda's time that is over each time that it was looked at so often: a training is cut into segments."""

    looks: int = 3
    looked: int = 0

    def get_remaining_time_in_millis(self) -> int:
        self.looked += 1
        return 900_000 if self.looked % self.looks else 30_000


@dataclass
class Promises:
    """What clients were told of one life of a model id: from the first POST to a DELETE that may have been done."""

    accepted: list[int] = field(default_factory=list)
    cancelled: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    unanswered: int = 0
    deleted: bool = False
    # The version that was promoted last, until another may have gone live by itself.
    live: int | None = None


@dataclass
class Deployed(Winnow):
    """A deployment whose functions may die, and whose tasks are tried again as the template says."""

    wire: Wire = field(default_factory=Wire)
    # How a task's death looks to Step Functions.
    death: type[BaseException] = DIED
    # Functions that fail each time they are called, for a reason that no task foresaw.
    failing: set[str] = field(default_factory=set)
    # What the tasks of the execution that runs gave so far, and how many more may run. What is known already isn't done again.
    log: list[Any] = field(default_factory=list)
    position: int = 0
    allowance: float = math.inf
    at_once: bool = False
    # Every event that a task was ever given.
    delivered: list[tuple[str, Json]] = field(default_factory=list)

    def invoke(self, folder: str, event: Json, context: Context | None = None) -> Any:
        if not folder.startswith("functions/training/"):
            return self.once(folder, event, context)
        if self.position == len(self.log):
            if not self.allowance:
                raise PausedError
            self.allowance -= 1
            self.delivered.append((folder, deepcopy(event)))
            try:
                self.log.append(self._tried(folder, event, context))
            except Exception as error:
                self.log.append(error)
        outcome = self.log[self.position]
        self.position += 1
        if isinstance(outcome, Exception):
            raise outcome
        return deepcopy(outcome)

    def _tried(self, folder: str, event: Json, context: Context | None) -> Any:
        """The task, tried again as its state's Retry says."""
        tries: Counter[int] = Counter()
        while True:
            try:
                return self._task(folder, event, context)
            except Exception as error:
                retry = _retry(folder, type(error).__name__)
                if retry is None or tries[id(retry)] >= retry.get("MaxAttempts", 3):
                    raise
                tries[id(retry)] += 1

    def _task(self, folder: str, event: Json, context: Context | None) -> Any:
        self.stop_if_stopped(event)
        if folder.rpartition("/")[2] in self.failing:
            message = "an unforeseen fault"
            raise RuntimeError(message)
        try:
            result = self.once(folder, event, context)
        except Crash as crash:
            raise self.death(str(crash)) from crash
        self.stop_if_stopped(event)
        return result

    def once(self, folder: str, event: Json, context: Context | None = None) -> Any:
        """One invocation. Crash where it dies."""
        with self.wire.watching(folder.removeprefix("functions/")):
            try:
                return super().invoke(folder, event, context)
            except Crash:
                # The next call finds a fresh execution environment.
                self.environments.pop(folder, None)
                raise

    @contextmanager
    def settings(self, folder: str) -> Iterator[None]:
        """The function's settings; while functions run at once, which one process's environment can't do, those of all of them."""
        if self.at_once:
            yield
        else:
            with super().settings(folder):
                yield

    @contextmanager
    def running_at_once(self) -> Iterator[None]:
        variables = {name: value for function in FUNCTIONS.values() for name, value in _variables(function).items()}
        with patch.dict(
            os.environ, {name: value if isinstance(value, str) else self.names[value["Ref"]] for name, value in variables.items()}
        ):
            self.at_once = True
            try:
                yield
            finally:
                self.at_once = False

    def stop_if_stopped(self, event: Json) -> None:
        name = "{uid}-{version}-{fence}".format(**event["job"])
        if any(execution.name == name and execution.status == "ABORTED" for execution in moments.executions(self)):
            raise StoppedError


@dataclass
class World:
    """A deployment, and everybody around it."""

    winnow: Deployed
    wire: Wire
    clock: Clock
    lives: dict[str, list[Promises]] = field(default_factory=dict)
    # Versions ever seen, by uid and number, with when they were made: so a number used twice is seen.
    made: dict[tuple[str, int], str] = field(default_factory=dict)
    uids: dict[str, list[str]] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    # What the tasks of each execution gave so far.
    logs: dict[str, list[Any]] = field(default_factory=dict)
    # What Lambda tells the workflow's tasks of their time; None: that they have enough.
    lambda_context: Context | None = None
    # The executions whose end was told, by name.
    told: set[str] = field(default_factory=set)
    # The answers that clients got, in order.
    answers: list[str] = field(default_factory=list)

    # --- moments ---

    def bring_back(self, moment: Moment, lives: Mapping[str, list[Promises]]) -> None:
        """Begin again at a moment, and with what clients had been told until then."""
        moments.bring_back(self.winnow, moment)
        self.winnow.environments.clear()
        self.winnow.death, self.winnow.failing, self.winnow.delivered = DIED, set(), []
        self.lambda_context = None
        self.clock.ahead = timedelta()
        self.lives = {
            model_id: [replace(it, accepted=list(it.accepted), cancelled=set(it.cancelled), removed=set(it.removed)) for it in told]
            for model_id, told in lives.items()
        }
        self.made, self.uids, self.found, self.answers, self.logs, self.told = {}, {}, [], [], {}, set()
        self.wire.arm({})
        self.wire.at_each_call = None
        self.observe()

    # --- clients ---

    def post(self, model_id: str = MODEL, *, force_update: bool = False, **fields: Any) -> Answer | None:
        """POST /models, of a training that is soon done."""
        given = {"n_iter": 1, "n_texts": 12, **fields} | ({"force_update": True} if force_update else {})
        answer = self._request(f"POST {model_id}", lambda: self.winnow.create(id=model_id, **given))
        life = self._life(model_id)
        if answer is None or answer.status >= 500:
            life.unanswered += 1
        elif answer.status == 202:
            if life.deleted:
                life = self._new_life(model_id)
            life.accepted.append(answer.body["version"])
        self.observe()
        return answer

    def cancel(self, model_id: str = MODEL, version: int = 1) -> Answer | None:
        path = {"model_id": model_id, "version": str(version)}
        answer = self._request(f"cancel {model_id}/{version}", lambda: self.winnow.call("cancel_version", path=path))
        if answer is not None and answer.status == 200:
            self._life(model_id).cancelled.add(version)
        self.observe()
        return answer

    def delete(self, model_id: str = MODEL) -> Answer | None:
        answer = self._request(f"DELETE {model_id}", lambda: self.winnow.call("delete_model", path={"model_id": model_id}))
        life = self._life(model_id)
        if answer is None or answer.status >= 500:
            # It may have been done. What is there afterwards tells.
            life.deleted = not any(row["pk"] == "MODELS" and row["sk"] == model_id for row in self.rows())
        elif answer.status in {200, 202}:
            life.deleted = True
        self.observe()
        return answer

    def promote(self, version: int, model_id: str = MODEL, headers: Mapping[str, str] | None = None) -> Answer | None:
        """PUT /models/{model_id}/live."""
        answer = self._request(
            f"promote {model_id}/{version}",
            lambda: self.winnow.call("promote_version", body={"version": version}, path={"model_id": model_id}, headers=headers),
        )
        if answer is None or answer.status >= 500:
            self._life(model_id).live = None
        elif answer.status == 200:
            self._life(model_id).live = version
        self.observe()
        return answer

    def delete_version(self, version: int, model_id: str = MODEL) -> Answer | None:
        path = {"model_id": model_id, "version": str(version)}
        answer = self._request(f"DELETE {model_id}/{version}", lambda: self.winnow.call("delete_version", path=path))
        there = any(row["pk"].startswith("VERSIONS#") and int(row["version"]) == version for row in self._own(model_id))
        if (answer is not None and answer.status in {200, 202}) or ((answer is None or answer.status >= 500) and not there):
            self._life(model_id).removed.add(version)
        self.observe()
        return answer

    def _own(self, model_id: str) -> list[Json]:
        """The rows of this life of the model."""
        uids = {row["uid"] for row in self.rows() if row["pk"] == "MODELS" and row["sk"] == model_id}
        return [row for row in self.rows() if row.get("uid") in uids]

    def predict(self, model_id: str = MODEL) -> Answer | None:
        body = {"model_id": model_id, "text": "I want to save for vacation!"}
        return self._request(f"predict {model_id}", lambda: self.winnow.call("predict", "predict_get_body", body=body))

    def _request(self, what: str, call: Callable[[], Answer]) -> Answer | None:
        """The answer, or None where the Lambda died: API Gateway answers for it, and the client knows nothing."""
        try:
            answer = call()
        except Crash:
            self.answers.append(f"{what}: none")
            return None
        self.answers.append(f"{what}: {answer.status}")
        return answer

    def _life(self, model_id: str) -> Promises:
        return self.lives.setdefault(model_id, [Promises()])[-1]

    def _new_life(self, model_id: str) -> Promises:
        self.lives[model_id].append(Promises())
        return self.lives[model_id][-1]

    # --- the platform ---

    def run_executions(self) -> None:
        """Run what was started and didn't end yet, to its end."""
        for execution in list(moments.executions(self.winnow)):
            if execution.status == "RUNNING":
                self.run(execution)
        self.tell_of_ends()

    def run(self, execution: Any, tasks: float = math.inf) -> None:
        """Run an execution from where it is to its end, or for so many tasks."""
        data = json.loads(execution.execution_input)
        self.winnow.log, self.winnow.position, self.winnow.allowance = self.logs.setdefault(execution.name, []), 0, tasks
        try:
            end = self.winnow.run_workflow(data, self.lambda_context)
        except (StoppedError, PausedError):
            pass
        except VanishedError as error:
            _end(execution, "ABORTED")
            if isinstance(error, UnheardError):
                self.told.add(execution.name)
        except Exception:
            # Its Fail state failed as often as it is tried.
            _end(execution, "FAILED")
        else:
            _end(execution, "FAILED" if WORKFLOW["States"][end]["Type"] == "Fail" else "SUCCEEDED")
            for told in self.lives.values():
                told[-1].live = None
        self.observe()

    def tell_of_ends(self) -> None:
        """EventBridge: each execution that didn't succeed is told of once, which may take more than one delivery."""
        for execution in list(moments.executions(self.winnow)):
            if execution.status in {"FAILED", "ABORTED"} and execution.name not in self.told:
                self.told.add(execution.name)
                event = load_event("upkeep/execution_ended")
                event["detail"] |= {"name": execution.name, "status": execution.status, "input": execution.execution_input}
                self._deliver(event)
        self.observe()

    def _deliver(self, event: Json) -> None:
        for _ in range(_DELIVERIES):
            hits = len(self.wire.hits)
            try:
                self.winnow.invoke(ENDED, event)
            except (Crash, Exception):
                if len(self.wire.hits) == hits:
                    raise
            else:
                return

    def sweep(self) -> None:
        """The schedule's call. A sweep that dies or fails because of a fault is made again five minutes later."""
        hits = len(self.wire.hits)
        try:
            self.winnow.invoke(SWEEP, load_event("upkeep/sweep"), Context(seconds=900))
        except (Crash, Exception):
            if len(self.wire.hits) == hits:
                raise
            self.answers.append("sweep: failed")
        self.observe()

    def settle(self) -> None:
        """Let time pass until nothing is left to be done: leases and deletion deadlines run out, then days."""
        for minutes in (0, 6, 30, 25 * 60, 25 * 60):
            self.clock.advance(minutes=minutes)
            self.sweep()
            self.run_executions()
        self.sweep()

    def during(self, function: str, operation: str, what: Callable[[], object]) -> None:
        """Do something else in the midst of a function: when it is about to make this call for the first time."""

        def at(name: str) -> None:
            if self.wire.function == function and name == operation:
                self.wire.at_each_call = None
                what()

        self.wire.at_each_call = at

    # --- what is there ---

    def rows(self) -> list[Json]:
        return moments.rows(self.winnow)

    def observe(self) -> None:
        """Look at the registry in between: what must hold at every moment, and which versions were ever made."""
        rows = self.rows()
        active: Counter[str] = Counter()
        for row in rows:
            if row["pk"] == "MODELS" and row.get("uid") not in self.uids.setdefault(row["sk"], []):
                self.uids[row["sk"]].append(row.get("uid", "none"))
            if not row["pk"].startswith("VERSIONS#") or "version" not in row:
                continue
            known = self.made.setdefault((row["uid"], int(row["version"])), row["created_at"])
            if known != row["created_at"]:
                self.found.append(f"version {row['version']} was made twice: its number was used again")
            active[row["uid"]] += row["status"] in {"queued", "training", "evaluating"}
        self.found += [f"{number} active versions of one model" for number in active.values() if number > 1]


def _end(execution: Any, status: str) -> None:
    if execution.status == "RUNNING":
        execution.status = status


def _retry(folder: str, error: str) -> Json | None:
    """The Retry of the workflow's state that calls the function, if one is for this error."""
    for state in WORKFLOW["States"].values():
        if state["Type"] == "Task" and functions()[state["Resource"]["GetAtt"].removesuffix(".Arn")]["CodeUri"] == folder:
            for retry in state.get("Retry", []):
                if error in retry["ErrorEquals"] or "States.ALL" in retry["ErrorEquals"]:
                    found: Json = retry
                    return found
    return None
