"""`make start`: run Winnow on this machine, and print its URL, its key and first calls to try."""

import argparse
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import requests

from local.cloud import FAILURES, PROJECT, LocalCloud
from local.server import CloudError, sentence

DEFAULT_PORT = 4566


def main() -> int:
    """Start and deploy, or find a cloud that already runs. A failure prints one line on stderr."""
    parser = argparse.ArgumentParser(prog="make start", description=__doc__)
    parser.add_argument("--folder", type=Path, default=PROJECT / ".local", help="the folder for state, logs and settings")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at; 0.0.0.0 in a container")
    parser.add_argument("--stay", action="store_true", help="stay until SIGTERM or Ctrl-C, then stop the cloud and keep its data")
    given = parser.parse_args()
    cloud = LocalCloud(given.folder, port=None, host=given.host)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        if cloud.find():
            _check_health(cloud.environment())
            print(f"winnow: already running on port {cloud.port} (to deploy new code: `make stop`, then `make start`)")
        else:
            cloud.port = _port()
            _start(cloud)
        _greet(cloud, cloud.environment(), staying=given.stay)
        if given.stay:
            _stay(cloud)
    except FAILURES as error:
        print(sentence(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("winnow: interrupted; nothing keeps running", file=sys.stderr)
        return 130
    return 0


def _port() -> int:
    value = os.environ.get("WINNOW_PORT") or str(DEFAULT_PORT)
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise CloudError(f"WINNOW_PORT is {value!r}: it must be a number from 1 to 65535")
    return int(value)


def _start(cloud: LocalCloud) -> None:
    """Start, deploy, and check that the API answers. If anything fails, the cloud stops too."""
    begun = time.monotonic()
    cloud.check()
    print(f"winnow: starting the local cloud on port {cloud.port} …", flush=True)
    cloud.start()
    if cloud.server.notice:
        print(f"winnow: {cloud.server.notice}", flush=True)
    try:
        print("winnow: deploying …", flush=True)
        cloud.deploy({"Inbox": os.environ.get("WINNOW_INBOX") or "false"})
        settings = cloud.environment()
        _check_health(settings)
        _write_settings(cloud.folder / "env", settings)
    except BaseException as error:
        if isinstance(error, FAILURES) and not cloud.find():
            raise CloudError(
                f"the local cloud's server ended during the deployment (log: {cloud.server.log}): run `make start` again"
            ) from error
        with contextlib.suppress(CloudError):  # the first failure is the one to hear of
            cloud.stop()
        raise
    print(f"winnow: ready after {time.monotonic() - begun:.0f} s")


def _stay(cloud: LocalCloud) -> None:
    """Wait for SIGTERM or Ctrl-C, and stop the cloud. CloudError if its server ends before, or can't save."""
    asked: list[int] = []
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda number, _: asked.append(number))
    while not asked:
        if not cloud.find():
            raise CloudError(f"the local cloud's server has ended (log: {cloud.server.log})")
        time.sleep(1)
    cloud.stop()
    print(f"winnow: stopped; its data stays in {cloud.folder}", flush=True)


def _check_health(settings: dict[str, str]) -> None:
    url = f"{settings['WINNOW_URL']}/health"
    session = requests.Session()
    session.trust_env = False  # a proxy can't reach this machine
    try:
        answer = session.get(url, headers={"x-api-key": settings["WINNOW_API_KEY"]}, timeout=30)
    except requests.RequestException as error:
        raise CloudError(f"{url} does not answer ({type(error).__name__}): try `make stop` and `make start`") from error
    if not answer.ok:
        raise CloudError(f"{url} answers {answer.status_code}: {answer.text[:200]}")


def _write_settings(file: Path, settings: dict[str, str]) -> None:
    """Write NAME=value lines. Only the owner may read the file: it holds the API key."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))


def _greet(cloud: LocalCloud, settings: dict[str, str], *, staying: bool) -> None:
    file = cloud.folder / "env"
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    headers = '-H "x-api-key: $WINNOW_API_KEY" -H "Content-Type: application/json"'
    print(
        f"""
  console  {settings["WINNOW_URL"]}/console
  key      {settings["WINNOW_API_KEY"]}
  URL      {settings["WINNOW_URL"]}
  docs     {settings["WINNOW_URL"]}/docs

The file {shown} has the URL, the key and the settings for AWS tools. Try:

  set -a; . {shown}; set +a
  curl "$WINNOW_URL/datasets" {headers} -d '{{"name": "texts.json"}}'
  curl -T texts.json "UPLOAD_URL" -H "If-None-Match: *"      # upload_url from the answer
  curl "$WINNOW_URL/models" {headers} -d '{{"id": "tc-01", "s3bucket": "…", "training_object": "…"}}'
  curl "$WINNOW_URL/models/tc-01" {headers}      # repeat until the status is ready
  curl -X GET "$WINNOW_URL/prediction" {headers} -d '{{"model_id": "tc-01", "text": "I want to save for vacation!"}}'
  curl "$WINNOW_URL/prediction" {headers} -d '{{"model_id": "tc-01", "texts": ["…", "…"]}}'

{"Ctrl-C (or `docker stop -t 60`) stops it" if staying else "`make stop` stops it"} and keeps its data.""",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
