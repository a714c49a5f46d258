"""The image of the local cloud and the development container. No engine runs here: what they copy and run is tried without one."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.start import DEFAULT_PORT
from tests.support.contract import ROOT, template

IMAGE = ROOT / "containers" / "local-cloud" / "Dockerfile"


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, each on one line."""
    lines = [line for line in IMAGE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def copied() -> list[str]:
    """The sources of each COPY. Everything has the same place in the image as here."""
    found: list[str] = []
    for name, rest in instructions():
        if name == "COPY":
            *sources, destination = [word for word in shlex.split(rest) if not word.startswith("--")]
            for source in sources:
                assert Path(destination) == (Path(source) if (ROOT / source).is_dir() else Path(source).parent), f"{source} moves"
            found += sources
    return found


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The folder /winnow of the image before the build: what COPY copies of what git knows."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()  # noqa: S607
    ignored = [line.removeprefix("**/") for line in IMAGE.with_name("Dockerfile.dockerignore").read_text().splitlines()]
    for source in copied():
        inside = [path for path in tracked if path == source or path.startswith(f"{source}/")]
        assert inside, f"the Dockerfile copies {source}, which git doesn't know"
        for path in inside:
            if not set(Path(path).parts) & set(ignored):
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / path, tmp_path / path)
    return tmp_path


def test_what_is_copied_is_enough_to_build_and_to_start(image: Path) -> None:
    # make needs each file that a target names, also where it only says what it would do.
    build = subprocess.run(["make", "-n", "build-local"], cwd=image, capture_output=True, text=True, check=False)  # noqa: S607
    assert build.returncode == 0, build.stderr
    assert ("RUN", "make build-local") in instructions()
    # And the command imports only what is there. The build makes winnow_contract.
    settings = os.environ | {"PYTHONPATH": "layers/winnow", "PYTHONDONTWRITEBYTECODE": "1"}
    for arguments in (["-m", "layers.winnow.contract", "layers/winnow"], ["-m", "local.start", "--help"]):
        done = subprocess.run([sys.executable, *arguments], cwd=image, env=settings, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert "--stay" in done.stdout
    # sam deploy uploads these two.
    about = template()["Metadata"]["AWS::ServerlessRepo::Application"]
    assert {about["LicenseUrl"], about["ReadmeUrl"]} <= set(copied())


def test_the_image_has_no_more_rights_and_no_other_port_than_it_says() -> None:
    named = dict(instructions())
    assert named["USER"] == "1000"
    command = json.loads(named["CMD"])
    assert command[:3] == [".venv/bin/python", "-m", "local.start"]
    assert command[command.index("--folder") + 1] == named["VOLUME"]
    assert command[command.index("--host") + 1] == "0.0.0.0"  # noqa: S104
    assert named["EXPOSE"] in named["HEALTHCHECK"]
    assert named["EXPOSE"] == str(DEFAULT_PORT)
    python = (ROOT / ".python-version").read_text().strip()
    assert named["FROM"] == "${BASE_IMAGE}"
    assert named["ARG"].startswith(f"BASE_IMAGE=python:{'.'.join(python.split('.')[:2])}-")


def test_the_page_runs_it_with_the_same_port_and_folder() -> None:
    named, page = dict(instructions()), (ROOT / "docs" / "local-container.md").read_text(encoding="utf-8")
    [run] = re.findall(r"docker run .*winnow-local$", page, re.MULTILINE)
    assert f"127.0.0.1:{named['EXPOSE']}:{named['EXPOSE']}" in run
    assert f":{named['VOLUME']} " in run
    [other] = re.findall(r"docker run .*winnow-local$", IMAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(other.split()) - {"--rm"} <= set(run.split())


def test_the_development_container_runs_tasks_that_there_are() -> None:
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    container: dict[str, Any] = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
    assert container["forwardPorts"] == [4566]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"\bmake ([a-z-]+)", container["postCreateCommand"])) <= set(targets)
    assert ":3.13" in container["image"]
