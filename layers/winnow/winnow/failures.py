"""What a failed workflow task says, made into the sentence that a version's `error` shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from winnow import errors

_DELIBERATE = {name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, errors.WinnowError)}
_OUT_OF_RESOURCES = {"States.Timeout", "Sandbox.Timedout", "Lambda.Unknown", "Runtime.ExitError", "Runtime.OutOfMemory"}


def failure_sentence(failure: Mapping[str, Any]) -> str:
    """The sentence for a Catch's error output, {"Error": name, "Cause": JSON or text}.

    A Lambda's exception has its class and message in Cause
    (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html); ours speak for themselves.
    """
    cause = _cause(failure.get("Cause", ""))
    error = str(cause.get("errorType") or failure.get("Error") or "unknown")
    if error in _DELIBERATE:
        return str(cause.get("errorMessage"))
    if error in _OUT_OF_RESOURCES:
        return f"The training ran out of time or memory ({error}): train on fewer texts (n_texts) or in fewer epochs (n_iter)."
    return f"The training failed by a fault of ours ({error}): the function's log has the details. Train again, or report it if it stays."


def _cause(text: Any) -> Mapping[str, Any]:
    try:
        cause = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return cause if isinstance(cause, Mapping) else {}
