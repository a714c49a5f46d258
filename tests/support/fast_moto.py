"""moto without two slow steps that it repeats at each call. Together they took a fifth of the time of a crash sweep."""

from __future__ import annotations

from typing import Any

from moto.core.base_backend import BaseBackend
from moto.core.serialize import JSONSerializer

_SCALARS = {"S", "N", "BOOL", "NULL"}


def install() -> None:
    """Change moto in this process."""
    _remember_urls()
    _write_scalars_as_they_are()


def _remember_urls() -> None:
    """The URLs that a backend answers depend only on its class, and moto would make all of them again for each call."""
    made = BaseBackend.urls.fget  # type: ignore[attr-defined]
    backends: dict[type, Any] = {}

    def urls(backend: BaseBackend) -> Any:
        if type(backend) not in backends:
            backends[type(backend)] = made(backend)
        return backends[type(backend)]

    BaseBackend.urls = property(urls)  # type: ignore[assignment, method-assign]


def _write_scalars_as_they_are() -> None:
    """A DynamoDB value such as {"S": "text"} is written as it is. moto would look for each of ten kinds of value under several names."""
    general = JSONSerializer._serialize_type_structure

    def structure(serializer: JSONSerializer, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue" and key and isinstance(value, dict) and len(value) == 1 and _SCALARS & value.keys():
            serialized[key] = value
        else:
            general(serializer, serialized, value, shape, key)

    JSONSerializer._serialize_type_structure = structure  # type: ignore[assignment, method-assign]
