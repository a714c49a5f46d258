"""The embedded local cloud: it deploys the project's template to a MiniStack server on this machine.

with LocalCloud(folder, port=None) as cloud:
    cloud.deploy()
    settings = cloud.environment()
"""

import contextlib
import functools
import json
import os
import platform
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from local.server import CREDENTIALS, REGION, CloudError, Running, Server, reachable
from operations.keys import Deployment, KeysError, NameTakenError
from winnow.domain.access import Role

PROJECT = Path(__file__).resolve().parent.parent
ARTIFACTS = "winnow-local-artifacts"
# The local cloud runs functions as processes of this machine, so the layers must be built for its processor.
ARCHITECTURE = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
DEPLOY_SECONDS = 600
# The name of the admin key that the user of the local cloud gets.
KEY = "local"


class LocalCloud:
    """One local cloud, with all of its files in `folder`. `port` None takes a free port.

    Several clouds run side by side if their folders differ. This object finds a cloud that already runs in `folder`,
    so another process can read its outputs or stop it.
    """

    def __init__(self, folder: Path, port: int | None, host: str = "127.0.0.1", project: Path = PROJECT) -> None:
        self.folder = folder.resolve()
        self.port = port
        self.host = host
        self.project = project
        self.server = Server(folder, project / ".tools")
        self._sam = project / ".tools" / "sam" / "bin" / "sam"
        self._template = project / ".aws-sam" / "local" / "zipped.json"
        self.deploy_log = self.folder / "deploy.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def find(self) -> Running | None:
        """The cloud that runs in this folder, if any. This object takes its port."""
        running = self.server.find()
        if running:
            self.port, self.host = running.port, running.host
        return running

    def check(self) -> None:
        """Raise CloudError if a tool or the build is missing. Call this before the server starts."""
        if not self._sam.exists():
            raise CloudError(f"sam is not installed ({self._sam} is missing): run `make env`")
        if not self._template.exists():
            raise CloudError(f"no build yet ({self._template} is missing): run `make build-local`")

    def start(self) -> None:
        """Start the server and wait until it answers. If that fails, nothing keeps running and CloudError is raised."""
        self.port = self.server.start(self.port, self.host).port

    def stop(self) -> bool:
        """Stop the server and keep its state in the folder. Returns False if none was running."""
        return self.server.stop()

    @property
    def endpoint(self) -> str:
        """The AWS endpoint: the value of AWS_ENDPOINT_URL."""
        if self.port is None:
            raise CloudError(f"no local cloud is running in {self.folder}")
        return f"http://{reachable(self.host)}:{self.port}"

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud. It ignores the AWS settings of the caller."""
        return _session().client(service, **self._options)  # type: ignore[call-overload]

    @property
    def _options(self) -> dict[str, Any]:
        return {"endpoint_url": self.endpoint, "config": Config(proxies={})}

    def deploy(self, parameters: Mapping[str, str] | None = None) -> None:
        """Run `sam deploy` on the build. `parameters` override those of [local] in samconfig.toml."""
        self.check()
        self.client("s3").create_bucket(Bucket=ARTIFACTS)  # in this region, an existing bucket is not an error
        command: list[str | Path] = [self._sam, "deploy", "--config-file", self.project / "samconfig.toml", "--config-env", "local"]
        command += ["--template-file", self._template, "--s3-bucket", ARTIFACTS]
        command += ["--region", REGION, "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar", "--use-json"]
        laid_over = {"Architecture": ARCHITECTURE, **(parameters or {})}
        given = [f"{name}={value}" for name, value in laid_over.items()]
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
                raise CloudError(f"sam deploy took longer than {DEPLOY_SECONDS} s (log: {self.deploy_log})") from None
        if done.returncode:
            raise CloudError(f"sam deploy failed: {self._deploy_error()} (log: {self.deploy_log})")
        self._apply_gateway_responses()
        self._apply_throttles()
        self._apply_batch_concurrency()
        self._allow_http()
        with contextlib.suppress(NameTakenError):  # the key is still there from an earlier run
            self.keys().add(KEY, Role.ADMIN)

    def keys(self) -> Deployment:
        """The API keys of the deployed stack."""
        return Deployment.of(self._stack, _session(), **self._options)

    def outputs(self) -> dict[str, str]:
        """The stack's outputs, read at each call: the API gets a new id if its paths change."""
        try:
            stacks = self.client("cloudformation").describe_stacks(StackName=self._stack)["Stacks"]
        except ClientError:
            raise CloudError(f"nothing is deployed yet in the local cloud in {self.folder}") from None
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}

    def environment(self) -> dict[str, str]:
        """The environment variables for clients of this cloud: Winnow's, and those of AWS tools."""
        outputs = self.outputs()
        try:
            key = self.keys().value(KEY)
        except KeysError as error:
            raise CloudError(f"{error} (`make stop` and `make start` deploy again)") from error
        return {
            "WINNOW_URL": f"{self.endpoint}/_aws/execute-api/{outputs['ApiId']}/{outputs['Stage']}",
            "WINNOW_API_KEY": key,
            "WINNOW_DATASETS_BUCKET": outputs["DatasetsBucket"],
            "AWS_ENDPOINT_URL": self.endpoint,
            **CREDENTIALS,
        }

    def _apply_gateway_responses(self) -> None:
        """Set the API's gateway responses, and its answers to CORS preflight requests.

        MiniStack silently drops SAM's GatewayResponses property and the answers of mock integrations.
        """
        template = self.client("cloudformation").get_template(StackName=self._stack, TemplateStage="Processed")["TemplateBody"]
        gateway, body = self.client("apigateway"), template["Resources"]["Api"]["Properties"]["Body"]
        api = {"restApiId": self.resource("Api")}
        origin = self._variables("Health")["CORS_ORIGIN"]
        for kind, response in body["x-amazon-apigateway-gateway-responses"].items():
            gateway.put_gateway_response(**api, responseType=kind, **response | {"responseParameters": _headers(response, origin)})
        for resource in gateway.get_resources(**api, limit=500)["items"]:
            if asked := body["paths"].get(resource["path"], {}).get("options"):
                [response] = asked["x-amazon-apigateway-integration"]["responses"].values()
                to = api | {"resourceId": resource["id"], "httpMethod": "OPTIONS", "statusCode": response["statusCode"]}
                gateway.put_method_response(**to)
                gateway.put_integration_response(**to, responseParameters=_headers(response, origin))
        for stage in gateway.get_stages(**api)["item"]:
            gateway.create_deployment(**api, stageName=stage["stageName"])

    def _apply_throttles(self) -> None:
        """Set the limits of single calls. MiniStack doesn't decode the paths of MethodSettings (~1 is a slash), so it finds none."""
        gateway, api = self.client("apigateway"), self.resource("Api")
        [stage] = gateway.get_stages(restApiId=api)["item"]
        encoded = {call: it for call, it in stage["methodSettings"].items() if "~1" in call}
        limits = [
            {"op": "replace", "path": f"{call}/throttling/{limit}Limit", "value": str(it[f"throttling{limit.capitalize()}Limit"])}
            for call, it in encoded.items()
            for limit in ("rate", "burst")
        ]
        gateway.update_stage(restApiId=api, stageName=stage["stageName"], patchOperations=limits)

    def _apply_batch_concurrency(self) -> None:
        """Set the batch workflow's MaxConcurrency. MiniStack ignores MaxConcurrencyPath and uses 64."""
        client, machine = self.client("stepfunctions"), self.resource("BatchWorkflow")
        definition = json.loads(client.describe_state_machine(stateMachineArn=machine)["definition"])
        definition["States"]["Shards"]["MaxConcurrency"] = int(self._variables("SplitBatch")["BATCH_CONCURRENCY"])
        client.update_state_machine(stateMachineArn=machine, definition=json.dumps(definition))

    def _variables(self, function: str) -> dict[str, str]:
        """The environment variables of a function of the stack."""
        configuration = self.client("lambda").get_function_configuration(FunctionName=self.resource(function))
        return dict(configuration["Environment"]["Variables"])

    def _allow_http(self) -> None:
        """Remove the bucket policies that require TLS. MiniStack enforces policies but has no TLS."""
        for name in ("Models", "Datasets"):
            self.client("s3").delete_bucket_policy(Bucket=self.resource(name))

    def resource(self, name: str) -> str:
        """The physical id of a resource of the stack."""
        described = self.client("cloudformation").describe_stack_resource(StackName=self._stack, LogicalResourceId=name)
        found: str = described["StackResourceDetail"]["PhysicalResourceId"]
        return found

    @property
    def _stack(self) -> str:
        return str(self._local_settings()["stack_name"])

    def _local_settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = tomllib.loads((self.project / "samconfig.toml").read_text())["local"]
        parameters: dict[str, Any] = settings["deploy"]["parameters"]
        return parameters

    def _deploy_error(self) -> str:
        """The first failure: the resource and the reason. Without one, the last line of sam's log."""
        with contextlib.suppress(ClientError):
            events = self.client("cloudformation").describe_stack_events(StackName=self._stack)["StackEvents"]
            for event in reversed(_latest_operation(events)):
                if event["ResourceStatus"].endswith("_FAILED"):
                    return f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        lines = [line for line in self.deploy_log.read_text(errors="replace").splitlines() if line.strip()]
        return next((line for line in lines if line.startswith("Error")), lines[-1] if lines else "no message")


def _headers(response: Mapping[str, Any], origin: str) -> dict[str, str]:
    """The headers of an answer by API Gateway itself. The header that names the CORS origin is the only one that is not text."""
    headers = response.get("responseParameters", {}).items()
    return {name: value if isinstance(value, str) else f"'{origin}'" for name, value in headers if origin or isinstance(value, str)}


@functools.cache
def _session() -> boto3.Session:
    """A session with the credentials of the local cloud. It ignores the settings of the caller."""
    ignored = {"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)}
    return boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
        botocore_session=botocore.session.Session(session_vars=ignored),
    )


def _latest_operation(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events of the latest create or update, newest first."""
    begun = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}
    for count, event in enumerate(events, 1):
        if event["ResourceType"] == "AWS::CloudFormation::Stack" and event["ResourceStatus"] in begun:
            return events[:count]
    return events


def _without_aws_settings() -> dict[str, str]:
    """The caller's environment without settings for AWS, sam, Python and proxies, so that the deployment stays on this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_", "PYTHON"))}
    return kept | {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "NO_PROXY": "*", "no_proxy": "*"}
