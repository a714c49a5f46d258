"""The log of every function except the authorizer: one line of JSON for each event.

A prediction waits until its line is written, so a line holds only what operators need. The place of an error is in its stack trace.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from aws_lambda_powertools import Logger

from winnow.domain.errors import WinnowError

# No line shows the source line, thread or process, so logging needn't look them up each time
# (https://docs.python.org/3/howto/logging.html#optimization).
logging._srcfile = None
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)

logger = Logger(
    service="winnow",
    location=None,
    utc=True,
    use_rfc3339=True,
    # Messages are text, never JSON, so the logger needn't try to parse them.
    json_deserializer=str,
    json_serializer=_ENCODER.encode,
)


@contextmanager
def logged_only(what: str) -> Iterator[None]:
    """Log an error of the block, and go on. For what comes after a request has succeeded, and what the sweeper does again.

    A client that gets an error believes that nothing was done. Errors that the client can fix are still raised, such as ModelNotFoundError.
    what: the message in the log, such as "not started".
    """
    try:
        yield
    except WinnowError as error:
        if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        logger.exception(what)
    except Exception:
        logger.exception(what)
