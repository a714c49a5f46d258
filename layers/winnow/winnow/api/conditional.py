"""Conditional requests (RFC 9110, section 13, https://www.rfc-editor.org/rfc/rfc9110#section-13): entity tags, and what names them.

Tags are made of a row's life (uid) and its revision, both hashed: opaque to clients, and never the same for two states. Those of files are
hashes of what is in them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from winnow.domain.model import Model, Version

_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def model_tag(model: Model, version: Version | None) -> str:
    """The ETag of a model as it is shown with its latest version. Its first half is the model's alone, without the feedback that comes
    and goes: see `condition_on_model`."""
    return f'"{_model_half(model)}-{_digest("no version" if version is None else _state(version), model.feedback.revision)}"'


def version_tag(version: Version, live_version: int | None) -> str:
    """The ETag of a version as it is shown: whether it is live is the model's to say, and part of it."""
    return f'"{_digest(_state(version), version.job.version == live_version)}"'


def text_tag(text: str) -> str:
    """The ETag of a text that changes with a deployment alone."""
    return f'"{_digest(text)}"'


def is_known(if_none_match: str, tag: str) -> bool:
    """Whether the header If-None-Match names the tag, or any ("*"). Weak tags count as strong (section 13.1.2)."""
    return if_none_match.strip() == "*" or any(found[2] == tag for found in _TAG.finditer(if_none_match))


def condition_on_model(if_match: str | None) -> Callable[[Model], bool] | None:
    """What the header If-Match asks of a model: to be what one of its tags names. Weak tags name none (section 13.1.1).

    None where it is absent or asks for any model ("*"). The progress of a version in training, and new feedback, don't count: neither
    changes which version is live, or what a client may set.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    halves = {found[2][1:].partition("-")[0] for found in _TAG.finditer(if_match) if not found[1]}
    return lambda model: _model_half(model) in halves


def _model_half(model: Model) -> str:
    return _digest(model.uid, model.revision)


def _state(version: Version) -> tuple[str, int, int]:
    return version.job.uid, version.job.version, version.revision


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
