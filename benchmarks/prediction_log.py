"""`make bench-log`: what the prediction log adds to a warm answer.

A local cloud trains one model twice, and the second one logs each text. The function's own handler answers texts of the sample, one per
call, in this process: 25 without the log, then 25 with it, and so on, with 20 ms before each. A stand-in of Lambda's Extensions API sends
the event before each call, and the next call begins when the extension has asked for another event, as on Lambda. So writing to S3 takes
place between two calls. A call ends with the JSON that Lambda's runtime makes of the answer. `alone` is the handler without extension
and log.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks import contestants
from local.cloud import PROJECT, LocalCloud
from local.server import CREDENTIALS, CloudError
from tests.support.extensions_api import ExtensionsApi
from winnow_cli.client import ApiError, Client

_SAMPLE = PROJECT / "local" / "sample" / "savings.json"
# In seconds, before each call. Longer than a write: a call takes longer after a longer sleep, in which others use the processor's cache.
_PAUSE = 0.02
_MOST = 1.1
_IN_A_ROW = 25


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-log", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2_000, help="the number of calls of each kind (2,000)")
    parser.add_argument("--recipe", default="linear", choices=contestants.RECIPES, help="the recipe of the model (linear, the fastest)")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder), port=None) as cloud:
            cloud.deploy()
            print(_told(_measured(cloud, arguments.recipe, arguments.calls), arguments))
    except (CloudError, ApiError, TimeoutError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    return 0


def _measured(cloud: LocalCloud, recipe: str, calls: int) -> Mapping[str, list[tuple[float, float]]]:
    """For each kind of call: the seconds of each, and the processor seconds of the thread that answers."""
    deployed = cloud.environment()
    client = Client(deployed["WINNOW_URL"], deployed["WINNOW_API_KEY"])
    examples = json.loads(_SAMPLE.read_text(encoding="utf-8"))
    lines = "\n".join(json.dumps(example) for example in examples).encode()
    for name in ("off", "on"):
        contestants.train(cloud, name, lines, recipe=recipe, **contestants.RECIPES[recipe])
    client.call("PATCH", "/models/on", {"log": {"share": 1, "days": 1}})
    api = ExtensionsApi()
    os.environ |= {
        **CREDENTIALS,
        **contestants.ours(cloud).environment,
        "AWS_LAMBDA_FUNCTION_NAME": "winnow",
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    }
    sys.path.insert(0, str(PROJECT / "functions" / "api" / "predict"))
    handler = importlib.import_module("app").handler
    texts = [example["text"] for example in examples]
    found: dict[str, list[tuple[float, float]]] = {"alone": [], "log off": [], "log on": []}
    api.wait_until_asked()
    for number in range(calls // _IN_A_ROW):
        for kind in found:
            # A call comes after one of its kind: what the log does after an answer may slow the next one.
            measured = [_asked(api, handler, kind, texts[(number + place) % len(texts)]) for place in range(_IN_A_ROW + 1)]
            found[kind] += measured[1:]
    api.close()
    return found


def _asked(api: ExtensionsApi, handler: Any, kind: str, text: str) -> tuple[float, float]:
    """The seconds of a call of this kind. It ends when the extension has asked for its next event."""
    api.invoke()
    time.sleep(_PAUSE)
    if kind == "alone":
        found = _timed(handler.__wrapped__, "off", text)
        # The event is for the extension.
        handler({}, None)
    else:
        found = _timed(handler, kind.removeprefix("log "), text)
    api.wait_until_asked()
    return found


def _timed(handler: Callable[[Any, Any], Any], model_id: str, text: str) -> tuple[float, float]:
    event = contestants.event(model_id, [text])
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 28_000)
    began, spent = time.perf_counter(), time.thread_time()
    answer = handler(event, context)
    json.dumps(answer)
    seconds = time.perf_counter() - began, time.thread_time() - spent
    if answer["statusCode"] != 200:
        raise CloudError(f"{answer['statusCode']}: {answer['body']}")
    return seconds


def _told(found: Mapping[str, list[tuple[float, float]]], arguments: argparse.Namespace) -> str:
    def rows() -> Iterator[str]:
        yield f"{arguments.recipe}, {arguments.calls:,} calls of each kind with one text, medians"
        yield "| | time, µs | of log off | processor time of the thread, µs | of log off |"
        yield "| --- | ---: | ---: | ---: | ---: |"
        for kind, measured in found.items():
            wall, spent = (_median(measured, which) for which in (0, 1))
            of_wall, of_spent = (_median(measured, which) / _median(found["log off"], which) for which in (0, 1))
            yield f"| {kind} | {1e6 * wall:,.0f} | {of_wall:.3f} | {1e6 * spent:,.0f} | {of_spent:.3f} |"
        ratio = _median(found["log on"], 0) / _median(found["log off"], 0)
        yield f"{'met   ' if ratio <= _MOST else 'MISSED'} time with the log on, of that with it off: {ratio:.3f}, goal: at most {_MOST}"

    return "\n".join(rows())


def _median(measured: list[tuple[float, float]], which: int) -> float:
    return statistics.median(each[which] for each in measured)


if __name__ == "__main__":
    sys.exit(main())
