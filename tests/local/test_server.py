"""The local cloud's server as a process, without a deployment: stopped, killed, cut off, beside another one. A start takes two seconds."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local import server as module
from local.saving import SAVE_SECONDS
from local.server import CREDENTIALS, REGION, CloudError, NotSavedError, Running, Server
from local.snapshots import Snapshots
from local.workers import MOST_WORKERS
from tests.conftest import ROOT

# Each test starts processes.
pytestmark = pytest.mark.slow

HOST = "127.0.0.1"
TABLE, BUCKET = "rows", "objects"
# A save that has begun may take a while on a busy machine.
SAVED_AFTER = SAVE_SECONDS + 7


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "cloud", ROOT / ".tools")
    yield server
    with contextlib.suppress(CloudError):
        server.stop()


def client(running: Running, service: str, **more: Any) -> Any:
    session = boto3.Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    config = Config(proxies={}, retries={"total_max_attempts": 1}, max_pool_connections=100, s3={"addressing_style": "path"}, **more)
    return session.client(service, endpoint_url=f"http://{HOST}:{running.port}", config=config)  # type: ignore[call-overload]


class Data:
    """Objects, and rows that tell of them. The object comes first, as in the service."""

    def __init__(self, running: Running) -> None:
        self.s3, self.dynamodb = client(running, "s3"), client(running, "dynamodb")

    def create(self) -> None:
        self.s3.create_bucket(Bucket=BUCKET)
        key: Any = [{"AttributeName": "pk", "KeyType": "HASH"}]
        self.dynamodb.create_table(
            TableName=TABLE,
            KeySchema=key,
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def write(self, name: str) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=name, Body=name.encode())
        self.dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": name}})

    def rows(self) -> set[str]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=TABLE)
        return {item["pk"]["S"] for page in pages for item in page["Items"]}

    def objects(self) -> set[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {each["Key"] for page in pages for each in page.get("Contents", [])}


def begun(server: Server) -> tuple[Running, Data]:
    running = server.start(None, HOST)
    data = Data(running)
    data.create()
    return running, data


def kill(running: Running) -> None:
    os.kill(running.pid, signal.SIGKILL)
    os.waitpid(running.pid, 0)


def wait_for_save(server: Server) -> None:
    since, deadline = time.time(), time.monotonic() + 60
    while time.monotonic() < deadline:
        about = Snapshots(server.folder).about()
        if about and about.saved_at > since:
            return
        time.sleep(0.05)
    raise AssertionError("nothing was saved")


def unfinished_request(running: Running) -> socket.socket:
    connection = socket.create_connection((HOST, running.port))
    connection.sendall(b"POST / HTTP/1.1\r\nHost: local\r\nContent-Length: 1000\r\n\r\nseven77")
    return connection


def test_an_unfinished_request_does_not_keep_a_stop_from_saving(server: Server) -> None:
    running, data = begun(server)
    data.write("a")
    with unfinished_request(running):
        began = time.monotonic()
        assert server.stop()
        assert time.monotonic() - began < module.STOP_SECONDS - 10, "it ended by itself"
    again = Data(server.start(None, HOST))
    assert again.rows() == again.objects() == {"a"}
    assert server.notice is None


def test_a_cloud_that_was_killed_before_its_first_stop_starts(server: Server) -> None:
    running, data = begun(server)
    data.write("a")
    wait_for_save(server)
    kill(running)
    again = Data(server.start(None, HOST))
    again.s3.create_bucket(Bucket=BUCKET)  # in this region it is no error, unless the bucket has lost its owner
    assert again.rows() == again.objects() == {"a"}


def test_a_kill_at_any_moment_loses_at_most_the_last_seconds_and_says_which(server: Server) -> None:
    """Three kills during writes, at random moments."""
    running, data = begun(server)
    wait_for_save(server)
    for number in range(3):
        written: dict[str, float] = {}
        writer = threading.Thread(target=_write_until_killed, args=(data, f"{number}-", written))
        writer.start()
        time.sleep(2 + number * 1.3)
        kill(running)
        killed = time.monotonic()
        writer.join()
        running = server.start(None, HOST)
        data = Data(running)
        rows, objects = data.rows(), data.objects()
        assert rows <= objects, "a row tells of an object that is not there"
        lost = written.keys() - rows
        assert not [name for name in lost if killed - written[name] > SAVED_AFTER]
        noted = {each.call for each in Snapshots(server.folder).answered_since()}
        assert {f"PUT /{BUCKET}/{name}" for name in written.keys() - objects} <= noted
        assert server.notice is not None


def _write_until_killed(data: Data, prefix: str, written: dict[str, float]) -> None:
    with contextlib.suppress(BotoCoreError, ClientError):
        for number in range(100_000):
            data.write(f"{prefix}{number}")
            written[f"{prefix}{number}"] = time.monotonic()


def test_a_stop_that_can_not_save_says_so(server: Server) -> None:
    running, data = begun(server)
    # In the way of the next snapshots.
    for number in range(1, 50):
        (server.folder / "saved" / f"{number:06d}.new").touch()
    with pytest.raises(ClientError) as refused:
        _put_until_refused(data)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 507
    with pytest.raises(NotSavedError, match="not saved"):
        server.stop()
    assert server.find() is None
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, 0)
        raise AssertionError("the process is still there")


def _put_until_refused(data: Data) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        data.s3.put_object(Bucket=BUCKET, Key="b", Body=b"")
        time.sleep(0.1)


def test_a_server_that_does_not_stop_is_killed_and_the_stop_says_what_is_lost(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 1)
    begun(server)
    server.stop()
    # What an earlier stop saved is no excuse.
    running = server.start(None, HOST)
    Data(running).s3.put_object(Bucket=BUCKET, Key="late", Body=b"")
    os.kill(running.pid, signal.SIGSTOP)
    with pytest.raises(NotSavedError, match=r"killed.*its state of \d\d:\d\d:\d\d"):
        server.stop()


def test_half_a_deployment_is_not_saved(server: Server) -> None:
    running, data = begun(server)
    create_function(running)
    arn = f"arn:aws:lambda:{REGION}:000000000000:function:sleeps"
    template = {"Resources": {"Sleeps": {"Type": "Custom::Sleeps", "Properties": {"ServiceToken": arn}}}}
    wait_for_save(server)
    client(running, "cloudformation").create_stack(StackName="half", TemplateBody=json.dumps(template))
    data.write("a")
    time.sleep(2 * SAVE_SECONDS)
    kill(running)
    running = server.start(None, HOST)
    assert client(running, "cloudformation").describe_stacks()["Stacks"] == []
    assert f"PUT /{BUCKET}/a" in str(server.notice)


def test_a_tied_server_saves_and_ends_with_the_process_that_started_it(server: Server) -> None:
    script = (
        "import sys, time; from pathlib import Path; from local.server import Server;"
        f"print(Server(Path({str(server.folder)!r}), Path({str(ROOT / '.tools')!r})).start(None, {HOST!r}, tied=True).pid, flush=True);"
        "time.sleep(600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    starter.stdout.readline()
    running = server.find()
    assert running is not None
    Data(running).create()
    starter.kill()
    starter.wait()
    starter.stdout.close()
    deadline = time.monotonic() + 30
    while server.find() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.find() is None
    assert Data(server.start(None, HOST)).objects() == set()
    assert server.notice is None


# --- functions ---

SLEEPS = "import os, time\ndef handler(event, context):\n    time.sleep(event.get('seconds', 600))\n    return os.getpid()\n"


def create_function(running: Running) -> Any:
    functions = client(running, "lambda", read_timeout=120)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", SLEEPS)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = client(running, "iam").create_role(RoleName="sleeps", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    code = {"ZipFile": packed.getvalue()}
    functions.create_function(FunctionName="sleeps", Runtime="python3.13", Role=role, Handler="app.handler", Code=code, Timeout=60)
    return functions


def call(functions: Any, seconds: float) -> int:
    return int(json.load(functions.invoke(FunctionName="sleeps", Payload=json.dumps({"seconds": seconds}))["Payload"]))


def test_two_hundred_calls_at_once_share_a_few_workers(server: Server) -> None:
    functions = create_function(server.start(None, HOST))
    with ThreadPoolExecutor(200) as threads:
        workers = set(threads.map(lambda _: call(functions, 0.01), range(200)))
    assert 1 <= len(workers) <= MOST_WORKERS


def test_a_start_after_a_kill_ends_the_functions_that_were_left(server: Server) -> None:
    running = server.start(None, HOST)
    functions = create_function(running)
    worker = call(functions, 0)
    with ThreadPoolExecutor(1) as threads:
        left = threads.submit(call, functions, 600)
        time.sleep(0.5)
        kill(running)
        assert left.exception() is not None
    assert Path(f"/proc/{worker}").exists()
    server.start(None, HOST)
    end = time.monotonic() + 10
    # What was killed stays in the list until its parent, by now the system's first process, has noticed.
    while Path(f"/proc/{worker}").exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not Path(f"/proc/{worker}").exists()


# --- what can't start ---


class Tools(NamedTuple):
    folder: Path
    python: Path


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    """A folder of tools whose Python is a script to be written."""
    python = tmp_path / "tools/ministack/bin/python"
    for folder in (python.parent, tmp_path / "tools/sam/lib/python3.13/site-packages"):
        folder.mkdir(parents=True)
    return Tools(tmp_path / "tools", python)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (None, "is missing or can't run"),
        ("#!/nowhere/python\n", "is missing or can't run"),
        ("#!/bin/sh\nexit 1\n", "is not fully installed"),
        ("#!/bin/sh\necho 3.14 1.5.33\n", r"is 3\.14, and the functions need 3\.13"),
    ],
)
def test_a_python_that_functions_can_not_run_with_is_one_sentence(tools: Tools, tmp_path: Path, script: str | None, reason: str) -> None:
    if script:
        tools.python.write_text(script)
        tools.python.chmod(0o755)
    with pytest.raises(CloudError, match=rf"{reason}.*`make env`"):
        Server(tmp_path / "cloud", tools.folder).start(None, HOST)


def test_a_full_disk_is_one_sentence(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=40_000_000))
    with pytest.raises(CloudError, match=r"40 MB free.*make room"):
        server.start(None, HOST)


def test_the_port_of_another_local_cloud_is_one_sentence_with_a_free_port(server: Server, tmp_path: Path) -> None:
    running = server.start(None, HOST)
    with pytest.raises(CloudError, match=rf"port {running.port} is taken by another local cloud: .*WINNOW_PORT=(\d+)") as refused:
        Server(tmp_path / "clone", ROOT / ".tools").start(running.port, HOST)
    free = int(str(refused.value).rpartition("=")[2])
    with socket.socket() as probe:
        probe.bind((HOST, free))


def test_two_local_clouds_side_by_side_share_nothing(server: Server, tmp_path: Path) -> None:
    other = Server(tmp_path / "clone", ROOT / ".tools")
    _, data = begun(server)
    running = other.start(None, HOST)
    try:
        data.write("a")
        assert client(running, "s3").list_buckets()["Buckets"] == []
        kill(running)
        assert data.rows() == {"a"}
    finally:
        other.stop()


@pytest.mark.parametrize("broken", ["{", '{"__ministack_format__": 99, "payload": {}}'])
def test_a_state_that_can_not_be_read_is_one_sentence_and_stays(server: Server, broken: str) -> None:
    begun(server)
    server.stop()
    latest = Snapshots(server.folder).latest()
    assert latest is not None
    (latest / "state/dynamodb.json").write_text(broken)
    with pytest.raises(CloudError, match=r"the saved state can't be read \(dynamodb\.json.*to start empty, run `mv "):
        server.start(None, HOST)
    assert server.find() is None
    assert (latest / "state/dynamodb.json").read_text() == broken
