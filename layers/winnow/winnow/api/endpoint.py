"""The decorator around every endpoint: parse, check, call; errors become problem details.

The event is that of a REST API's Lambda proxy integration
(https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html).
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from winnow.api import conditional, fields, problems
from winnow.aws import clients
from winnow.aws.log import logger
from winnow.aws.metrics import count
from winnow.domain import access, strict_json
from winnow.domain.errors import ArtifactError, ForbiddenError, InvalidFieldError, TooLargeError, UnreadableError, WinnowError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

MOST_REQUEST_BYTES = 1_000_000
MOST_ANSWER_BYTES = 5_000_000
# Beside those that any script may read.
_READABLE = "ETag, Location, Retry-After, x-amzn-RequestId"
# The headers that a 304 has of the answer in whose place it is (RFC 9110, section 15.4.5).
_OF_A_304 = ("ETag", "Cache-Control", "Vary")
_JSON = json.JSONEncoder(ensure_ascii=False)


class Headers:
    """The headers of an event, each looked for when it is asked for: most calls ask for none."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        self._event = event

    def get(self, name: str) -> str | None:
        """The header of this name in lower case, None where it isn't there; the values of one that was sent several times as a list
        (RFC 9110, section 5.3)."""
        several = self._event.get("multiValueHeaders") or {name: [value] for name, value in (self._event.get("headers") or {}).items()}
        found = [value for sent, values in several.items() if sent.lower() == name for value in values]
        return ", ".join(found) if found else None


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was checked: the call, the names in its path, its fields, its headers, and how long the Lambda may still take."""

    call: str
    path: Mapping[str, str]
    fields: Mapping[str, Any]
    headers: Headers
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and the body: what goes into it as JSON, or a text as it is, whose Content-Type is then among the headers.

    Where the headers have an ETag that the request says it knows, the client gets a 304 without a body instead.
    """

    status: HTTPStatus
    body: Mapping[str, Any] | str
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[dict[str, Any], "LambdaContext"], dict[str, Any]]


def endpoint(call: str) -> Callable[[Callable[[Request], Answer]], Handler]:
    """Make a Lambda handler of a function from Request to Answer. The contract says what the call, such as "POST /models", takes.

    A function that answers several calls names one of them: they take the same.
    """
    taken = fields.Taken(call)

    def decorate(answer_to: Callable[[Request], Answer]) -> Handler:
        @wraps(answer_to)
        def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
            began = time.perf_counter()
            # All that is logged of a request has it; so has API Gateway's own log, and its answer, in the header x-amzn-requestid.
            logger.set_correlation_id((event.get("requestContext") or {}).get("requestId"))
            caller = (event.get("requestContext") or {}).get("authorizer") or {}
            try:
                _check_role(event, caller.get("role"))
                path = event.get("pathParameters") or {}
                taken.check_path(path)
                given = taken.check_fields(_read(event, taken.source))
                headers = Headers(event)
                taken.check_headers(headers.get)
                answer = answer_to(Request(call, path, given, headers, context.get_remaining_time_in_millis() / 1000))
                response = _not_modified(answer) if _is_known(event, headers, answer) else _response(answer)
            except WinnowError as error:
                if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    logger.exception("refused by a fault of ours")
                if isinstance(error, ArtifactError):
                    count("RefusedArtifacts")
                response = _response(problem(error))
            except Exception:
                logger.exception("unexpected")
                response = _response(problem(WinnowError(problems.UNEXPECTED)))
            response["headers"] |= _for_browsers()
            logger.info(
                "answered",
                extra={
                    "method": event.get("httpMethod"),
                    "resource": event.get("resource"),
                    "status": response["statusCode"],
                    "key": caller.get("key"),
                    "milliseconds": round((time.perf_counter() - began) * 1000, 1),
                },
            )
            return response

        return handler

    return decorate


def _check_role(event: Mapping[str, Any], role: str | None) -> None:
    """Whether the authorizer found a role that may make exactly this call: the patterns of its policy are wider than calls are."""
    if not access.may(role, f"{event.get('httpMethod')} {event.get('resource')}") and clients.setting("AUTHORIZER") != access.BY_IAM:
        raise ForbiddenError


def problem(error: WinnowError) -> Answer:
    return Answer(error.status, problems.details(error), {"Content-Type": "application/problem+json", **problems.headers(error)})


def _response(answer: Answer) -> dict[str, Any]:
    body = answer.body if isinstance(answer.body, str) else _JSON.encode(answer.body)
    if len(body.encode()) > MOST_ANSWER_BYTES:
        raise TooLargeError(f"The answer would be larger than {MOST_ANSWER_BYTES:,} bytes: send fewer texts or ask for a smaller n_top.")
    return {"statusCode": int(answer.status), "headers": {"Content-Type": "application/json", **answer.headers}, "body": body}


def _for_browsers() -> dict[str, str]:
    """What lets scripts of the deployment's web pages read an answer. https://fetch.spec.whatwg.org/#http-cors-protocol"""
    origin = clients.setting("CORS_ORIGIN")
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _READABLE} if origin else {}


def _is_known(event: Mapping[str, Any], headers: Headers, answer: Answer) -> bool:
    if event.get("httpMethod") != "GET" or "ETag" not in answer.headers:
        return False
    known = headers.get("if-none-match")
    return known is not None and conditional.is_known(known, answer.headers["ETag"])


def _not_modified(answer: Answer) -> dict[str, Any]:
    headers = {name: answer.headers[name] for name in _OF_A_304 if name in answer.headers}
    return {"statusCode": int(HTTPStatus.NOT_MODIFIED), "headers": headers, "body": ""}


def _read(event: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The request's fields, unchecked. source: as the contract has it."""
    query = dict(event.get("queryStringParameters") or {})
    _bytes_of("".join([*query, *query.values()]), "The query")
    if source == "query":
        return query
    body = _body(event)
    if source == "body" and query:
        raise InvalidFieldError(f"This call takes no query parameters ({', '.join(query)}): send a JSON body.", field=next(iter(query)))
    if source == "body or query" and not body.strip():
        return query
    if query:
        raise InvalidFieldError("Send the fields in the JSON body or as query parameters, not both.", field=next(iter(query)))
    members = strict_json.loads(body) if body.strip() else {}
    if not isinstance(members, dict):
        raise InvalidFieldError('The body must be a JSON object, such as {"text": "…"}.')
    return members


def _body(event: Mapping[str, Any]) -> str:
    body: str = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            body = base64.b64decode(body, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise UnreadableError("The body is not UTF-8: send JSON in UTF-8.") from error
    # A body in which JSON's quotes were escaped into the event counts as it was sent.
    if len(_bytes_of(body, "The body")) > MOST_REQUEST_BYTES:
        raise TooLargeError(f"The body is larger than {MOST_REQUEST_BYTES:,} bytes: send fewer texts in a call.")
    return body


def _bytes_of(text: str, what: str) -> bytes:
    """A text of the event in UTF-8. UnreadableError for half of a surrogate pair, which the event's own escapes could bring in."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise UnreadableError(f"{what} {strict_json.HALF_A_PAIR}.") from error
