"""answering.py FUNCTION EVENTS FIGURES [PROFILE]: answers events as a deployed function does, and measures each answer.

FUNCTION is the folder with app.py. EVENTS is a file with one event per line. FIGURES is the JSON file to write:
  started, imported, cold   CPU seconds of the process at the start of this file, after the import of app.py, and after the first answer
  wall                      seconds from BEGAN (an environment variable: time.monotonic() before the start) to the first answer
  answers                   for each event: CPU seconds, and the memory of the process after it in bytes
  most                      the peak memory in bytes
PROFILE is a file for cProfile's view of the first answer, which then takes longer.
Any answer other than 200 ends the process. Only the function itself imports more than the standard library.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

started = time.process_time()


def main() -> None:
    function, asked, told = map(Path, sys.argv[1:4])
    events = asked.read_text(encoding="utf-8").splitlines()
    context = SimpleNamespace(
        function_name="winnow",
        memory_limit_in_mb=1769,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:winnow",
        aws_request_id="2c3d4b6e-cf8f-4b3f-944d-2ed928e84f9d",
        get_remaining_time_in_millis=lambda: 28_000,
    )
    sys.path.insert(0, str(function))
    handler = importlib.import_module("app").handler
    figures = {"started": started, "imported": time.process_time()}
    answers = []
    for number, line in enumerate(events):
        event = json.loads(line)
        began = time.process_time()
        answer = handler(event, context) if number or len(sys.argv) < 5 else _profiled(handler, event, context)
        seconds = time.process_time() - began
        if number == 0:
            figures |= {"cold": time.process_time(), "wall": time.monotonic() - float(os.environ["BEGAN"])}
        answers.append((seconds, _memory("VmRSS")))
        _check(answer)
    told.write_text(json.dumps({**figures, "answers": answers, "most": _memory("VmHWM")}), encoding="utf-8")


def _profiled(handler: Callable[[object, object], Any], event: object, context: object) -> Any:
    profile = importlib.import_module("cProfile").Profile()
    answer = profile.runcall(handler, event, context)
    profile.dump_stats(sys.argv[4])
    return answer


def _check(answer: dict[str, object] | None) -> None:
    """Ends the process if the answer is an error. Tasks of workflows return no status."""
    if answer is not None and answer["statusCode"] != 200:
        sys.exit(f"{answer['statusCode']}: {answer['body']}")


def _memory(name: str) -> int:
    # Not getrusage: its peak includes the process before exec.
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main()
