"""`make doctor`: whether this account, this build and this template are ready for `sam deploy`, and what to set if not.

It only reads. docs/deploy.md lists the rights that it takes.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from layers import sizes
from layers.trimming import LayerError
from operations import definitions

ROOT = Path(__file__).parents[1]
_SAM_STACK = "aws-sam-cli-managed-default"
# Service Quotas' code for "Concurrent executions" of Lambda.
_CONCURRENCY = "L-B99A9384"
# Lambda refuses a reservation that leaves less than this to the other functions:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
_UNRESERVED = 100
# The Lambdas that the API should have while everything else is busy: a call and its authorizer, twice.
_FOR_THE_API = 4
# A training with the recipe auto trains two candidates at once.
_CANDIDATES = 2
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403")


class Verdict(StrEnum):
    """OK: nothing to do. ADVICE: it works, and could be better. WRONG: fix it first. UNKNOWN: it could not be checked."""

    OK = "ok"
    ADVICE = "advice"
    WRONG = "WRONG"
    UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: a verdict and a sentence."""

    verdict: Verdict
    sentence: str


class DoctorError(Exception):
    """Nothing can be checked. The message is one sentence for the operator."""


class Account:
    """An account in a Region, and what is or will be deployed there. settings: sam's for `sam deploy`, from samconfig.toml."""

    def __init__(self, session: boto3.Session, stack: str, settings: Mapping[str, Any]) -> None:
        self.session = session
        self.stack = stack
        self.settings = settings

    def client(self, service: str) -> Any:
        return self.session.client(service)  # type: ignore[call-overload]

    def stack_of(self, name: str) -> dict[str, Any] | None:
        """The stack of this name; None if there is none."""
        try:
            [found] = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            # CloudFormation's word for it.
            if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in error.response["Error"]["Message"]:
                return None
            raise
        return dict(found)

    @cached_property
    def parameters(self) -> dict[str, str]:
        """What `sam deploy` would deploy with: its settings, else what is deployed, else the template's defaults."""
        declared = definitions.read(ROOT / "template.yaml")["Parameters"]
        defaults = {name: str(it["Default"]) for name, it in declared.items()}
        deployed = (self.stack_of(self.stack) or {}).get("Parameters", [])
        return defaults | {it["ParameterKey"]: it["ParameterValue"] for it in deployed} | overrides(self.settings)


def overrides(settings: Mapping[str, Any]) -> dict[str, str]:
    """The parameters in sam's settings: a text or a list of NAME=VALUE, where values may have quotes."""
    given = settings.get("parameter_overrides", [])
    pairs = shlex.split(given) if isinstance(given, str) else [pair for each in given for pair in shlex.split(each)]
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def sam_settings(file: Path) -> dict[str, Any]:
    """The settings of `sam deploy`. DoctorError if the file isn't TOML."""
    try:
        read = tomllib.loads(file.read_text(encoding="utf-8")).get("default", {})
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DoctorError(f"{file.name} can't be read, so `sam deploy` fails too: {error}") from error
    return {**read.get("global", {}).get("parameters", {}), **read.get("deploy", {}).get("parameters", {})}


# --- the checks, each a finding ---


def concurrency(account: Account) -> Finding:
    """Whether the account has the Lambdas that trainings, batches and the API take at once."""
    limits = account.client("lambda").get_account_settings()["AccountLimit"]
    limit, unreserved = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    names = ("MostTrainings", "MostBatches", "BatchConcurrency", "PredictConcurrency", "TrainConcurrency")
    wanted = {name: int(account.parameters[name]) for name in names}
    reserved = wanted["PredictConcurrency"] + wanted["TrainConcurrency"]
    if reserved and account.stack_of(account.stack) is None and unreserved - reserved < _UNRESERVED:
        return Finding(
            Verdict.WRONG,
            f"{unreserved} Lambdas are unreserved, and {_UNRESERVED} must stay so, but PredictConcurrency and TrainConcurrency reserve"
            f" {reserved}: set both to 0",
        )
    busy = _CANDIDATES * wanted["MostTrainings"] + wanted["MostBatches"] * wanted["BatchConcurrency"]
    if limit - busy >= _FOR_THE_API:
        return Finding(Verdict.OK, f"{limit} Lambdas at once, and trainings and batches take at most {busy}")
    each = max(1, (limit - _FOR_THE_API) // (_CANDIDATES + 1))
    return Finding(
        Verdict.ADVICE,
        f"{limit} Lambdas at once for the whole account, and trainings and batches may take {busy}, so that calls of the API are refused:"
        f" deploy with MostTrainings={each} MostBatches=1 BatchConcurrency={each}, and ask for more in Service Quotas (Lambda, Concurrent"
        " executions)",
    )


def quota(account: Account) -> Finding:
    """The account's own quota of Lambdas, and whether more were asked for."""
    client = account.client("service-quotas")
    value = client.get_service_quota(ServiceCode="lambda", QuotaCode=_CONCURRENCY)["Quota"]["Value"]
    asked = client.list_requested_service_quota_change_history_by_quota(ServiceCode="lambda", QuotaCode=_CONCURRENCY)["RequestedQuotas"]
    pending = [f"{it['DesiredValue']:,.0f}" for it in asked if it["Status"] in {"PENDING", "CASE_OPENED"}]
    return Finding(
        Verdict.OK, f"Service Quotas has {value:,.0f} concurrent Lambdas" + (f"; asked for: {', '.join(pending)}" if pending else "")
    )


def roles(account: Account) -> Finding:
    """Whether the account takes a role for each function and workflow."""
    summary = account.client("iam").get_account_summary()["SummaryMap"]
    resources = definitions.read(ROOT / "template.yaml")["Resources"].values()
    needed = sum(it["Type"] in {"AWS::Serverless::Function", "AWS::Serverless::StateMachine"} for it in resources)
    free = summary["RolesQuota"] - summary["Roles"]
    if free >= needed or account.stack_of(account.stack) is not None:
        return Finding(Verdict.OK, f"the account takes {free} more roles; the stack has {needed}")
    return Finding(
        Verdict.WRONG, f"the account takes {free} more roles, and the stack needs {needed}: remove some, or ask for more (IAM, Roles)"
    )


def gateway(account: Account) -> Finding:
    """Whether API Gateway lets the parameters' requests pass, and can write access logs if they are wanted."""
    found = account.client("apigateway").get_account()
    if account.parameters["AccessLogs"] == "true" and not found.get("cloudwatchRoleArn"):
        return Finding(
            Verdict.WRONG, "AccessLogs=true needs a role of API Gateway in this Region: docs/operations.md#switch-it-on makes it"
        )
    rate = found.get("throttleSettings", {}).get("rateLimit", float("inf"))
    wanted = max(float(account.parameters[name]) for name in ("RequestsPerSecond", "AdminRequestsPerSecond"))
    if rate < wanted:
        return Finding(
            Verdict.ADVICE, f"API Gateway passes {rate:,.0f} requests a second in this Region, and one key may send {wanted:,.0f}"
        )
    return Finding(Verdict.OK, f"API Gateway passes {rate:,.0f} requests a second in this Region")


def sam_bucket(account: Account) -> Finding:
    """The bucket that `sam deploy` uploads to."""
    stack = account.stack_of(_SAM_STACK)
    if stack is None:
        return Finding(Verdict.OK, f"`sam deploy` makes its bucket, by the stack {_SAM_STACK}")
    if not stack["StackStatus"].endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")):
        return Finding(Verdict.WRONG, f"the stack {_SAM_STACK} is in {stack['StackStatus']}: delete it, and `sam deploy` makes it again")
    name = next((it["OutputValue"] for it in stack.get("Outputs", []) if it["OutputKey"] == "SourceBucket"), "")
    try:
        account.client("s3").head_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
            raise
        return Finding(Verdict.WRONG, f"sam's bucket {name} is gone: delete the stack {_SAM_STACK}, and `sam deploy` makes both again")
    return Finding(Verdict.OK, f"sam's bucket is {name}")


_OF_STACKS = {
    "ROLLBACK_COMPLETE": "its first deployment failed: `sam delete`, then deploy again",
    "ROLLBACK_FAILED": "its first deployment failed and couldn't be undone: docs/deploy.md#remove-it-all, then deploy again",
    "CREATE_FAILED": "its first deployment failed: `sam delete`, then deploy again",
    "DELETE_FAILED": "its deletion failed: its events in CloudFormation say which resource; then `sam delete` again",
    "REVIEW_IN_PROGRESS": "a deployment was begun and never made: `sam delete`, then deploy again",
    "UPDATE_ROLLBACK_FAILED": "an update failed and couldn't be undone: `aws cloudformation continue-update-rollback`",
}


def stack(account: Account) -> Finding:
    """Whether there is a stack of this name, and whether it takes a deployment."""
    found = account.stack_of(account.stack)
    if found is None:
        return Finding(Verdict.OK, f"there is no stack {account.stack} yet: `sam deploy --guided` makes it")
    status = found["StackStatus"]
    if status in _OF_STACKS:
        return Finding(Verdict.WRONG, f"the stack {account.stack} is in {status}: {_OF_STACKS[status]}")
    if status.endswith("_IN_PROGRESS"):
        return Finding(Verdict.WRONG, f"the stack {account.stack} is in {status}: wait until it has ended")
    if status == "UPDATE_ROLLBACK_COMPLETE":
        return Finding(
            Verdict.ADVICE, f"the last deployment of {account.stack} failed and was undone: its events in CloudFormation say why"
        )
    return Finding(Verdict.OK, f"the stack {account.stack} is in {status}")


def layers(account: Account) -> Finding:
    """Whether the layers of the build fit into a function."""
    try:
        return Finding(Verdict.OK, sizes.check(ROOT / ".aws-sam" / "build").removesuffix("."))
    except LayerError as error:
        without = account.parameters["Encoder"] == "none"
        return Finding(Verdict.WRONG, f"{error} (`make build{' ENCODER=none' if without else ''}`)")


def template(account: Account) -> Finding:
    """Whether cfn-lint finds a fault in the template or in the definitions of its workflows."""
    region = str(account.session.region_name)
    command = ["sam", "validate", "--lint", "--region", region, "--template-file", str(ROOT / "template.yaml")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own template
        faults = definitions.faults(ROOT / "template.yaml")
    except (OSError, definitions.DefinitionsError) as error:
        return Finding(Verdict.UNKNOWN, f"could not be checked: {error}")
    if done.returncode:
        faults = [*(done.stdout + done.stderr).strip().splitlines()[-5:], *faults]
    if faults:
        return Finding(Verdict.WRONG, f"cfn-lint refuses template.yaml: {'; '.join(faults)}")
    return Finding(Verdict.OK, f"cfn-lint passes template.yaml for {region}, and the definitions of its workflows")


CHECKS: dict[str, Callable[[Account], Finding]] = {
    "concurrency": concurrency,
    "quota": quota,
    "roles": roles,
    "gateway": gateway,
    "sam's bucket": sam_bucket,
    "stack": stack,
    "layers": layers,
    "template": template,
}


def examine(check: Callable[[Account], Finding], account: Account) -> Finding:
    """The finding of a check, also where AWS refuses to say."""
    try:
        return check(account)
    except ClientError as error:
        if error.response["Error"]["Code"] in _DENIED:
            return Finding(Verdict.UNKNOWN, f"could not be checked: these credentials have no right to {error.operation_name}")
        return Finding(Verdict.UNKNOWN, f"could not be checked: {error}")
    except BotoCoreError as error:
        return Finding(Verdict.UNKNOWN, f"could not be checked: {error}")


def identity(session: boto3.Session) -> str:
    """Who these credentials are. DoctorError if there are none, AWS refuses them, or there is no Region."""
    try:
        caller = session.client("sts").get_caller_identity()
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise DoctorError("there are no AWS credentials: run `aws configure`, or set AWS_PROFILE") from error
    except (ClientError, BotoCoreError) as error:
        raise DoctorError(f"AWS doesn't take these credentials: log in again, or set AWS_PROFILE ({error})") from error
    if session.region_name is None:
        raise DoctorError("there is no Region: set AWS_DEFAULT_REGION, such as eu-central-1")
    return f"account {caller['Account']}, as {caller['Arn']}"


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each check. 1 if something is wrong, or nothing can be checked."""
    parser = argparse.ArgumentParser(prog="make doctor", description=__doc__)
    parser.add_argument("--stack")
    given = parser.parse_args(arguments)
    try:
        settings = sam_settings(ROOT / "samconfig.toml")
        # As `sam deploy` does: samconfig.toml comes before the environment.
        session = boto3.Session(region_name=settings.get("region"), profile_name=settings.get("profile"))
        _show("credentials", Finding(Verdict.OK, identity(session)))
    except (DoctorError, BotoCoreError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    _show("region", Finding(Verdict.OK, f"{session.region_name}, from {'samconfig.toml' if 'region' in settings else 'the environment'}"))
    account = Account(session, given.stack or settings.get("stack_name", "winnow"), settings)
    findings = [_show(name, examine(check, account)) for name, check in CHECKS.items()]
    wrong = sum(finding.verdict is Verdict.WRONG for finding in findings)
    unknown = sum(finding.verdict is Verdict.UNKNOWN for finding in findings)
    if unknown:
        print(f"winnow: {unknown} checks could not be made", file=sys.stderr)
    if wrong:
        print(f"winnow: {wrong} of these must be mended before `sam deploy`", file=sys.stderr)
    return 1 if wrong else 0


def _show(name: str, finding: Finding) -> Finding:
    print(f"  {finding.verdict:<7} {name:<13} {finding.sentence}", flush=True)
    return finding


if __name__ == "__main__":
    sys.exit(main())
