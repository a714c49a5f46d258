"""The terminal of README, docs/figures/train-and-predict.svg: python -m tests.support.pictures types its commands and draws it."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from local.cloud import PROJECT, LocalCloud

FIGURE = PROJECT / "docs" / "figures" / "train-and-predict.svg"
WIDTH = 92
MOST_LINES = 10
COMMANDS = (
    ("train", "savings.json", "--model", "savings", "--watch"),
    ("predict", "--model", "savings", "--n-top", "2", "I want to save for vacation!", "asdf qwer"),
)
# rich's own form, without its fonts from another host.
SVG = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>winnow train, then winnow predict</title>
<style>
.{unique_id}-matrix {{ font-family: DejaVu Sans Mono, Menlo, Consolas, monospace; }}
.{unique_id}-matrix {{ font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def answer(folder: Path, settings: dict[str, str], arguments: tuple[str, ...]) -> str:
    """The first lines that the command prints, in colours."""
    colours = {"FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    command = [str(Path(sys.executable).parent / "winnow"), *arguments]
    done = subprocess.run(command, cwd=folder, env=os.environ | settings | colours, capture_output=True, text=True, check=True)
    lines = done.stdout.rstrip().splitlines()
    return "\n".join([*lines[:MOST_LINES], *(["…"] if len(lines) > MOST_LINES else [])])


def main() -> None:
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="256")
    with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder) / "cloud", port=None) as cloud:
        cloud.deploy()
        shutil.copy(PROJECT / "local" / "sample" / "savings.json", folder)
        for arguments in COMMANDS:
            console.print(Text(f"$ winnow {shlex.join(arguments)}", style="bold"))
            console.print(Text.from_ansi(answer(Path(folder), cloud.environment(), arguments)))
    drawn = console.export_svg(title="", code_format=SVG, unique_id="terminal")
    FIGURE.write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
