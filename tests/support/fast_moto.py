"""moto and botocore without the slow steps that they repeat at each call. Calls are nearly all of the time of a crash sweep, which makes
130 of them a case; these changes take away about two fifths of it.
"""

from __future__ import annotations

import pickle
from collections import defaultdict, deque
from collections.abc import Callable
from copy import copy, deepcopy
from functools import cache, lru_cache
from string import ascii_letters, digits
from typing import Any

import botocore.parsers
import moto.core.responses
from botocore.regions import EndpointRulesetResolver
from botocore.signers import RequestSigner
from botocore.useragent import UserAgentString
from moto.backend_index import backend_url_patterns
from moto.core.base_backend import BaseBackend
from moto.core.models import botocore_stubber
from moto.core.serialize import JSONSerializer, ResponseSerializer
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing import ast_nodes
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]
from moto.dynamodb.parsing.validators import Validator
from moto.moto_api._internal import mock_random
from moto.s3.models import FakeKey

_SCALARS = {"S", "N", "BOOL", "NULL"}
_USED = {"dynamodb", "s3", "stepfunctions"}


def install() -> None:
    """Change moto and botocore in this process."""
    # moto tries the URLs of its services in this order.
    backend_url_patterns.sort(key=lambda each: each[0] not in _USED)
    _change(BaseBackend, "urls", lambda urls: property(_by_class(urls.fget)))
    _change(moto.core.responses, "method_names_from_class", cache)
    _change(DynamoType, "__deepcopy__", lambda _: _copied)
    Table.__deepcopy__ = _Backups.of  # type: ignore[attr-defined]
    _change(DynamoDBBackend, "transact_write_items", _backed_up_once)
    _change(JSONSerializer, "_serialize_type_structure", _scalars_as_they_are)
    _change(ResponseSerializer, "get_value", _what_is_there)
    _change(UpdateExpressionParser, "make", cache)
    _change(ConditionExpressionParser, "_lex_condition_expression", _cut_once)
    _change(Validator, "__init__", _copied_from_bytes)
    _change(ast_nodes.DepthFirstTraverser, "nodes_to_be_processed", _by_class)  # type: ignore[attr-defined]
    # The classes of expressions are abstract, which makes Python's own isinstance slow.
    ast_nodes.isinstance = _isinstance  # type: ignore[attr-defined]
    FakeKey.__deepcopy__ = _Listed.of  # type: ignore[attr-defined]
    _change(mock_random, "get_random_string", _drawn_at_once)
    _change(EndpointRulesetResolver, "construct_endpoint", _found_once)
    _change(RequestSigner, "handler", _without_a_signature)
    _change(UserAgentString, "to_string", lambda _: lambda _: "tests")
    _change(botocore.parsers, "DEFAULT_TIMESTAMP_PARSER", lru_cache)


def _change(owner: Any, name: str, change: Callable[[Any], Any]) -> None:
    setattr(owner, name, change(getattr(owner, name)))


def _by_class(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What depends only on an object's class is made once for the class. moto would make it again for each object, and each call."""
    made: dict[type, Any] = {}

    def of(it: Any) -> Any:
        if type(it) not in made:
            made[type(it)] = make(it)
        return made[type(it)]

    return of


def _copied(value: DynamoType, memo: Any) -> DynamoType:
    """A copy of a value. moto puts another scalar in the place of one, and never changes one, so copies share them."""
    if value.type == "M":
        made: Any = {name: _copied(each, memo) for name, each in value.value.items()}
    elif value.type == "L":
        made = [_copied(each, memo) for each in value.value]
    elif value.is_set():
        made = list(value.value)
    else:
        return value
    result = DynamoType.__new__(DynamoType)
    result.type, result.value = value.type, made
    return result


class _Backups:
    """What moto goes back to if a transaction fails. It would copy the table, with all that it has beside rows, for each row to write."""

    made: dict[str, Table] | None = None

    @staticmethod
    def of(table: Table, _: Any) -> Table:
        if _Backups.made is not None and table.name in _Backups.made:
            return _Backups.made[table.name]
        backup = copy(table)
        backup.items = defaultdict(dict, deepcopy(dict(table.items)))
        if _Backups.made is not None:
            _Backups.made[table.name] = backup
        return backup


def _backed_up_once(transact: Callable[..., None]) -> Callable[..., None]:
    def once(*given: Any, **more: Any) -> None:
        _Backups.made = {}
        try:
            transact(*given, **more)
        finally:
            _Backups.made = None

    return once


def _scalars_as_they_are(write: Callable[..., None]) -> Callable[..., None]:
    """A DynamoDB value such as {"S": "text"} is written as it is. moto would look for each of ten kinds of value under several names."""

    def structure(serializer: JSONSerializer, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue" and key and isinstance(value, dict) and len(value) == 1 and _SCALARS & value.keys():
            serialized[key] = value
        else:
            write(serializer, serialized, value, shape, key)

    return structure


def _what_is_there(get_value: Callable[..., Any]) -> Callable[..., Any]:
    """A member that is there under its own name isn't looked for under other names."""

    def get(serializer: Any, value: Any, key: str, shape: Any) -> Any:
        if type(value) is dict and key in value and not serializer._value_picker.response_transformers:
            return value[key]
        return get_value(serializer, value, key, shape)

    return get


def _cut_once(lex: Callable[..., Any]) -> Callable[..., Any]:
    """Equal conditions are cut into their words once."""
    words: dict[str, Any] = {}

    def cut(parser: Any) -> Any:
        if parser.condition_expression not in words:
            words[parser.condition_expression] = tuple(lex(parser))
        return deque(words[parser.condition_expression])

    return cut


def _copied_from_bytes(begin: Callable[..., None]) -> Callable[..., None]:
    """Each update changes a copy of its expression, and pickle makes it faster than deepcopy."""
    kept: dict[int, tuple[Any, bytes]] = {}

    def started(validator: Validator, expression: Any, *given: Any, **more: Any) -> None:
        if id(expression) not in kept:
            kept[id(expression)] = expression, pickle.dumps(expression)
        begin(validator, None, *given, **more)
        validator.node_to_validate = pickle.loads(kept[id(expression)][1])  # noqa: S301 - its own

    return started


_issubclass: Callable[..., bool] = cache(issubclass)


def _isinstance(value: object, kinds: Any) -> bool:
    return _issubclass(type(value), kinds)


class _Listed(FakeKey):
    """An object in a list of versions. moto would copy its body too."""

    @staticmethod
    def of(key: FakeKey, _: Any) -> _Listed:
        listed: _Listed = object.__new__(_Listed)
        listed.__dict__ = dict(key.__dict__)
        return listed

    def __del__(self) -> None:
        """The body is the object's, and stays."""


def _drawn_at_once(_: Callable[..., str]) -> Callable[..., str]:
    """The characters of a request's id are drawn at once, and not each by a call."""

    def drawn(length: int = 20, include_digits: bool = True, lower_case: bool = False) -> str:
        made = "".join(mock_random.choices(ascii_letters + digits * include_digits, k=length))
        return made.lower() if lower_case else made

    return drawn


def _found_once(construct: Callable[..., Any]) -> Callable[..., Any]:
    """The endpoint of an operation and a bucket is looked up once by each client. botocore would do it for each key."""

    def found(resolver: EndpointRulesetResolver, operation_model: Any, call_args: Any, request_context: Any) -> Any:
        known = vars(resolver).setdefault("found_endpoints", {})
        place = operation_model.name, (call_args or {}).get("Bucket")
        if place not in known:
            known[place] = construct(resolver, operation_model, call_args, request_context)
        return known[place]

    return found


def _without_a_signature(sign: Callable[..., None]) -> Callable[..., None]:
    """moto reads who signs what, and never checks the signature."""

    def handler(signer: Any, operation_name: str, request: Any, **more: Any) -> None:
        if not botocore_stubber.enabled:
            return sign(signer, operation_name, request, **more)
        scope = f"{signer._credentials.access_key}/20260101/{signer.region_name}/{signer.signing_name}/aws4_request"
        request.headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        checksum = request.context.get("checksum", {}).get("request_algorithm")
        if isinstance(checksum, dict) and checksum["in"] == "trailer":
            request.headers["X-Amz-Content-SHA256"] = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        return None

    return handler
