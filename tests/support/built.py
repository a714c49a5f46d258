"""The build that the local cloud deploys and tests/layers check."""

from __future__ import annotations

import fcntl
import subprocess

from tests.support.contract import ROOT


def build_local() -> None:
    """Run `make build-local`, which does nothing if all is built. One test process builds, and the others wait for it."""
    folder = ROOT / ".aws-sam"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["make", "build-local"], cwd=ROOT, check=True)  # noqa: S607
