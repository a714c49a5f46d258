"""`make start`: the whole of Winnow on this machine, with its URL, its key and the first calls to try."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

import requests

from local.cloud import PROJECT, LocalCloud
from local.server import CloudError

DEFAULT_PORT = 4566


def main() -> int:
    """Start and deploy, or find what already runs; one line on stderr when that can't be done."""
    parser = argparse.ArgumentParser(prog="make start", description=__doc__)
    parser.add_argument("--folder", type=Path, default=PROJECT / ".local", help="where its state, logs and settings live")
    cloud = LocalCloud(parser.parse_args().folder, port=None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        if cloud.find():
            _check_health(cloud.environment())
            print(f"winnow: already running on port {cloud.port} (new code is deployed by `make stop` and `make start`)")
        else:
            cloud.port = _port()
            _start(cloud)
        _greet(cloud, cloud.environment())
    except CloudError as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("winnow: interrupted, nothing is left running", file=sys.stderr)
        return 130
    return 0


def _port() -> int:
    value = os.environ.get("WINNOW_PORT") or str(DEFAULT_PORT)
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise CloudError(f"WINNOW_PORT is {value!r}: give a number from 1 to 65535")
    return int(value)


def _start(cloud: LocalCloud) -> None:
    """Start, deploy, and hear the API answer; whatever stops us ends the cloud too."""
    begun = time.monotonic()
    cloud.check()
    print(f"winnow: starting the local cloud on port {cloud.port} …", flush=True)
    cloud.start()
    try:
        print("winnow: deploying …", flush=True)
        cloud.deploy()
        settings = cloud.environment()
        _check_health(settings)
        _write_settings(cloud.folder / "env", settings)
    except BaseException:
        cloud.stop()
        raise
    print(f"winnow: ready after {time.monotonic() - begun:.0f} s")


def _check_health(settings: dict[str, str]) -> None:
    url = f"{settings['WINNOW_URL']}/health"
    session = requests.Session()
    session.trust_env = False  # no proxy leads to this machine
    try:
        answer = session.get(url, headers={"x-api-key": settings["WINNOW_API_KEY"]}, timeout=30)
    except requests.RequestException as error:
        raise CloudError(f"{url} does not answer ({type(error).__name__}): try `make stop` and `make start`") from error
    if not answer.ok:
        raise CloudError(f"{url} answers {answer.status_code}: {answer.text[:200]}")


def _write_settings(file: Path, settings: dict[str, str]) -> None:
    """NAME=value lines that only their owner may read: one of them is the API key."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))


def _greet(cloud: LocalCloud, settings: dict[str, str]) -> None:
    file = cloud.folder / "env"
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    headers = '-H "x-api-key: $WINNOW_API_KEY" -H "Content-Type: application/json"'
    print(f"""
  URL  {settings["WINNOW_URL"]}
  key  {settings["WINNOW_API_KEY"]}
  page {settings["WINNOW_URL"]}/docs

URL and key, and what AWS tools need, are in {shown}. Try:

  set -a; . {shown}; set +a
  curl "$WINNOW_URL/datasets" {headers} -d '{{"name": "texts.json"}}'
  curl -T texts.json "UPLOAD_URL"      # the upload_url of the answer
  curl "$WINNOW_URL/models" {headers} -d '{{"id": "tc-01", "s3bucket": "…", "training_object": "…"}}'
  curl "$WINNOW_URL/models/tc-01" {headers}      # until its status is ready
  curl -X GET "$WINNOW_URL/prediction" {headers} -d '{{"model_id": "tc-01", "text": "I want to save for vacation!"}}'
  curl "$WINNOW_URL/prediction" {headers} -d '{{"model_id": "tc-01", "texts": ["…", "…"]}}'

`make stop` ends it and keeps what it holds.""")


if __name__ == "__main__":
    sys.exit(main())
