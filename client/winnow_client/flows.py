"""Calls of the API as flows: generators that do no input and output themselves, but yield the steps that are to be done.

The sync and the async client do the steps, each in its way. So what a call is, when it is repeated, and how long work is waited for is
written once.
"""

from __future__ import annotations

import email.utils
import json
import random
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Generic, TypeVar

import httpx

from winnow_client.answers import Result
from winnow_client.errors import NoAnswerError, UnexpectedAnswerError, api_error

T = TypeVar("T")
ResultT = TypeVar("ResultT", bound=Result)
Query = Mapping[str, str | int | float | bool | None]

# After these statuses the same request may succeed: too many requests, and errors of API Gateway itself.
PASSING = (429, 502, 503, 504)
_TOO_MANY = 429
# This kind of 503 says that nothing was done. After another one, the service may have done something.
_NOTHING_DONE = "busy"
_REPEATABLE = ("GET", "HEAD", "PUT", "DELETE", "PATCH")
_SHOWN = 300
_PAGE = 1000


@dataclass(frozen=True)
class Send:
    """A request. url: a path below the API's, or a whole URL, which doesn't get the key. repeatable: also if its answer was lost."""

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | BinaryIO | None = None
    repeatable: bool = False

    @property
    def call(self) -> str:
        """How errors name it."""
        return f"{self.method} {self.url.partition('?')[0]}"


@dataclass(frozen=True)
class Save:
    """A GET of a signed URL, whose content goes into `file`. Its answer is the Answer, without the content."""

    url: str
    file: BinaryIO


@dataclass(frozen=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Give:
    """An item for whoever iterates."""

    item: Any


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class Patience:
    """retries: how often a call is repeated. longest_wait: the most seconds that an answer may ask to wait."""

    retries: int = 3
    longest_wait: float = 30.0


Step = Send | Save | Pause | Give
Flow = Generator[Step, Any, T]


@dataclass(frozen=True)
class Items(Generic[T]):
    """A flow that gives items, one after another."""

    flow: Flow[None]


@dataclass(frozen=True)
class Stored:
    """A file in S3."""

    s3bucket: str
    training_object: str
    name: str | None = None
    """Its name for `delete_dataset`, if `upload` has put it there."""


def request(
    method: str,
    path: str,
    *,
    body: Mapping[str, Any] | None = None,
    query: Query | None = None,
    headers: Mapping[str, str | None] | None = None,
    repeatable: bool | None = None,
) -> Send:
    """A request to the API. Values of None are left out.

    repeatable: whether it does the same if it is sent twice. By default it is so by its method, or if it has an Idempotency-Key. A lost
    answer to a request with If-Match isn't asked for again: if the first one was done, the second would be stale.
    """
    sent = {name: value for name, value in (headers or {}).items() if value is not None}
    content = None
    if body is not None:
        content = json.dumps(body, allow_nan=False).encode()
        sent["Content-Type"] = "application/json"
    if repeatable is None:
        repeatable = "Idempotency-Key" in sent or (method in _REPEATABLE and "If-Match" not in sent)
    asked = {name: _in_query(value) for name, value in (query or {}).items() if value is not None}
    return Send(method, path, asked, sent, content, repeatable)


def _in_query(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def exchange(step: Send, patience: Patience) -> Flow[Answer]:
    """Send a request, again if that may help. Raises ApiError for an error, NoAnswerError without an answer."""
    tried = 0
    file = None if step.content is None or isinstance(step.content, bytes) else step.content
    begin = file.tell() if file else 0
    while True:
        pause: float | None
        try:
            answer: Answer = yield step
        except httpx.TransportError as error:
            nothing_sent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
            # Another try seldom reaches a host that isn't there.
            if tried >= min(patience.retries, 1 if nothing_sent else patience.retries) or not (nothing_sent or step.repeatable):
                raise NoAnswerError(f"{step.call}: {reason(error)}") from error
            pause = _pause(tried)
        else:
            if answer.status < 400:
                return answer
            error_of_api = _error(step, answer)
            again = answer.status in PASSING and (step.repeatable or answer.status == _TOO_MANY or error_of_api.code == _NOTHING_DONE)
            pause = _pause(tried) if error_of_api.retry_after is None else error_of_api.retry_after
            if not again or tried >= patience.retries or pause > patience.longest_wait:
                raise error_of_api
        if file:
            file.seek(begin)
        yield Pause(pause)
        tried += 1


def download(url: str, file: BinaryIO, call: str = "GET link") -> Flow[None]:
    """Save what a signed URL leads to."""
    try:
        answer: Answer = yield Save(url, file)
    except httpx.TransportError as error:
        raise NoAnswerError(f"{call}: {reason(error)}") from error
    if answer.status >= 400:
        raise api_error(call, answer.status, _text(answer), {}, None)


def json_of(step: Send) -> Flow[tuple[Any, str | None]]:
    """The parsed answer to a request, and its ETag."""
    answer: Answer = yield step
    try:
        return json.loads(answer.content), answer.headers.get("etag")
    except ValueError as error:
        raise UnexpectedAnswerError(
            f"{step.call} answered {answer.status} without JSON: this is not Winnow's API. The URL must be the ApiUrl of a deployment."
        ) from error


def one(step: Send, kind: type[ResultT]) -> Flow[ResultT]:
    """The answer to a request, as a dataclass."""
    parsed, etag = yield from json_of(step)
    return kind.from_json(parsed, etag)


def text(step: Send) -> Flow[str]:
    """The answer to a request, as text."""
    answer: Answer = yield step
    return answer.content.decode()


def pages(path: str, kind: type[Result], member: str, query: Query | None = None, limit: int | None = None) -> Flow[None]:
    """All items of a list that comes in pages, which have them under `member`. limit: the most items, or None for all of them."""
    asked, left = dict(query or {}), limit
    while True:
        asked["limit"] = _PAGE if left is None else min(left, _PAGE)
        found = yield from one(request("GET", path, query=asked), kind)
        items = getattr(found, member)[:left]
        for item in items:
            yield Give(item)
        left = None if left is None else left - len(items)
        if found.next is None or left == 0:  # type: ignore[attr-defined]
            return
        asked["next"] = found.next  # type: ignore[attr-defined]


def until(
    look: Callable[[], Flow[T]],
    ended: Callable[[T], bool],
    *,
    timeout: float | None,
    what: str,
    watch: Callable[[T], None] = lambda _: None,
    longest_pause: float = 5.0,
) -> Flow[T]:
    """Look again and again until it has ended. `watch` gets every answer. Raises TimeoutError after `timeout` seconds."""
    end, pause = None if timeout is None else time.monotonic() + timeout, 0.5
    while True:
        found = yield from look()
        watch(found)
        if ended(found):
            return found
        if end is not None and time.monotonic() > end:
            raise TimeoutError(f"{what} has not ended after {timeout:g} s")
        yield Pause(pause)
        pause = min(pause * 1.1, longest_pause)


def parts(items: Sequence[str], most: int, most_bytes: int) -> list[list[str]]:
    """The items in order, in parts of at most `most` items and `most_bytes` bytes of JSON. A larger item is a part by itself."""
    found: list[list[str]] = []
    size = 0
    for item in items:
        length = len(json.dumps(item)) + 2
        if not found or len(found[-1]) == most or size + length > most_bytes:
            found.append([])
            size = 0
        found[-1].append(item)
        size += length
    return found


def reason(error: BaseException) -> str:
    """The message of the operating system or of TLS. httpx and httpcore wrap it several times."""
    inner: BaseException = error
    while (deeper := inner.__cause__ or inner.__context__) is not None:
        inner = deeper
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return getattr(inner, "strerror", None) or str(inner) or str(error) or type(error).__name__


def _pause(tried: int) -> float:
    """Longer each time, and not the same for all clients that were refused at once."""
    return 0.5 * float(2**tried) * random.uniform(0.75, 1.25)


def _error(step: Send, answer: Answer) -> Any:
    try:
        problem = json.loads(answer.content)
        message = str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        problem, message = {}, _text(answer)
    return api_error(step.call, answer.status, message, problem, _retry_after(answer.headers))


def _text(answer: Answer) -> str:
    said = " ".join(answer.content[: 4 * _SHOWN].decode(errors="replace").split())[:_SHOWN]
    return said or httpx.codes.get_reason_phrase(answer.status)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, of a header that has seconds or a date."""
    given = headers.get("retry-after", "").strip()
    if given.isdigit():
        return float(given)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(given).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
