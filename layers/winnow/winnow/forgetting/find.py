"""Look everywhere for what is to be forgotten: in every S3 version of every object that can have texts."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from winnow.aws import resources
from winnow.datasets.any_texts import AnyTexts
from winnow.domain.batch import ACTIVE_BATCH
from winnow.domain.dataset import Layout
from winnow.domain.dropped_file import DROPPED_PREFIXES, OUTBOX_PREFIX, is_sentence
from winnow.domain.errors import DatasetError
from winnow.domain.forgetting import Forgotten, Trace, TraceKind
from winnow.domain.keys import BATCHES_PREFIX, LOG_PREFIX, MODELS_PREFIX, SHARDS_PREFIX, result_prefix, shards_prefix
from winnow.storage.example_lines import SUBJECT, UNREADABLE, unpacked
from winnow.storage.uploads import UPLOADS_PREFIX

if TYPE_CHECKING:
    from winnow.domain.batch import BatchPrediction
    from winnow.domain.model import Model, Version
    from winnow.storage.every_version import EveryVersion
    from winnow.storage.forgetting_objects import Findings

_EXAMPLES = re.compile(
    rf"(?P<job>{MODELS_PREFIX}(?P<uid>[^/]+)/versions/(?P<version>\d+)/\d+/)(?:examples/(?:train|test)|learnt/examples)\.jsonl\.gz"
)
_EVALUATION = re.compile(rf"{MODELS_PREFIX}(?P<uid>[^/]+)/versions/(?P<version>\d+)/\d+/evaluations/(?P<name>[^/]+)\.json")
_FEEDBACK = re.compile(rf"{MODELS_PREFIX}(?P<uid>[^/]+)/feedback/(?P<name>[^/]+)\.jsonl\.gz")
_QUEUE = re.compile(rf"{MODELS_PREFIX}(?P<uid>[^/]+)/queue/(?P<name>[^/]+)\.jsonl\.gz")
_LOG = re.compile(rf"{LOG_PREFIX}\d+/(?P<uid>[^/]+)/(?P<name>[^/]+)/[^/]+\.jsonl\.gz")
_SHARD = re.compile(rf"{SHARDS_PREFIX}(?P<uid>[^/]+)/(?P<name>[^/]+)/(?:texts|labels)/[^/]+")
_RESULT = re.compile(rf"{BATCHES_PREFIX}(?P<uid>[^/]+)/(?P<name>[^/]+)/result\.(?:csv|tsv)")
# Of the uploads' bucket. A file of the inbox, and a result in the outbox, is named with its folder.
_UPLOAD = re.compile(rf"(?:{UPLOADS_PREFIX})?(?P<name>.+)", re.DOTALL)
_OF_INBOX = (*DROPPED_PREFIXES, OUTBOX_PREFIX)

# The objects whose lines are records with a text.
_OF_LINES = {
    TraceKind.VERSION: _EXAMPLES,
    TraceKind.FEEDBACK: _FEEDBACK,
    TraceKind.QUEUE: _QUEUE,
    TraceKind.LOG: _LOG,
}
# In this order, so that the texts of a subject are known before the places that have texts alone.
_PREFIXES = (MODELS_PREFIX, UPLOADS_PREFIX, *DROPPED_PREFIXES, LOG_PREFIX, SHARDS_PREFIX, BATCHES_PREFIX, OUTBOX_PREFIX)


# The most seconds for one file. The receipt names a file that takes longer: otherwise each run would end at it.
_LONGEST_READ = 600


def look_everywhere(findings: Findings, forgotten: Forgotten, time_left: Iterator[bool], until: float) -> None:
    """Go on with a look while there is time. At its end, `after` of the findings is None. until: when a file that it reads must be read,
    in seconds of `time.monotonic`.

    If it has learnt of more texts of a subject, it looks again: they may lie without their subject where it has looked before.
    """
    look = _Look(findings, forgotten, until)
    while findings.after is not None and next(time_left):
        number, after = findings.after
        if number < len(_PREFIXES):
            look.under(number, after, time_left)
        else:
            if not look.at_batches_of_files(after, time_left):
                break
            findings.after = None if len(forgotten.texts) == findings.known else (0, "")
            findings.known = len(forgotten.texts)
    findings.texts = sorted(forgotten.texts)


@dataclass(frozen=True, slots=True)
class _Version:
    """An S3 version of an object, and how to read it. The two give None if it is gone."""

    key: str
    read: Callable[[], bytes | None]
    stream: Callable[[], Any]


class _TimeUpError(Exception):
    """There is no time to read the rest of a file."""


@dataclass(frozen=True, slots=True)
class _TimedStream:
    """A stream that is read in time."""

    stream: Any
    check: Callable[[], None]

    def read(self, size: int, /) -> bytes:
        self.check()
        return bytes(self.stream.read(size))


class _Look:
    """A look everywhere: it adds what it finds to the findings."""

    def __init__(self, findings: Findings, forgotten: Forgotten, until: float) -> None:
        self._until = self._read_until = until
        self._findings = findings
        self._forgotten = forgotten
        self._said = _Said()

    def under(self, number: int, after: str, time_left: Iterator[bool]) -> None:
        """Look at the objects under a prefix, after this key, while there is time."""
        prefix = _PREFIXES[number]
        uploads = prefix in {UPLOADS_PREFIX, *_OF_INBOX}
        objects = resources.upload_versions() if uploads else resources.object_versions()
        # Without an inbox, what lies there is a client's own.
        there = objects.after(prefix, after) if prefix not in _OF_INBOX or resources.has_inbox() else ()
        for key, version_ids in there:
            if not self._in_time(key, partial(self._at, objects, key, version_ids)):
                return
            self._findings.after = (number, key)
            if not next(time_left):
                return
        self._findings.after = (number + 1, "")

    def at_batches_of_files(self, after: str, time_left: Iterator[bool]) -> bool:
        """Find the batch predictions of files with something to forget: a result that is no table names only the lines of the file.

        False if time is up.
        """
        uploads = {trace.key: trace.texts for trace in self._findings.traces.values() if trace.kind is TraceKind.UPLOAD}
        elsewhere: dict[tuple[str, str, Layout], int] = {}
        for (uid, name), batch in sorted(self._said.batches.items()):
            # A client's file may be large. It is read only for a batch that has something to remove.
            if f"{uid}/{name}" <= after or not _has_something(batch):
                continue
            if not self._in_time(f"s3://{batch.s3bucket}/{batch.object}", partial(self._at_batch, batch, uploads, elsewhere)):
                return False
            self._findings.after = (len(_PREFIXES), f"{uid}/{name}")
            if not next(time_left):
                return False
        return True

    def _at_batch(self, batch: BatchPrediction, uploads: Mapping[str, int], elsewhere: dict[tuple[str, str, Layout], int]) -> None:
        if is_upload(batch.s3bucket, batch.object):
            count = uploads.get(batch.object, 0)
        else:
            where = (batch.s3bucket, batch.object, batch.layout)
            if where not in elsewhere:
                # Not again for the next batch, if there is no time to read it.
                elsewhere[where] = 0
                elsewhere[where] = self._in_other_bucket(batch)
            count = elsewhere[where]
        job = batch.job
        if count:
            self._findings.add(Trace(TraceKind.BATCH, shards_prefix(job.uid, job.batch), count, job.uid, name=job.batch))

    def _at(self, objects: EveryVersion, key: str, version_ids: Iterable[str]) -> None:
        for each in version_ids:
            trace = self._trace(_Version(key, partial(objects.read, key, each), partial(objects.stream, key, each)))
            if trace is not None and trace.texts:
                self._findings.add(trace)

    def _in_time(self, key: str, look: Callable[[], None]) -> bool:
        """Look at an object. False if the run ends before: then the next run begins with it."""
        own = time.monotonic() + _LONGEST_READ
        self._read_until = min(own, self._until)
        try:
            look()
        except _TimeUpError:
            if self._read_until < own:
                return False
            self._unread(key)
        return True

    def _check_time(self) -> None:
        if time.monotonic() > self._read_until:
            raise _TimeUpError

    def _trace(self, version: _Version) -> Trace | None:
        """The trace in one S3 version of an object, perhaps of no text. None for an object that never has any."""
        key = version.key
        for kind, pattern in _OF_LINES.items():
            if found := pattern.fullmatch(key):
                named = found.groupdict()
                return _made(kind, named.get("job") or key, self._in_lines(version), named)
        if found := _EVALUATION.fullmatch(key):
            return _made(TraceKind.EVALUATION, key, self._in_json(version), found.groupdict())
        if found := _SHARD.fullmatch(key) or _RESULT.fullmatch(key):
            uid, name = found["uid"], found["name"]
            return Trace(TraceKind.BATCH, shards_prefix(uid, name), self._in_file(version, self._said.of_batch(uid, name)), uid, name=name)
        if _may_have_texts(key) and (found := _UPLOAD.fullmatch(key)):
            return Trace(TraceKind.UPLOAD, key, self._in_file(version, self._of_upload(key)), name=found["name"])
        return None

    def _in_lines(self, version: _Version) -> int:
        body, count = version.read(), 0
        try:
            # One by one: all examples of a large version need more memory than there is.
            for record in [] if body is None else unpacked(body):
                # A queue has no text of what the log keeps.
                if record.get("text") is not None:
                    count += self._forgotten.meets(record["text"], record.get(SUBJECT))
        except UNREADABLE:
            self._unread(version.key)
        return count

    def _in_json(self, version: _Version) -> int:
        body = version.read()
        try:
            record = {} if body is None else json.loads(body)
            if (file := record.get("file") or {}).get("layout"):
                # The prefix of the uploads comes later, perhaps in another run.
                said = self._findings.layouts.setdefault(file["training_object"], [])
                said += [file["layout"]] if file["layout"] not in said else []
            return sum(self._forgotten.meets(text) for text in texts_of(record))
        except ValueError:
            self._unread(version.key)
            return 0

    def _in_file(self, version: _Version, layouts: Iterable[Layout]) -> int:
        if version.stream() is None:
            return 0
        # The S3 version may go while it is read: then the rest is empty.
        count, unread = self._in_stream(lambda: version.stream() or io.BytesIO(), version.key, list(layouts))
        if unread and not count:
            self._unread(version.key)
        return count

    def _in_stream(self, opened: Callable[[], Any], name: str, layouts: list[Layout]) -> tuple[int, bool]:
        """How many texts of a file are to be forgotten, and whether it can't be read. _TimeUpError if there is none until time is up."""
        met = 0

        def meets(text: str, subject: str | None) -> bool:
            nonlocal met
            self._check_time()
            found = self._forgotten.meets(text, subject)
            met += found
            return found

        texts = AnyTexts(lambda: _TimedStream(opened(), self._check_time), name, resources.ceilings(), layouts)
        try:
            return texts.count(meets, self._forgotten.is_subject), texts.unread
        except _TimeUpError:
            if not met:
                raise
            return met, True

    def _of_upload(self, key: str) -> list[Layout]:
        return [*self._said.of_upload(key), *map(Layout.of, self._findings.layouts.get(key, []))]

    def _unread(self, key: str) -> None:
        if key not in self._findings.unread:
            self._findings.unread.append(key)

    def _in_other_bucket(self, batch: BatchPrediction) -> int:
        """How many texts of a batch's object that is no upload are to be forgotten. Winnow can't remove them there."""

        def stream() -> Any:
            try:
                return resources.datasets().open(batch.s3bucket, batch.object).stream
            except DatasetError:
                return None

        if stream() is None:
            return 0
        return self._in_stream(lambda: stream() or io.BytesIO(), batch.object, [batch.layout])[0]


def _may_have_texts(key: str) -> bool:
    """Of the uploads' bucket. A result that is no table has none, and a sentence beside a file has none either."""
    if key.startswith(OUTBOX_PREFIX):
        return key.endswith((".csv", ".tsv"))
    return key.startswith(UPLOADS_PREFIX) or (key.startswith(DROPPED_PREFIXES) and not is_sentence(key))


def is_upload(bucket: str, key: str) -> bool:
    """Whether an object is an upload, or a file of the inbox. Winnow removes these, and no other objects of clients."""
    datasets = resources.datasets()
    dropped = bucket == datasets.bucket and key.startswith(DROPPED_PREFIXES) and resources.has_inbox()
    return dropped or datasets.is_upload(bucket, key)


def _has_something(batch: BatchPrediction) -> bool:
    """Whether a batch is under way, or has files or a result. Otherwise a client's own file would be found in it again and again."""
    prefixes = (shards_prefix(batch.job.uid, batch.job.batch), result_prefix(batch.job.uid, batch.job.batch))
    return batch.status in ACTIVE_BATCH or any(resources.object_versions().any(prefix) for prefix in prefixes)


def _made(kind: TraceKind, key: str, texts: int, named: Mapping[str, str | None]) -> Trace:
    version = named.get("version")
    return Trace(kind, key, texts, named["uid"], None if version is None else int(version), named.get("name"))


def texts_of(record: Any) -> Iterator[str]:
    """The texts that a JSON value quotes: its members `text`, wherever they are."""
    if isinstance(record, dict):
        for name, value in record.items():
            if name == "text" and isinstance(value, str):
                yield value
            else:
                yield from texts_of(value)
    elif isinstance(record, list):
        for each in record:
            yield from texts_of(each)


class _Said:
    """What clients have said about files: the layouts of uploads and of batch predictions. Read when it is first needed."""

    def __init__(self) -> None:
        self._batches: dict[tuple[str, str], BatchPrediction] | None = None
        self._layouts: dict[str, list[Layout]] | None = None

    @property
    def batches(self) -> Mapping[tuple[str, str], BatchPrediction]:
        if self._batches is None:
            self._batches = {(each.job.uid, each.job.batch): each for model in every_model() for each in _batches(model)}
        return self._batches

    def of_batch(self, uid: str, batch: str) -> list[Layout]:
        found = self.batches.get((uid, batch))
        return [] if found is None else [found.layout]

    def of_upload(self, key: str) -> list[Layout]:
        if self._layouts is None:
            self._layouts = {}
            for batch in self.batches.values():
                self._layouts.setdefault(batch.object, []).append(batch.layout)
            for model in every_model():
                for version in every_version(model):
                    layout = Layout.of(version.dataset.get("layout") or {})
                    for name in ("training_object", "test_object"):
                        self._layouts.setdefault(version.dataset.get(name) or "", []).append(layout)
        return self._layouts.get(key, [])


def every_model() -> Iterator[Model]:
    """All models."""
    after: str | None = None
    while True:
        page, after = resources.models().list(1_000, after)
        yield from page
        if after is None:
            return


def every_version(model: Model) -> Iterator[Version]:
    """All versions of a model, newest first."""
    before: int | None = None
    while True:
        page, before = resources.versions().list(model, 1_000, before)
        yield from page
        if before is None:
            return


def _batches(model: Model) -> Iterator[BatchPrediction]:
    before: str | None = None
    while True:
        page, before = resources.batch_predictions().list(model, 1_000, before)
        yield from page
        if before is None:
            return
