"""Makes the package winnow_docs, all that GET /docs and GET /openapi.json answer with: python -m layers.docs.assemble CARRIERS FOLDER

CARRIERS is where requirements/docs-layer.txt is installed, whose hashes pin the viewer; FOLDER is where the package goes: a layer's
python/, or an environment's site-packages. The contract is openapi.yaml as JSON, the rest our page and the viewer's files as they are.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

PACKAGE = "winnow_docs"
DESCRIPTION = '"""The documentation page: index.html with its files, and the contract, openapi.json."""\n'
HERE = Path(__file__).parent
CONTRACT = HERE.parents[1] / "openapi.yaml"
# Swagger UI, in the package that carries it.
CARRIED = Path("drf_spectacular_sidecar/static/drf_spectacular_sidecar/swagger-ui-dist")
# Of its files those that the page needs, and the licence under which they come.
VIEWER = ("swagger-ui-bundle.js", "swagger-ui.css", "LICENSE")


class DocsError(Exception):
    """The package can't be made; the message is a sentence that says why."""


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: python -m layers.docs.assemble CARRIERS FOLDER")
    try:
        assemble(Path(sys.argv[1]), Path(sys.argv[2]))
    except DocsError as error:
        sys.exit(f"docs layer: {error}")


def assemble(carriers: Path, folder: Path) -> None:
    """Writes FOLDER/winnow_docs anew. Raises DocsError, with nothing written, when a file of the viewer is missing."""
    viewer = [carriers / CARRIED / name for name in VIEWER]
    for file in viewer:
        if not file.is_file():
            raise DocsError(f"{file} is missing: install requirements/docs-layer.txt into {carriers}")
    contract = as_json(read(CONTRACT))
    package = folder / PACKAGE
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree(HERE / "page", package)
    for file in viewer:
        shutil.copyfile(file, package / file.name)
    (package / "__init__.py").write_text(DESCRIPTION, encoding="utf-8")
    (package / "openapi.json").write_text(contract, encoding="utf-8")


def read(contract: Path) -> Any:
    """A YAML file. libyaml reads it in a tenth of the time, where it is there."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(contract.read_text(encoding="utf-8"), loader)  # noqa: S506 # both are safe loaders


def as_json(contract: Any) -> str:
    return json.dumps(contract, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main()
