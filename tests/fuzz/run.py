"""A run: workers send the requests and check each answer against the contract."""

from __future__ import annotations

import json
import random
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from tests.fuzz.cases import lead
from tests.support.contract import operations
from winnow.aws import health

if TYPE_CHECKING:
    from schemathesis import CheckContext, CheckFunction, Response

    from tests.fuzz.known import Case, Known

# The callers, with their share of the requests in percent.
CALLERS = {"admin": 80, "predict": 10, "no key": 5, "wrong key": 5}
WRONG_KEY = "0" * 40
_SECONDS = 60

# Why a call may refuse a request that matches the contract's schemas: rules in the contract's words that no schema can express.
_KEY_REUSED = "This Idempotency-Key was used for another request"
# A key of S3 has any characters, line ends too.
_NO_OBJECT = r"(?s)s3://.+ can't be read: there is no such object"
# A cursor from before the model was deleted and made again.
_OF_ANOTHER_LIFE = "next must be the `next` of the answer before"
REASONS = {
    "GET /models/{model_id}/versions": (_OF_ANOTHER_LIFE,),
    "GET /models/{model_id}/batches": (_OF_ANOTHER_LIFE,),
    "GET /models/{model_id}/examples": (_OF_ANOTHER_LIFE,),
    "POST /models": (_KEY_REUSED, "This deployment has no sentence encoder", _NO_OBJECT, "recipe is zero-shot, which needs labels"),
    "POST /models/{model_id}/batches": (_KEY_REUSED,),
    # A column or an encoding that the file doesn't have.
    "POST /models/{model_id}/queue": (
        _NO_OBJECT,
        *("All texts are among the model's examples", "The file ", "The object ", r"(Line|Element) \d+ "),
    ),
    # Labels that the version doesn't have, and promises that its examples can't show.
    "PATCH /models/{model_id}/labels": (
        *(_KEY_REUSED, "(?s)(rename|merge) (has the label|makes) ", "(?s).+ can't become two labels", "A single label would be left"),
        "(rename|merge) has a label of only characters that nobody sees",
    ),
    # An expression that only looks like one.
    "PATCH /models/{model_id}": ("schedule (must|has|never)",),
    "PUT /models/{model_id}/policy": (
        *("thresholds names the label ", "An aim is missing", r"\w+ can't be sent with \w+: send one of"),
        r"The [\d,]+ examples that measure the version can't show",
    ),
    "GET /models/{model_id}/versions/{version}/examples": (
        _OF_ANOTHER_LIFE,
        r"(?s)(label|predicted) must be one of the labels that the version knows",
        "contains must have a character",
    ),
    "POST /models/{model_id}/examples": (
        _KEY_REUSED,
        "Send either examples",
        _NO_OBJECT,
        r"examples\[\d+\] has \d+ labels, but each text of this model must have exactly one",
        r"examples\[\d+\]\S* has only characters that nobody sees",
        # A column or an encoding that the file doesn't have.
        r"([\d,]+ rows, first: )?(Line|Example|Row) \d+ of the file ",
        "The file ",
    ),
    "POST /forget": (_KEY_REUSED, r"texts\[\d+\] has only characters that nobody sees"),
    "POST /datasets": ("bytes must be at most 400,000,000",),  # the template's parameter MostBytes
    # Its fields are in the body or in the query, so the contract requires no parameter.
    "GET /prediction": ("Send the fields in the JSON body or as query", "model_id is missing", "Send either text"),
}


def refused_for_a_reason(_: CheckContext, response: Response, case: Case) -> None:
    """A request that is valid by the contract's schemas is refused only for a known reason."""
    if response.status_code not in {400, 413, 422} or case.meta is None or case.meta.generation.mode.is_negative:
        return
    sentence = _problem(response).get("detail", "")
    if not any(re.match(reason, sentence) for reason in REASONS.get(f"{case.method} {case.path}", ())):
        raise AssertionError(f"the contract allows this request, but it was refused: {sentence}")


def refused_for_the_key(_: CheckContext, response: Response, case: Case) -> None:
    """A request with a key that may not make the call is refused. An open call's function reads the request before the key."""
    refused = {HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY} if case.path == "/health" else {HTTPStatus.FORBIDDEN}
    if response.status_code not in refused:
        raise AssertionError(f"the key may not make this call, but the answer was {response.status_code}")


def problem_says_its_status(_: CheckContext, response: Response, case: Case) -> None:
    said = _problem(response).get("status")
    if response.status_code >= HTTPStatus.BAD_REQUEST and said != response.status_code:
        raise AssertionError(f"the problem has the status {said}, but the answer has {response.status_code}")


def _problem(response: Response) -> dict[str, Any]:
    """The problem details of an answer. Empty if there are none: other checks report that."""
    try:
        problem = json.loads(response.content)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


CONFORMANCE: list[CheckFunction] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    problem_says_its_status,
]
VALIDITY: list[CheckFunction] = [checks.negative_data_rejection, refused_for_a_reason]


@dataclass(repr=False)
class Run:
    """The results of the requests: the statuses of each call, the faults by kind with their requests, and lines about them."""

    url: str
    keys: Mapping[str, str | None]
    known: Known
    seed: int
    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    told: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _local: threading.local = field(default_factory=threading.local)

    def drive(self, cases: Sequence[Case], workers: int) -> None:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(self._send, cases, range(len(cases))))

    def _send(self, case: Case, place: int) -> None:
        draws = random.Random(f"{self.seed} {place}")
        [caller] = draws.choices([*CALLERS], [*CALLERS.values()])
        lead(case, self.known, draws)
        call = f"{case.method} {case.path}"
        key = self.keys[caller]
        deep = (case.query or {}).get("deep") == "1"
        allowed = caller in health.MAY_ASK if deep else caller in operations()[call].get("x-winnow-roles", [caller])
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        try:
            response = case.call(
                self.url, self._local.session, headers={"x-api-key": key} if key else None, timeout=_SECONDS, allow_redirects=False
            )
            with self._lock:
                self.statuses[call][response.status_code] += 1
            case.validate_response(response, CONFORMANCE + (VALIDITY if allowed else [refused_for_the_key]))
            self.known.learn(case, response)
        except (FailureGroup, requests.RequestException) as error:
            with self._lock:
                self.faults[self._kind(call, error)].append(str(error))

    @staticmethod
    def _kind(call: str, error: BaseException) -> str:
        if isinstance(error, FailureGroup):
            failures = sorted(f"{failure.title} {failure.message[:160]}" for failure in error.exceptions)
            return f"{call}: {', '.join(failures)}"
        return f"{call}: {type(error).__name__}"


def table(statuses: Mapping[str, Counter[int]]) -> list[str]:
    """A table, in lines, of how often each call got each status."""
    columns = sorted({status for counter in statuses.values() for status in counter})
    total: Counter[int] = sum(statuses.values(), Counter())
    rows: dict[str, Any] = {**dict(sorted(statuses.items())), "all": total}
    width = max(map(len, rows))
    lines = [f"{'':{width}}{''.join(f'{status:>7}' for status in columns)}{'all':>7}"]
    for name, row in rows.items():
        counts = "".join(f"{row[status] or '':>7}" for status in columns)
        lines.append(f"{name:{width}}{counts}{row.total():>7}")
    return lines
