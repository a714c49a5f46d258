"""The AWS clients and the settings of the deployment, each made once, on first use. The only reader of os.environ."""

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
    """A setting from the function's environment. RuntimeError, by name, where the template forgot it."""
    try:
        return os.environ[name]
    except KeyError as error:
        message = f"The environment variable {name} is missing: template.yaml has to set it for this function."
        raise RuntimeError(message) from error


def is_lambda() -> bool:
    """Whether this process is a deployed function's."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def around_snapshot(before: Callable[[], object], after: Callable[[], object]) -> None:
    """Have these called before Lambda takes a snapshot of this process, and after each process that begins out of it (SnapStart).

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    try:
        hooks = import_module("snapshot_restore_py")
    except ModuleNotFoundError:
        # Lambda's runtime alone has it.
        return
    hooks.register_before_snapshot(before)
    hooks.register_after_restore(after)


@cache
def s3() -> S3Client:
    # Virtual addressing, said outright, makes a presigned URL carry the Region's own host: the global one redirects, and a client's
    # PUT doesn't follow
    # (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html). An endpoint that is an IP address stays as it is.
    return boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))


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
def registry_table() -> Table:
    return boto3.resource("dynamodb").Table(setting("REGISTRY_TABLE"))


def forget_session() -> None:
    """Drop the clients, and with their session the credentials, before a snapshot. The next clients are made quickly all the same."""
    forget_clients()
    boto3.setup_default_session()
    # Reads the descriptions of the services, which the session keeps. Where keys are given, it looks for none.
    no_key = "none"
    boto3.client("s3", aws_access_key_id=no_key, aws_secret_access_key=no_key)
    boto3.resource("dynamodb", aws_access_key_id=no_key, aws_secret_access_key=no_key)


def forget_clients() -> None:
    """Drop what was made, so that the next use makes it anew."""
    for made in (s3, stepfunctions, events, lambda_, registry_table):
        made.cache_clear()
