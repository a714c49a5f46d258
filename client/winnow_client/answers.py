"""JSON as dataclasses."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from winnow_client.errors import UnexpectedAnswerError

ResultT = TypeVar("ResultT", bound="Result")


class Result:
    """An answer of the API, or a part of one.

    raw: the JSON as it came, with fields that this client doesn't know. etag: for `if_match` of a later call, or None.
    """

    raw: Mapping[str, Any]
    etag: str | None

    @classmethod
    def from_json(cls: type[ResultT], answer: Any, etag: str | None = None) -> ResultT:
        """The answer as this class. Fields that it doesn't know are only in `raw`. Those that an older service lacks are None.

        Raises UnexpectedAnswerError if most fields are missing that every answer has: it is not Winnow that answered.
        """
        if not isinstance(answer, Mapping):
            raise UnexpectedAnswerError(f"The answer has {answer!r:.100} in place of an object ({cls.__name__}): it isn't Winnow's.")
        readers, needed = _readers(cls)  # type: ignore[arg-type]
        missing = needed - answer.keys()
        if 2 * len(missing) > len(needed):
            lacks = ", ".join(sorted(missing))
            raise UnexpectedAnswerError(f"The answer lacks {lacks} ({cls.__name__}): it isn't Winnow's.")
        made = cls(**{name: read(answer[its]) if its in answer else None for name, (its, read) in readers.items()})
        # The dataclasses are frozen.
        object.__setattr__(made, "raw", answer)
        object.__setattr__(made, "etag", etag)
        return made


@cache
def _readers(cls: type[Result]) -> tuple[dict[str, tuple[str, Callable[[Any], Any]]], set[str]]:
    """For each field, its name in JSON and what reads its value; and the names in JSON that every answer has."""
    kinds = get_type_hints(cls)
    names = {each.name: each.name.removesuffix("_") for each in fields(cls)}  # type: ignore[arg-type]
    needed = {names[each.name] for each in fields(cls) if each.default is MISSING}  # type: ignore[arg-type]
    return {name: (its, _reader(kinds[name])) for name, its in names.items()}, needed


def _reader(kind: Any) -> Callable[[Any], Any]:
    """What reads a value of this type. A plain value is taken as it is."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        kinds = [each for each in inside if each is not type(None)]
        if len(kinds) > 1:
            return lambda value: value
        read = _reader(kinds[0])
        return lambda value: None if value is None else read(value)
    if origin is list:
        of_item = _reader(inside[0])
        return lambda value: [of_item(each) for each in _expected(value, list)]
    if origin is dict:
        of_value = _reader(inside[1])
        return lambda value: {name: of_value(each) for name, each in _expected(value, dict).items()}
    if isinstance(kind, type) and issubclass(kind, Result):
        return kind.from_json
    return lambda value: value


def _expected(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise UnexpectedAnswerError(f"The answer has {value!r:.100} in place of a {kind.__name__}.")
    return value
