"""`make stop`: stop the local cloud and keep its data."""

import argparse
import sys
from pathlib import Path

from local.cloud import FAILURES, PROJECT, LocalCloud
from local.server import sentence


def main() -> int:
    """Stop the cloud in the folder, and print the result."""
    parser = argparse.ArgumentParser(prog="make stop", description=__doc__)
    parser.add_argument("--folder", type=Path, default=PROJECT / ".local", help="the folder with its state")
    cloud = LocalCloud(parser.parse_args().folder, port=None)
    running = cloud.find()
    if running:
        print("Stopping the local cloud, and saving its data …", flush=True)
    try:
        stopped = cloud.stop()
    except FAILURES as error:
        print(sentence(error), file=sys.stderr)
        return 1
    print(f"winnow: stopped (port {running.port}); its data stays in {cloud.folder}" if stopped and running else "winnow: not running")
    return 0


if __name__ == "__main__":
    sys.exit(main())
