"""Memory and CPU time of a local cloud's functions, read from /proc repeatedly until the end."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event, Thread

from local.cloud import LocalCloud
from local.server import CloudError

_TICKS = os.sysconf("SC_CLK_TCK")
_SECONDS_BETWEEN_LOOKS = 0.2


class Workers:
    """The processes of a cloud's functions, including interpreter and layers. The local cloud itself sets no memory limit."""

    def __init__(self, cloud: LocalCloud) -> None:
        running = cloud.find()
        if running is None:
            raise CloudError("the local cloud has stopped")
        self._cloud = running.pid
        self._memory: dict[str, int] = {}
        self._cpu: dict[tuple[str, str], float] = {}
        self._over = Event()
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    @property
    def memory(self) -> dict[str, int]:
        """The peak memory of one process of each function (VmHWM) in MB (10^6 bytes), by the function's name in the template."""
        return dict(self._memory)

    @property
    def cpu_seconds(self) -> dict[str, float]:
        """User and system CPU seconds of all processes of each function."""
        found: dict[str, float] = {}
        for (_, name), seconds in list(self._cpu.items()):
            found[name] = found.get(name, 0.0) + seconds
        return found

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_SECONDS_BETWEEN_LOOKS):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    self._note(process)
                except (OSError, ValueError):
                    continue  # the process has just ended

    def _note(self, process: Path) -> None:
        lines = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
        if lines.get("PPid") != str(self._cloud) or "VmHWM" not in lines:
            return
        environment = dict(line.split("=", 1) for line in (process / "environ").read_text().split("\0") if "=" in line)
        # STACK-LOGICALID-SUFFIX
        name = environment.get("AWS_LAMBDA_FUNCTION_NAME", "--").split("-")[-2]
        if not name:
            return
        self._memory[name] = max(self._memory.get(name, 0), round(int(lines["VmHWM"].split()[0]) * 1024 / 1e6))
        # The 14th and 15th fields. Count after the command's name, which may contain any character.
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        self._cpu[process.name, name] = (int(fields[11]) + int(fields[12])) / _TICKS
