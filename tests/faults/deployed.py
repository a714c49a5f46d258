"""A deployment whose functions may die, and whose workflow's tasks are tried again as the template says."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from tests.conftest import BATCH_WORKFLOW, FUNCTIONS, Context, Json, Winnow, _variables, workflow_tasks
from tests.faults.wire import Crash, Wire
from tests.support import moments


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
        if folder.startswith("functions/batch/"):
            return self._batch_task(folder, event, context)
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

    def _batch_task(self, folder: str, event: Json, context: Context | None) -> Any:
        """A task of a batch prediction, tried again where it dies, as the workflow's Retry says of each of them."""
        [again] = [it["MaxAttempts"] for it in BATCH_WORKFLOW["States"]["Split"]["Retry"] if DIED.__name__ in it["ErrorEquals"]]
        for _ in range(again):
            with suppress(Crash):
                return self.once(folder, event, context)
        try:
            return self.once(folder, event, context)
        except Crash as crash:
            raise DIED(str(crash)) from crash

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
        with patch.dict(os.environ, {name: self.setting(value) for name, value in variables.items()}):
            self.at_once = True
            try:
                yield
            finally:
                self.at_once = False

    def stop_if_stopped(self, event: Json) -> None:
        name = "{uid}-{version}-{fence}".format(**event["job"])
        if any(execution.name == name and execution.status == "ABORTED" for execution in moments.executions()):
            raise StoppedError


def _retry(folder: str, error: str) -> Json | None:
    """The Retry of the workflow's state that calls the function, if one is for this error."""
    for retry in workflow_tasks()[folder].get("Retry", []):
        if error in retry["ErrorEquals"] or "States.ALL" in retry["ErrorEquals"]:
            found: Json = retry
            return found
    return None
