"""The package of the documentation page (layers/docs/assemble.py), on a made-up installation and as built."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from layers.docs import assemble
from tests.support.built import build_local
from tests.support.contract import ROOT, document
from winnow.api.console_files import MEDIA_TYPES as CONSOLE_FILES
from winnow.api.docs_files import MEDIA_TYPES

BUILT = ROOT / ".aws-sam" / "local" / "DocsLayer" / "python" / assemble.PACKAGE


@pytest.fixture
def carriers(tmp_path: Path) -> Path:
    folder = tmp_path / "carriers"
    viewer = folder / assemble.CARRIED
    viewer.mkdir(parents=True)
    for name in (*assemble.VIEWER, "swagger-ui-bundle.js.map", "oauth2-redirect.html"):
        (viewer / name).write_text(f"{name} of the viewer")
    return folder


@pytest.fixture
def console(tmp_path: Path) -> Path:
    folder = tmp_path / "console"
    folder.mkdir()
    for name in CONSOLE_FILES:
        (folder / name).write_text(f"{name} of the console")
    return folder


def test_the_package_is_the_page_the_viewer_the_contract_and_the_console(carriers: Path, console: Path, tmp_path: Path) -> None:
    package = tmp_path / "python" / assemble.PACKAGE
    package.mkdir(parents=True)
    (package / "older.js").write_text("older")

    assemble.assemble(carriers, console, tmp_path / "python")

    assert {file.name for file in package.iterdir()} == {"__init__.py", "console", *MEDIA_TYPES}
    assert {file.name: file.read_text() for file in (package / "console").iterdir()} == {n: f"{n} of the console" for n in CONSOLE_FILES}
    assert (package / "swagger-ui.css").read_text() == "swagger-ui.css of the viewer"
    assert (package / "page.js").read_text() == (ROOT / "layers/docs/page/page.js").read_text()
    assert json.loads((package / "openapi.json").read_text()) == document()


@pytest.mark.parametrize("name", assemble.VIEWER)
def test_a_viewer_that_lacks_a_file_is_refused(carriers: Path, console: Path, tmp_path: Path, name: str) -> None:
    (carriers / assemble.CARRIED / name).unlink()
    command = [sys.executable, "-B", "-m", "layers.docs.assemble", str(carriers), str(console), str(tmp_path / "python")]

    run = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)

    assert run.returncode == 1
    assert run.stderr == (
        f"docs layer: {carriers / assemble.CARRIED / name} is missing: install requirements/docs-layer.txt into {carriers}\n"
    )
    assert not (tmp_path / "python").exists()


@pytest.mark.parametrize("name", CONSOLE_FILES)
def test_a_console_that_lacks_a_file_is_refused(carriers: Path, console: Path, tmp_path: Path, name: str) -> None:
    (console / name).unlink()
    with pytest.raises(assemble.DocsError, match=f"{name} is missing: build console/"):
        assemble.assemble(carriers, console, tmp_path / "python")
    assert not (tmp_path / "python").exists()


@pytest.mark.slow
def test_the_built_layer_has_all_that_is_answered_and_the_contract_of_today() -> None:
    build_local()
    assert {file.name for file in BUILT.iterdir()} == {"__init__.py", "console", *MEDIA_TYPES}
    assert {file.name for file in (BUILT / "console").iterdir()} == {*CONSOLE_FILES}
    assert json.loads((BUILT / "openapi.json").read_text()) == document()
    assert "SwaggerUIBundle" in (BUILT / "swagger-ui-bundle.js").read_text()
    assert "Apache License" in (BUILT / "LICENSE").read_text()
