"""Errors that end the command. Each has an exit code and one line that says what to fix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import requests

from winnow_cli.client import PASSING, ApiError


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
            raise UnavailableError(f"{error.sentence} (status {error.status}; try again later)") from error
        if error.status == 403:
            raise CommandError(f"{error.sentence} (`winnow key` shows what your key may do)") from error
        raise CommandError(error.sentence) from error
    except requests.JSONDecodeError as error:
        raise CommandError(f"The server at {url} is not Winnow's API: set WINNOW_URL to the deployment's ApiUrl.") from error
    except requests.exceptions.InvalidJSONError as error:
        raise UsageError("nan and inf can't be sent: give numbers.") from error
    except requests.exceptions.SSLError as error:
        raise UnavailableError(f"TLS with {url} failed: {_reason(error)}") from error
    except (requests.Timeout, TimeoutError) as error:
        raise UnavailableError(f"{url} did not answer in time: try again later.") from error
    except requests.RequestException as error:
        raise UnavailableError(f"Can't reach {url} ({_reason(error)}): check WINNOW_URL, and that the deployment exists.") from error


def _reason(error: BaseException) -> str:
    """The message of the operating system or of TLS. requests and urllib3 wrap it several times."""
    inner: BaseException = error
    while (deeper := inner.__cause__ or inner.__context__) is not None:
        inner = deeper
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
