"""Makes the package winnow_docs, the files of the pages: python -m layers.docs.assemble CARRIERS CONSOLE FOLDER

CARRIERS has requirements/docs-layer.txt installed; its hashes pin the viewer. CONSOLE has the files that console/ builds. The package
goes into FOLDER: python/ of a layer, or site-packages of an environment. It has openapi.yaml as JSON, our page, the unchanged files of
the viewer, and the console.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

PACKAGE = "winnow_docs"
DESCRIPTION = '"""The documentation page, index.html with its files, the contract, openapi.json, and the console."""\n'
HERE = Path(__file__).parent
CONTRACT = HERE.parents[1] / "openapi.yaml"
# The folder of Swagger UI in its carrier package.
CARRIED = Path("drf_spectacular_sidecar/static/drf_spectacular_sidecar/swagger-ui-dist")
# The files that the page needs, and their licence.
VIEWER = ("swagger-ui-bundle.js", "swagger-ui.css", "LICENSE")
CONSOLE = ("index.html", "app.css", "app.js", "sample.json")


class DocsError(Exception):
    """The package can't be made. The message is one sentence that says why."""


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit("usage: python -m layers.docs.assemble CARRIERS CONSOLE FOLDER")
    try:
        assemble(*map(Path, sys.argv[1:]))
    except DocsError as error:
        sys.exit(f"docs layer: {error}")


def assemble(carriers: Path, console: Path, folder: Path) -> None:
    """Replaces FOLDER/winnow_docs. Raises DocsError and writes nothing if a file of the viewer or of the console is missing."""
    viewer = [carriers / CARRIED / name for name in VIEWER]
    for file in viewer:
        if not file.is_file():
            raise DocsError(f"{file} is missing: install requirements/docs-layer.txt into {carriers}")
    for name in CONSOLE:
        if not (console / name).is_file():
            raise DocsError(f"{console / name} is missing: build console/ into {console}")
    contract = as_json(read(CONTRACT))
    package = folder / PACKAGE
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree(HERE / "page", package)
    for file in viewer:
        shutil.copyfile(file, package / file.name)
    (package / "console").mkdir()
    for name in CONSOLE:
        shutil.copyfile(console / name, package / "console" / name)
    (package / "__init__.py").write_text(DESCRIPTION, encoding="utf-8")
    (package / "openapi.json").write_text(contract, encoding="utf-8")


def read(contract: Path) -> Any:
    """Reads a YAML file, with libyaml if it is installed: that takes a tenth of the time."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(contract.read_text(encoding="utf-8"), loader)  # noqa: S506 # both are safe loaders


def as_json(contract: Any) -> str:
    return json.dumps(contract, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main()
