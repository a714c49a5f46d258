"""The commands of docs/guides with their output. python -m tests.support.guides writes the output again.

A `console` block has commands after "$ ", their further lines after "> ", and the output below each.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.cloud import PROJECT, LocalCloud

# In the order of their numbers.
PAGES = sorted((PROJECT / "docs" / "guides").glob("[0-9]*.md"), key=lambda page: int(page.name.partition("-")[0]))
_BLOCK = re.compile(r"(?<=^```console\n)(?:.*\n)*?(?=^```$)", re.MULTILINE)
_COMMAND = re.compile(r"^\$ (.*\n(?:>(?: .*)?\n)*)((?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class Command:
    """A command of a page, with the output on the page."""

    typed: str
    answered: str

    @property
    def script(self) -> str:
        return re.sub(r"^>(?: |$)", "", self.typed, flags=re.MULTILINE)


def commands(page: Path) -> Iterator[Command]:
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for typed, answered in _COMMAND.findall(block):
            yield Command(typed, answered)


class Shell:
    """A reader's shell: a folder with the sample, a deployment's URL, and a key."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._environment = {**os.environ, **settings, "PATH": path, "NO_COLOR": "1"}
        shutil.copy(PROJECT / "local" / "sample" / "savings.json", folder)

    def run(self, command: Command) -> str:
        """The output on stdout and stderr, in lines without trailing spaces."""
        done = subprocess.run(
            ["/bin/bash", "-c", command.script],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=300,
            check=False,
        )
        lines = [line.rstrip() for line in done.stdout.splitlines()]
        return "".join(f"{line}\n" for line in lines if line)


def shape(answered: str) -> str:
    """The output without the parts that differ between machines and days: numbers, bars and column widths."""
    without = re.sub(r"[0-9]{8}T[0-9]{9}-[0-9a-f]{8}(-[0-9]{2}(-[0-9]+d)?)?|\b[0-9a-f]{16}\b", "ID", answered)
    without = re.sub(r"[0-9]+([.,:T-][0-9]+)*Z?", "0", without)
    return re.sub(r"[-+]0", "0", re.sub(r"[█▉▊▋▌▍▎▏·]+", "█", re.sub(r"[─ ]+", " ", without)))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder) / "cloud", port=None) as cloud:
        cloud.deploy()
        (Path(folder) / "reader").mkdir()
        shell = Shell(Path(folder) / "reader", cloud.environment())
        for page in PAGES:
            print(page.name)
            text = page.read_text(encoding="utf-8")
            for command in list(commands(page)):
                text = text.replace(f"$ {command.typed}{command.answered}", f"$ {command.typed}{shell.run(command)}", 1)
            page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
