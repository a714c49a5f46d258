"""`sam local start-api`, with a local cloud behind it for DynamoDB, S3 and the training workflow.

with container_engine() as engine, sam_local(folder, engine) as api:
    requests.get(f"{api.url}/models")

The endpoints and the authorizer run in Lambda's containers; training runs in the local cloud. sam local knows of no usage plans,
but it asks the authorizer, which finds the local cloud's keys in its registry. Its layers are laid
into an image that sam builds from Lambda's.
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
    """There is no container engine to run sam local's containers."""


@dataclass(frozen=True)
class Engine:
    """A container engine that answers: the settings by which it is found, and the image to use instead of sam's own."""

    settings: dict[str, str] = field(default_factory=dict)
    image: str | None = None

    def ask(self, *arguments: str) -> str:
        """What the docker command prints. CloudError with its last line where it fails, or is missing."""
        try:
            done = subprocess.run(["docker", *arguments], env=os.environ | self.settings, capture_output=True, text=True, check=False)  # noqa: S607
        except FileNotFoundError:
            raise CloudError("the docker command is not installed") from None
        if done.returncode:
            raise CloudError(f"docker {arguments[0]}: {done.stderr.strip().rpartition('\n')[2]}")
        return done.stdout.strip()

    def bridge(self) -> str:
        """This machine's address on the engine's bridge: where containers find a server of this machine."""
        network = json.loads(self.ask("network", "inspect", "bridge", "--format", "{{json (index .IPAM.Config 0)}}"))
        # A bridge that was just made has no gateway written down yet: it is the first address.
        address = network.get("Gateway") or str(next(ip_network(network["Subnet"]).hosts()))
        with socket.socket() as probe:
            try:
                probe.bind((address, 0))
            except OSError:
                # So it is where the engine runs in a virtual machine, as Docker Desktop's does.
                raise NoEngineError(f"the container engine's bridge ({address}) is no address of this machine") from None
        return address


@dataclass(frozen=True)
class SamLocal:
    """The API as sam local serves it, and the cloud behind it."""

    url: str
    cloud: LocalCloud
    process: subprocess.Popen[bytes]
    log: Path


@contextlib.contextmanager
def container_engine() -> Iterator[Engine]:
    """The container engine that runs, with LAMBDA_IMAGE where that is set; else the one that LAMBDA_IMAGE_TOOL starts, ended after use.

    NoEngineError where there is neither.
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
    """The engine that the tool starts. It prints shell commands that set DOCKER_HOST and LAMBDA_IMAGE."""
    script = 'set -e; settings=$("$0"); eval "$settings"; printf "%s\\n" "$DOCKER_HOST" "$LAMBDA_IMAGE"'
    done = subprocess.run(["bash", "-c", script, tool], stdout=subprocess.PIPE, text=True, check=False)  # noqa: S607
    if done.returncode:
        raise NoEngineError(f"{tool} started no container engine (status {done.returncode})")
    host, image = done.stdout.splitlines()
    return Engine({"DOCKER_HOST": host}, image)


@contextlib.contextmanager
def sam_local(folder: Path, engine: Engine, port: int | None = None) -> Iterator[SamLocal]:
    """Start and deploy a local cloud, and `sam local start-api` before it; yields when it answers. Ends both, with sam's containers."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "sam.log"
    port = port or free_port("127.0.0.1")
    # The bridge's address leads to the cloud from a container and from this machine alike, so a presigned URL is good for both.
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
    """What `make build-local` built, with AWS_ENDPOINT_URL among its variables: sam local passes no others than a template has."""
    built = PROJECT / ".aws-sam" / "local"
    template = yaml.safe_load((built / "template.yaml").read_text())
    template["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = ""
    for resource in template["Resources"].values():
        for name in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][name] = str(built / resource["Properties"][name])
    path = folder / "template.yaml"
    path.write_text(yaml.safe_dump(template, sort_keys=False))
    return path


def _variables(cloud: LocalCloud) -> dict[str, dict[str, str]]:
    """Each function's environment as it was deployed, and the way to the cloud."""
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
    """sam's settings: of the caller's only those that lead to tools and to the engine. Functions are given the credentials."""
    kept = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("DOCKER_")}
    return kept | engine.settings | CREDENTIALS | {"AWS_CONFIG_FILE": os.devnull, "SAM_CLI_TELEMETRY": "0", "NO_PROXY": "*"}


def _wait_until_ready(api: SamLocal, port: int) -> None:
    """Wait for the first answer, which takes as long as sam needs for its image. CloudError where it is no success."""
    end = time.monotonic() + _PORT_SECONDS
    while not _listens(port):
        if api.process.poll() is not None or time.monotonic() > end:
            raise CloudError(f"sam local did not start; its log: {api.log}")
        time.sleep(0.2)
    session = requests.Session()
    session.trust_env = False  # no proxy leads to this machine
    try:
        answer = session.get(f"{api.url}/health", timeout=_FIRST_ANSWER_SECONDS)
    except requests.RequestException as error:
        raise CloudError(f"sam local does not answer ({type(error).__name__}); its log: {api.log}") from error
    if not answer.ok:
        raise CloudError(f"sam local answers {answer.status_code} to GET /health; its log: {api.log}")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="make start-sam-local", description=__doc__)
    parser.add_argument("port", type=int, nargs="?", help="where to listen; without it a free one")
    port = parser.parse_args().port
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("winnow: starting a local cloud and sam local before it …", flush=True)
    try:
        with container_engine() as engine, sam_local(FOLDER, engine, port) as api:
            _greet(api)
            print(f"winnow: sam local ended with status {api.process.wait()}; its log: {api.log}", file=sys.stderr)
            return 1
    except CloudError as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nwinnow: stopped; models are kept for the next start")
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
  curl -T texts.json "UPLOAD_URL"      # the upload_url of the answer
  curl {api.url}/models {headers} -d '{{"id": "tc-01", "s3bucket": "…", "training_object": "…"}}'
  curl {api.url}/models/tc-01 {headers}      # until its status is ready
  curl -X GET {api.url}/prediction {headers} -d '{{"model_id": "tc-01", "text": "I want to save for vacation!"}}'

Ctrl-C ends it and keeps what it holds.""",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
