"""What a forgetting has found so far: one object, which is removed at its end. It has digests of texts, and no text."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from winnow.domain.forgetting import Trace
from winnow.domain.keys import forgetting_prefix
from winnow.storage.removal import remove_prefix

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket


@dataclass(slots=True)
class Findings:
    """What one look finds.

    round: the number of the look. began_at: when it began. after: the number of the prefix, and the last key there that was looked at;
    None at the end. known: the number of digests of texts at its beginning. texts: these digests. traces: by kind and key. unread: the
    keys of objects that can't be read. layouts: what clients have said of uploads that they evaluated a version on, by the uploads' keys.
    """

    round: int
    began_at: str
    known: int
    texts: list[str]
    after: tuple[int, str] | None = (0, "")
    traces: dict[str, Trace] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    layouts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Findings:
        after = stored["after"]
        traces = {name: Trace.from_dict(each) for name, each in stored["traces"].items()}
        return cls(**{**stored, "after": None if after is None else (after[0], after[1]), "traces": traces})

    def add(self, trace: Trace) -> None:
        """Add a trace, or a second look at a place, such as another S3 version of an object."""
        name = f"{trace.kind} {trace.key}"
        known = self.traces.get(name)
        if known is None or known.texts < trace.texts:
            self.traces[name] = trace


class ForgettingObjects:
    """The findings in a bucket, by the forgetting's id."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, forgetting: str, findings: Findings) -> None:
        """Keep the findings."""
        self._bucket.put_json(_key(forgetting), asdict(findings))

    def read(self, forgetting: str) -> Findings | None:
        """What `write` kept last. None if there is nothing."""
        body = self._bucket.find(_key(forgetting))
        return None if body is None else Findings.from_dict(json.loads(body))

    def remove(self, forgetting: str) -> None:
        """Remove everything that was kept, with all S3 versions."""
        remove_prefix(self._bucket, forgetting_prefix(forgetting), itertools.repeat(True))


def _key(forgetting: str) -> str:
    return f"{forgetting_prefix(forgetting)}findings.json"
