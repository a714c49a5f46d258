"""`make bench-load`: clients request predictions as fast as they can during trainings, on a local cloud.

The benchmark doesn't measure the speed of this machine. It checks that no answer is 5xx or missing, what throttling does, how many workers
there are, and how long a stop takes: half of the clients share one key of the role predict, and so the rate limit of its plan; each of the
others has its own key.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from statistics import quantiles

import requests

from local.cloud import PROJECT, LocalCloud
from local.server import CloudError
from winnow.domain.access import Role
from winnow_cli.client import ApiError, Client

MODEL = "load"
SAMPLE = PROJECT / "local" / "sample" / "savings.json"
NO_ANSWER = 599
_TRAINERS = 2


class Tally:
    """The number of answers by call and status, and the seconds of successful predictions."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self.answers: Counter[tuple[str, int]] = Counter()
        self.faults: Counter[str] = Counter()
        self.seconds: list[float] = []

    def call(self, session: requests.Session, method: str, path: str, body: object = None) -> None:
        began = time.monotonic()
        try:
            answer = session.request(method, self._url + path, json=body, timeout=120)
            status, text = answer.status_code, answer.text
        except requests.RequestException as error:
            status, text = NO_ANSWER, type(error).__name__
        seconds = time.monotonic() - began
        with self._lock:
            self.answers[f"{method} {path}", status] += 1
            if status >= 500:
                self.faults[text[:300]] += 1
            if (path, status) == ("/prediction", 200):
                self.seconds.append(seconds)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=300)
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder), port=None) as cloud:
            cloud.deploy()
            status = _load(cloud, arguments.clients, arguments.seconds)
            began = time.monotonic()
            cloud.stop()
            print(f"the stop took {time.monotonic() - began:.1f} s")
            return status
    except (CloudError, ApiError, TimeoutError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1


def _load(cloud: LocalCloud, clients: int, seconds: int) -> int:
    settings = cloud.environment()
    url, admin = settings["WINNOW_URL"], settings["WINNOW_API_KEY"]
    shared = cloud.keys().add("shared", Role.PREDICT)
    keys = [shared if number % 2 else cloud.keys().add(f"client-{number}", Role.PREDICT) for number in range(clients)]
    client = Client(url, admin)
    dataset = client.upload("savings.json", SAMPLE.read_bytes())
    client.train(MODEL, dataset, recipe="linear")
    client.wait(MODEL)

    tally, end = Tally(url), time.monotonic() + seconds
    texts = [example["text"] for example in json.loads(SAMPLE.read_text())]
    threads = [threading.Thread(target=_ask, args=(tally, key, texts, random.Random(number), end)) for number, key in enumerate(keys)]
    threads += [
        threading.Thread(target=_train, args=(tally, admin, {"id": f"trained-{number}", **dataset}, end)) for number in range(_TRAINERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = Counter(client.call("GET", f"/models/trained-{number}")["version"]["status"] for number in range(_TRAINERS))
    status = _print(tally, clients, seconds, versions)
    print(f"worker processes by function: {', '.join(f'{name} {of}' for name, of in sorted(_workers(cloud.folder / 'tmp').items()))}")
    return status


def _workers(folder: Path) -> Counter[str]:
    """The number of worker processes by function. Each runs a file in ministack-lambda-STACK-FUNCTION-SUFFIX-… in the folder."""
    found: Counter[str] = Counter()
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if name := re.search(
                rf"{re.escape(str(folder))}/ministack-lambda-winnow-local-(\w+)-", process.read_bytes().decode(errors="replace")
            ):
                found[name[1]] += 1
    return found


def _ask(tally: Tally, key: str, texts: list[str], chance: random.Random, end: float) -> None:
    with requests.Session() as session:
        session.headers["x-api-key"] = key
        while time.monotonic() < end:
            many = chance.random() < 0.1
            asked = {"texts": chance.sample(texts, 20)} if many else {"text": chance.choice(texts)}
            tally.call(session, "POST", "/prediction", {"model_id": MODEL, **asked})
            if chance.random() < 0.05:
                tally.call(session, "GET", f"/models/{MODEL}")


def _train(tally: Tally, key: str, wanted: dict[str, str], end: float) -> None:
    """Start one training after another. A request during a training gets 409 and is repeated at once."""
    with requests.Session() as session:
        session.headers["x-api-key"] = key
        while time.monotonic() < end:
            tally.call(session, "POST", "/models", {**wanted, "force_update": True, "recipe": "linear", "n_iter": 2})
            time.sleep(1)


def _print(tally: Tally, clients: int, seconds: int, versions: Counter[str]) -> int:
    print(f"{clients} clients for {seconds} s, {_TRAINERS} more that train; answers by call and status:")
    for (call, status), number in sorted(tally.answers.items()):
        print(f"  {call:24} {'no answer' if status == NO_ANSWER else status} {number:8,}")
    percentiles = quantiles(tally.seconds, n=100)
    print(f"a prediction took {percentiles[49] * 1000:.0f} ms (median), {percentiles[98] * 1000:.0f} ms (p99)")
    print(f"the last version of each trained model: {', '.join(f'{number} {status}' for status, number in versions.items())}")
    print(f"5xx answers: {tally.faults.total()}")
    for text, number in tally.faults.most_common(5):
        print(f"  {number} times: {text}")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
