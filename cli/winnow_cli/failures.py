"""What ends the command early: each failure has its exit code and one line that says what to mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import requests

from winnow_cli.client import PASSING, ApiError


class ExitCode(IntEnum):
    """What the command ends with (docs/command-line.md)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    INTERRUPTED = 130


class CommandError(Exception):
    """The API refused, or what it was asked for failed; the message is one sentence for the person who asked."""

    code = ExitCode.FAILED


class UsageError(CommandError):
    """The command can't be carried out as it was typed: an option, a file or a setting is wrong."""

    code = ExitCode.USAGE


class UnavailableError(CommandError):
    """No answer, or one that may be another the next time: it is worth while to try again."""

    code = ExitCode.UNAVAILABLE


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Errors of the client as those of the command. url: where the API is, or should be."""
    try:
        yield
    except ApiError as error:
        if error.status in PASSING:
            raise UnavailableError(f"{error.sentence} (status {error.status}; try again later)") from error
        if error.status == 403:
            raise CommandError(f"{error.sentence} (`winnow key` tells what the key in WINNOW_API_KEY may do)") from error
        raise CommandError(error.sentence) from error
    except requests.JSONDecodeError as error:
        raise CommandError(f"what answers at {url} is not Winnow's API: set WINNOW_URL to the deployment's ApiUrl") from error
    except requests.exceptions.SSLError as error:
        raise UnavailableError(f"no TLS with {url}: {_reason(error)}") from error
    except (requests.Timeout, TimeoutError) as error:
        raise UnavailableError(f"no answer from {url} in time: try again later") from error
    except requests.RequestException as error:
        raise UnavailableError(f"{url} can't be reached ({_reason(error)}): check WINNOW_URL, and that the deployment runs") from error


def _reason(error: BaseException) -> str:
    """What the operating system or TLS said, which requests and urllib3 wrap several times over."""
    inner: BaseException = error
    while (deeper := inner.__cause__ or inner.__context__) is not None:
        inner = deeper
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
