"""`make doctor`: whether this account, this build and this template are ready for `make deploy`, and what to set if not.

It only reads. docs/deploy.md lists the rights that it takes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from layers import sizes
from layers.trimming import LayerError
from operations import definitions, settings
from operations.settings import OperationError, Settings

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


class Account:
    """An account in a Region, and what is or will be deployed there, by these settings."""

    def __init__(self, session: boto3.Session, deploying: Settings) -> None:
        self.session = session
        self.stack = deploying.stack
        self.deploying = deploying

    def client(self, service: str) -> Any:
        return self.session.client(service)  # type: ignore[call-overload]

    def stack_of(self, name: str) -> dict[str, Any] | None:
        """The stack of this name; None if there is none."""
        return settings.described(name, self.client("cloudformation"))

    @cached_property
    def defaults(self) -> dict[str, str]:
        """The template's own values."""
        return {name: str(it["Default"]) for name, it in definitions.read(ROOT / "template.yaml")["Parameters"].items()}

    @cached_property
    def deployed(self) -> dict[str, str]:
        """The parameters of the stack, without those that the template no longer has. Empty if there is no stack."""
        found = (self.stack_of(self.stack) or {}).get("Parameters", [])
        return {it["ParameterKey"]: it["ParameterValue"] for it in found if it["ParameterKey"] in self.defaults}

    @cached_property
    def parameters(self) -> dict[str, str]:
        """What is deployed next: samconfig.toml's values, else those of the stack, which sam keeps, else the template's defaults."""
        return {**self.defaults, **self.deployed, **self.deploying.parameters}

    @property
    def changes(self) -> dict[str, tuple[str, str]]:
        """The parameters whose value a deployment would change: the values before and after. Nothing if there is no stack."""
        before = self.defaults | self.deployed if self.deployed else self.parameters
        return {name: (value, self.parameters[name]) for name, value in before.items() if value != self.parameters[name]}

    @property
    def changes_in_words(self) -> list[str]:
        """The guarded ones first."""
        ordered = sorted(self.changes.items(), key=lambda it: (it[0] not in GUARDED, it[0]))
        return [
            f"{'CAUTION ' if name in GUARDED else ''}{name} from {before or 'nothing'} to {after or 'nothing'}"
            for name, (before, after) in ordered
        ]


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
        f" set MostTrainings={each} MostBatches=1 BatchConcurrency={each} in samconfig.toml, and ask for more in Service Quotas (Lambda,"
        " Concurrent executions)",
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
        return Finding(Verdict.OK, f"there is no stack {account.stack} yet: `make deploy` makes it")
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


# A change of one of these could open the API or the data, lose them, or end predictions. So it is never made without a word.
_OPENS = ("Authorizer", "CorsOrigin", "VpcEndpoints", "DatasetBuckets", "BucketKeys", "BucketOwners")
_BREAKS = ("Architecture", "Encoder", "EncoderBucket", "EncoderLanguages", "KeepData", "KmsKey")
GUARDED = frozenset(_OPENS + _BREAKS)


def parameters(account: Account) -> Finding:
    """Which parameters of the stack a deployment would change, which it keeps without samconfig.toml, and which sam ignores."""
    set_there = account.deploying.parameters
    kept = {name: value for name, value in account.deployed.items() if value != account.defaults[name] and name not in set_there}
    found = {
        "a deployment changes": account.changes_in_words,
        "it keeps what samconfig.toml doesn't set:": [f"{name}={value}" for name, value in kept.items()],
        "sam ignores what template.yaml doesn't have:": sorted(set_there.keys() - account.defaults.keys()),
    }
    if sentences := [f"{what} {', '.join(names)}" for what, names in found.items() if names]:
        return Finding(Verdict.ADVICE, "; ".join(sentences))
    return Finding(Verdict.OK, "a deployment changes none" if account.deployed else f"{len(set_there)} are set in samconfig.toml")


def layers(account: Account) -> Finding:
    """Whether the layers of the build fit into a function, and were built for the processor that the parameters say."""
    build, wanted = ROOT / ".aws-sam" / "build", account.parameters["Architecture"]
    try:
        fit, built = sizes.check(build).removesuffix("."), sizes.architecture(build)
        if built not in {None, wanted}:
            return Finding(
                Verdict.WRONG,
                f"the layers were built for {built}, and Architecture is {wanted}: `make build ARCHITECTURE={wanted}`,"
                f" or Architecture={built} in samconfig.toml",
            )
        return Finding(Verdict.OK, fit)
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
    "parameters": parameters,
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
    """Who these credentials are. OperationError if there are none, or AWS refuses them."""
    try:
        caller = session.client("sts").get_caller_identity()
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise OperationError("there are no AWS credentials: run `aws configure`, or set AWS_PROFILE") from error
    except (ClientError, BotoCoreError) as error:
        raise OperationError(f"AWS doesn't take these credentials: log in again, or set AWS_PROFILE ({error})") from error
    return f"account {caller['Account']}, as {caller['Arn']}"


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each check. 1 if something is wrong, or nothing can be checked."""
    parser = argparse.ArgumentParser(prog="make doctor", description=__doc__)
    parser.add_argument("--stack")
    given = parser.parse_args(arguments)
    try:
        deploying = settings.of_stack(given.stack)
        session = deploying.session()
        _show("credentials", Finding(Verdict.OK, identity(session)))
    except (OperationError, BotoCoreError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    _show("region", Finding(Verdict.OK, f"{session.region_name}, from {'samconfig.toml' if deploying.region else 'the environment'}"))
    account = Account(session, deploying)
    findings = [_show(name, examine(check, account)) for name, check in CHECKS.items()]
    wrong = sum(finding.verdict is Verdict.WRONG for finding in findings)
    unknown = sum(finding.verdict is Verdict.UNKNOWN for finding in findings)
    if unknown:
        print(f"winnow: {unknown} checks could not be made", file=sys.stderr)
    if wrong:
        print(f"winnow: {wrong} of these must be fixed before `make deploy`", file=sys.stderr)
    return 1 if wrong else 0


def _show(name: str, finding: Finding) -> Finding:
    print(f"  {finding.verdict:<7} {name:<13} {finding.sentence}", flush=True)
    return finding


if __name__ == "__main__":
    sys.exit(main())
