"""Whether a version of Predict that gets no calls yet answers as it should, asked by the events that API Gateway would send it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from winnow.domain.access import Role
from winnow.domain.errors import ReleaseError

_ROUTE = "/prediction"
_TEXT = "Does it still answer?"


class DeepCheck:
    """client: Lambda's; function: Predict's; alias: what leads to the version that answers now; models: the ids of those to ask."""

    def __init__(self, client: Any, function: str, alias: str, models: Iterable[str]) -> None:
        self._client = client
        self._function = function
        self._alias = alias
        self._models = models

    def __call__(self, version: str) -> None:
        """ReleaseError where the version doesn't find that there is no such model, or can't classify by a model for which the one that
        answers now can: one whose files are damaged stops no deployment."""
        status = self._ask(version, f"no-such-model-{uuid4()}")
        if status != HTTPStatus.NOT_FOUND:
            raise ReleaseError(
                f"Version {version} of {self._function} answers {status} where a model doesn't exist: the log has the details."
            )
        for model in self._models:
            status = self._ask(version, model)
            if status != HTTPStatus.OK and self._ask(self._alias, model) == HTTPStatus.OK:
                raise ReleaseError(
                    f"Version {version} of {self._function} answers {status} for the model {model}, with which the version before it "
                    "classifies: the log has the details."
                )

    def _ask(self, qualifier: str, model_id: str) -> int:
        event = {
            "resource": _ROUTE,
            "path": _ROUTE,
            "httpMethod": "POST",
            "headers": {"Content-Type": "application/json"},
            "requestContext": {"requestId": "deep-check", "authorizer": {"role": Role.PREDICT, "key": "deep-check"}},
            "body": json.dumps({"model_id": model_id, "text": _TEXT}),
            "isBase64Encoded": False,
        }
        try:
            answer = self._client.invoke(FunctionName=self._function, Qualifier=qualifier, Payload=json.dumps(event))
        except ClientError as error:
            raise ReleaseError(f"{self._function}:{qualifier} could not be called: {error.response['Error']['Message']}") from error
        told = json.load(answer["Payload"])
        # A process that ended has no answer of its own.
        return int(HTTPStatus.INTERNAL_SERVER_ERROR if "FunctionError" in answer else told["statusCode"])
