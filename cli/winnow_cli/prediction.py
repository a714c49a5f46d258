"""`winnow predict`: classify texts from arguments, a file or standard input, at most 100 per call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from winnow_cli import tables, text_columns
from winnow_cli.client import ApiError, Client
from winnow_cli.failures import UsageError
from winnow_cli.files import lines, parts
from winnow_cli.terminal import Terminal

_MOST_TEXTS, _N_TOP = 100, 5
# A request has at most 1 MB, an answer at most 5 MB. With many labels, an answer is much larger than its request. An answer has 28 seconds,
# and an explanation takes as long as some dozen predictions.
_MOST_BYTES, _MOST_EXPLAINED_BYTES, _MOST_LABELS = 700_000, 1_000, 20_000


def predict(
    client: Client, terminal: Terminal, source: Sequence[str] | Path | None, columns: Sequence[str], more: Mapping[str, Any]
) -> None:
    """Classify the texts of `source` and show each answer when it arrives.

    A table (.csv, .tsv) has one text per record, in `columns` or in a column with a known name. Any other file, and standard input, has one
    text per line.
    """
    texts = _texts(source, columns)
    most_bytes = _MOST_EXPLAINED_BYTES if "explain" in more else _MOST_BYTES
    done = 0
    for some in parts(texts, min(_MOST_TEXTS, _MOST_LABELS // more.get("n_top", _N_TOP)), most_bytes):
        try:
            answer = client.call("POST", "/prediction", {**more, "texts": some})
        except ApiError as error:
            if done or len(some) > 1:
                error.message = f"Texts {done + 1} to {done + len(some)}: {error.message}"
            raise
        for text, predicted in zip(some, answer["predictions"], strict=True):
            _show(terminal, text, predicted, answer)
        done += len(some)


def _texts(source: Sequence[str] | Path | None, columns: Sequence[str]) -> Iterator[str]:
    if isinstance(source, Path) and source.suffix.lower() in text_columns.ENDINGS:
        return text_columns.texts(source, columns)
    if columns:
        raise UsageError("--text-column is for a --file whose name ends in .csv or .tsv.")
    return lines(source) if source is None or isinstance(source, Path) else iter(source)


def _show(terminal: Terminal, text: str, predicted: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    explained = tables.explanation(text, predicted["explanation"]) if "explanation" in predicted else ()
    result = {"text": text, "model_id": answer["model_id"], "version": answer["version"], **predicted}
    terminal.show(result, *tables.prediction(text, predicted["labels"]), *explained)
