"""The decorator of every endpoint. It parses and checks the request, calls the function, and turns errors into problem details.

The event is the event of a REST API's Lambda proxy integration
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

from botocore.exceptions import ClientError

from winnow.api import conditional, fields, problems
from winnow.aws import clients
from winnow.aws.log import logger
from winnow.aws.metrics import count
from winnow.domain import access, strict_json
from winnow.domain.errors import (
    ArtifactError,
    ForbiddenError,
    InvalidFieldError,
    OverloadedError,
    TooLargeError,
    UnreadableError,
    WinnowError,
)
from winnow.domain.history import Caller, CallerKind, calling

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

MOST_REQUEST_BYTES = 1_000_000
MOST_ANSWER_BYTES = 5_000_000
# The headers that scripts of web pages may read, besides those that they can always read.
_READABLE = "ETag, Location, Retry-After, x-amzn-RequestId"
# The headers that a 304 keeps from the full answer (RFC 9110, section 15.4.5).
_OF_A_304 = ("ETag", "Cache-Control", "Vary")
_JSON = json.JSONEncoder(ensure_ascii=False)
# How Lambda, Step Functions, S3 and DynamoDB refuse a call because there are too many. By then botocore has tried several times.
_THROTTLED = {
    "TooManyRequestsException",
    "ThrottlingException",
    "SlowDown",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
}


class Headers:
    """The headers of an event. Each is searched on demand, because most calls need none."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        self._event = event

    def get(self, name: str) -> str | None:
        """The header of this name (in lower case), None if absent. Several values are joined by commas (RFC 9110, section 5.3)."""
        several = self._event.get("multiValueHeaders") or {name: [value] for name, value in (self._event.get("headers") or {}).items()}
        found = [value for sent, values in several.items() if sent.lower() == name for value in values]
        return ", ".join(found) if found else None


@dataclass(frozen=True, slots=True)
class Request:
    """A checked request: the call, path parameters, fields, headers, and the seconds that the Lambda has left."""

    call: str
    path: Mapping[str, str]
    fields: Mapping[str, Any]
    headers: Headers
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body and headers. A mapping is sent as JSON; a text is sent as it is, and the headers must have its Content-Type.

    If the headers have an ETag that the request's If-None-Match names, the client gets a 304 without a body instead.
    """

    status: HTTPStatus
    body: Mapping[str, Any] | str
    headers: Mapping[str, str] = field(default_factory=dict)


# An SVG can contain scripts. Ours contain none, and browsers must not run any.
SVG = {
    "Content-Type": "image/svg+xml",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}

Handler = Callable[[dict[str, Any], "LambdaContext"], dict[str, Any]]


def endpoint(call: str) -> Callable[[Callable[[Request], Answer]], Handler]:
    """Make a Lambda handler from a function that takes a Request and returns an Answer. call: as in the contract, such as "POST /models".

    An error names each unknown field. A function that answers several calls names one of them: they take the same fields.
    """
    taken = fields.Taken(call)

    def decorate(answer_to: Callable[[Request], Answer]) -> Handler:
        @wraps(answer_to)
        def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
            began = time.perf_counter()
            # The same id is in every log line of the request, in API Gateway's log, and in the answer's header x-amzn-requestid.
            logger.set_correlation_id((event.get("requestContext") or {}).get("requestId"))
            caller = (event.get("requestContext") or {}).get("authorizer") or {}
            token = calling.set(caller_of(event))
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
                    logger.exception("failed on our side")
                if isinstance(error, ArtifactError):
                    count("RefusedArtifacts")
                response = _response(problem(error))
            except Exception as error:
                logger.exception("unexpected")
                response = _response(problem(OverloadedError() if _is_throttled(error) else WinnowError(problems.UNEXPECTED)))
            finally:
                calling.reset(token)
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


def caller_of(event: Mapping[str, Any]) -> Caller | None:
    """Who makes the request. None if nobody knows, as with `sam local`.

    The event also has the key itself, which is never kept.
    """
    context = event.get("requestContext") or {}
    identity, name = context.get("identity") or {}, (context.get("authorizer") or {}).get("key")
    key_id, call = identity.get("apiKeyId"), f"{event.get('httpMethod')} {event.get('resource')}"
    if clients.setting("AUTHORIZER") == access.BY_IAM:
        return Caller(CallerKind.IAM, identity.get("userArn"), key_id, call)
    return Caller(CallerKind.KEY, name, key_id, call) if name or key_id else None


def _check_role(event: Mapping[str, Any], role: str | None) -> None:
    """ForbiddenError unless the role may make exactly this call. The authorizer's policy has patterns, which match more than one call."""
    if not access.may(role, f"{event.get('httpMethod')} {event.get('resource')}") and clients.setting("AUTHORIZER") != access.BY_IAM:
        raise ForbiddenError


def _is_throttled(error: Exception) -> bool:
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _THROTTLED


def problem(error: WinnowError) -> Answer:
    return Answer(error.status, problems.details(error), {"Content-Type": "application/problem+json", **problems.headers(error)})


def _response(answer: Answer) -> dict[str, Any]:
    body = answer.body if isinstance(answer.body, str) else _JSON.encode(answer.body)
    if len(body.encode()) > MOST_ANSWER_BYTES:
        raise TooLargeError(f"The answer would be larger than {MOST_ANSWER_BYTES:,} bytes: send fewer texts or a smaller n_top.")
    return {"statusCode": int(answer.status), "headers": {"Content-Type": "application/json", **answer.headers}, "body": body}


def _for_browsers() -> dict[str, str]:
    """The headers that let scripts of the deployment's web pages read an answer. https://fetch.spec.whatwg.org/#http-cors-protocol"""
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
    """The request's fields, unchecked. source: as in the contract."""
    query = dict(event.get("queryStringParameters") or {})
    # Of a parameter that comes twice, `queryStringParameters` has the last value alone.
    twice = [name for name, values in (event.get("multiValueQueryStringParameters") or {}).items() if len(values) > 1]
    _bytes_of("".join([*query, *query.values()]), "The query")
    if twice:
        name = twice[0][:100]
        raise InvalidFieldError(f"The query has {name} more than once: send each parameter once.", field=name)
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
    # The body counts as it was sent, without the escapes that the event adds.
    if len(_bytes_of(body, "The body")) > MOST_REQUEST_BYTES:
        raise TooLargeError(f"The body is larger than {MOST_REQUEST_BYTES:,} bytes: send fewer texts in a call.")
    return body


def _bytes_of(text: str, what: str) -> bytes:
    """A text of the event in UTF-8. UnreadableError for half a surrogate pair, which the event's own escapes can put into a text."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise UnreadableError(f"{what} {strict_json.HALF_A_PAIR}.") from error
