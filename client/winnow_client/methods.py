"""Methods of the two clients, made of the flows in `calls`."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

from winnow_client.flows import Flow, Items

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


class _Method(Generic[P, T]):
    """A method that does a flow of an instance. On the class it is a function with the signature and the docstring of the flow."""

    def __init__(self, make: Callable[..., Any], do: str, then: Callable[[Any, Any], Any] | None = None) -> None:
        self._make, self._do, self._then = make, do, then
        self.operation = getattr(make, "operation", "")
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Callable[..., T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Callable[P, T]: ...
    def __get__(self, instance: Any, owner: type) -> Callable[..., T]:
        make, do, then = self._make, self._do, self._then

        def method(self: Any, *arguments: Any, **named: Any) -> Any:
            # A flow goes on with other flows, not with methods of the client.
            made = make(getattr(self, "_calls", self), *arguments, **named)
            runner = getattr(self, "_client", self)
            return getattr(runner, do)(made if then is None else _then(made, then, runner))

        update_wrapper(method, make)
        signature = inspect.signature(make)
        given = str(signature.return_annotation).partition("[")[2][:-1] or signature.return_annotation
        method.__signature__ = signature.replace(return_annotation=given)  # type: ignore[attr-defined]
        return cast("Callable[..., T]", method if instance is None else method.__get__(instance, owner))


def _then(made: Flow[Any], then: Callable[[Any, Any], Any], client: Any) -> Flow[Any]:
    return then(client, (yield from made))


def sync(make: Callable[Concatenate[Any, P], Flow[T]]) -> _Method[P, T]:
    """A method of the sync client."""
    return _Method(make, "_run")


def sync_handle(make: Callable[Concatenate[Any, P], Flow[R]], then: Callable[[Any, R], T]) -> _Method[P, T]:
    """A method of the sync client that makes a handle of its result."""
    return _Method(make, "_run", then)


def sync_items(make: Callable[Concatenate[Any, P], Items[T]]) -> _Method[P, Iterator[T]]:
    """A method of the sync client that iterates."""
    return _Method(make, "_iterate")


def awaited(make: Callable[Concatenate[Any, P], Flow[T]]) -> _Method[P, Awaitable[T]]:
    """A method of the async client."""
    return _Method(make, "_run")


def awaited_handle(make: Callable[Concatenate[Any, P], Flow[R]], then: Callable[[Any, R], T]) -> _Method[P, Awaitable[T]]:
    """A method of the async client that makes a handle of its result."""
    return _Method(make, "_run", then)


def async_items(make: Callable[Concatenate[Any, P], Items[T]]) -> _Method[P, AsyncIterator[T]]:
    """A method of the async client that iterates."""
    return _Method(make, "_iterate")
