"""What local/ changes in a deployment of the local cloud, so that it differs from the template: listed in docs/deploy.md, and no right."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import botocore.session
from botocore import xform_name

from tests.support.contract import ROOT

READS = ("get_", "list_", "describe_", "head_")
# iam: by it a role would get a right, whatever else a module asks.
ALWAYS = {"iam"}


def modules() -> list[ast.Module]:
    return [ast.parse(file.read_text(encoding="utf-8")) for file in sorted((ROOT / "local").glob("*.py"))]


def called(module: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(module) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))


@cache
def operations(service: str) -> set[str]:
    return {xform_name(name) for name in botocore.session.get_session().get_service_model(service).operation_names}


def changes(module: ast.Module, services: set[str]) -> set[str]:
    """The calls of a module that change something, of these services of AWS."""
    found = {call.func.attr for call in called(module) if isinstance(call.func, ast.Attribute)}
    return {name for name in found & set().union(*map(operations, services)) if not name.startswith(READS)}


def services(module: ast.Module) -> set[str]:
    """The services that a module has a client or a resource of. A service that isn't written out fails."""
    clients = [call for call in called(module) if isinstance(call.func, ast.Attribute) and call.func.attr in {"client", "resource"}]
    return {ast.literal_eval(call.args[0]) for call in clients if not isinstance(call.args[0], ast.Name)}


def test_each_change_that_the_local_cloud_makes_is_listed_and_gives_no_right() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    table = page.partition("| call of AWS |")[2].partition("\n\n")[0]
    listed = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    everywhere = set().union(*map(services, modules())) & set(botocore.session.get_session().get_available_services())
    made = set().union(*(changes(module, everywhere | ALWAYS) for module in modules()))
    assert made == listed
    assert not {name for name in made if re.search("role|permission|grant|(put|attach|create)_.*policy|(put|create)_acl", name)}


def test_a_right_would_be_seen() -> None:
    module = ast.parse('self.client("iam").put_role_policy(RoleName=role)\nself.client("s3").put_bucket_policy(Bucket=name)')
    assert changes(module, services(module)) == {"put_role_policy", "put_bucket_policy"}
