"""`make deploy`: `sam deploy`, after it has said which parameters of the stack would change (docs/deploy.md#set-parameters).

A change of a guarded parameter needs a yes: typed in a terminal, or given by its name.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Iterable

from botocore.exceptions import BotoCoreError, ClientError

from operations import settings
from operations.doctor import GUARDED, ROOT, Account, Verdict, layers
from operations.settings import OperationError


def check(account: Account, agreed: Iterable[str], options: Iterable[str]) -> None:
    """Print what would change. OperationError if the layers don't fit, or nobody agrees to the change of a guarded parameter."""
    if any(option.startswith(("--parameter-overrides", "--guided")) for option in options):
        raise OperationError("parameters are set in samconfig.toml, and nowhere else (docs/deploy.md#set-parameters)")
    if (found := layers(account)).verdict is Verdict.WRONG:
        raise OperationError(found.sentence)
    for sentence in account.changes_in_words:
        print(f"  {sentence}", flush=True)
    if not (unagreed := sorted(account.changes.keys() & GUARDED - set(agreed))):
        return
    names = ",".join(unagreed)
    if not sys.stdin.isatty():
        raise OperationError(f"this would change {names}: keep the old values in samconfig.toml, or run `make deploy CHANGE={names}`")
    if input(f"Change {names} of the stack {account.stack}? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise OperationError("nothing was deployed: samconfig.toml sets the parameters")


def main(arguments: list[str] | None = None) -> int:
    """Run the command. A failure prints one line on stderr and returns 1."""
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("--stack")
    parser.add_argument("--change", default="", help="guarded parameters that may change, separated by commas")
    parser.add_argument("--options", default="", help="further options of `sam deploy`")
    given = parser.parse_args(arguments)
    options = shlex.split(given.options)
    try:
        deploying = settings.of_stack(given.stack)
        check(Account(deploying.session(), deploying), given.change.split(","), options)
    except (OperationError, ClientError, BotoCoreError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    command = ["sam", "deploy", "--config-env", deploying.section, "--stack-name", deploying.stack, *options]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - sam, and what the operator gave


if __name__ == "__main__":
    sys.exit(main())
