"""The versions of a function, and the alias that leads to one of them: what is deployed answers when it is whole, and not before."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from winnow.errors import ReleaseError

logger = Logger(service="winnow")

_SECONDS_BETWEEN_LOOKS = 2.0


def release(client: Any, function: str, alias: str, known: str, seconds: float) -> None:
    """Lead the alias to the function's newest code and settings, and delete the versions that nobody needs any more.

    client: Lambda's; known: the version that the stack's template knows, which is kept, as are those that the alias led to until now: calls
    are on their way to them. seconds: how long it may take until a version is ready, for its snapshot say. ReleaseError where none can be
    published or it doesn't become ready: then the alias leads where it did.
    """
    before = set(_led_to(client, function, alias))
    version = _published(client, function)
    _wait(client, function, version, seconds)
    client.update_alias(FunctionName=function, Name=alias, FunctionVersion=version, RoutingConfig={"AdditionalVersionWeights": {}})
    logger.info("released", extra={"version": version, "before": sorted(before)})
    for other in list(_versions(client, function)):
        if other not in {version, known, *before}:
            _delete(client, function, other)


def _led_to(client: Any, function: str, alias: str) -> Collection[str]:
    """The versions that get an alias's calls: two where it is weighted."""
    # Not GetAlias: the local cloud wants the right to list them for that too.
    pages = client.get_paginator("list_aliases").paginate(FunctionName=function)
    [found] = [each for page in pages for each in page["Aliases"] if each["Name"] == alias]
    weights = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return [found["FunctionVersion"], *weights]


def _published(client: Any, function: str) -> str:
    """The version of the newest code and settings. Where they haven't changed it is the last one, Lambda makes no other."""
    try:
        return str(client.publish_version(FunctionName=function)["Version"])
    except ClientError as error:
        raise ReleaseError(f"No version of {function} could be published: {error.response['Error']['Message']}") from error


def _wait(client: Any, function: str, version: str, seconds: float) -> None:
    """Until the version is ready. One that never will be is deleted: it would be the last one, and published once more."""
    end = time.monotonic() + seconds
    while (found := client.get_function_configuration(FunctionName=function, Qualifier=version))["State"] == "Pending":
        if time.monotonic() > end:
            raise ReleaseError(f"Version {version} of {function} is not ready after {seconds:,.0f} seconds: deploy again.")
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    if found["State"] == "Failed":
        _delete(client, function, version)
        why = found.get("StateReason") or found.get("StateReasonCode") or "Lambda gives no reason"
        raise ReleaseError(f"Version {version} of {function} can't start: {why}")


def _versions(client: Any, function: str) -> Iterator[str]:
    for page in client.get_paginator("list_versions_by_function").paginate(FunctionName=function):
        for version in page["Versions"]:
            if version["Version"] != "$LATEST":
                yield version["Version"]


def _delete(client: Any, function: str, version: str) -> None:
    """Delete a version. One that can't be, such as that of an alias of somebody else's, stays and is no reason for a deployment to fail."""
    try:
        client.delete_function(FunctionName=function, Qualifier=version)
    except ClientError as error:
        logger.warning("a version stays", extra={"version": version, "error": str(error)})
