"""operations/large-trainings.yaml and the container's image agree with template.yaml, the layers, the workflow and the code."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

from tests.contract.test_idle_cost import FREE, faults
from tests.contract.test_template import LOCKS
from tests.support import aws_calls
from tests.support.contract import ROOT, definition, functions, template
from tests.support.permissions import grants
from tests.support.translated import deployment
from winnow.training import container

NESTED = "operations/large-trainings.yaml"
STACK = "LargeTrainingsStack"
DOCKERFILE = ROOT / "containers" / "training" / "Dockerfile"
# What costs nothing beside the kinds of template.yaml.
FREE_TOO = {
    "AWS::ECS::Cluster": "no charge",
    "AWS::ECS::TaskDefinition": "no charge: a task is billed while it runs",
    "AWS::EC2::VPC": "no charge",
    "AWS::EC2::Subnet": "no charge",
    "AWS::EC2::RouteTable": "no charge",
    "AWS::EC2::Route": "no charge",
    "AWS::EC2::SubnetRouteTableAssociation": "no charge",
    "AWS::EC2::InternetGateway": "no charge",
    "AWS::EC2::VPCGatewayAttachment": "no charge",
    "AWS::EC2::SecurityGroup": "no charge",
}


def resources() -> dict[str, Any]:
    found: dict[str, Any] = template(NESTED)["Resources"]
    return found


def task() -> dict[str, Any]:
    found: dict[str, Any] = resources()["Training"]["Properties"]
    return found


def program() -> dict[str, Any]:
    [found] = task()["ContainerDefinitions"]
    return dict(found)


def statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    given = policy["PolicyDocument"]["Statement"]
    return given if isinstance(given, list) else [given]


def test_without_the_parameter_none_of_it_exists() -> None:
    assert template()["Parameters"]["LargeTrainings"]["Default"] == ""
    assert STACK not in deployment()
    assert STACK in deployment({"LargeTrainings": "an image"})
    # Publish reads all examples of a large training, in a Lambda.
    default = template()["Parameters"]["TrainingMemory"]["Default"]
    assert deployment()["Publish"]["Properties"]["MemorySize"] == default
    assert deployment({"LargeTrainings": "an image"})["Publish"]["Properties"]["MemorySize"] == 10_240


def test_the_parameters_are_those_that_the_template_gives() -> None:
    given = template()["Resources"][STACK]["Properties"]
    assert given["TemplateURL"] == NESTED
    assert given["Parameters"].keys() == template(NESTED)["Parameters"].keys()
    # Whoever changes one of these defaults to nothing would start a container without it.
    assert not any("Default" in it for it in template(NESTED)["Parameters"].values())


def test_the_workflow_is_given_what_it_starts() -> None:
    substituted = template()["Resources"]["TrainingWorkflow"]["Properties"]["DefinitionSubstitutions"]
    taken = {name: it["If"][1]["GetAtt"] for name, it in substituted.items() if "If" in it}
    assert taken == {name: f"{STACK}.Outputs.{name}" for name in template(NESTED)["Outputs"]}
    state = definition("TrainingWorkflow")["States"]["Candidates"]["ItemProcessor"]["States"]["TrainInContainer"]
    [overridden] = state["Parameters"]["Overrides"]["ContainerOverrides"]
    assert overridden["Name"] == program()["Name"]
    clusters = resources()["Cluster"]["Properties"]["CapacityProviders"]
    assert set(definition("TrainingWorkflow")["States"]["Candidates"]["ItemSelector"]["providers"]) == set(clusters)


def test_the_workflow_knows_the_program_s_exit_code_for_an_interruption() -> None:
    states = definition("TrainingWorkflow")["States"]["Candidates"]["ItemProcessor"]["States"]
    [pattern] = [rule["StringMatches"] for rule in states["GoesOn"]["Choices"] if "ExitCode" in rule.get("StringMatches", "")]
    assert pattern == f'*"ExitCode":{container.INTERRUPTED}*'


def test_spot_s_two_minutes_are_all_for_the_checkpoint() -> None:
    assert program()["StopTimeout"] == 120


def test_the_program_has_the_settings_that_the_function_train_has() -> None:
    shared = template()["Globals"]["Function"]["Environment"]["Variables"] | functions()["Train"]["Environment"]["Variables"]
    # The API's, and a training answers nobody.
    needed = shared.keys() - {"AUTHORIZER", "CORS_ORIGIN", "DATASETS_BUCKET"}
    assert {each["Name"] for each in program()["Environment"]} == needed | {"AWS_DEFAULT_REGION"}


def test_the_program_may_do_what_the_function_train_may_and_nothing_else() -> None:
    [policy] = resources()["TrainingRole"]["Properties"]["Policies"]
    found = set()
    for each in statements(policy):
        given = each["If"][1] if "If" in each else each
        actions = given["Action"] if isinstance(given["Action"], list) else [given["Action"]]
        if given["Resource"] == {"Split": [",", {"Ref": "BucketKeys"}]}:
            found |= {(action, "BucketKeys") for action in actions}
            continue
        target = given["Resource"]["Sub"].replace("arn:${AWS::Partition}:s3:::", "").partition(":table/")
        found |= {(action, (target[2] or target[0]).replace("${AWS::Partition}", "${Partition}")) for action in actions}
    train = {(action, target) for grant in grants() if grant.owner == "Train" for action in grant.actions for target in grant.resources}
    named = {"Registry": "${Registry}", "Models": "${Models}"}
    assert found == {(action, named.get(target, target.replace("arn:${Partition}:s3:::", ""))) for action, target in train}
    # And the code asks AWS for nothing else than the function does.
    assert _calls(LAYER / "container.py") <= _calls(ROOT / "functions/training/train/app.py")


LAYER = ROOT / "layers" / "winnow" / "winnow" / "training"


def _calls(file: Path) -> set[tuple[str, str]]:
    return {(call.service, call.operation) for call in aws_calls.reach_of(file).calls}


def test_each_role_is_under_the_boundary_and_for_tasks_of_this_account() -> None:
    for role in ("TrainingRole", "StartRole"):
        properties = resources()[role]["Properties"]
        assert properties["PermissionsBoundary"] == {"Ref": "Boundary"}
        statement = properties["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_no_statement_is_for_all_actions_or_all_resources() -> None:
    policies = [it["Properties"] for it in resources().values() if it["Type"] == "AWS::IAM::Policy"]
    policies += [policy for it in resources().values() if it["Type"] == "AWS::IAM::Role" for policy in it["Properties"]["Policies"]]
    written = [each["If"][1] if "If" in each else each for policy in policies for each in statements(policy)]
    assert not [each for each in written if "*" in str(each["Action"])]
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
    assert [each["Action"] for each in written if each["Resource"] == "*"] == ["ecr:GetAuthorizationToken"]


def test_the_workflow_starts_this_task_in_this_cluster_with_these_roles_alone() -> None:
    properties = resources()["StartsContainers"]["Properties"]
    assert properties["Roles"] == [{"Ref": "WorkflowRole"}]
    by_action = {str(each["Action"]): each for each in statements(properties)}
    assert by_action["ecs:RunTask"]["Resource"] == {"Ref": "Training"}
    assert by_action["ecs:RunTask"]["Condition"] == {"ArnEquals": {"ecs:cluster": {"GetAtt": "Cluster.Arn"}}}
    assert by_action["iam:PassRole"]["Resource"] == [{"GetAtt": "TrainingRole.Arn"}, {"GetAtt": "StartRole.Arn"}]
    assert {task()["TaskRoleArn"]["GetAtt"], task()["ExecutionRoleArn"]["GetAtt"]} == {"TrainingRole.Arn", "StartRole.Arn"}


def test_nothing_comes_in_and_only_https_goes_out() -> None:
    outwards = resources()["Outwards"]["Properties"]
    assert "SecurityGroupIngress" not in outwards
    assert [(rule["FromPort"], rule["ToPort"]) for rule in outwards["SecurityGroupEgress"]] == [(443, 443)]


def test_a_stack_with_public_containers_bills_nothing_while_none_runs() -> None:
    endpoints = {name: it for name, it in resources().items() if it["Type"] == "AWS::EC2::VPCEndpoint"}
    private = {name for name, it in resources().items() if it.get("Condition") == "IsPrivate"}
    # Gateway endpoints are free: https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
    assert {name for name, it in endpoints.items() if it["Properties"].get("VpcEndpointType") == "Interface"} == private - {
        "FromContainers"
    }
    others = {name: it for name, it in resources().items() if name not in endpoints}
    unknown = {name: it["Type"] for name, it in others.items() if it["Type"] not in FREE | FREE_TOO}
    assert not unknown
    assert not [name for name, it in others.items() if it["Type"] in FREE and faults(it)]


def test_the_image_has_the_layers_of_the_function_train() -> None:
    given = functions()["Train"]["Layers"]["If"][1]
    layers = {"WinnowLayer", *(layer["Ref"] for layer in given)}
    written = DOCKERFILE.read_text(encoding="utf-8")
    [copied] = re.findall(r"^COPY (.+) /opt/$", written, re.MULTILINE)
    assert set(copied.split()) == layers == set(LOCKS)
    assert set(re.findall(r"^!(\w+)$", DOCKERFILE.with_name("Dockerfile.dockerignore").read_text(), re.MULTILINE)) == layers
    # Only what the locks pin gets in: nothing is installed while the image is made.
    assert "RUN" not in re.findall(r"^([A-Z]+)", written, re.MULTILINE)


def test_the_image_has_the_python_of_the_functions_and_runs_the_program() -> None:
    written = DOCKERFILE.read_text(encoding="utf-8")
    version = template()["Globals"]["Function"]["Runtime"].removeprefix("python")
    # Of another base, only tests make it.
    assert f"\nARG BASE_IMAGE=public.ecr.aws/lambda/python:{version}\nFROM ${{BASE_IMAGE}}\n" in written
    [entry] = re.findall(r"^ENTRYPOINT (.+)$", written, re.MULTILINE)
    assert ast.literal_eval(entry) == [f"/var/lang/bin/python{version}", "-m", container.__spec__.name if container.__spec__ else ""]
    assert re.search(r"^USER \d+", written, re.MULTILINE)


def test_make_gives_the_image_another_base_only_where_one_is_named() -> None:
    def typed(*settings: str) -> list[str]:
        would = subprocess.run(["make", "-n", "image", *settings], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607
        [build] = [line for line in would.replace("\\\n", " ").splitlines() if "docker build" in line]
        return shlex.split(build)

    assert "--build-arg" not in typed()
    named = typed("BASE_IMAGE=a stand-in")
    assert named[named.index("--build-arg") + 1] == "BASE_IMAGE=a stand-in"
    assert str(ROOT / named[named.index("-f") + 1]) == str(DOCKERFILE)
