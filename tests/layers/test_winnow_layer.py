"""The trimming of our own layer (layers/winnow/trim.py): the trimmed SDK makes the same clients as the whole one."""

import ast
import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import botocore
import pytest

from layers.trimming import LayerError
from layers.winnow import trim

ROOT = Path(__file__).parents[2]
PACKAGES = Path(boto3.__file__).parents[1]
CODE = (
    "aws_lambda_powertools",
    "boto3",
    "botocore",
    "jmespath",
    "s3transfer",
    "urllib3",
    "dateutil",
    "typing_extensions.py",
    "six.py",
    "eld",
)

# Prints a process's clients: each operation with its whole input and output, and the addresses of its requests from some regions.
_TELL = """
import json, sys
import boto3
from botocore.model import ListShape, MapShape, StructureShape

def shape(given, above=()):
    if given is None or given.name in above:
        return given and given.name
    above = (*above, given.name)
    match given:
        case StructureShape():
            return {name: shape(member, above) for name, member in given.members.items()}
        case ListShape():
            return [shape(given.member, above)]
        case MapShape():
            return [shape(given.key, above), shape(given.value, above)]
    return [given.type_name, getattr(given, "enum", None), {k: v for k, v in given.serialization.items()}]

told = {}
for service in sys.argv[1:]:
    for region in ("us-east-1", "eu-central-1", "ap-southeast-2", "cn-north-1", "us-gov-west-1"):
        client = boto3.client(service, region_name=region, aws_access_key_id="a", aws_secret_access_key="b")
        told[f"{service} {region}"] = client.meta.endpoint_url
    model = client.meta.service_model
    told[service] = {
        name: [shape(model.operation_model(name).input_shape), shape(model.operation_model(name).output_shape)]
        for name in model.operation_names
    }
    told[f"{service} pages"] = sorted(name for name in client.meta.method_to_api_mapping if client.can_paginate(name))
table = boto3.resource("dynamodb", region_name="us-east-1").Table("registry")
told["table"] = sorted(name for name in dir(table) if not name.startswith("_"))
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SDK as pip installs it, without most of the services that trim.py removes."""
    tree = tmp_path_factory.mktemp("layer") / "python"
    others = {path.name for path in (Path(botocore.__file__).parent / "data").iterdir() if path.is_dir()} - {*trim.SERVICES, "sqs"}
    for name in CODE:
        if name.endswith(".py"):
            shutil.copy(PACKAGES / name, tree)
            continue
        shutil.copytree(
            PACKAGES / name, tree / name, ignore=lambda folder, names: others & set(names) if Path(folder).name == "data" else []
        )
    trim.trim(tree)
    return tree


def told(*paths: Path) -> dict[str, Any]:
    """The clients of a process with only these folders on its path."""
    command = [sys.executable, "-S", "-B", "-c", f"import sys; sys.path[:0] = {list(map(str, paths))}\n{_TELL}", *trim.SERVICES]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_its_clients_are_those_of_the_whole(tree: Path) -> None:
    assert told(tree) == told(PACKAGES)


def test_other_services_and_documentation_are_gone(tree: Path) -> None:
    assert {path.name for path in (tree / "botocore" / "data").iterdir() if path.is_dir()} == set(trim.SERVICES)
    assert not [path for path in (tree / "botocore").rglob("*") if path.suffix == ".gz" or path.name == "examples-1.json"]
    assert "The name of the bucket" not in (tree / "botocore/data/s3/2006-03-01/service-2.json").read_text(encoding="utf-8")
    assert sum(path.stat().st_size for path in (tree / "botocore" / "data").rglob("*.json")) < 1_500_000


def test_powertools_logs_and_counts_without_the_parts_that_went(tree: Path) -> None:
    assert not (tree / "aws_lambda_powertools" / "event_handler").exists()
    program = (
        f"import sys; sys.path.insert(0, {str(tree)!r})\n"
        "from aws_lambda_powertools import Logger, Metrics\n"
        "from aws_lambda_powertools.metrics import MetricUnit, single_metric\n"
        "Logger(service='winnow').info('logged', extra={'status': 200})\n"
        "with single_metric(name='Counted', unit=MetricUnit.Count, value=1, namespace='Winnow'): pass\n"
        "metrics = Metrics(namespace='Winnow', service='winnow')\n"
        "metrics.add_metric(name='Flushed', unit=MetricUnit.Count, value=1)\n"
        "metrics.flush_metrics()\n"
    )
    done = subprocess.run([sys.executable, "-S", "-B", "-c", program], env={}, capture_output=True, text=True, check=True)
    assert [word in done.stdout for word in ("logged", "Counted", "Flushed")] == [True] * 3


@pytest.mark.slow
def test_languages_are_found_without_the_detector_s_code(tree: Path) -> None:
    assert sorted(path.name for path in (tree / "eld").rglob("*.*")) == ["ngrams.json.gz", "ngramsM60.py"]
    packed, whole = (runpy.run_path(str(each / "eld/resources/ngrams/ngramsM60.py"))["ngrams_data"] for each in (tree, PACKAGES))
    assert all(packed[name] == whole[name] for name in ("languages", "ngrams"))
    program = (
        f"import sys; sys.path[:0] = [{str(tree)!r}, {str(ROOT / 'layers/winnow')!r}]\n"
        "from winnow.datasets.languages import languages_of\n"
        "print(languages_of(['Der Heizkörper ist kalt']))\n"
    )
    done = subprocess.run([sys.executable, "-S", "-B", "-c", program], env={}, capture_output=True, text=True, check=True)
    assert done.stdout == "{'de': 1.0}\n"


def test_the_services_that_stay_are_those_that_we_ask() -> None:
    module = ast.parse((ROOT / "layers/winnow/winnow/aws/clients.py").read_text(encoding="utf-8"))
    asked = {
        node.args[0].value
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"boto3.client", "boto3.resource"}
        and isinstance(node.args[0], ast.Constant)
    }
    assert asked == set(trim.SERVICES)


def test_an_sdk_that_has_moved_its_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LayerError, match="apigateway is missing"):
        trim.trim(tmp_path)
