"""What a request says of its file (columns, separators, encoding, rare labels) goes to everything that reads the file, and is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.invoked import Invoked
from winnow.aws import clients
from winnow.domain.dataset import DatasetReference, Layout
from winnow.training import dry_run, prepare, read_dataset
from winnow_cli import tables

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow

SAID: dict[str, Any] = {
    "text_column": ["subject", "body"],
    "label_column": "category",
    "label_separator": "#",
    "delimiter": "\t",
    "encoding": "windows-1252",
}
LAYOUT = Layout(("subject", "body"), "category", "#", "\t", "windows-1252")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[DatasetReference, str]]:
    """The reading of data sets: which one, and what of rare labels."""
    asked: list[tuple[DatasetReference, str]] = []

    def kept(dataset: DatasetReference, **more: Any) -> read_dataset.ReadDataset:
        asked.append((dataset, more["rare_labels"]))
        # The file itself is a plain one.
        return read_dataset.read(replace(dataset, test_object=None, layout=Layout()), **more)

    monkeypatch.setattr(prepare, "read", kept)
    monkeypatch.setattr(dry_run, "read", kept)
    return asked


def test_a_training_reads_both_files_as_it_was_told_and_shows_it(winnow: Winnow, read: list[tuple[DatasetReference, str]]) -> None:
    winnow.put_dataset()
    winnow.create(**SAID, test_object="trainingSet.json", rare_labels="refuse")

    winnow.run_task("prepare", winnow.started_job())

    assert read == [(DatasetReference("albert-textcats", "trainingSet.json", "trainingSet.json", LAYOUT), "refuse")]
    version = winnow.version()
    assert (version["dataset"]["layout"], version["hyperparameters"]["rare_labels"]) == (SAID, "refuse")


def test_a_dry_run_does_too(winnow: Winnow, read: list[tuple[DatasetReference, str]]) -> None:
    winnow.put_dataset()

    assert winnow.create("create_model_dry_run", text_column="words", rare_labels="refuse").status == 200

    assert read == [(DatasetReference("albert-textcats", "trainingSet.json", layout=Layout(("words",))), "refuse")]


def test_so_does_the_report_that_is_made_elsewhere(
    winnow: Winnow, read: list[tuple[DatasetReference, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    invoked = Invoked("ReportDataset")
    monkeypatch.setattr(clients.lambda_(), "invoke", invoked.invoke)
    monkeypatch.setattr(dry_run, "MOST_BYTES_AT_ONCE", 10)
    winnow.put_dataset()
    assert winnow.create("create_model_dry_run", **SAID, rare_labels="refuse").status == 202
    read.clear()

    winnow.invoke("functions/upkeep/report_dataset", invoked.events[0])

    assert read == [(DatasetReference("albert-textcats", "trainingSet.json", layout=LAYOUT), "refuse")]


def test_the_report_says_what_was_understood(winnow: Winnow) -> None:
    rows = "".join(f"{label} {number};more;{label}\n" for label in ("über", "unter") for number in range(3))
    winnow.put_dataset(f"subject;body;category\n{rows}".encode("windows-1252"))
    said = {**SAID, "delimiter": ";"}

    report = winnow.create("create_model_dry_run", **said).body["report"]

    assert report["understood"] == said
    assert (report["trainable"], report["examples"], [each["label"] for each in report["labels"]]) == (True, 6, ["unter", "über"])


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"phrase,kind\na flat tyre,cycling\n", "Read as: UTF-8"),
        ("Text;Kategorie\nRückgabe;über\n".encode("windows-1252"), "Read as: Windows-1252"),
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n", "has an unknown format"),
    ],
    ids=["unknown columns", "one unknown column", "empty", "no text"],
)
def test_the_command_line_shows_what_is_wrong_with_a_file_that_is_not_understood(winnow: Winnow, body: bytes, shown: str) -> None:
    winnow.put_dataset(body)
    report = winnow.create("create_model_dry_run").body["report"]
    assert report["format"] is None
    said = [str(each) for each in tables.problems(report, "texts.csv")]
    assert said[0].startswith("texts.csv: 0 rows, 0 examples, 0 labels (unknown format)")
    assert any(shown in each for each in said)


def test_rows_and_events_of_earlier_releases_say_nothing(winnow: Winnow, read: list[tuple[DatasetReference, str]]) -> None:
    winnow.put_dataset()
    winnow.create()
    job = winnow.started_job()
    [row] = [row for row in winnow.table.scan()["Items"] if row["pk"].startswith("VERSIONS#")]
    del row["hyperparameters"]["rare_labels"]
    winnow.table.put_item(Item=row)

    winnow.run_task("prepare", job)
    of_before: Json = {"s3bucket": "albert-textcats", "training_object": "trainingSet.json", "test_object": None}
    winnow.invoke("functions/upkeep/report_dataset", {"report_id": "0" * 32, "dataset": of_before, "exclusive": None})

    assert read == [(DatasetReference("albert-textcats", "trainingSet.json"), "drop")] * 2
    assert "layout" not in winnow.version()["dataset"]
