"""Winnow on fake clouds: the template's table and buckets in moto, its functions and its workflow run in this process.

Tests in unit/, functions/ and scenarios/ reach no network. Types of the fixtures: `Winnow`, `Answer`, `Context`, `Json`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache, wraps
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws
from moto.core.models import MockAWS

from layers.winnow import contract
from tests.support import enforced, fast_moto, moments, short_way
from tests.support.clock import Clock
from tests.support.contract import check_answer, definition, functions, template
from tests.support.moments import Moment
from tests.support.state_machine import REQUEST_ID, StateMachine, no_containers
from winnow.aws import clients
from winnow.domain import clock as domain_clock

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests" / "data"
REGION = "us-east-1"
# The bucket that the user's calls name, beside the stack's own.
CLIENT_BUCKET = "albert-textcats"
# The template's parameters where a test's deployment isn't given their defaults.
PARAMETERS = {"Encoder": "none", "DatasetBuckets": f"{CLIENT_BUCKET},{CLIENT_BUCKET}-best"}
ROLE = "arn:aws:iam::123456789012:role/winnow"
OFFLINE = ("unit", "functions", "scenarios")
# The marks of all tests of a folder (pyproject.toml says what each means).
MARKS = {
    "scenarios": ("slow",),
    "containers": ("slow",),
    "console": ("slow",),
    "e2e": ("cloud",),
    "fuzz": ("cloud", "fuzz"),
    "faults": ("faults",),
}

fast_moto.install()
# What functions need of the contract, up to date before any of them is imported.
contract.write(ROOT / "layers" / "winnow")

Json = dict[str, Any]
Ready = Callable[[str], "Winnow"]
Once = Callable[[str, Callable[[], None]], "Winnow"]
Tell = Callable[[str], None]

WORKFLOW: Json = definition("TrainingWorkflow")
BATCH_WORKFLOW: Json = definition("BatchWorkflow")
FUNCTIONS = {function["CodeUri"]: function for function in functions().values()}


@dataclass
class Context:
    """What Lambda tells a function of its invocation, with so much time left."""

    seconds: float = 28.0
    function_name: str = "winnow"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:123456789012:function:winnow"
    aws_request_id: str = REQUEST_ID

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@dataclass(frozen=True)
class Answer:
    """A function's answer, its body parsed where it is JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


def load_event(name: str) -> Json:
    """An event from events/, such as "api/create_model"."""
    event: Json = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event


def load_dataset(name: str) -> list[Json]:
    """The records of a data set in tests/data."""
    text = (DATA / name).read_text()
    return [json.loads(line) for line in text.splitlines()] if name.endswith(".jsonl") else json.loads(text)


@dataclass
class Winnow:
    """A deployment: its resources by their names in the template, and a fresh execution environment for each function.

    `parameters` are the template's, for a test to change before it calls: winnow.parameters["Encoder"] = "minilm".
    """

    names: Mapping[str, str]
    parameters: dict[str, str] = field(default_factory=lambda: dict(PARAMETERS))
    s3: Any = field(default_factory=lambda: boto3.client("s3"))
    stepfunctions: Any = field(default_factory=lambda: boto3.client("stepfunctions"))
    table: Any = field(init=False)
    environments: dict[str, ModuleType] = field(default_factory=dict)
    # What a task of ECS does, for a test to say.
    run_container: Callable[[Json], Any] = no_containers

    def __post_init__(self) -> None:
        self.table = boto3.resource("dynamodb").Table(self.names["Registry"])

    # --- the API ---

    def call(
        self,
        function: str,
        event: str | None = None,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        path: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> Answer:
        """Call an API function with events/api/EVENT.json (the function's own name if not said), changed as told.

        body: sent as it is where it is a string, else as JSON; headers: beside the event's; members: further members of the event.
        """
        request = load_event(f"api/{event or function}") | members
        for name, value in (headers or {}).items():
            request["headers"] = request["headers"] | {name: value}
            request["multiValueHeaders"] = request["multiValueHeaders"] | {name: [value]}
        if body is not None:
            request["body"] = body if isinstance(body, str) else json.dumps(body)
        if query is not None:
            request["queryStringParameters"] = dict(query)
            request["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()}
        if path is not None:
            request["pathParameters"] = dict(path)
            request["path"] = request["resource"].format(**path)
        raw = json.loads(json.dumps(self.invoke(f"functions/api/{function}", request, Context())))
        is_json = raw["headers"].get("Content-Type", "").endswith("json")
        answer = Answer(raw["statusCode"], raw["headers"], json.loads(raw["body"]) if is_json else raw["body"])
        check_answer(request["httpMethod"], request["path"], answer.status, answer.headers, answer.body)
        return answer

    def create(self, event: str = "create_model", **changes: Any) -> Answer:
        """POST /models with the event's body, and these fields changed or, where None, left out."""
        body = json.loads(load_event(f"api/{event}")["body"]) | changes
        return self.call("create_model", event, body={name: value for name, value in body.items() if value is not None})

    def model(self, model_id: str = "tc-01") -> Json:
        model: Json = self.call("get_model", path={"model_id": model_id}).body
        return model

    def version(self, model_id: str = "tc-01") -> Json:
        """The latest version of a model, as GET /models/{model_id} shows it."""
        version: Json = self.model(model_id)["version"]
        return version

    # --- data sets and training ---

    def put_dataset(self, dataset: str | bytes | Sequence[Json] = "exclusive.json", bucket: str = CLIENT_BUCKET) -> None:
        """Put a data set where the user's calls look for it: one of tests/data by its name, bytes as they are, or records as JSON."""
        body = (DATA / dataset).read_bytes() if isinstance(dataset, str) else dataset
        self.s3.put_object(Bucket=bucket, Key="trainingSet.json", Body=body if isinstance(body, bytes) else json.dumps(body).encode())

    def train(self, context: Context | None = None, **fields: Any) -> Json:
        """Ask for a training and run its workflow to the end. Returns the version."""
        answer = self.create(**{"n_iter": 1} | fields)
        assert answer.status == 202, answer.body
        self.run_workflow(self.started_job(), context)
        return self.version(answer.body["model_id"])

    def objects(self) -> dict[str, bytes]:
        """What lies in the models' bucket, by key."""
        listed = self.s3.list_objects_v2(Bucket=self.names["Models"]).get("Contents", [])
        return {entry["Key"]: self.s3.get_object(Bucket=self.names["Models"], Key=entry["Key"])["Body"].read() for entry in listed}

    def executions(self, workflow: str = "TrainingWorkflow") -> list[Json]:
        executions: list[Json] = self.stepfunctions.list_executions(stateMachineArn=self.names[workflow])["executions"]
        return executions

    def started_job(self, workflow: str = "TrainingWorkflow") -> Json:
        """The input of the workflow's last execution."""
        last = max(self.executions(workflow), key=lambda execution: execution["startDate"])
        given: Json = json.loads(self.stepfunctions.describe_execution(executionArn=last["executionArn"])["input"])
        return given

    def run_workflow(self, data: Json, context: Context | None = None, start_at: str = WORKFLOW["StartAt"]) -> str:
        """Do with this input what the template's state machine does. Returns the name of the state it ends in."""
        return self._run(WORKFLOW, data, context, start_at)

    def run_batch(self, data: Json, start_at: str = BATCH_WORKFLOW["StartAt"]) -> str:
        """The same with the workflow of batch predictions."""
        return self._run(BATCH_WORKFLOW, data, None, start_at)

    def _run(self, machine: Json, data: Json, context: Context | None, start_at: str) -> str:
        def invoke(function: str, given: Json) -> Any:
            return self.invoke(functions()[function]["CodeUri"], given, context or Context(seconds=900))

        def get_object(**where: str) -> bytes:
            found: bytes = self.s3.get_object(**where)["Body"].read()
            return found

        return StateMachine(machine, invoke, get_object, self.run_container).run(data, start_at)[0]

    def run_task(self, task: str, data: Json, context: Context | None = None) -> Json:
        """Invoke one task with what the workflow would give it: Train for each candidate. Returns the input of the task that follows."""
        folder = f"functions/training/{task}"
        if task == "train":
            results = [self.invoke(folder, data | {"candidate": candidate}, context) for candidate in data["candidates"]]
            return data | {"candidates": results}
        result = self.invoke(folder, data, context)
        return data | {"candidates": result} if task == "prepare" else data

    def invoke(self, folder: str, event: Json, context: Context | None = None) -> Any:
        """Invoke the function whose code is in the folder, with the settings that the template gives it."""
        with self.settings(folder), enforced.role_of(folder, {name: logical for logical, name in self.names.items()}):
            if folder not in self.environments:
                spec = importlib.util.spec_from_file_location(f"app_{uuid4().hex}", ROOT / folder / "app.py")
                assert spec is not None
                assert spec.loader is not None
                self.environments[folder] = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(self.environments[folder])
            return self.environments[folder].handler(deepcopy(event), context or Context(seconds=28 if "api" in folder else 900))

    def new_environment(self, folder: str = "functions/api/predict") -> None:
        """The function's next invocation is the first in an execution environment: nothing is loaded, and nothing is in /tmp."""
        self.environments.pop(folder, None)
        self.empty_tmp()

    def empty_tmp(self) -> None:
        """Nothing is in /tmp any more."""
        for kept in Path(tempfile.gettempdir()).iterdir():
            shutil.rmtree(kept) if kept.is_dir() else kept.unlink()

    @contextmanager
    def settings(self, folder: str) -> Iterator[None]:
        """The environment variables that the template gives the function, and of those that it gives others none."""
        own = _variables(FUNCTIONS[folder])
        with patch.dict(os.environ):
            for name in _all_variables() - own.keys():
                os.environ.pop(name, None)
            for name, value in own.items():
                os.environ[name] = self.setting(value)
            yield

    def setting(self, value: str | int | Json) -> str:
        """A variable's value. Of a !Ref (of a list, joined): a resource's name, a parameter's value, a function's name in the template.

        Of a !GetAtt: a bucket's host."""
        if isinstance(value, str | int):
            return str(value)
        if "GetAtt" in value:
            bucket, _, attribute = value["GetAtt"].partition(".")
            service = {"RegionalDomainName": f"s3.{REGION}", "DomainName": "s3"}[attribute]
            return f"{self.names[bucket]}.{service}.amazonaws.com"
        name = value["Ref"] if "Ref" in value else value["Join"][1]["Ref"]
        if name in self.parameters:
            return self.parameters[name]
        parameter = template()["Parameters"].get(name)
        return self.names.get(name, name) if parameter is None else self.parameters.get(name, str(parameter["Default"]))


def kept_files() -> Path:
    """Where a function keeps the files of artifacts."""
    return Path(tempfile.gettempdir()) / "winnow-artifacts"


def _variables(function: Json) -> Json:
    """Those of the template, and what Lambda adds."""
    own: Json = function.get("Environment", {}).get("Variables", {})
    for_all: Json = template()["Globals"]["Function"]["Environment"]["Variables"]
    return for_all | own | {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": _memory(function)}


@cache
def _all_variables() -> frozenset[str]:
    return frozenset(name for function in FUNCTIONS.values() for name in _variables(function))


def _memory(function: Json) -> int | Json:
    """In MB."""
    given: int | Json = function.get("MemorySize", template()["Globals"]["Function"]["MemorySize"])
    return given["If"][2] if isinstance(given, dict) and "If" in given else given


def workflow_tasks() -> dict[str, Json]:
    """The training workflow's states that call functions, those of a Map's items among them, by the folder of the function."""
    machines = [WORKFLOW, *(state["ItemProcessor"] for state in WORKFLOW["States"].values() if state["Type"] == "Map")]
    states = [state for machine in machines for state in machine["States"].values() if "GetAtt" in state.get("Resource", ())]
    return {functions()[state["Resource"]["GetAtt"].removesuffix(".Arn")]["CodeUri"]: state for state in states}


# First: xdist reads the groups in its own hook of this name.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        for mark in MARKS.get(folder, ()):
            item.add_marker(mark)
        # cnn learns longest. tests/functions trains with it in `make test`.
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if folder == "unit" and parameters.get("recipe") == "cnn":
            item.add_marker("slow")
        if "cloud" in MARKS.get(folder, ()):
            # One process for all that share the cloud, which is the longest chain of tests. Files with a cloud of their own run beside it.
            shared = isinstance(item, pytest.Function) and "cloud" in item.fixturenames
            item.add_marker(pytest.mark.xdist_group("cloud" if shared else item.path.stem))


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.config.getoption("loadgroup", default=False):
        apart = [item.nodeid for item in session.items if item.get_closest_marker("xdist_group") and "@" not in item.nodeid]
        if apart:
            message = f"pytest-xdist has ignored the groups of {len(apart)} tests, such as {apart[0]}: is this pytest newer than it knows?"
            raise pytest.UsageError(message)


def _called(run: Callable[..., object], arguments: Json) -> None:
    run(**arguments)


# CPython takes 16 kB from the system each time that the stack of calls grows over such a border, and returns it when the stack shrinks:
# 9,000 times in a life of test_two_crashes, a quarter of its time. For a frame of this size it takes room for hundreds of calls at once.
_called.__code__ = _called.__code__.replace(co_stacksize=66_000)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function):
        run = item.obj
        item.obj = wraps(run)(lambda **arguments: _called(run, arguments))


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """tell(LINE): a line after the name of the test, for the end of pytest's output."""
    return lambda line: request.node.user_properties.append(("told", f"{request.node.name}: {line}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    told = [line for report in reports for name, line in report.user_properties if name == "told"]
    if told:
        terminalreporter.section("what tests tell")
        for line in told:
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.path.relative_to(ROOT / "tests").parts[0] not in OFFLINE:
        return
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family is not socket.AF_UNIX:
            message = f"A test reached for the network: {address}"
            raise RuntimeError(message)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", refuse)


class OneSession(boto3.Session):
    """A session with fake credentials that makes each client once: making one costs more than most tests do with it."""

    def __init__(self) -> None:
        super().__init__(aws_access_key_id="fake", aws_secret_access_key="fake", region_name=REGION)
        enforced.install(self)
        self._clients: dict[tuple[str, bool], Any] = {}

    def client(self, service_name: str, **options: Any) -> Any:  # type: ignore[override]
        key = (service_name, "config" in options)
        if key not in self._clients:
            self._clients[key] = super().client(service_name, **options)  # type: ignore[call-overload]
        return self._clients[key]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time, for a test to move."""
    clock = Clock()
    monkeypatch.setattr(domain_clock, "clock", clock)
    return clock


@pytest.fixture(scope="session")
def boto_session() -> boto3.Session:
    return OneSession()


@pytest.fixture(scope="module")
def _moto() -> Iterator[MockAWS]:
    """moto, started once for the tests of a file: each of them begins with nothing in it."""
    with mock_aws() as moto:
        yield moto


@pytest.fixture
def winnow(_moto: MockAWS, boto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Winnow]:
    """A deployment of template.yaml in moto: its table, buckets and workflow, and a /tmp of its own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "CRITICAL")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto_session)
    short_way.install(monkeypatch)
    _moto.reset()
    clients.forget_clients()
    names = {"Registry": "winnow-registry", "Models": "winnow-models", "Datasets": "winnow-datasets"}
    table = template()["Resources"]["Registry"]["Properties"]
    made_with = {name: table[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode")}
    boto3.client("dynamodb").create_table(TableName=names["Registry"], **made_with)
    moments.create_buckets(names["Models"], names["Datasets"], CLIENT_BUCKET, "albert-textcats-best")
    for workflow, name in moments.WORKFLOWS.items():
        machine = boto3.client("stepfunctions").create_state_machine(
            name=name, definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}), roleArn=ROLE
        )
        names[workflow] = machine["stateMachineArn"]
    yield Winnow(names)
    clients.forget_clients()


@pytest.fixture(scope="session")
def made_once() -> dict[str, Moment]:
    """Moments of deployments, by what was done to come there."""
    return {}


@pytest.fixture
def once(winnow: Winnow, made_once: dict[str, Moment]) -> Once:
    """once(WHAT, DO): the deployment after DO(), which is done by the first test that asks for WHAT; for the others its rows and objects
    are brought back.
    """

    def done(what: str, do: Callable[[], None]) -> Winnow:
        if what in made_once:
            moments.bring_back(winnow, made_once[what])
        else:
            do()
            made_once[what] = replace(moments.keep(winnow), executions={})
        return winnow

    return done


@pytest.fixture
def ready(winnow: Winnow, once: Once) -> Ready:
    """ready(DATASET): the deployment with the model tc-01 trained on it, by the real workflow."""

    def train(dataset: str) -> None:
        winnow.put_dataset(dataset)
        assert winnow.train(n_iter=8)["status"] == "ready"

    return lambda dataset: once(dataset, lambda: train(dataset))
