"""Permissions: docs/permissions.md lists every statement of template.yaml, and none is for everything. (test_rights.py holds them against
the code.)"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support import permissions
from tests.support.contract import template
from tests.support.permissions import Grant, grants
from winnow.registry import table as rows

# The upper limit of all roles. It grants nothing.
EVERYTHING = {"Boundary"}


def test_each_statement_is_in_the_document_and_the_reverse() -> None:
    written = permissions.DOCUMENT.read_text(encoding="utf-8")
    assert written.endswith(permissions.table() + "\n"), "make it again: python -m tests.support.permissions"


@pytest.mark.parametrize(
    "grant", [each for each in grants() if each.owner not in EVERYTHING], ids=lambda each: f"{each.owner}-{each.actions[0]}"
)
def test_no_statement_is_for_all_actions_or_all_resources(grant: Grant) -> None:
    assert grant.effect == "Allow"
    assert not [action for action in grant.actions if "*" in action]
    if all(action.startswith("xray:") for action in grant.actions):
        # X-Ray allows nothing narrower: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
        assert (grant.resources, grant.condition) == (("*",), "Traces")
        return
    # A star comes only after a name: the objects of a bucket, the executions of a workflow.
    assert not [each for each in grant.resources if each == "*" or each.startswith("*") or re.match(r"arn:[^:]*:s3:::\*", each)]


def test_whoever_reads_a_bucket_of_others_may_use_its_keys_and_nobody_else() -> None:
    def owners(wanted: str) -> set[tuple[str, str]]:
        return {(grant.owner, grant.condition) for grant in grants() if any(wanted in each for each in grant.resources)}

    readers = owners("${DatasetBuckets}") | owners("${EncoderBucket}")
    assert owners("BucketKeys") == {(owner, f"{condition} and HasBucketKeys") for owner, condition in readers}
    assert {grant.actions for grant in grants() if grant.resources == ("BucketKeys",)} == {("kms:Decrypt",)}
    assert {grant.where for grant in grants() if grant.resources == ("BucketKeys",)} == {"kms:ViaService StringLike s3.*.${URLSuffix}"}


def test_the_boundary_is_above_every_role_and_keeps_off_the_buckets_of_strangers() -> None:
    assert template()["Globals"]["Function"]["PermissionsBoundary"] == {"Ref": "Boundary"}
    functions_and_workflows = [it for it in template()["Resources"].values() if it["Type"].startswith("AWS::Serverless::")]
    for it in functions_and_workflows:
        if it["Type"] == "AWS::Serverless::StateMachine":
            assert it["Properties"]["PermissionsBoundary"] == {"Ref": "Boundary"}
    [_, of_strangers, of_keys] = [grant for grant in grants() if grant.owner == "Boundary"]
    assert (of_strangers.effect, of_strangers.actions, of_strangers.resources) == ("Deny", ("s3:*",), ("*",))
    assert of_strangers.where == "aws:ResourceAccount StringNotEquals AWS::AccountId, BucketOwners"
    # No function can give a role to a key.
    assert (of_keys.effect, of_keys.resources) == ("Deny", ("Registry",))
    assert {"dynamodb:PutItem", "dynamodb:UpdateItem"} < set(of_keys.actions)
    assert of_keys.where == f"dynamodb:LeadingKeys ForAnyValue:StringEquals {rows.ROLES}"


def buckets() -> dict[str, dict[str, Any]]:
    return {name: it["Properties"] for name, it in template()["Resources"].items() if it["Type"] == "AWS::S3::Bucket"}


@pytest.mark.parametrize("bucket", buckets())
def test_a_bucket_is_private_and_its_own_and_asked_over_tls_alone(bucket: str) -> None:
    assert set(buckets()[bucket]["PublicAccessBlockConfiguration"].values()) == {True}
    assert buckets()[bucket]["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    [policy] = [
        it["Properties"]["PolicyDocument"]["Statement"]
        for it in template()["Resources"].values()
        if it["Type"] == "AWS::S3::BucketPolicy" and it["Properties"]["Bucket"] == {"Ref": bucket}
    ]
    arn = {"GetAtt": f"{bucket}.Arn"}
    assert policy == [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, {"Sub": f"${{{bucket}.Arn}}/*"}],
            "Condition": {"Bool": {"aws:SecureTransport": False}},
        }
    ]


def test_a_key_of_one_s_own_encrypts_all_that_is_kept() -> None:
    by_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "KmsKey"}}
    for properties in buckets().values():
        [rule] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"If": ["HasKmsKey", by_key, {"SSEAlgorithm": "AES256"}]}
    table = template()["Resources"]["Registry"]["Properties"]["SSESpecification"]
    assert table["If"][:2] == ["HasKmsKey", {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "KmsKey"}}]
