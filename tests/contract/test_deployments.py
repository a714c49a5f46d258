"""Other ways to deploy: a private API, stages, GitHub Actions, the Serverless Application Repository (docs/deployments.md)."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.doctor import GUARDED
from tests.support.contract import ROOT, template
from tests.support.translated import deployment, translated

ENDPOINTS = "vpce-0123456789abcdef0,vpce-0fedcba9876543210"
LIST = {"Fn::Split": [",", ENDPOINTS]}
EVERYTHING = {"SnapStart": "true", "AccessLogs": "true", "DeploymentPreference": "Canary10Percent10Minutes", "Tracing": "Active"}
ROLE = "operations/github/role.yaml"
WORKFLOW = ROOT / "operations" / "github" / "deploy.yml"
SAMCONFIG: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
STAGES = ("dev", "prod")


# --- a private API ---


def test_by_default_the_api_is_public_and_has_no_policy_of_its_own() -> None:
    assert template()["Parameters"]["VpcEndpoints"]["Default"] == ""
    # An empty policy would refuse everyone.
    assert "Policy" not in deployment()["Api"]["Properties"]


def test_a_private_api_answers_only_through_the_endpoints() -> None:
    api = deployment({"VpcEndpoints": ENDPOINTS})["Api"]["Properties"]
    assert api["EndpointConfiguration"] == {"Types": ["PRIVATE"], "VpcEndpointIds": LIST}
    # A private API without a policy refuses everyone: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-apis.html
    [statement] = api["Policy"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": "execute-api:/*",
        "Condition": {"StringEquals": {"aws:SourceVpce": LIST}},
    }


def test_a_private_api_still_asks_for_keys_and_roles() -> None:
    public, private = (translated(parameters)["Api"]["Properties"]["Body"] for parameters in ({}, {"VpcEndpoints": ENDPOINTS}))
    assert private == public


def test_a_private_api_is_refused_with_iam() -> None:
    # Within an account it is enough for IAM that the API's policy allows a call: every principal of the account could make it.
    [assertion] = template()["Rules"]["PrivateByKeys"]["Assertions"]
    without, keys = assertion["Assert"]["Or"]
    # Rules know no Fn::Join: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-rules.html
    assert without == {"Equals": [{"Ref": "VpcEndpoints"}, ""]}
    assert keys == {"Equals": [{"Ref": "Authorizer"}, "KeyRoles"]}


# --- stages ---


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_a_stack_of_its_own_with_parameters_that_there_are(stage: str) -> None:
    settings = SAMCONFIG[stage]
    assert settings["global"]["parameters"]["stack_name"] == f"winnow-{stage}"
    default, own = SAMCONFIG["default"]["deploy"]["parameters"], settings["deploy"]["parameters"]
    assert {name: own[name] for name in ("capabilities", "resolve_s3", "fail_on_empty_changeset")} == {
        name: default[name] for name in ("capabilities", "resolve_s3", "fail_on_empty_changeset")
    }
    for override in own["parameter_overrides"]:
        name, _, value = override.partition("=")
        declared = template()["Parameters"][name]
        assert value in map(str, declared["AllowedValues"]), override
    # The role of GitHub Actions may write there, and nowhere else.
    assert own["s3_prefix"] == f"winnow-{stage}"


def test_the_docs_set_parameters_in_samconfig_and_nowhere_else() -> None:
    # Other stacks, which have no section in samconfig.toml and no list of parameters there.
    others = {"docs/guides/17-webhook.md": "operations/webhook.yaml", "docs/deployments.md": "operations/github/role.yaml"}
    pages = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))}
    given = {page for page, text in pages.items() if "--parameter-overrides" in text}
    assert given == others.keys()
    for page, stack in others.items():
        assert len(re.findall(rf"{stack}\S* [^`]*--parameter-overrides", pages[page])) == pages[page].count("--parameter-overrides") == 1
    assert not [page for page, text in pages.items() if re.search(r"sam deploy --(guided|config-env|stack-name)", text)]
    section = pages["docs/deploy.md"].partition("## Set parameters")[2].partition("\n## ")[0]
    assert {name for name in re.findall(r"`([A-Z]\w+)`", section) if name in template()["Parameters"]} == GUARDED


def test_production_keeps_its_data_and_asks() -> None:
    assert "KeepData=true" in SAMCONFIG["prod"]["deploy"]["parameters"]["parameter_overrides"]
    assert SAMCONFIG["prod"]["deploy"]["parameters"]["confirm_changeset"] is True


# --- the first real account ---


def test_the_documented_edit_changes_all_limits_of_calls(tmp_path: Path) -> None:
    [edit] = re.findall("^(sed .*?) && ", (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8"), re.MULTILINE)
    edited = tmp_path / "template.yaml"
    edited.write_bytes((ROOT / "template.yaml").read_bytes())
    subprocess.run(["bash", "-c", edit], cwd=tmp_path, check=True)  # noqa: S607
    limits = re.findall(r"Throttling(?:Rate|Burst)Limit: [^,}]*", edited.read_text(encoding="utf-8"))
    assert len(limits) == 2 * len(template()["Resources"]["Api"]["Properties"]["MethodSettings"])
    assert {limit.partition(": ")[2] for limit in limits} == {"100"}


def test_the_documented_deployment_that_fails_has_a_section_that_sam_takes() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    [section] = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "[fails." in block]
    settings = section["fails"]["deploy"]["parameters"]
    assert settings["capabilities"] == SAMCONFIG["default"]["deploy"]["parameters"]["capabilities"]
    [override] = settings["parameter_overrides"]
    name, _, value = override.partition("=")
    # It passes the pattern of the parameter, so that the deployment begins.
    assert re.fullmatch(template()["Parameters"][name]["AllowedPattern"], value)


# --- GitHub Actions ---


def statements(role: str) -> Iterator[dict[str, Any]]:
    [policy] = template(ROLE)["Resources"][role]["Properties"]["Policies"]
    yield from policy["PolicyDocument"]["Statement"]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_only_jobs_of_the_repositorys_environment_get_the_role() -> None:
    [trust] = template(ROLE)["Resources"]["Deploy"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    issuer = "token.actions.githubusercontent.com"
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert trust["Condition"] == {
        "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": {"Sub": "repo:${Repository}:environment:${Environment}"}}
    }
    assert template(ROLE)["Resources"]["GitHub"]["Properties"]["Url"] == f"https://{issuer}"


def test_a_job_may_only_start_changes_of_its_stack() -> None:
    actions = {action for statement in statements("Deploy") for action in listed(statement["Action"])}
    assert {action.partition(":")[0] for action in actions} == {"cloudformation", "s3", "iam"}
    assert {action for action in actions if "*" in action or "Delete" in action} == {"cloudformation:DeleteChangeSet"}
    [passes] = [statement for statement in statements("Deploy") if statement["Action"] == "iam:PassRole"]
    assert passes["Resource"] == {"GetAtt": "Execution.Arn"}
    assert passes["Condition"] == {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}}


def test_cloudformation_may_make_everything_that_the_stack_has() -> None:
    kinds = {resource["Type"] for resource in deployment(EVERYTHING).values()}
    services = {kind.split("::")[1].lower() for kind in kinds if kind.startswith("AWS::")}
    prefixes = {"stepfunctions": "states"}
    allowed = {action.partition(":")[0] for statement in statements("Execution") for action in listed(statement["Action"])}
    assert {prefixes.get(service, service) for service in services} <= allowed


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        # What CloudWatch names where it refuses: https://github.com/aws-samples/amazon-cloudwatch-auto-alarms/issues/1
        ("cloudwatch:DescribeAlarms", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:*"),
        ("cloudwatch:PutMetricAlarm", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:winnow-AlarmPredictCanary-1AB"),
        # A version of Predict that isn't needed any more, by either reading of what is deleted.
        ("lambda:DeleteFunction", "arn:aws:lambda:us-east-1:123456789012:function:winnow-Predict-1AB"),
        ("lambda:DeleteFunction", "arn:aws:lambda:us-east-1:123456789012:function:winnow-Predict-1AB:3"),
    ],
)
def test_cloudformation_may_do_it_whichever_resource_aws_asks_about(action: str, resource: str) -> None:
    known = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "123456789012", "StackName": "winnow"}

    def covers(pattern: Any) -> bool:
        written = pattern["Sub"] if isinstance(pattern, dict) else pattern
        return fnmatchcase(resource, re.sub(r"\$\{([\w:]+)\}", lambda found: known[found[1]], written))

    assert any(
        fnmatchcase(action, allowed)
        for statement in statements("Execution")
        if any(map(covers, listed(statement["Resource"])))
        for allowed in listed(statement["Action"])
    )


def test_cloudformation_makes_no_role_that_goes_beyond_the_boundary() -> None:
    roles = {name: it["Properties"] for name, it in deployment(EVERYTHING).items() if it["Type"] == "AWS::IAM::Role"}
    assert {name for name, it in roles.items() if it.get("PermissionsBoundary") != {"Ref": "Boundary"}} == {"CodeDeployServiceRole"}
    gives = {"iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePolicy"}
    for statement in statements("Execution"):
        actions = set(listed(statement["Action"]))
        assert not actions & {"*", "iam:*"}
        if actions & gives and "CodeDeployServiceRole" not in str(statement["Resource"]):
            assert "${StackName}-Boundary-*" in str(statement["Condition"]["ArnLike"]["iam:PermissionsBoundary"])
    [canary] = [each for each in statements("Execution") if each["Action"] == "iam:AttachRolePolicy"]
    attached = roles["CodeDeployServiceRole"]["ManagedPolicyArns"]
    assert [f"iam::aws:policy/{arn.partition(':policy/')[2]}" in str(canary["Condition"]) for arn in attached] == [True]


def test_the_workflow_has_no_key_of_aws_and_runs_tasks_that_there_are() -> None:
    text = WORKFLOW.read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    assert not re.search(r"AWS_(ACCESS|SECRET)", text, re.IGNORECASE)
    [job] = workflow["jobs"].values()
    steps = job["steps"]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {task for step in steps for task in re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))} <= targets
    # What is built runs without credentials.
    names = [step.get("uses", step.get("run", "")) for step in steps]
    assert names.index("make build") < next(place for place, name in enumerate(names) if "credentials" in name)
    # yaml reads the key `on` as true.
    assert tuple(workflow[True]["workflow_dispatch"]["inputs"]["stage"]["options"]) == STAGES
    outputs = template(ROLE)["Outputs"]
    for variable in re.findall(r"variable ([A-Z_]+)", " ".join(output["Description"] for output in outputs.values())):
        assert f"vars.{variable}" in text


# --- the Serverless Application Repository ---


def test_the_application_has_what_sam_publish_needs() -> None:
    # https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-template-publishing-applications-metadata-properties.html
    about = template()["Metadata"]["AWS::ServerlessRepo::Application"]
    assert {"Name", "Description", "Author", "SpdxLicenseId", "LicenseUrl", "ReadmeUrl", "Labels", "SemanticVersion"} <= about.keys()
    assert re.fullmatch("[A-Za-z0-9-]{1,140}", about["Name"])
    assert 1 <= len(about["Description"]) <= 256
    assert re.fullmatch("[A-Za-z0-9](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){0,126}", about["Author"])
    assert 1 <= len(about["Labels"]) <= 10
    assert all(re.fullmatch("[A-Za-z0-9+_:/@-]{1,127}", label) for label in about["Labels"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (about["SemanticVersion"], about["SpdxLicenseId"]) == (project["version"], project["license"])
    for file in (about["LicenseUrl"], about["ReadmeUrl"]):
        assert (ROOT / file).is_file()
    # The largest README that the repository takes is 512 KB.
    assert (ROOT / about["ReadmeUrl"]).stat().st_size < 512_000


@pytest.mark.parametrize("file", ["template.yaml", *(str(file.relative_to(ROOT)) for file in sorted(ROOT.glob("operations/**/*.yaml")))])
def test_no_template_names_a_partition(file: str) -> None:
    """China and GovCloud have partitions of their own."""
    assert not re.findall(r"arn:aws[-a-z]*:", (ROOT / file).read_text(encoding="utf-8"))
