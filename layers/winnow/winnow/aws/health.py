"""Asks everything that the API stands on, for GET /health?deep=1: the registry, the buckets and the workflows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from winnow.aws import clients, resources
from winnow.aws.log import logger
from winnow.domain import access
from winnow.domain.access import Role
from winnow.domain.errors import ForbiddenError, UnhealthyError

OK = "ok"
# GET /health itself is open, so neither the authorizer nor the contract has roles for it.
MAY_ASK = frozenset({Role.PREDICT, Role.ADMIN})
# boto3 itself waits for minutes, and the function has 28 s.
_PATIENCE_SECONDS = 5.0


def ask_all(key: str | None) -> dict[str, str]:
    """ "ok" by the name of each part. key: the caller's API key.

    ForbiddenError unless the key's role may ask; UnhealthyError if a part doesn't answer. The role is in the registry: if that doesn't
    answer, nothing else is asked.
    """
    if key is None:
        raise ForbiddenError
    # Clients are made here, because boto3 can't make them in several threads at once.
    roles, s3 = resources.roles(), clients.s3()
    datasets, models = clients.setting("DATASETS_BUCKET"), clients.setting("MODELS_BUCKET")
    training, batches = resources.training_workflow(), resources.batch_workflow()

    asked = _ask({"registry": lambda: roles.find(access.digest(key))})
    parts = {"registry": _told(asked["registry"])}
    if parts["registry"] == OK:
        known = asked["registry"].result()
        if known is None or known.role not in MAY_ASK:
            raise ForbiddenError
        others: dict[str, Callable[[], object]] = {
            "datasets": lambda: s3.list_objects_v2(Bucket=datasets, MaxKeys=1),
            "models": lambda: s3.list_objects_v2(Bucket=models, MaxKeys=1),
            "training": training.check,
            "batches": batches.check,
        }
        parts |= {name: _told(answer) for name, answer in _ask(others).items()}
    if set(parts.values()) != {OK}:
        raise UnhealthyError(parts)
    return parts


def _ask(calls: Mapping[str, Callable[[], Any]]) -> dict[str, Future[Any]]:
    """Make all calls at once. Returns after at most _PATIENCE_SECONDS, also if some haven't ended."""
    pool = ThreadPoolExecutor(len(calls))
    asked = {name: pool.submit(call) for name, call in calls.items()}
    wait(asked.values(), _PATIENCE_SECONDS)
    pool.shutdown(wait=False)
    return asked


def _told(answer: Future[Any]) -> str:
    """ "ok", or why there is no answer: AWS's code for the error, and never its sentence, which may name resources."""
    if not answer.done():
        return f"no answer within {_PATIENCE_SECONDS:g} s"
    error = answer.exception()
    if error is None:
        return OK
    if not isinstance(error, ClientError | BotoCoreError):
        raise error
    logger.error("no answer", exc_info=error)
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
