"""A deployment whose functions can die, with the retries of the template's workflows."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from tests.conftest import BATCH_WORKFLOW, FUNCTIONS, Context, Json, Winnow, _variables, workflow_tasks
from tests.faults.wire import Crash, Wire
from tests.support import moments


class StoppedError(BaseException):
    """The execution was stopped from outside: none of its later states begins. No Catch sees this."""


class VanishedError(BaseException):
    """The execution ended together with its task's process, so no later state can report it."""


class UnheardError(VanishedError):
    """The same, and the event of its end is lost too."""


class PausedError(BaseException):
    """The test stops this execution here for now."""


# Step Functions' names for the end of a Lambda's process and for a fault of the Lambda service, which can follow finished work.
DIED = type("Runtime.ExitError", (Exception,), {})
SERVICE_FAULT = type("Lambda.ServiceException", (Exception,), {})


@dataclass
class Deployed(Winnow):
    """A deployment whose functions can die, with the template's retries."""

    wire: Wire = field(default_factory=Wire)
    # The error that Step Functions sees when a task dies.
    death: type[BaseException] = DIED
    # Functions that fail in each call, with an unforeseen error.
    failing: set[str] = field(default_factory=set)
    # The results of the running execution's tasks so far, and how many more may run. Tasks with a result don't run again.
    log: list[Any] = field(default_factory=list)
    position: int = 0
    allowance: float = math.inf
    at_once: bool = False
    # Called before each task of a training that runs for the first time.
    before_task: Callable[[], None] | None = None
    # Every event that any task has received.
    delivered: list[tuple[str, Json]] = field(default_factory=list)

    def invoke(self, folder: str, event: Json, context: Context | None = None) -> Any:
        if folder.startswith("functions/batch/"):
            return self._batch_task(folder, event, context)
        if not folder.startswith("functions/training/"):
            return self.once(folder, event, context)
        if self.position == len(self.log):
            if not self.allowance:
                raise PausedError
            if self.before_task:
                self.before_task()
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
        """Run a task of a batch prediction. If it dies, try again as the workflow's Retry says."""
        [again] = [it["MaxAttempts"] for it in BATCH_WORKFLOW["States"]["Split"]["Retry"] if DIED.__name__ in it["ErrorEquals"]]
        for _ in range(again):
            with suppress(Crash):
                return self.once(folder, event, context)
        try:
            return self.once(folder, event, context)
        except Crash as crash:
            raise DIED(str(crash)) from crash

    def _tried(self, folder: str, event: Json, context: Context | None) -> Any:
        """Run the task, and try again as its state's Retry says."""
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
        """One invocation. Raises Crash if it dies."""
        with self.wire.watching(folder.removeprefix("functions/")):
            try:
                return super().invoke(folder, event, context)
            except Crash:
                # The next call gets a fresh execution environment.
                self.environments.pop(folder, None)
                raise

    @contextmanager
    def settings(self, folder: str) -> Iterator[None]:
        """The function's settings. While functions run at once, the settings of all: one process has only one environment."""
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
    """The Retry for this error in the workflow's state that calls the function, if there is one."""
    for retry in workflow_tasks()[folder].get("Retry", []):
        if error in retry["ErrorEquals"] or "States.ALL" in retry["ErrorEquals"]:
            found: Json = retry
            return found
    return None
