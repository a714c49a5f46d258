"""The wire to AWS with its faults. It uses botocore's event hooks, so Winnow's code is the same as in a release.

A fault hits one write, Winnow's Nth while the wire watches:

    before       nothing was sent, and the Lambda's process ends
    after        the write was done, and the Lambda's process ends before it knows
    throttled    AWS refuses it for longer than botocore tries
    answer lost  the write was done, the connection broke before the answer: botocore sends it again
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.exceptions import ConnectionClosedError

WRITES = frozenset(
    (
        *("PutObject", "CopyObject", "DeleteObject", "DeleteObjects"),
        *("CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload", "AbortMultipartUpload"),
        *("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"),
        *("StartExecution", "StopExecution", "Invoke", "PutEvents"),
    )
)
_THROTTLED = {
    "s3": (503, "SlowDown"),
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "stepfunctions": (400, "ThrottlingException"),
    "lambda": (429, "TooManyRequestsException"),
    "events": (400, "ThrottlingException"),
}


class How(StrEnum):
    """How a write goes wrong."""

    BEFORE = "before"
    AFTER = "after"
    THROTTLED = "throttled"
    LOST = "answer lost"


class Crash(BaseException):
    """The Lambda's process ends here. Not an Exception, so that no `except Exception` can catch it."""


@dataclass(frozen=True, slots=True)
class Write:
    """A write that Winnow made or tried: its function, its operation and its fault, if any."""

    function: str
    operation: str
    fault: How | None

    def __str__(self) -> str:
        return f"{self.function} {self.operation}" + (f" [{self.fault}]" if self.fault else "")


class _Here(threading.local):
    """This thread's state: the watched function, and the fault of its current call."""

    function: str | None = None
    fault: How | None = None


@dataclass
class Wire:
    """The wire of one session's clients. plan: the fault of the Nth write, counted from 1."""

    plan: Mapping[int, How] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)
    # Called with the operation before each watched call. A scheduler of threads waits here.
    at_each_call: Callable[[str], None] | None = None
    _here: _Here = field(default_factory=_Here)

    def install(self, session: boto3.Session) -> None:
        """Watch the clients that the session makes after this."""
        session.events.register("before-call", self._before_call)
        session.events.register_last("before-send", self._before_send)
        session.events.register("after-call", self._after_call)

    def arm(self, plan: Mapping[int, How]) -> None:
        """Count the writes from 1 again, with these faults."""
        self.plan, self.writes, self._here.fault = dict(plan), [], None

    @contextmanager
    def watching(self, function: str) -> Iterator[None]:
        """Count and fault the writes inside the `with` block: the function's, not the test's."""
        before, self._here.function = self._here.function, function
        try:
            yield
        finally:
            self._here.function, self._here.fault = before, None

    @property
    def function(self) -> str | None:
        """The function that runs in this thread."""
        return self._here.function

    @property
    def fault(self) -> How | None:
        """The fault of this thread's call."""
        return self._here.fault

    @property
    def hits(self) -> list[Write]:
        """The writes with faults."""
        return [write for write in self.writes if write.fault]

    def _before_call(self, model: Any, **_: Any) -> Any:
        if self._here.function is None:
            return None
        if self.at_each_call:
            self.at_each_call(model.name)
        if model.name not in WRITES:
            return None
        self._here.fault = self.plan.get(len(self.writes) + 1)
        self.writes.append(Write(self._here.function, model.name, self._here.fault))
        if self._here.fault is How.BEFORE:
            raise Crash(f"before {self.writes[-1]}")
        if self._here.fault is How.THROTTLED:
            status, code = _THROTTLED[model.service_model.service_name]
            error = {"Error": {"Code": code, "Message": "Slow down."}, "ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": 4}}
            return AWSResponse("https://aws.example", status, HTTPHeaders(), None), error
        return None

    def _before_send(self, request: Any, **_: Any) -> None:
        # Registered last: moto's handler, which runs before, has done the write.
        if self._here.function is not None and self._here.fault is How.LOST:
            self._here.fault = None
            raise ConnectionClosedError(endpoint_url=request.url)

    def _after_call(self, model: Any, **_: Any) -> None:
        if self._here.function is not None and model.name in WRITES and self._here.fault is How.AFTER:
            self._here.fault = None
            raise Crash(f"after {self.writes[-1]}")
