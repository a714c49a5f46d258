"""Replaces spacy.cli, which is not in the layer.

`import spacy` imports its command line, with typer, rich, requests and weasel. That takes a third of the import time, and Lambda
functions never use it. trim.py writes this file as spacy/cli/__init__.py and spacy/cli/info.py, the two files that spaCy itself
imports.
"""

from typing import NoReturn


def info(*_arguments: object, **_options: object) -> NoReturn:
    raise _left_out("spacy.info")


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):  # Python's own questions to a module, such as __wrapped__
        raise AttributeError(name)
    raise _left_out(f"spacy.cli.{name}")


def _left_out(name: str) -> ImportError:
    return ImportError(f"{name} is not in this Lambda layer: it was built without spaCy's command line (layers/spacy/trim.py)")
