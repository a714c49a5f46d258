"""Decodes rows one by one. A row that can't be decoded is damaged: by a restore, an import, or a write by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from boto3.dynamodb.types import TypeDeserializer

from winnow.domain.errors import DamagedRowError
from winnow.registry.table import from_item, name_of


def _untold(_: DamagedRowError) -> None:
    """Outside a deployment nobody is told."""


# Called for each damaged row. winnow.aws.resources replaces it, because the registry itself neither logs nor counts.
tell: Callable[[DamagedRowError], None] = _untold


def decoded[Row](item: Mapping[str, Any], decode: Callable[[Mapping[str, Any]], Row]) -> Row:
    """A row from an item of DynamoDB. decode: makes it from Python's own types. DamagedRowError, which is told, if the item isn't one."""
    try:
        row = decode(from_item(item))
        _check(row)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        damaged = DamagedRowError(name_of(item), f"{type(error).__name__}: {error}")
        tell(damaged)
        raise damaged from error
    return row


def each_decoded[Row](items: Iterable[Mapping[str, Any]], decode: Callable[[Mapping[str, Any]], Row]) -> Iterator[Row]:
    """The rows, as in `decoded`, without the damaged ones."""
    for item in items:
        try:
            row = decoded(item, decode)
        except DamagedRowError:
            continue
        yield row


def each_of_images[Row](images: Iterable[Mapping[str, Any]], decode: Callable[[Mapping[str, Any]], Row]) -> Iterator[Row]:
    """The rows, as in `each_decoded`, from records of the table's stream, which have DynamoDB's own types."""
    read = TypeDeserializer()
    return each_decoded(({name: read.deserialize(value) for name, value in image.items()} for image in images), decode)


def _check(row: object) -> None:
    """TypeError if a member of a dataclass isn't of its declared type. Otherwise damage would only show where rows are compared."""
    if not is_dataclass(row):
        return
    of: Any = type(row)
    for name, kind in _kinds(of).items():
        value = getattr(row, name)
        if not isinstance(value, kind):
            message = f"{name} is {value!r}"
            raise TypeError(message)
        _check(value)


@cache
def _kinds(of: type) -> Mapping[str, Any]:
    """The types of a dataclass's members, as isinstance takes them."""
    return {name: _kind(hint) for name, hint in get_type_hints(of).items()}


def _kind(hint: Any) -> Any:
    if isinstance(hint, UnionType):
        return reduce(or_, map(_kind, get_args(hint)))
    # A whole number comes from DynamoDB as an int.
    return int | float if hint is float else get_origin(hint) or hint
