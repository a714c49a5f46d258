"""The embedded local cloud: the project's own template, deployed to a MiniStack of its own.

with LocalCloud(folder, port=None) as cloud:
    cloud.deploy()
    settings = cloud.environment()
"""

import os
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3

from local.server import CREDENTIALS, REGION, CloudError, Running, Server, reachable

PROJECT = Path(__file__).resolve().parent.parent
ARTIFACTS = "winnow-local-artifacts"
DEPLOY_SECONDS = 600


class LocalCloud:
    """One local cloud, with all it keeps in `folder`; `port` None takes a free one.

    Several run side by side when their folders differ. A cloud that already runs in `folder` is found,
    so that another process can ask it for its outputs or stop it.
    """

    def __init__(self, folder: Path, port: int | None, host: str = "127.0.0.1", project: Path = PROJECT) -> None:
        self.folder = folder.resolve()
        self.port = port
        self.host = host
        self.project = project
        self.server = Server(folder, project / ".tools")
        self.deploy_log = self.folder / "deploy.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def find(self) -> Running | None:
        """The cloud that runs in this folder, whoever started it; its port becomes this object's."""
        running = self.server.find()
        if running:
            self.port, self.host = running.port, running.host
        return running

    def start(self) -> None:
        """Start the server and wait for it. Raises CloudError, with nothing left running."""
        self.port = self.server.start(self.port, self.host).port

    def stop(self) -> bool:
        """End the server; its state stays in the folder. False when none ran."""
        return self.server.stop()

    @property
    def endpoint(self) -> str:
        """The AWS endpoint, for AWS_ENDPOINT_URL."""
        if self.port is None:
            raise CloudError(f"no local cloud runs in {self.folder}")
        return f"http://{reachable(self.host)}:{self.port}"

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud, whatever AWS settings the caller has."""
        session = boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        return session.client(service, endpoint_url=self.endpoint)  # type: ignore[call-overload]

    def deploy(self, parameters: Mapping[str, str] | None = None) -> None:
        """`sam deploy` what `sam build` made. `parameters` are laid over those of samconfig.toml's [local]."""
        sam = self.project / ".tools" / "sam" / "bin" / "sam"
        template = self.project / ".aws-sam" / "build" / "template.yaml"
        if not sam.exists():
            raise CloudError(f"sam is not installed ({sam} is missing): run `make env`")
        if not template.exists():
            raise CloudError("nothing is built yet (.aws-sam/build is missing): run `make build`")
        self.client("s3").create_bucket(Bucket=ARTIFACTS)  # in this region an existing one is no error
        command: list[str | Path] = [sam, "deploy", "--config-file", self.project / "samconfig.toml", "--config-env", "local"]
        command += ["--template-file", template, "--s3-bucket", ARTIFACTS]
        command += ["--region", REGION, "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"]
        if parameters:
            given = [f"{name}={value}" for name, value in parameters.items()]
            command += ["--parameter-overrides", *self._local_settings().get("parameter_overrides", []), *given]
        settings = {"AWS_ENDPOINT_URL": self.endpoint, "SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.2"}
        with self.deploy_log.open("wb") as log:
            try:
                done = subprocess.run(
                    command,
                    cwd=self.project,
                    env=_without_aws_settings() | CREDENTIALS | settings,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    timeout=DEPLOY_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise CloudError(f"sam deploy took longer than {DEPLOY_SECONDS} s; its log: {self.deploy_log}") from None
        if done.returncode:
            raise CloudError(f"sam deploy failed: {self._deploy_error()}; the whole log: {self.deploy_log}")

    def outputs(self) -> dict[str, str]:
        """The stack's outputs, read anew: an API whose paths changed has a new id."""
        name = self._local_settings()["stack_name"]
        stacks = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}

    def environment(self) -> dict[str, str]:
        """What a client needs to use this cloud: Winnow's own settings, and AWS's for the tools that upload and look inside."""
        outputs = self.outputs()
        key = self.client("apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)
        return {
            "WINNOW_URL": f"{self.endpoint}/restapis/{outputs['ApiId']}/{outputs['Stage']}/_user_request_",
            "WINNOW_API_KEY": key["value"],
            "WINNOW_DATASETS_BUCKET": outputs["DatasetsBucket"],
            "AWS_ENDPOINT_URL": self.endpoint,
            **CREDENTIALS,
        }

    def _local_settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = tomllib.loads((self.project / "samconfig.toml").read_text())["local"]
        parameters: dict[str, Any] = settings["deploy"]["parameters"]
        return parameters

    def _deploy_error(self) -> str:
        """The line of sam's log that says most: the first resource that failed, else sam's own last word."""
        lines = [line.strip() for line in self.deploy_log.read_text(errors="replace").splitlines() if line.strip()]
        failed = [line for line in lines if "_FAILED" in line and "cancelled" not in line]
        return (failed or [line for line in lines if line.startswith("Error")] or lines or ["it said nothing"])[0]


def _without_aws_settings() -> dict[str, str]:
    """The caller's environment without settings for AWS, sam or Python of their own: a deploy must never leave this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_", "PYTHON"))}
    return kept | {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
