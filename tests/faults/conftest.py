"""The world for the tests of faults."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import boto3
import botocore.endpoint
import moto.s3.models
import numpy as np
import pytest
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider
from botocore.validate import ParamValidationDecorator
from moto.dynamodb.responses import DynamoHandler

from tests.conftest import OneSession, Winnow
from tests.faults.deployed import Deployed
from tests.faults.wire import How, Wire
from tests.faults.world import World
from tests.support import short_way, small_features
from tests.support.clock import Clock
from winnow.recipes import best, encoder, features, linear, pipeline
from winnow.training import dry_run, folds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes.encoder import Encoding

_WIRE = Wire()


@pytest.fixture(scope="session")
def boto_session() -> boto3.Session:
    session = OneSession()
    _WIRE.install(session)
    return session


@pytest.fixture
def world(winnow: Winnow, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A deployment with the client's data set, in its world."""
    monkeypatch.setattr(AmazonCloudWatchEMFProvider, "flush_metrics", lambda metrics, **_: metrics.clear_metrics())
    # These tests need only the write of the pipeline. Its real content would take a quarter of the time.
    monkeypatch.setattr(pipeline, "archive", lambda trained, name, about: name.encode())
    # The real `best` would take nine tenths of the time. Here it is just another candidate, with vectors in its checkpoints.
    monkeypatch.setattr(best, "Classifier", Words)
    monkeypatch.setattr(encoder, "installed", lambda *_: NoEncoder())
    # The learning curve writes nothing. tests/scenarios/test_segments.py interrupts it.
    monkeypatch.setattr(folds, "_SHARES_OF_CURVE", ())
    small_features.shrink(monkeypatch)
    monkeypatch.setattr(logging.getLogger("winnow"), "disabled", True)
    monkeypatch.setattr(moto.s3.models, "utcnow", lambda: clock().replace(tzinfo=None))
    monkeypatch.setattr(botocore.endpoint, "time", Instant())
    monkeypatch.setattr(DynamoHandler, "transact_write_items", _once_by_token(DynamoHandler.transact_write_items))
    # The tests of functions have botocore check each call.
    monkeypatch.setattr(ParamValidationDecorator, "serialize_to_request", _unchecked)
    # Where the wire loses an answer, there must be a request.
    short_way.install(monkeypatch, lambda: _WIRE.fault is How.LOST)
    _WIRE.arm({})
    deployed = Deployed(winnow.names, wire=_WIRE)
    deployed.put_dataset()
    # Every data set is too large to be read while the client of a dry run waits.
    monkeypatch.setattr(dry_run, "MOST_BYTES_AT_ONCE", 0)
    world = World(deployed, _WIRE, clock)
    world.outside.install(monkeypatch)
    yield world
    _WIRE.arm({})
    _WIRE.at_each_call = None
    features._words.cache_clear()


def _unchecked(decorator: Any, parameters: Any, operation: Any) -> Any:
    return decorator._serializer.serialize_to_request(parameters, operation)


class Words(linear.Classifier):
    """In place of best: only its part for words."""

    def __init__(self, labels: Sequence[str], *, exclusive: bool, language: str, encodings: Sequence[Encoding] = ()) -> None:
        super().__init__(labels, exclusive=exclusive, language=language)


class NoEncoder:
    """In place of the encoder: the same vector for every text."""

    name = digest = "none"

    def vectors(self, texts: Sequence[str], windows: int = 1) -> NDArray[np.float32]:
        """Of shape (texts, 1)."""
        return np.ones((len(texts), 1), np.float32)


class Instant:
    """In place of the module `time`: a wait takes no time."""

    def sleep(self, seconds: float) -> None:
        """Botocore waits between its tries."""


def _once_by_token(transact: Any) -> Any:
    """As on AWS, but not in moto: a repeated transaction with the same token is answered and not made again."""
    done: dict[str, Any] = {}

    @wraps(transact)
    def once(handler: Any) -> Any:
        token = handler.body.get("ClientRequestToken")
        if token not in done:
            done[token] = transact(handler)
        return done[token]

    return once
