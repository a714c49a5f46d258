"""Conditional requests (RFC 9110, section 13, https://www.rfc-editor.org/rfc/rfc9110#section-13): entity tags and their headers.

A row's tag is a hash of its uid and its revision: opaque to clients, and different for each state. A file's tag is a hash of its content.
"""

from __future__ import annotations

import hashlib
import re

from winnow.domain.conditions import Condition, VersionCondition
from winnow.domain.model import Model, Version

_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def model_tag(model: Model, version: Version | None) -> str:
    """The ETag of a model with its latest version. The first half is of the model alone, without its feedback: see `condition_on_model`."""
    return f'"{_model_half(model)}-{_digest("no version" if version is None else _state(version), model.feedback.revision)}"'


def version_tag(version: Version, live_version: int | None) -> str:
    """The ETag of a version. It changes too when the version becomes live or is no longer live."""
    return f'"{_digest(_state(version), version.job.version == live_version)}"'


def policy_tag(model: Model) -> str:
    """The ETag of a model's policy. It changes too when another version becomes live, for which the policy means something else."""
    return f'"{_digest("policy", model.uid, model.policies, model.live_version)}"'


def text_tag(text: str) -> str:
    """The ETag of a text that only a deployment changes."""
    return f'"{_digest(text)}"'


def is_known(if_none_match: str, tag: str) -> bool:
    """Whether the header If-None-Match names the tag or "*". Weak tags count as strong ones (section 13.1.2)."""
    return if_none_match.strip() == "*" or any(found[2] == tag for found in _TAG.finditer(if_none_match))


def condition_on_model(if_match: str | None) -> Condition | None:
    """The condition of the header If-Match: one of its tags names the model's present state. Weak tags never match (section 13.1.1).

    None if the header is absent. "*" holds for every model that there is. The progress of a training and new feedback don't count as
    changes: they change neither the live version nor a property that clients set.
    """
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return lambda model: model is not None
    halves = {tag[1:].partition("-")[0] for tag in _strong_tags(if_match)}
    return lambda model: model is not None and _model_half(model) in halves


def condition_on_policy(if_match: str | None) -> Condition | None:
    """The condition of If-Match in a call that changes a policy: a tag names the state of its model or of the policy itself."""
    of_model = condition_on_model(if_match)
    if if_match is None or of_model is None:
        return None
    tags = _strong_tags(if_match)
    return lambda model: of_model(model) or (model is not None and policy_tag(model) in tags)


def condition_on_version(if_match: str | None) -> VersionCondition | None:
    """The condition of If-Match in a call that changes a version: a tag names the state of its model or of the version itself."""
    of_model = condition_on_model(if_match)
    if if_match is None or of_model is None:
        return None
    tags = _strong_tags(if_match)
    return lambda model, version: of_model(model) or version_tag(version, model.live_version) in tags


def _strong_tags(if_match: str) -> set[str]:
    return {found[2] for found in _TAG.finditer(if_match) if not found[1]}


def _model_half(model: Model) -> str:
    return _digest(model.uid, model.revision)


def _state(version: Version) -> tuple[str, int, int]:
    return version.job.uid, version.job.version, version.revision


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
