"""The bodies of broken data sets: good records in each format, followed by others."""

from __future__ import annotations

import json
from typing import Any

GOOD = [{"text": f"{thing} in {place}", "label": place} for place in ("town", "country") for thing in ("a house", "a garden", "a shed")]


def lines(*more: Any) -> bytes:
    """Six lines with good records, and more from the seventh on."""
    return "\n".join([json.dumps(each) for each in GOOD] + [each if isinstance(each, str) else json.dumps(each) for each in more]).encode()


def array(*more: Any) -> bytes:
    """An array with six good records, and more from the seventh on."""
    return json.dumps([*GOOD, *more]).encode()


def table(*more: str, header: str = "text,label") -> bytes:
    """A CSV with good records in lines 2 to 7, and more from the eighth on."""
    return "\r\n".join([header, *(f"{each['text']},{each['label']}" for each in GOOD), *more]).encode()


def comprehend(*more: str) -> bytes:
    """Six lines with good records in Comprehend's format."""
    return "\n".join([*(f"{each['label']},{each['text']}" for each in GOOD), *more]).encode()


def fasttext(*more: str) -> bytes:
    return "\n".join([*(f"__label__{each['label']} {each['text']}" for each in GOOD), *more]).encode()


def manifest(*more: Any) -> bytes:
    records = ({"source": each["text"], "topic": 0, "topic-metadata": {"class-name": each["label"]}} for each in GOOD)
    return "\n".join(json.dumps(each) for each in [*records, *more]).encode()


def prodigy(*more: Any) -> bytes:
    return "\n".join(json.dumps(each) for each in [*({**each, "answer": "accept"} for each in GOOD), *more]).encode()
