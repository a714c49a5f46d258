"""Where the texts of a review queue come from: a file of texts without labels, or the model's prediction log."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from winnow.aws import resources
from winnow.datasets.row_problems import FileError
from winnow.datasets.unlabelled import UnlabelledText, UnlabelledTexts
from winnow.domain.clock import utc_now
from winnow.domain.dataset import Layout
from winnow.domain.errors import DatasetError, NoLoggedTextsError
from winnow.domain.model import Model
from winnow.domain.prediction_log import has_expired

MOST_TEXTS = 5_000
"""The most texts that are looked at. Of more, so many are drawn evenly."""

# The largest file, unpacked: it is read while the client waits.
MOST_ROWS, MOST_BYTES = 100_000, 50_000_000
# The same texts are drawn of the same file each time.
_SEED = 0
# The most sentences about unreadable rows that an answer has.
_MOST_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text of a source. Of a file: its line there, and the client's name for it, if it has one. Of a log: the id of its prediction."""

    text: str
    line: int | None = None
    id: str | int | None = None
    prediction_id: str | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """At most MOST_TEXTS texts in random order, and what the API says about their source."""

    texts: Sequence[SourceText]
    facts: Mapping[str, Any]


# Takes the model, and the time (`monotonic`) until which it may read. DatasetError if the texts can't be read.
Source = Callable[[Model, float], Drawn]


def in_log(model: Model, until: float) -> Drawn:
    """The newest texts of the model's prediction log; evenly drawn ones of the earliest day for which there is room or time.

    NoLoggedTextsError if there is none.
    """
    texts: list[SourceText] = []
    draw = random.Random(_SEED)
    for request in resources.prediction_log().newest_first(model.uid, draw):
        kept = (each for each in request if not has_expired(each.prediction_id, utc_now()))
        texts += [SourceText(each.text, prediction_id=each.prediction_id) for each in kept]
        if len(texts) >= MOST_TEXTS or monotonic() > until:
            break
    if not texts:
        raise NoLoggedTextsError(model.model_id, is_on=model.log is not None)
    facts = {"rows": len(texts), "unreadable": 0, "problems": []}
    return Drawn(draw.sample(texts, min(len(texts), MOST_TEXTS)), facts)


def in_file(s3bucket: str, key: str, layout: Layout) -> Source:
    """The texts of an S3 object, which has at most MOST_ROWS rows and MOST_BYTES_AT_ONCE bytes. Labels in it are ignored."""

    def read(_: Model, until: float) -> Drawn:
        of_deployment = resources.ceilings()
        ceilings = replace(of_deployment, rows=min(MOST_ROWS, of_deployment.rows), bytes=min(MOST_BYTES, of_deployment.bytes))
        opened = resources.datasets().open(s3bucket, key)
        texts = UnlabelledTexts(opened.stream, key, ceilings, layout)
        drawing = _Drawing()
        try:
            for found in texts:
                drawing.add(found)
                if monotonic() > until:
                    raise DatasetError("The file takes too long to read: send a part of it.")
        except FileError as error:
            limits = f"at most {MOST_ROWS:,} texts and {MOST_BYTES:,} bytes"
            raise DatasetError(f"{error.sentence} A review queue takes files of {limits}.") from error
        if not drawing.texts:
            # A table that is only a header has no row, and so no problem.
            raise DatasetError(" ".join(("The file has no text that can be read.", *drawing.problems[:1])))
        return drawing.drawn(texts.warning())

    return read


class _Drawing:
    """Draws texts evenly from a stream of unknown length (Vitter 1985, "Random Sampling with a Reservoir", algorithm R)."""

    def __init__(self) -> None:
        self.texts: list[SourceText] = []
        self.problems: list[str] = []
        self._rows = self._unreadable = 0
        self._random = random.Random(_SEED)

    def add(self, found: UnlabelledText) -> None:
        self._rows += 1
        if found.text is None:
            self._unreadable += 1
            self.problems += [found.error or ""] if len(self.problems) < _MOST_PROBLEMS else []
            return
        text = SourceText(found.text, found.line, found.id)
        if len(self.texts) < MOST_TEXTS:
            self.texts.append(text)
            return
        place = self._random.randrange(self._rows - self._unreadable)
        if place < MOST_TEXTS:
            self.texts[place] = text

    def drawn(self, warning: str | None) -> Drawn:
        facts = {"rows": self._rows, "unreadable": self._unreadable, "problems": [*self.problems, *([warning] if warning else [])]}
        # If the time ends before all were looked at, those that were are an even draw too.
        return Drawn(self._random.sample(self.texts, len(self.texts)), facts)
