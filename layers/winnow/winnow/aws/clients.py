"""The AWS clients and the settings of the deployment. Each is made once, on first use. Only this module reads os.environ."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient


def setting(name: str) -> str:
    """A setting from the function's environment. RuntimeError names it if the template doesn't set it."""
    try:
        return os.environ[name]
    except KeyError as error:
        message = f"The environment variable {name} is missing: set it for this function in template.yaml."
        raise RuntimeError(message) from error


def is_lambda() -> bool:
    """Whether this process runs in a deployed function."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def runtime_api() -> str | None:
    """The host and port of Lambda's own APIs in this environment. None outside Lambda."""
    return os.environ.get("AWS_LAMBDA_RUNTIME_API")


def around_snapshot(before: Callable[[], object], after: Callable[[], object]) -> None:
    """Call `before` before Lambda takes a snapshot of this process, and `after` in each process that starts from it (SnapStart).

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    try:
        hooks = import_module("snapshot_restore_py")
    except ModuleNotFoundError:
        # Only Lambda's runtime has this module.
        return
    hooks.register_before_snapshot(before)
    hooks.register_after_restore(after)


@cache
def s3() -> S3Client:
    # With explicit virtual addressing, presigned URLs have the Region's own host. The global host redirects, and a client's PUT doesn't
    # follow (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html). An endpoint with an IP address doesn't change.
    return boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))


@cache
def s3_for_once() -> S3Client:
    """A client that tries each call once, and not for long. For what may fail, and must not be done late."""
    once: Any = {"total_max_attempts": 1}
    return boto3.client(
        "s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}, connect_timeout=2, read_timeout=5, retries=once)
    )


@cache
def stepfunctions() -> SFNClient:
    return boto3.client("stepfunctions")


@cache
def events() -> EventBridgeClient:
    return boto3.client("events")


@cache
def lambda_() -> Any:
    return boto3.client("lambda")


@cache
def apigateway() -> Any:
    # One try and little patience: its answer is never needed, and AWS allows an account few of these calls a second.
    return boto3.client("apigateway", config=Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1}))


@cache
def registry_table() -> Table:
    return boto3.resource("dynamodb").Table(setting("REGISTRY_TABLE"))


def forget_session() -> None:
    """Drop the clients, their session and its credentials before a snapshot. The next clients are still made quickly."""
    forget_clients()
    boto3.setup_default_session()
    # Makes the session read and keep the descriptions of the services. With keys given, boto3 looks for no credentials.
    no_key = "none"
    boto3.client("s3", aws_access_key_id=no_key, aws_secret_access_key=no_key)
    boto3.resource("dynamodb", aws_access_key_id=no_key, aws_secret_access_key=no_key)


def forget_clients() -> None:
    """Drop the clients. The next use makes new ones."""
    for made in (s3, s3_for_once, stepfunctions, events, lambda_, apigateway, registry_table):
        made.cache_clear()
