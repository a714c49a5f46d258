"""The pictures of an evaluation as files."""

from __future__ import annotations

from pathlib import Path

from winnow_cli.client import ApiError, Client
from winnow_cli.failures import CommandError, UsageError

_NAMES = ("confusion.svg", "reliability.svg", "learning.svg", "examples.svg")


def save(client: Client, model: str, version: int, folder: Path) -> list[Path]:
    """Save each picture that the version has. CommandError if it has none."""
    saved = []
    for name in _NAMES:
        try:
            picture = client.typed.figure(model, version, name)
        except ApiError as error:
            # A version has no learning curve or no confusion, if nothing was measured for it.
            if error.code != "figure-not-found":
                raise
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(picture, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"Can't write {folder / name}: {error.strerror}") from error
        saved.append(folder / name)
    if not saved:
        raise CommandError(f"Version {version} of {model} has no pictures: nothing was measured.")
    return saved
