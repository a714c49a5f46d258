"""What the local cloud deploys and tests/layers look at."""

from __future__ import annotations

import fcntl
import subprocess

from tests.support.contract import ROOT


def build_local() -> None:
    """`make build-local`, which does nothing where all is built. Of processes that run tests, one builds and the others wait for it."""
    folder = ROOT / ".aws-sam"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["make", "build-local"], cwd=ROOT, check=True)  # noqa: S607
