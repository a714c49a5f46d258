"""Errors that end the command. Each has an exit code and one line that says what to fix."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import httpx

from winnow_client import ApiError, NoAnswerError, UnexpectedAnswerError
from winnow_client.flows import PASSING, reason

_CHECK_URL = "set WINNOW_URL to the deployment's ApiUrl, with its stage, such as …/v1"


class ExitCode(IntEnum):
    """The exit codes of the command (docs/command-line.md)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    INTERRUPTED = 130


class CommandError(Exception):
    """The API refused the request, or the work failed. The message is one sentence for the user."""

    code = ExitCode.FAILED


class UsageError(CommandError):
    """The user must change the command: an option, a file or a setting is wrong."""

    code = ExitCode.USAGE


class UnavailableError(CommandError):
    """There was no answer, or only a temporary error. Trying again later may help."""

    code = ExitCode.UNAVAILABLE


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn errors of the client into errors of the command. url: the API's address."""
    try:
        yield
    except ApiError as error:
        if error.status in PASSING:
            raise UnavailableError(f"{error.message} (status {error.status}; try again later)") from error
        if not error.problem:
            raise CommandError(f"{error.call} answered {error.status}, but not as Winnow does: {_CHECK_URL} ({url}).") from error
        if error.status == 403:
            raise CommandError(f"{error.message} (`winnow key` shows what your key may do)") from error
        raise CommandError(error.message) from error
    except UnexpectedAnswerError as error:
        raise CommandError(f"The server at {url} is not Winnow's API: {_CHECK_URL}.") from error
    except NoAnswerError as error:
        cause = error.__cause__ or error
        why = reason(cause)
        if isinstance(cause, httpx.TimeoutException) and not isinstance(cause, httpx.ConnectTimeout):
            raise UnavailableError(f"{url} did not answer in time: try again later.") from error
        if any(isinstance(each, ssl.SSLError) for each in _chain(cause)):
            raise UnavailableError(f"TLS with {url} failed: {why}") from error
        raise UnavailableError(f"Can't reach {url} ({why}): check WINNOW_URL, and that the deployment exists.") from error
    except TimeoutError as error:
        raise UnavailableError(f"{url} did not answer in time: try again later.") from error
    except ValueError as error:
        if "JSON compliant" not in str(error):
            raise
        raise UsageError("nan and inf can't be sent: give numbers.") from error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
