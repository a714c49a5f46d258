"""The command `winnow`: Winnow's API from a terminal or a script. docs/command-line.md lists its options and exit codes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version as installed
from typing import Annotated

import typer

from winnow_cli.commands import datasets, examples, exporting, forgetting, keys, models, prediction, serving, training
from winnow_cli.failures import CommandError, ExitCode
from winnow_cli.options import examples_of
from winnow_cli.terminal import LOOKALIKES, plain

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (models, training, prediction, examples, datasets, exporting, serving, forgetting, keys):
    app.add_typer(group.commands)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code. A failure prints one line on stderr, never a traceback."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors=LOOKALIKES)  # type: ignore[union-attr]
    try:
        code = app(args=arguments, prog_name="winnow", standalone_mode=False)
        sys.stdout.flush()
        return int(code or ExitCode.OK)
    except CommandError as error:
        return _end(str(error), error.code)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        # Typer's words before the sentence about a choice.
        said = error.format_message().replace("Value error, ", "")
        return _end(f"{said} ({context.command_path if context else 'winnow'} --help)", ExitCode.USAGE)
    except BrokenPipeError:
        # The reader of stdout has closed it, as `head` does. Python would report that again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except (KeyboardInterrupt, typer.Abort):
        return ExitCode.INTERRUPTED
    except Exception as error:  # an unexpected error prints no traceback either
        frame = error.__traceback__
        while frame and frame.tb_next:
            frame = frame.tb_next
        where = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else "?"
        described = f"{type(error).__name__}: {error} ({where})"
        return _end(f"Unexpected answer from the API, or a bug in this command: {described}", ExitCode.FAILED)


def _end(sentence: str, code: ExitCode) -> ExitCode:
    print(f"winnow: {plain(' '.join(sentence.split()))}", file=sys.stderr)
    return code


@app.callback(
    invoke_without_command=True,
    epilog=examples_of(
        "winnow train tickets.csv --model tickets --watch",
        'winnow predict --model tickets "I forgot my password"',
        "winnow COMMAND -h    (help for one command)",
    ),
)
def _winnow(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Show the version of this command.")] = False
) -> None:
    """Train text classifiers and classify texts, with the API of a Winnow deployment.

    Set WINNOW_URL to the deployment's URL and WINNOW_API_KEY to one of its keys.

    Exit codes: 0 success, 1 refused or failed, 2 wrong usage, 3 no answer (try again later), 130 interrupted.
    """
    if version:
        print(installed("winnow-cli"))
    elif context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(ExitCode.USAGE)
