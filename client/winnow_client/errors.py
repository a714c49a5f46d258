"""What may go wrong. Every error of the client is a WinnowError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPE = "urn:winnow:problem:"


class WinnowError(Exception):
    """An error of this client. Its message says what to fix."""


class ApiError(WinnowError):
    """The API answered with an error.

    status: of HTTP. code: the kind of the problem, such as `model-exists`; empty if the answer has none. message: a sentence that says what
    to fix. field: the wrong field of the request, or None. problem: the whole answer (RFC 9457). retry_after: seconds, or None.
    """

    def __init__(self, call: str, status: int, message: str, problem: Mapping[str, Any], retry_after: float | None = None) -> None:
        super().__init__(call, status, message)
        self.call, self.status, self.message = call, status, message
        self.problem = problem
        self.retry_after = retry_after
        kind = problem.get("type")
        self.code = kind[len(_TYPE) :] if isinstance(kind, str) and kind.startswith(_TYPE) else ""
        self.field: str | None = problem.get("field")

    def __str__(self) -> str:
        return f"{self.call} answered {self.status}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.call, self.status, self.message, self.problem, self.retry_after)


class ForbiddenError(ApiError):
    """403: there is no such key, or its role doesn't allow the call."""


class NotFoundError(ApiError):
    """404: there is no such model, version or other thing."""


class ConflictError(ApiError):
    """409: the call doesn't fit the present state, such as a training that is underway."""


class StaleError(ApiError):
    """412: somebody else changed it since the ETag in `if_match`."""


class InvalidError(ApiError):
    """422: a field is missing, unknown or wrong. `field` names it."""


class TooManyRequestsError(ApiError):
    """429: the limits of the key are used up. `retry_after` says for how long."""


class NoAnswerError(WinnowError):
    """No answer came: no connection, or none in time. The cause is the error of httpx."""


class UnexpectedAnswerError(WinnowError):
    """The answer isn't one of Winnow's: the URL is wrong."""


class WorkFailedError(WinnowError):
    """A training, a batch prediction, an evaluation or a check failed or was cancelled. result: its last state."""

    def __init__(self, message: str, result: Any = None) -> None:
        super().__init__(message)
        self.result = result


_BY_STATUS: dict[int, type[ApiError]] = {
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    412: StaleError,
    422: InvalidError,
    429: TooManyRequestsError,
}


def api_error(call: str, status: int, message: str, problem: Mapping[str, Any], retry_after: float | None) -> ApiError:
    """The error for an answer, of the class of its status."""
    return _BY_STATUS.get(status, ApiError)(call, status, message, problem, retry_after)
