"""Trims the third-party packages of our own layer to the parts that our functions use: python -m layers.winnow.trim FOLDER

The code of the AWS SDK stays as it is. Its data describe every AWS service: only our services stay, unpacked and without documentation.
With all of the data, each cold start takes several times as long to make a client. The remaining services keep all of their
operations, shapes and regions. Powertools loses the parts that we never import: half of its size. Of eld, the language detector, only
its smaller table of n-grams stays, packed: 1 of 19 MB. With byte code it would be 11 MB in every function.
"""

import argparse
import gzip
import json
import runpy
import shutil
import sys
from pathlib import Path
from typing import Any

from layers import trimming
from layers.trimming import LayerError

SERVICES = ("apigateway", "dynamodb", "events", "lambda", "s3", "stepfunctions")
"""The services that winnow/aws/clients.py uses, by boto3's names."""
# The services with another name in endpoints.json.
_ENDPOINTS = {"stepfunctions": "states"}
# In Powertools, Logger and Metrics don't need the router, and only this one of the utilities.
_ROUTER, _UTILITIES, _NEEDED = "event_handler", "utilities", "jmespath_utils"
# winnow/datasets/languages.py reads this file of eld, and no other.
_NGRAMS = Path("resources", "ngrams", "ngramsM60.py")
# What is in its place afterwards: the same names, from JSON. n-grams are bytes, so they are in Latin-1 there.
_PACKED = "ngrams.json.gz"
_UNPACKING = f"""# Made by layers/winnow/trim.py from eld (https://github.com/nitotm/efficient-language-detector-py, Apache-2.0).
import gzip
import json
from pathlib import Path

_kept = json.loads(gzip.decompress(Path(__file__).with_name("{_PACKED}").read_bytes()))
ngrams_data = {{
    "languages": dict(enumerate(_kept["languages"])),
    "ngrams": {{ngram.encode("latin-1"): dict(zip(of[::2], of[1::2])) for ngram, of in _kept["ngrams"].items()}},
}}
"""
# Only `help()` reads them.
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
    _keep_ngrams(tree / "eld")
    trimming.remove_unread_files(tree)


def _drop_parts(powertools: Path) -> None:
    if not (powertools / _UTILITIES / _NEEDED).is_dir():
        raise LayerError(f"{powertools / _UTILITIES / _NEEDED} is missing: Powertools isn't installed there, or its parts have moved")
    shutil.rmtree(powertools / _ROUTER)
    for part in (powertools / _UTILITIES).iterdir():
        if part.is_dir() and part.name != _NEEDED:
            shutil.rmtree(part)


def _keep_ngrams(eld: Path) -> None:
    kept = eld / _NGRAMS
    if not kept.is_file():
        raise LayerError(f"{kept} is missing: eld isn't installed there, or its data has moved")
    data = runpy.run_path(str(kept))["ngrams_data"]
    shutil.rmtree(eld)
    kept.parent.mkdir(parents=True)
    languages = [data["languages"][number] for number in range(len(data["languages"]))]
    ngrams = {ngram.decode("latin-1"): [each for pair in of.items() for each in pair] for ngram, of in data["ngrams"].items()}
    packed = json.dumps({"languages": languages, "ngrams": ngrams}, separators=(",", ":"), ensure_ascii=False).encode()
    # Without a time, so that every build gives the same bytes.
    kept.with_name(_PACKED).write_bytes(gzip.compress(packed, mtime=0))
    kept.write_text(_UNPACKING, encoding="utf-8")


def _shorten(service: Path) -> None:
    """Keeps only the newest version of a service, unpacked and without documentation."""
    *older, newest = sorted(folder for folder in service.iterdir() if folder.is_dir())
    for folder in older:
        shutil.rmtree(folder)
    for file in newest.iterdir():
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        file.unlink()
        if file.name not in _UNREAD:
            _write(file.with_suffix("") if file.suffix == ".gz" else file, undocumented(json.loads(content)))


def undocumented(value: Any) -> Any:
    """A service description in which every documentation is an empty text. botocore needs the names to exist."""
    match value:
        case dict():
            return {name: "" if name == "documentation" and isinstance(each, str) else undocumented(each) for name, each in value.items()}
        case list():
            return [undocumented(each) for each in value]
    return value


def _shorten_endpoints(file: Path) -> None:
    """Keeps all regions of all partitions, but only the endpoints of our services."""
    endpoints = json.loads(file.read_bytes())
    kept = {_ENDPOINTS.get(service, service) for service in SERVICES}
    for partition in endpoints["partitions"]:
        partition["services"] = {name: service for name, service in partition["services"].items() if name in kept}
    _write(file, endpoints)


def _write(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value, separators=(",", ":")), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the folder with the installed packages")
    try:
        trim(parser.parse_args().folder)
    except LayerError as error:
        sys.exit(f"winnow layer: {error}")


if __name__ == "__main__":
    main()
