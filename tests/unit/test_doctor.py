"""`make doctor`, over moto. What moto lacks is answered here as AWS documents it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from operations import doctor
from operations.doctor import Account, Verdict
from operations.settings import OperationError, Settings

REGION = "eu-central-1"
type Answers = Callable[[str, Any], None]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    for name, value in {"AWS_ACCESS_KEY_ID": "fake", "AWS_SECRET_ACCESS_KEY": "fake", "AWS_DEFAULT_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield boto3.Session()


@pytest.fixture
def answers(session: boto3.Session) -> Answers:
    """answers(CALL, ANSWER): what AWS answers to a call, such as lambda.GetAccountSettings: a body, or an error's code or exception."""

    def answer(call: str, given: Any) -> None:
        def respond(**_: Any) -> Any:
            if isinstance(given, Exception):
                raise given
            refused = isinstance(given, str)
            body = {"Error": {"Code": given, "Message": f"{given} it is"}} if refused else given
            return SimpleNamespace(status_code=HTTPStatus.FORBIDDEN if refused else HTTPStatus.OK), body

        # botocore takes what a hook returns for the answer; its stubs don't say so.
        hook: Any = respond
        session.events.register_first(f"before-call.{call}", hook)

    return answer


def account(session: boto3.Session, **parameters: str) -> Account:
    return Account(session, Settings("default", "winnow", parameters=parameters))


def limits(concurrent: int, unreserved: int | None = None) -> dict[str, Any]:
    return {"AccountLimit": {"ConcurrentExecutions": concurrent, "UnreservedConcurrentExecutions": unreserved or concurrent}}


def make_stack(session: boto3.Session, name: str, outputs: Mapping[str, str] | None = None, **parameters: str) -> None:
    body = {
        "Parameters": {each: {"Type": "String"} for each in parameters},
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {each: {"Value": value} for each, value in (outputs or {}).items()},
    }
    given: Any = [{"ParameterKey": each, "ParameterValue": value} for each, value in parameters.items()]
    session.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(body), Parameters=given)


# --- concurrency and quotas ---


def test_a_new_account_s_ten_lambdas_are_too_few_and_it_says_what_to_set(session: boto3.Session, answers: Answers) -> None:
    answers("lambda.GetAccountSettings", limits(10))
    found = doctor.concurrency(account(session, MostTrainings="5", BatchConcurrency="5"))
    assert found.verdict is Verdict.ADVICE
    assert "10 Lambdas at once for the whole account" in found.sentence
    assert "MostTrainings=2 MostBatches=1 BatchConcurrency=2" in found.sentence
    # And that is enough. It is the default.
    assert doctor.concurrency(account(session)).verdict is Verdict.OK
    assert doctor.concurrency(account(session, MostBatches="2")).verdict is Verdict.ADVICE


def test_what_is_deployed_counts_before_the_template_s_defaults_and_samconfig_before_both(session: boto3.Session, answers: Answers) -> None:
    answers("lambda.GetAccountSettings", limits(1000))
    make_stack(session, "winnow", MostTrainings="700")
    assert doctor.concurrency(account(session)).verdict is Verdict.ADVICE
    assert doctor.concurrency(account(session, MostTrainings="7")).verdict is Verdict.OK


def test_a_reservation_that_lambda_would_refuse_is_wrong(session: boto3.Session, answers: Answers) -> None:
    answers("lambda.GetAccountSettings", limits(110))
    found = doctor.concurrency(account(session, PredictConcurrency="20"))
    assert found.verdict is Verdict.WRONG
    assert "PredictConcurrency" in found.sentence
    assert "100 must stay so" in found.sentence


def test_more_lambdas_that_were_asked_for_are_named(session: boto3.Session, answers: Answers) -> None:
    answers("service-quotas.GetServiceQuota", {"Quota": {"Value": 10.0}})
    answers(
        "service-quotas.ListRequestedServiceQuotaChangeHistoryByQuota",
        {"RequestedQuotas": [{"DesiredValue": 1000.0, "Status": "PENDING"}, {"DesiredValue": 50.0, "Status": "DENIED"}]},
    )
    assert doctor.quota(account(session)).sentence == "Service Quotas has 10 concurrent Lambdas; asked for: 1,000"


@pytest.mark.parametrize(("taken", "verdict"), [(10, Verdict.OK), (990, Verdict.WRONG)])
def test_there_must_be_room_for_a_role_of_each_function(session: boto3.Session, answers: Answers, taken: int, verdict: Verdict) -> None:
    answers("iam.GetAccountSummary", {"SummaryMap": {"Roles": taken, "RolesQuota": 1000}})
    found = doctor.roles(account(session))
    assert (found.verdict, str(1000 - taken) in found.sentence) == (verdict, True)


@pytest.mark.parametrize(
    ("gateway", "logs", "expected"),
    [
        ({"throttleSettings": {"rateLimit": 10000.0}}, "false", (Verdict.OK, "10,000 requests")),
        ({"throttleSettings": {"rateLimit": 20.0}}, "false", (Verdict.ADVICE, "20 requests")),
        ({"throttleSettings": {"rateLimit": 10000.0}}, "true", (Verdict.WRONG, "operations.md")),
        ({"throttleSettings": {"rateLimit": 10000.0}, "cloudwatchRoleArn": "arn:r"}, "true", (Verdict.OK, "10,000 requests")),
    ],
)
def test_api_gateway_s_rate_and_its_role_for_logs(
    session: boto3.Session, answers: Answers, gateway: Any, logs: str, expected: tuple[Verdict, str]
) -> None:
    answers("apigateway.GetAccount", gateway)
    found = doctor.gateway(account(session, AccessLogs=logs))
    assert (found.verdict, expected[1] in found.sentence) == (expected[0], True)


# --- stacks ---


def test_a_bucket_of_sam_is_made_found_or_gone(session: boto3.Session) -> None:
    assert "makes its bucket" in doctor.sam_bucket(account(session)).sentence
    make_stack(session, "aws-sam-cli-managed-default", {"SourceBucket": "of-sam"})
    gone = doctor.sam_bucket(account(session))
    assert gone.verdict is Verdict.WRONG
    assert "delete the stack aws-sam-cli-managed-default" in gone.sentence
    session.client("s3").create_bucket(Bucket="of-sam", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    assert doctor.sam_bucket(account(session)).sentence == "sam's bucket is of-sam"


def test_a_stack_is_absent_or_ready(session: boto3.Session) -> None:
    assert "make deploy" in doctor.stack(account(session)).sentence
    make_stack(session, "winnow")
    assert doctor.stack(account(session)).sentence == "the stack winnow is in CREATE_COMPLETE"


@pytest.mark.parametrize(
    ("status", "verdict", "says"),
    [
        ("ROLLBACK_COMPLETE", Verdict.WRONG, "sam delete"),
        ("ROLLBACK_FAILED", Verdict.WRONG, "remove-it-all"),
        ("REVIEW_IN_PROGRESS", Verdict.WRONG, "never made"),
        ("UPDATE_IN_PROGRESS", Verdict.WRONG, "wait"),
        ("UPDATE_ROLLBACK_FAILED", Verdict.WRONG, "continue-update-rollback"),
        ("UPDATE_ROLLBACK_COMPLETE", Verdict.ADVICE, "undone"),
        ("UPDATE_COMPLETE", Verdict.OK, "UPDATE_COMPLETE"),
    ],
)
def test_each_state_of_a_stack_says_what_to_do(session: boto3.Session, answers: Answers, status: str, verdict: Verdict, says: str) -> None:
    answers("cloudformation.DescribeStacks", {"Stacks": [{"StackName": "winnow", "StackStatus": status}]})
    found = doctor.stack(account(session))
    assert (found.verdict, says in found.sentence) == (verdict, True)


# --- the parameters ---


def test_a_new_stack_changes_none(session: boto3.Session) -> None:
    found = doctor.parameters(account(session, Authorizer="AWS_IAM"))
    assert (found.verdict, found.sentence) == (Verdict.OK, "1 are set in samconfig.toml")


def test_values_that_samconfig_would_put_back_are_said_the_guarded_ones_first_and_loudly(session: boto3.Session) -> None:
    make_stack(session, "winnow", Authorizer="AWS_IAM", BatchDays="7", CorsOrigin="https://app.example.org", LogDays="30")
    found = doctor.parameters(account(session, Authorizer="KeyRoles", BatchDays="30", CorsOrigin="", LogDays="30"))
    assert found.verdict is Verdict.ADVICE
    assert found.sentence == (
        "a deployment changes CAUTION Authorizer from AWS_IAM to KeyRoles, CAUTION CorsOrigin from https://app.example.org to nothing,"
        " BatchDays from 7 to 30"
    )


def test_a_parameter_that_the_stack_has_not_yet_changes_from_its_default(session: boto3.Session) -> None:
    make_stack(session, "winnow", LogDays="30")
    assert "CAUTION VpcEndpoints from nothing to vpce-1" in doctor.parameters(account(session, VpcEndpoints="vpce-1")).sentence
    assert doctor.parameters(account(session, VpcEndpoints="")).verdict is Verdict.OK


def test_what_sam_keeps_without_samconfig_and_what_it_ignores_is_said(session: boto3.Session) -> None:
    make_stack(session, "winnow", LogDays="7", PredictCanary="true", Tracing="Disabled")
    found = doctor.parameters(account(session, Authoriser="AWS_IAM"))
    assert found.verdict is Verdict.ADVICE
    assert found.sentence == (
        "it keeps what samconfig.toml doesn't set: LogDays=7; sam ignores what template.yaml doesn't have: Authoriser"
    )


# --- the build and the template ---


def test_layers_that_were_not_built_are_wrong_and_it_names_the_command(
    session: boto3.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "template.yaml").write_bytes((doctor.ROOT / "template.yaml").read_bytes())
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    assert "`make build`" in doctor.layers(account(session)).sentence
    assert "`make build ENCODER=none`" in doctor.layers(account(session, Encoder="none")).sentence
    layer = tmp_path / ".aws-sam" / "build" / "SpacyLayer" / "python"
    layer.mkdir(parents=True)
    (layer / "module.py").write_bytes(b"x" * 3_000_000)
    assert doctor.layers(account(session)).verdict is Verdict.OK
    # The beginning of a shared object for x86_64.
    (layer / "module.so").write_bytes(b"\x7fELF\x02\x01".ljust(18, b"\0") + (62).to_bytes(2, "little") + bytes(44))
    wrong = doctor.layers(account(session))
    assert (wrong.verdict, "built for x86_64, and Architecture is arm64" in wrong.sentence) == (Verdict.WRONG, True)
    assert doctor.layers(account(session, Architecture="x86_64")).verdict is Verdict.OK


@pytest.mark.parametrize("faults", [[], ["States/A/Next: nowhere"]])
def test_a_template_that_cfn_lint_refuses_is_wrong(session: boto3.Session, monkeypatch: pytest.MonkeyPatch, faults: list[str]) -> None:
    # cfn-lint itself: tests/contract/test_workflows.py.
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=0, stdout="", stderr=""))
    monkeypatch.setattr("operations.definitions.faults", lambda _: faults)
    found = doctor.template(account(session))
    assert found.verdict is (Verdict.WRONG if faults else Verdict.OK)
    assert all(fault in found.sentence for fault in faults)


# --- what can't be checked ---

REFUSABLE = {
    "lambda.GetAccountSettings": doctor.concurrency,
    "service-quotas.GetServiceQuota": doctor.quota,
    "iam.GetAccountSummary": doctor.roles,
    "apigateway.GetAccount": doctor.gateway,
    "cloudformation.DescribeStacks": doctor.stack,
}


@pytest.mark.parametrize(("call", "check"), REFUSABLE.items())
@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
def test_a_check_without_its_right_is_unknown_and_names_the_right(
    session: boto3.Session, answers: Answers, call: str, check: Any, code: str
) -> None:
    answers(call, code)
    found = doctor.examine(check, account(session))
    assert found == doctor.Finding(Verdict.UNKNOWN, f"could not be checked: these credentials have no right to {call.partition('.')[2]}")


def test_a_service_that_does_not_answer_is_unknown_too(session: boto3.Session, answers: Answers) -> None:
    answers("apigateway.GetAccount", EndpointConnectionError(endpoint_url="https://apigateway"))
    found = doctor.examine(doctor.gateway, account(session))
    assert found.verdict is Verdict.UNKNOWN
    assert "could not be checked: Could not connect" in found.sentence


# --- the command ---


@pytest.fixture
def healthy(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks that find nothing, in the place of the real ones."""
    monkeypatch.setattr(doctor, "CHECKS", {"one": lambda _: doctor.Finding(Verdict.OK, "fine")})


@pytest.mark.usefixtures("healthy", "session")
def test_it_says_whose_credentials_and_which_region(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main([]) == 0
    told = capsys.readouterr().out
    assert "account 123456789012, as arn:aws:" in told
    assert f"{REGION}, from the environment" in told
    assert "ok      one           fine" in told


@pytest.mark.usefixtures("healthy", "session")
@pytest.mark.parametrize(("verdict", "status"), [(Verdict.WRONG, 1), (Verdict.UNKNOWN, 0), (Verdict.ADVICE, 0)])
def test_only_what_is_wrong_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verdict: Verdict, status: int
) -> None:
    monkeypatch.setitem(doctor.CHECKS, "two", lambda _: doctor.Finding(verdict, "fix it"))
    assert doctor.main([]) == status
    assert f"{verdict:<7} two           fix it" in capsys.readouterr().out


def test_without_credentials_it_is_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_CONFIG_FILE": str(tmp_path),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path),
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert doctor.main([]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "winnow: there are no AWS credentials: run `aws configure`, or set AWS_PROFILE\n")


def test_credentials_that_have_expired_are_a_sentence(session: boto3.Session, answers: Answers) -> None:
    answers("sts.GetCallerIdentity", "ExpiredToken")
    with pytest.raises(OperationError, match="AWS doesn't take these credentials: log in again"):
        doctor.identity(session)
