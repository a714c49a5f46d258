"""Trims what our own layer has of other people's to what our functions ask of it: python -m layers.winnow.trim FOLDER

The AWS SDK's code stays as it is. Of its data, which describe every service of AWS, those of our services stay, without their documentation
and unpacked: a client that looks through all and reads the whole of its own takes several times as long to be made, in every cold start.
No operation, shape or region of a service that stays is left out. Of Powertools go the parts that none of us imports: half of its size.
"""

import argparse
import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from layers import trimming
from layers.trimming import LayerError

SERVICES = ("dynamodb", "events", "lambda", "s3", "stepfunctions")
"""As boto3 names those that winnow/aws/clients.py has clients of."""
# Where endpoints.json calls one otherwise.
_ENDPOINTS = {"stepfunctions": "states"}
# Of Powertools: Logger and Metrics need neither the router nor any utility but this one.
_ROUTER, _UTILITIES, _NEEDED = "event_handler", "utilities", "jmespath_utils"
# Nothing but `help()` reads them.
_UNREAD = ("examples-1.json", "examples-1.json.gz")


def trim(tree: Path) -> None:
    data = tree / "botocore" / "data"
    for service in SERVICES:
        if not (data / service).is_dir():
            raise LayerError(f"{data / service} is missing: botocore isn't installed there, or its data has moved")
    for folder in (data, tree / "boto3" / "data"):
        for other in folder.iterdir():
            if other.is_dir() and other.name not in SERVICES:
                shutil.rmtree(other)
    for service in SERVICES:
        _shorten(data / service)
    _shorten_endpoints(data / "endpoints.json")
    shutil.rmtree(tree / "boto3" / "examples", ignore_errors=True)
    _drop_parts(tree / "aws_lambda_powertools")
    trimming.remove_unread_files(tree)


def _drop_parts(powertools: Path) -> None:
    if not (powertools / _UTILITIES / _NEEDED).is_dir():
        raise LayerError(f"{powertools / _UTILITIES / _NEEDED} is missing: Powertools isn't installed there, or has moved its parts")
    shutil.rmtree(powertools / _ROUTER)
    for part in (powertools / _UTILITIES).iterdir():
        if part.is_dir() and part.name != _NEEDED:
            shutil.rmtree(part)


def _shorten(service: Path) -> None:
    """The newest version of a service alone, unpacked and without documentation."""
    *older, newest = sorted(folder for folder in service.iterdir() if folder.is_dir())
    for folder in older:
        shutil.rmtree(folder)
    for file in newest.iterdir():
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        file.unlink()
        if file.name not in _UNREAD:
            _write(file.with_suffix("") if file.suffix == ".gz" else file, undocumented(json.loads(content)))


def undocumented(value: Any) -> Any:
    """A description of a service with empty texts for its documentation, which botocore asks for by name."""
    match value:
        case dict():
            return {name: "" if name == "documentation" and isinstance(each, str) else undocumented(each) for name, each in value.items()}
        case list():
            return [undocumented(each) for each in value]
    return value


def _shorten_endpoints(file: Path) -> None:
    """Every region of every partition, and the endpoints of our services there."""
    endpoints = json.loads(file.read_bytes())
    kept = {_ENDPOINTS.get(service, service) for service in SERVICES}
    for partition in endpoints["partitions"]:
        partition["services"] = {name: service for name, service in partition["services"].items() if name in kept}
    _write(file, endpoints)


def _write(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value, separators=(",", ":")), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the packages are installed")
    try:
        trim(parser.parse_args().folder)
    except LayerError as error:
        sys.exit(f"winnow layer: {error}")


if __name__ == "__main__":
    main()
