"""answering.py FUNCTION EVENTS FIGURES: a process that answers events as a deployed function does, measured from its start.

FUNCTION is the folder with app.py, EVENTS a file with an event a line, FIGURES the file to write: init (CPU seconds until the function can
be called) and cold (to the first answer, init among them), warm and late (median and 95th percentile of the CPU seconds of each further
event), memory (the most held, in bytes).
The standard library only, beside what the function itself imports.
"""

import importlib
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace


def main() -> None:
    function, asked, told = map(Path, sys.argv[1:])
    first, *others = asked.read_text(encoding="utf-8").splitlines()
    context = SimpleNamespace(
        function_name="winnow",
        memory_limit_in_mb=1769,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:winnow",
        aws_request_id="2c3d4b6e-cf8f-4b3f-944d-2ed928e84f9d",
        get_remaining_time_in_millis=lambda: 28_000,
    )
    sys.path.insert(0, str(function))
    handler = importlib.import_module("app").handler
    init = time.process_time()
    _check(handler(json.loads(first), context))
    cold = time.process_time()
    seconds = []
    for event in map(json.loads, others):
        began = time.process_time()
        answer = handler(event, context)
        seconds.append(time.process_time() - began)
        _check(answer)
    seconds.sort()
    warm, late = (seconds[len(seconds) * part // 100] if seconds else 0.0 for part in (50, 95))
    told.write_text(json.dumps({"init": init, "cold": cold, "warm": warm, "late": late, "memory": _most_memory()}), encoding="utf-8")


def _check(answer: dict[str, object]) -> None:
    if answer["statusCode"] != 200:
        sys.exit(f"{answer['statusCode']}: {answer['body']}")


def _most_memory() -> int:
    # Not getrusage: its figure takes in what the process was before it became this one.
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main()
