"""The deployment's check of layers and encoders answers CloudFormation in any case.

tests/scenarios/test_other_encoders.py tries it with encoders.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT, Context, Json, load_event
from tests.support.contract import template
from tests.support.custom_resource import answer_of
from winnow.domain.errors import EncoderError
from winnow.prediction import encoders

if TYPE_CHECKING:
    from tests.conftest import Winnow

FOLDER = "functions/upkeep/check_encoders"
UPDATE = load_event("upkeep/check_encoders")
# The update's way back.
ROLLBACK = UPDATE | {"ResourceProperties": UPDATE["OldResourceProperties"], "OldResourceProperties": UPDATE["ResourceProperties"]}
CREATE = {name: value for name, value in UPDATE.items() if name not in {"PhysicalResourceId", "OldResourceProperties"}} | {
    "RequestType": "Create"
}
OTHER, HERE = ("aarch64", "x86_64") if platform.machine() == "x86_64" else ("x86_64", "aarch64")
ARCHITECTURES = {"aarch64": "arm64", "x86_64": "x86_64"}

# A function in which numpy is for another processor. It prints what CloudFormation is answered.
_WITHOUT_NUMPY = """
import json, sys
from contextlib import nullcontext
from types import SimpleNamespace
from winnow.aws import custom_resource

custom_resource.urlopen = lambda request, timeout: print(request.data.decode()) or nullcontext()
import app

assert "numpy" not in sys.modules
for event in json.load(sys.stdin):
    app.handler(event, SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000))
"""


@pytest.fixture
def ask(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Json]:
    """The answer to an event."""
    return lambda event, context=None: answer_of(winnow, monkeypatch, FOLDER, event, context)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the check was asked, which passes."""
    seconds: list[float] = []
    monkeypatch.setattr(encoders, "check", seconds.append)
    return seconds


def refuse(seconds: float) -> None:
    """A check that doesn't pass."""
    raise EncoderError("An encoder is gone.")


# --- layers of another processor ---


@pytest.fixture
def put_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have a package be installed, as Python sees it, from a wheel with this tag."""

    def put(package: str, tag: str | None) -> None:
        about = tmp_path / f"{package}-99.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 99\n")
        if tag is not None:
            (about / "WHEEL").write_text(f"Wheel-Version: 1.0\nTag: {tag}\n")
        monkeypatch.syspath_prepend(tmp_path)

    return put


@pytest.mark.parametrize("package", ["numpy", "onnxruntime"])
def test_layers_that_were_built_for_another_processor_are_refused_at_once(
    ask: Callable[..., Json], asked: list[float], put_wheel: Callable[..., None], package: str
) -> None:
    put_wheel(package, f"cp313-cp313-manylinux_2_28_{OTHER}")
    for event in (CREATE, UPDATE):
        answer = ask(event)
        assert (answer["Status"], asked) == ("FAILED", [])
        assert answer["Reason"] == (
            f"The layers were built for {ARCHITECTURES[OTHER]} ({package}), and the parameter Architecture is {ARCHITECTURES[HERE]}:"
            f" deploy with Architecture={ARCHITECTURES[OTHER]}, or build them by `make build ARCHITECTURE={ARCHITECTURES[HERE]}`."
        )


@pytest.mark.parametrize("tag", [None, "py3-none-any", "cp313-cp313-macosx_14_0_universal2", f"cp313-cp313-manylinux2014_{HERE}"])
def test_other_packages_are_no_reason_to_refuse(
    ask: Callable[..., Json], asked: list[float], put_wheel: Callable[..., None], tag: str | None
) -> None:
    put_wheel("numpy", tag)
    assert ask(UPDATE)["Status"] == "SUCCESS"
    assert len(asked) == 1


def test_where_numpy_can_t_be_imported_it_answers_and_names_the_parameter(tmp_path: Path) -> None:
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text('raise ImportError("_multiarray_umath.so: wrong ELF class")\n')
    path = os.pathsep.join(map(str, (tmp_path, ROOT / FOLDER, ROOT / "layers" / "winnow")))
    given = json.dumps([CREATE, UPDATE, UPDATE | {"RequestType": "Delete"}])
    run = subprocess.run(
        [sys.executable, "-c", _WITHOUT_NUMPY],
        input=given,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    created, updated, deleted = (json.loads(line) for line in run.stdout.splitlines() if "PhysicalResourceId" in line)

    assert (created["Status"], updated["Status"], deleted["Status"]) == ("FAILED", "FAILED", "SUCCESS")
    assert created["Reason"] == updated["Reason"]
    assert created["Reason"].startswith(
        "The layers can't be imported (_multiarray_umath.so: wrong ELF class): build them for the parameter"
    )
    assert created["Reason"].endswith(f"Architecture by `make build ARCHITECTURE={ARCHITECTURES[HERE]}`.")


# --- the physical id ---


def test_a_return_to_what_was_accepted_last_needs_no_check(ask: Callable[..., Json], monkeypatch: pytest.MonkeyPatch) -> None:
    before = CREATE | {"ResourceProperties": UPDATE["OldResourceProperties"]}
    monkeypatch.setattr(encoders, "check", lambda seconds: None)
    created = ask(before)
    monkeypatch.setattr(encoders, "check", refuse)
    refused = ask(UPDATE | {"PhysicalResourceId": created["PhysicalResourceId"]})
    undone = ask(ROLLBACK | {"PhysicalResourceId": refused["PhysicalResourceId"]})

    assert [it["Status"] for it in (created, refused, undone)] == ["SUCCESS", "FAILED", "SUCCESS"]
    # The same id for all three: CloudFormation deletes nothing.
    assert {it["PhysicalResourceId"] for it in (created, refused, undone)} == {UPDATE["PhysicalResourceId"]}


def test_what_was_accepted_before_is_checked_again(ask: Callable[..., Json], asked: list[float]) -> None:
    updated = ask(UPDATE)
    # A later deployment with the old properties. Meanwhile versions may need what it removes.
    ask(ROLLBACK | {"PhysicalResourceId": updated["PhysicalResourceId"]})

    assert len(asked) == 2
    assert updated["PhysicalResourceId"] != UPDATE["PhysicalResourceId"]


@pytest.mark.parametrize("name", ["Architecture", "Encoder", "EncoderBucket", "SpacyLayer", "Layer"])
def test_another_value_of_any_property_is_checked(ask: Callable[..., Json], asked: list[float], name: str) -> None:
    ask(ROLLBACK | {"ResourceProperties": ROLLBACK["ResourceProperties"] | {name: "other"}})
    assert len(asked) == 1


def test_a_stack_that_a_release_without_digests_made_is_checked(ask: Callable[..., Json], asked: list[float]) -> None:
    assert ask(ROLLBACK | {"PhysicalResourceId": "EncodersInUse"})["PhysicalResourceId"] == UPDATE["PhysicalResourceId"]
    assert len(asked) == 1


def test_a_deletion_succeeds_without_a_check(ask: Callable[..., Json], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "check", refuse)
    for event in (UPDATE, ROLLBACK, UPDATE | {"PhysicalResourceId": "EncodersInUse"}):
        deleted = ask(event | {"RequestType": "Delete"})
        assert (deleted["Status"], deleted["PhysicalResourceId"]) == ("SUCCESS", event["PhysicalResourceId"])


# --- the time ---


def test_a_check_that_hangs_is_answered_before_the_function_s_time_is_over(
    ask: Callable[..., Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    end = Event()
    monkeypatch.setattr(encoders, "check", lambda seconds: end.wait() and None)
    answer = ask(UPDATE, Context(seconds=30.01))
    end.set()

    assert answer["Status"] == "FAILED"
    assert "took longer than" in answer["Reason"]


def test_the_check_knows_its_time(ask: Callable[..., Json], asked: list[float]) -> None:
    ask(UPDATE, Context(seconds=300))
    assert asked == [270]


def test_cloudformation_waits_for_longer_than_the_function_may_take() -> None:
    resources = template()["Resources"]
    assert resources["EncodersInUse"]["Properties"]["ServiceTimeout"] > resources["CheckEncoders"]["Properties"]["Timeout"]
