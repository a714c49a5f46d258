"""The log of every function that isn't as small as the authorizer: a line of JSON for each thing that happened.

A prediction waits for its line, so that it holds what somebody asks for, and nothing else: what failed says where by its stack trace.
"""

from __future__ import annotations

import json
import logging

from aws_lambda_powertools import Logger

# What no line has needn't be found out for each: by which line of code, thread and process it was written
# (https://docs.python.org/3/howto/logging.html#optimization).
logging._srcfile = None
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)

logger = Logger(
    service="winnow",
    location=None,
    utc=True,
    use_rfc3339=True,
    # Messages are sentences, never JSON that would have to be read to be written again.
    json_deserializer=str,
    json_serializer=_ENCODER.encode,
)
