"""The versions of a function, and the alias that leads to one of them: what is deployed answers when it is whole, and not before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from winnow.aws.log import logger
from winnow.canary import Canary
from winnow.domain.errors import ReleaseError

_SECONDS_BETWEEN_LOOKS = 2.0
# Of a version's description, what says which one it is and how it fares, and not what it runs.
_OF_A_VERSION = {"Version", "FunctionArn", "RevisionId", "LastModified", "RuntimeVersionConfig", "ResponseMetadata"}
_OF_ITS_STATE = ("State", "LastUpdateStatus")


class Release:
    """A function's alias, and how it comes to what was deployed. client: Lambda's."""

    def __init__(self, client: Any, function: str, alias: str) -> None:
        self._client = client
        self._function = function
        self._alias = alias

    def run(self, known: str, seconds: float, check: Callable[[str], None], canary: Canary) -> None:
        """Lead the alias to the function's newest code and settings, and delete the versions that nobody needs any more.

        known: the version that the stack's template knows, which is kept, as are those that the alias led to until now: calls are on
        their way to them. seconds: how long all of it may take. check: raises ReleaseError for a version that doesn't answer as it should;
        neither it nor the canary is asked where nothing changed, as when a deployment is taken back. ReleaseError where no version can be
        published, or it doesn't become ready, or isn't let through: then the alias leads where it did.
        """
        end = time.monotonic() + seconds
        answering, *also = self._led_to()
        version = self._published()
        self._wait(version, end)
        if self._runs(version) != self._runs(answering):
            try:
                check(version)
                canary.watch(lambda share: self._lead(answering, {version: share}), end - time.monotonic())
            except Exception:
                self._lead(answering)
                self._delete(version)
                raise
        self._lead(version)
        logger.info("released", extra={"version": version, "before": [answering, *also]})
        for other in list(self._versions()):
            if other not in {version, known, answering, *also}:
                self._delete(other)

    def _led_to(self) -> list[str]:
        """The versions that get the alias's calls, most of them the first: two where it is weighted."""
        # Not GetAlias: the local cloud wants the right to list them for that too.
        pages = self._client.get_paginator("list_aliases").paginate(FunctionName=self._function)
        [found] = [each for page in pages for each in page["Aliases"] if each["Name"] == self._alias]
        weights = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        return [found["FunctionVersion"], *weights]

    def _lead(self, version: str, others: Mapping[str, float] | None = None) -> None:
        """Lead the alias to a version, and these shares of its calls to others."""
        routing = {"AdditionalVersionWeights": others or {}}
        self._client.update_alias(FunctionName=self._function, Name=self._alias, FunctionVersion=version, RoutingConfig=routing)

    def _published(self) -> str:
        """The version of the newest code and settings. Where they haven't changed it is the last one, Lambda makes no other."""
        try:
            return str(self._client.publish_version(FunctionName=self._function)["Version"])
        except ClientError as error:
            raise ReleaseError(f"No version of {self._function} could be published: {error.response['Error']['Message']}") from error

    def _wait(self, version: str, end: float) -> None:
        """Until the version is ready. One that never will be is deleted: it would be the last one, and published once more."""
        while (found := self._configuration(version))["State"] == "Pending":
            if time.monotonic() > end:
                raise ReleaseError(f"Version {version} of {self._function} is not ready in the time that a deployment has: deploy again.")
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        if found["State"] == "Failed":
            self._delete(version)
            why = found.get("StateReason") or found.get("StateReasonCode") or "Lambda gives no reason"
            raise ReleaseError(f"Version {version} of {self._function} can't start: {why}")

    def _runs(self, version: str) -> Mapping[str, Any]:
        """The code and the settings of a version."""
        found = self._configuration(version)
        told = {name: value for name, value in found.items() if name not in _OF_A_VERSION and not name.startswith(_OF_ITS_STATE)}
        return {**told, "SnapStart": (found.get("SnapStart") or {}).get("ApplyOn")}

    def _configuration(self, version: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._client.get_function_configuration(FunctionName=self._function, Qualifier=version)
        return found

    def _versions(self) -> Iterator[str]:
        for page in self._client.get_paginator("list_versions_by_function").paginate(FunctionName=self._function):
            for version in page["Versions"]:
                if version["Version"] != "$LATEST":
                    yield version["Version"]

    def _delete(self, version: str) -> None:
        """Delete a version. One that can't be, such as that of somebody else's alias, stays and is no reason for a deployment to fail."""
        try:
            self._client.delete_function(FunctionName=self._function, Qualifier=version)
        except ClientError as error:
            logger.warning("a version stays", extra={"version": version, "error": str(error)})
