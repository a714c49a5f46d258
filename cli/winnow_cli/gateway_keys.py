"""The keys of a deployment, as AWS lists them. Needs the extra winnow-cli[aws], and credentials that may read the stack and API Gateway."""

from __future__ import annotations

from typing import Any

from winnow_cli.failures import CommandError, UsageError

# The output of the stack that names the usage plan of each role.
_PLANS = {"classify": "ClassifyPlan", "predict": "PredictPlan", "admin": "AdminPlan"}


def listed(stack: str) -> list[dict[str, Any]]:
    """Name, role, id and creation time of each key, sorted by name.

    UsageError without boto3 or credentials, CommandError if the stack is not there or may not be read.
    """
    try:
        import boto3  # noqa: PLC0415 # of the extra
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError  # noqa: PLC0415
    except ImportError as error:
        raise UsageError("The keys are listed by AWS: install winnow-cli[aws] (`pip install ./client './cli[aws]'`).") from error
    try:
        [found] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
        gateway = boto3.client("apigateway")
        keys = [
            _described(stack, role, gateway.get_api_key(apiKey=key["id"]))
            for role, plan in _PLANS.items()
            if plan in outputs
            for page in gateway.get_paginator("get_usage_plan_keys").paginate(usagePlanId=outputs[plan])
            for key in page["items"]
        ]
    except (NoCredentialsError, NoRegionError) as error:
        raise UsageError(f"AWS can't be asked: {error} Set AWS_PROFILE, or AWS_DEFAULT_REGION and credentials.") from error
    except (ClientError, BotoCoreError) as error:
        raise CommandError(f"AWS can't list the keys of the stack {stack} (--stack NAME): {error}") from error
    return sorted(keys, key=lambda each: each["name"])


def _described(stack: str, role: str, key: Any) -> dict[str, Any]:
    # Names begin with the stack's name and a dot.
    name = key["name"].removeprefix(f"{stack}.")
    return {"name": name, "role": role, "key_id": key["id"], "enabled": key["enabled"], "created_at": key["createdDate"].isoformat()}
