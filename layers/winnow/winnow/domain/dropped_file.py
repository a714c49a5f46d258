"""Files that clients put into the folders inbox/ and training/ of the uploads' bucket, and the keys of what comes of them (docs/inbox.md).

Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

# The folder of the results.
OUTBOX_PREFIX = "outbox/"
_ERROR = ".error.json"
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
_MOST_BYTES_OF_KEY = 1024
_IN_FOLDER = re.compile(r"[a-z]+/(?P<model_id>[^/]+)/(?P<name>.+)", re.DOTALL)


class Folder(StrEnum):
    """What a file is for: to be classified, or to be trained on."""

    INBOX = "inbox"
    TRAINING = "training"


# The prefixes of what clients put there, and of the results.
DROPPED_PREFIXES = tuple(f"{folder}/" for folder in Folder)


@dataclass(frozen=True, slots=True)
class DroppedFile:
    """A file that was put into a folder.

    key: of its object. state: what tells the object from another one under the same key: the id of its S3 version, or S3's sequencer if the
    bucket keeps no versions. dropped_at: when (ISO 8601).
    """

    folder: Folder
    key: str
    state: str
    dropped_at: str

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> DroppedFile | None:
        """From S3's event "Object Created". None for what isn't a file for Winnow: a sentence of ours, or the mark of an empty folder.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
        """
        found = event["detail"]["object"]
        # Unlike S3's other notifications, an event has the key as it is.
        key: str = found["key"]
        folder = folder_of(key)
        if folder is None or key.endswith("/") or is_sentence(key):
            return None
        return cls(folder, key, found.get("version-id") or found["sequencer"], event["time"])

    @property
    def model_id(self) -> str | None:
        """The name of the folder that the file is in. None if it is in none."""
        found = _IN_FOLDER.fullmatch(self.key)
        return found["model_id"] if found else None

    @property
    def digest(self) -> str:
        """The same for each delivery of the same event, and different for any other file."""
        return sha256(f"{self.key}\n{self.state}".encode("utf-8", "surrogatepass")).hexdigest()


def folder_of(key: str) -> Folder | None:
    """The folder that an object is in. None if it is elsewhere."""
    return next((folder for folder in Folder if key.startswith(f"{folder}/")), None)


def is_sentence(key: str) -> bool:
    """Whether an object is a sentence beside a file."""
    return key.endswith(_ERROR)


def error_key(key: str) -> str:
    """The key of the sentence beside a file that says what is wrong with it."""
    return _with_ending(key, _ERROR)


def outbox_key(key: str, ending: str) -> str:
    """The key of the result of a file in the inbox: with the file's name, and with the ending of the result's format if it has another.

    ending: such as "csv".
    """
    name = OUTBOX_PREFIX + key.removeprefix(f"{Folder.INBOX}/")
    return name if name.endswith(f".{ending}") else _with_ending(name, f".{ending}")


def outbox_prefix(model_id: str) -> str:
    """The prefix of all results of a model."""
    return f"{OUTBOX_PREFIX}{model_id}/"


def _with_ending(key: str, ending: str) -> str:
    """The key with the ending. A key that would become too long for S3 is cut before it."""
    room = _MOST_BYTES_OF_KEY - len(ending)
    return key.encode("utf-8", "surrogatepass")[:room].decode("utf-8", "ignore") + ending
