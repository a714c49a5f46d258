"""`sam local start-api`, with a local cloud for DynamoDB, S3 and the training workflow.

with container_engine() as engine, sam_local(folder, engine) as api:
    requests.get(f"{api.url}/models")

The endpoints and the authorizer run in Lambda's containers; training runs in the local cloud. sam local has no usage plans,
but it calls the authorizer, which finds the keys in the local cloud's registry. sam builds an image with the layers
from Lambda's image.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

import requests
import yaml

from local.cloud import ARCHITECTURE, PROJECT, LocalCloud
from local.server import CREDENTIALS, CloudError, free_port

FOLDER = PROJECT / ".local" / "sam-local"
_PORT_SECONDS = 60
_FIRST_ANSWER_SECONDS = 900  # sam may have to download Lambda's image
_STOP_SECONDS = 60
_PASSED_ON = {"PATH", "HOME", "LANG", "XDG_RUNTIME_DIR"}


class NoEngineError(CloudError):
    """No container engine can run the containers of sam local."""


@dataclass(frozen=True)
class Engine:
    """A container engine that answers: the settings that lead to it, and the image to use instead of sam's."""

    settings: dict[str, str] = field(default_factory=dict)
    image: str | None = None

    def ask(self, *arguments: str) -> str:
        """The output of a docker command. Raises CloudError with its last line if it fails or docker is missing."""
        try:
            done = subprocess.run(["docker", *arguments], env=os.environ | self.settings, capture_output=True, text=True, check=False)  # noqa: S607
        except FileNotFoundError:
            raise CloudError("the docker command is not installed") from None
        if done.returncode:
            raise CloudError(f"docker {arguments[0]}: {done.stderr.strip().rpartition('\n')[2]}")
        return done.stdout.strip()

    def bridge(self) -> str:
        """This machine's address on the engine's bridge. Containers reach servers of this machine there."""
        network = json.loads(self.ask("network", "inspect", "bridge", "--format", "{{json (index .IPAM.Config 0)}}"))
        # A new bridge may list no gateway yet. Its gateway is the first address.
        address = network.get("Gateway") or str(next(ip_network(network["Subnet"]).hosts()))
        with socket.socket() as probe:
            try:
                probe.bind((address, 0))
            except OSError:
                # This happens if the engine runs in a virtual machine, as Docker Desktop does.
                raise NoEngineError(f"the container engine's bridge ({address}) is no address of this machine") from None
        return address


@dataclass(frozen=True)
class SamLocal:
    """The API of sam local, and the local cloud behind it."""

    url: str
    cloud: LocalCloud
    process: subprocess.Popen[bytes]
    log: Path


@contextlib.contextmanager
def container_engine() -> Iterator[Engine]:
    """The running container engine, with the image LAMBDA_IMAGE if set. Otherwise LAMBDA_IMAGE_TOOL starts one, which is stopped after use.

    Raises NoEngineError if there is neither.
    """
    engine = Engine(image=os.environ.get("LAMBDA_IMAGE") or None)
    tool = os.environ.get("LAMBDA_IMAGE_TOOL")
    try:
        engine.ask("info")
    except CloudError as error:
        if not tool:
            raise NoEngineError(f"no container engine: {error}") from None
    else:
        yield engine
        return
    try:
        yield _started_by(tool)
    finally:
        subprocess.run([tool, "stop"], check=False)


def _started_by(tool: str) -> Engine:
    """The engine that the tool starts. The tool prints shell commands that set DOCKER_HOST and LAMBDA_IMAGE."""
    script = 'set -e; settings=$("$0"); eval "$settings"; printf "%s\\n" "$DOCKER_HOST" "$LAMBDA_IMAGE"'
    # The tool finds the machine's own Python: that of the project, which make puts before it, has no pip.
    path = os.pathsep.join(folder for folder in os.environ["PATH"].split(os.pathsep) if not Path(folder).is_relative_to(PROJECT))
    given = os.environ | {"PATH": path}
    done = subprocess.run(["bash", "-c", script, tool], env=given, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S607
    if done.returncode:
        raise NoEngineError(f"{tool} started no container engine (status {done.returncode})")
    host, image = done.stdout.splitlines()
    return Engine({"DOCKER_HOST": host}, image)


@contextlib.contextmanager
def sam_local(folder: Path, engine: Engine, port: int | None = None) -> Iterator[SamLocal]:
    """Start and deploy a local cloud, then `sam local start-api`. Yields when it answers, and stops both at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "sam.log"
    port = port or free_port("127.0.0.1")
    # The bridge's address works in containers and on this machine, so presigned URLs work in both.
    with LocalCloud(folder / "cloud", port=None, host=engine.bridge()) as cloud:
        cloud.deploy()
        with _sam(_command(folder, cloud, engine, port), _environment(engine), log) as process:
            api = SamLocal(f"http://127.0.0.1:{port}", cloud, process, log)
            _wait_until_ready(api, port)
            yield api


@contextlib.contextmanager
def _sam(command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()  # sam removes its containers
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _command(folder: Path, cloud: LocalCloud, engine: Engine, port: int) -> list[str]:
    variables = folder / "env.json"
    variables.write_text(json.dumps(_variables(cloud), indent=2))
    sam = str(PROJECT / ".tools" / "sam" / "bin" / "sam")
    command = [sam, "local", "start-api", "--template", str(_template(folder)), "--env-vars", str(variables)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--region", CREDENTIALS["AWS_DEFAULT_REGION"]]
    command += ["--parameter-overrides", f"Architecture={ARCHITECTURE}", "--warm-containers", "LAZY", "--no-watch"]
    command += ["--layer-cache-basedir", str(folder / "layers")]
    if engine.image:
        command += ["--skip-pull-image", "--invoke-image", engine.image]
    return command


def _template(folder: Path) -> Path:
    """The template of `make build-local` with the variable AWS_ENDPOINT_URL: sam local passes only variables that the template has."""
    built = PROJECT / ".aws-sam" / "local"
    template = yaml.safe_load((built / "template.yaml").read_text())
    template["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = ""
    for resource in template["Resources"].values():
        for name in {"CodeUri", "ContentUri", "TemplateURL"} & resource.get("Properties", {}).keys():
            resource["Properties"][name] = str(built / resource["Properties"][name])
    path = folder / "template.yaml"
    path.write_text(yaml.safe_dump(template, sort_keys=False))
    return path


def _variables(cloud: LocalCloud) -> dict[str, dict[str, str]]:
    """The deployed environment of each function, with the endpoint of the local cloud."""
    stack = cloud.client("cloudformation").describe_stacks()["Stacks"][0]["StackName"]
    pages = cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    names = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }
    functions = {name: cloud.client("lambda").get_function_configuration(FunctionName=deployed) for name, deployed in names.items()}
    return {name: {**it["Environment"]["Variables"], "AWS_ENDPOINT_URL": cloud.endpoint} for name, it in functions.items()}


def _environment(engine: Engine) -> dict[str, str]:
    """The environment of sam: from the caller only the settings that lead to tools and the engine. Functions get the credentials."""
    kept = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("DOCKER_")}
    return kept | engine.settings | CREDENTIALS | {"AWS_CONFIG_FILE": os.devnull, "SAM_CLI_TELEMETRY": "0", "NO_PROXY": "*"}


def _wait_until_ready(api: SamLocal, port: int) -> None:
    """Wait for the first answer. It takes as long as sam needs for its image. Raises CloudError if it is an error."""
    end = time.monotonic() + _PORT_SECONDS
    while not _listens(port):
        if api.process.poll() is not None or time.monotonic() > end:
            raise CloudError(f"sam local did not start (log: {api.log})")
        time.sleep(0.2)
    session = requests.Session()
    session.trust_env = False  # a proxy can't reach this machine
    try:
        answer = session.get(f"{api.url}/health", timeout=_FIRST_ANSWER_SECONDS)
    except requests.RequestException as error:
        raise CloudError(f"sam local does not answer: {type(error).__name__} (log: {api.log})") from error
    if not answer.ok:
        raise CloudError(f"sam local answers {answer.status_code} to GET /health (log: {api.log})")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="make start-sam-local", description=__doc__)
    parser.add_argument("port", type=int, nargs="?", help="the port to listen on (default: a free one)")
    port = parser.parse_args().port
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("winnow: starting a local cloud and sam local …", flush=True)
    try:
        with container_engine() as engine, sam_local(FOLDER, engine, port) as api:
            _greet(api)
            print(f"winnow: sam local stopped with status {api.process.wait()} (log: {api.log})", file=sys.stderr)
            return 1
    except CloudError as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nwinnow: stopped; the models stay for the next start")
        return 0


def _greet(api: SamLocal) -> None:
    key = api.cloud.environment()["WINNOW_API_KEY"]
    headers = '-H "x-api-key: $KEY" -H "Content-Type: application/json"'
    print(
        f"""
  URL  {api.url}
  key  {key}
  page {api.url}/docs

  KEY={key}
  curl {api.url}/datasets {headers} -d '{{"name": "texts.json"}}'
  curl -T texts.json "UPLOAD_URL" -H "If-None-Match: *"      # upload_url from the answer
  curl {api.url}/models {headers} -d '{{"id": "tc-01", "s3bucket": "…", "training_object": "…"}}'
  curl {api.url}/models/tc-01 {headers}      # repeat until the status is ready
  curl -X GET {api.url}/prediction {headers} -d '{{"model_id": "tc-01", "text": "I want to save for vacation!"}}'

Ctrl-C stops it and keeps its data.""",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
