"""Stands in for spacy.cli, which the layer leaves out.

`import spacy` imports its command line, and with it typer, rich, requests and weasel: a third of the import's time, and nothing
that a Lambda function calls. trim.py puts this file in the place of spacy/cli/__init__.py and spacy/cli/info.py, the two that
spaCy itself imports.
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
