"""Each role against the code: no call to AWS without a permission, and no permission without a call.

The calls are read from the source (tests/support/aws_calls.py), the permissions from a deployment of the template with every parameter
that adds some. tests/support/enforced.py and the end-to-end tests show the rest: that the keys of objects and rows fit the statements.
Costs 5 seconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.aws_calls import AwsCall, Reached, actions_of, reach, reach_of, untyped
from tests.support.contract import definition, functions
from tests.support.translated import deployment

KEY = "arn:aws:kms:us-east-1:123456789012:key/of-ours"
PARAMETERS = {"KmsKey": KEY, "EncoderBucket": "EncoderBucket", "DatasetBuckets": "DatasetBuckets", "Tracing": "Active", "Inbox": "true"}
WORKFLOWS = {"winnow.aws.resources.training_workflow": "TrainingWorkflow", "winnow.aws.resources.batch_workflow": "BatchWorkflow"}
# The modules that call other functions, and which.
INVOKES = {
    "winnow.training.dry_run": "ReportDataset",
    "winnow.versions.evaluations": "MeasureVersion",
    "winnow.upkeep.drift": "MeasureDrift",
    "winnow.forgetting.requests": "WorkOnForgetting",
}
PLANS = ("ClassifyPlan", "PredictPlan", "AdminPlan")
BUCKETS = ("Models", "Datasets", "DatasetBuckets", "EncoderBucket")
# What statements are about. (`execution:NAME` stands for a workflow too.)
TARGETS = ("Registry", *BUCKETS, *WORKFLOWS.values(), *PLANS, *INVOKES.values(), "event-bus", KEY)

# Without s3:ListBucket S3 answers 403 to these where an object is absent, and not 404.
EXPECTS_ABSENCE = {
    *("winnow.storage.bucket.Bucket.find", "winnow.storage.bucket.Bucket.link", "winnow.storage.uploads.Datasets.open"),
    *("winnow.storage.dropped_files.DroppedFiles._metadata", "winnow.storage.dropped_files.DroppedFiles.deliver"),
}
# The modules that remove objects, and of which bucket.
REMOVES = {"uploads": "Datasets", "every_version": "Datasets", "dropped_files": "Datasets"} | dict.fromkeys(
    ("model_objects", "candidates", "feedback_objects", "batch_objects", "forgetting_objects"), "Models"
)
# S3 asks for the key when it reads and writes objects, and not for lists and deletions. DynamoDB always does.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
WITHOUT_KEY = {"s3:ListBucket", "s3:ListBucketVersions", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"}
USE_OF_KEY = {f"kms:{name}" for name in ("Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "DescribeKey")}

# SAM's own, for traces and logs and for reading the stream: docs/permissions.md names them.
MANAGED = {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess", "AWSLambdaDynamoDBExecutionRole"}

type Right = tuple[str, str]


@cache
def stack() -> dict[str, Any]:
    return deployment(PARAMETERS)


def granted(owner: str) -> set[Right]:
    """What the role of a function or workflow may do, and with what."""
    role = stack()[f"{owner}Role"]["Properties"]
    attached = [
        it["Properties"]
        for it in stack().values()
        if it["Type"] == "AWS::IAM::Policy" and {"Ref": f"{owner}Role"} in it["Properties"]["Roles"]
    ]
    return {
        (action, target)
        for policy in (*role.get("Policies", []), *attached)
        for statement in _list(policy["PolicyDocument"]["Statement"])
        for action in _list(statement["Action"])
        # Traces have no ARNs: tests/contract/test_operations.py. Lambda itself sends failed events to a queue.
        if not action.startswith(("xray:", "sqs:"))
        for resource in _list(statement["Resource"])
        for target in _targets(resource)
    }


def _targets(resource: Any) -> set[str]:
    """What of the template a resource of a statement is, or is in."""
    written = json.dumps(resource)
    found = {name for name in (*TARGETS, *functions()) if re.search(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])", written)}
    assert found, f"{written} is of nothing known"
    return found


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def needed_by_function(found: Reached) -> set[Right]:
    """What the code needs."""
    rights = {right for call in found.calls for right in _of_call(call, {str(other) for other in found.others})}
    return rights | _for_the_key(rights)


def _of_call(call: AwsCall, reached: set[str]) -> Iterator[Right]:
    actions = actions_of(call.service, call.operation) | ({"s3:ListBucket"} if call.where in EXPECTS_ABSENCE else set())
    match call.service:
        case "dynamodb":
            targets = {"Registry"}
        case "s3":
            targets = _buckets(call.where, reached)
        case "stepfunctions":
            targets = {name for factory, name in WORKFLOWS.items() if factory in reached}
        case "lambda":
            targets = {INVOKES[call.where.rpartition(".")[0]]}
        case "apigateway":
            targets = set(PLANS)
        case _:
            targets = {"event-bus"}
    yield from ((action, target) for action in actions for target in targets)
    if call.where == "winnow.storage.every_version.EveryVersion.stream":
        # It names the S3 version.
        yield from (("s3:GetObjectVersion", target) for target in targets)
    if call.where == "winnow.storage.dropped_files.DroppedFiles._is_of":
        # The same.
        yield "s3:GetObjectVersion", "Datasets"
    if call.where == "winnow.storage.dropped_files.DroppedFiles.deliver":
        # It copies from the other bucket.
        yield from (("s3:GetObject", "Models"), ("s3:ListBucket", "Models"))
    if call.where == "winnow.storage.uploads.Datasets.open":
        # Of the other buckets a stranger's answer is the same for an absent object and a forbidden one.
        yield "s3:GetObject", "DatasetBuckets"


def _buckets(where: str, reached: set[str]) -> set[str]:
    if where.startswith("winnow.prediction.encoders."):
        return {"EncoderBucket"}
    if where.startswith("winnow.storage.removal."):
        return {bucket for module, bucket in REMOVES.items() if any(each.startswith(f"winnow.storage.{module}.") for each in reached)}
    if where.startswith(("winnow.aws.health.", "winnow.storage.every_version.")):
        return {"Datasets", "Models"}
    return {"Datasets" if where.startswith(("winnow.storage.uploads.", "winnow.storage.dropped_files.")) else "Models"}


def _for_the_key(rights: set[Right]) -> set[Right]:
    encrypted = {"Registry", "Models", "Datasets"}
    uses = any(target in encrypted and action not in WITHOUT_KEY for action, target in rights)
    return {(action, KEY) for action in USE_OF_KEY} if uses else set()


@pytest.mark.parametrize("function", functions())
def test_a_function_may_do_what_its_code_does_and_nothing_else(function: str) -> None:
    needed, given = needed_by_function(reach(function)), granted(function)
    assert not needed - given, "calls without a permission: add it to the function's Policies"
    assert not given - needed, "permissions without a call: take them out of the function's Policies"


@pytest.mark.parametrize("function", functions())
def test_the_code_takes_what_calls_aws_only_from_objects_of_known_type(function: str) -> None:
    assert not untyped(function), "annotate these objects, so that tests/support/aws_calls.py can follow the call"


def test_a_call_is_found_wherever_the_code_hides_it(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(
        """
from functools import partial
from winnow.aws import clients, resources
from winnow.storage.bucket import Bucket

def handler(event, context):
    bucket: Bucket = event["bucket"]
    for table in [clients.registry_table()]:
        table.scan()
    return [partial(resources.models().find, "passed on"), lambda: bucket.s3.get_paginator("list_parts"), _sign]

def _sign():
    clients.s3().generate_presigned_url("delete_object")
    clients.lambda_().invoke()
""",
        encoding="utf-8",
    )
    found = {(call.service, call.operation) for call in reach_of(app).calls}
    assert found == {*(("dynamodb", "Scan"), ("dynamodb", "GetItem"), ("s3", "ListParts"), ("s3", "DeleteObject"), ("lambda", "Invoke"))}


@pytest.mark.parametrize("workflow", WORKFLOWS.values())
def test_a_workflow_may_do_what_its_states_do_and_nothing_else(workflow: str) -> None:
    assert granted(workflow) == set(needed_by_workflow(workflow))


def needed_by_workflow(workflow: str) -> Iterator[Right]:
    def states(machine: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        for state in machine["States"].values():
            yield state
            yield from states(state["ItemProcessor"]) if state["Type"] == "Map" else ()

    for state in states(definition(workflow)):
        # The right to start containers comes with them: test_large_trainings.py.
        if state["Type"] == "Task" and "GetAtt" in state["Resource"]:
            yield "lambda:InvokeFunction", state["Resource"]["GetAtt"].removesuffix(".Arn")
        if "ItemReader" in state:
            assert state["ItemReader"]["Resource"]["Sub"].endswith(":s3:getObject")
            yield "s3:GetObject", "Models"
            yield from ((action, KEY) for action in USE_OF_KEY)
        if state["Type"] == "Map" and state["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED":
            # https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
            yield from ((f"states:{name}Execution", workflow) for name in ("Start", "Describe", "Stop"))


def test_sam_adds_policies_of_aws_for_logs_traces_and_the_stream_only() -> None:
    roles = {name: it["Properties"] for name, it in stack().items() if it["Type"] == "AWS::IAM::Role"}
    managed = {
        name: {json.dumps(arn).rpartition("/")[2].strip('"}]') for arn in it.get("ManagedPolicyArns", [])} for name, it in roles.items()
    }
    assert set().union(*managed.values()) == MANAGED
    assert {name for name, policies in managed.items() if "AWSLambdaDynamoDBExecutionRole" in policies} == {
        "AnnounceRole",
        "StartWaitingRole",
    }
