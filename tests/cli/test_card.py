"""`winnow card`."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from tests.cli.conftest import MODELS, Server, Winnow, ends, problem
from tests.support.contract import document

# Anybody's words: a cell of a table, a heading, code, HTML, a link, a picture, and a line of YAML.
HOSTILE = "a|b\n# c `d` <script>x</script> [e](f) ![g](h) --- *i*: &amp; 请"


def example(name: str) -> dict[str, Any]:
    made: dict[str, Any] = deepcopy(document()["components"]["examples"][name]["value"])
    return made


@pytest.fixture
def version() -> dict[str, Any]:
    found = example("ReadyVersion")
    found["dataset"]["languages"] = [{"language": "en", "share": 0.9}, {"language": "de", "share": 0.1}]
    return found


@pytest.fixture
def evaluation() -> dict[str, Any]:
    return example("EvaluationReport")


def serve(server: Server, version: dict[str, Any], evaluation: dict[str, Any]) -> None:
    number = version["version"]
    server.gives("GET /models/tc-01", (200, MODELS["models"][0] | {"model_id": "tc-01", "live_version": number, "version": None}))
    server.gives(f"GET /models/tc-01/versions/{number}", (200, version))
    server.gives(f"GET /models/tc-01/versions/{number}/evaluation", (200, evaluation))


def fields(card: str) -> dict[str, Any]:
    _, front, _ = card.split("---\n", 2)
    read: dict[str, Any] = yaml.safe_load(front)
    return read


def rows(card: str) -> list[list[str]]:
    """The cells of the tables, as Markdown shows them."""
    found: list[list[str]] = []
    for token in MarkdownIt().enable("table").parse(card.split("---\n", 2)[2]):
        if token.type == "tr_open":
            found.append([])
        elif token.type == "inline" and found and token.level >= 4:
            found[-1].append("".join(child.content for child in token.children or ()))
    return found


def test_the_card_has_the_measures_with_intervals_and_the_fields_of_hugging_face(
    server: Server, winnow: Winnow, version: dict[str, Any], evaluation: dict[str, Any]
) -> None:
    serve(server, version, evaluation)

    done = winnow("card", "tc-01")

    assert (done.returncode, done.stderr) == (0, "")
    read = fields(done.stdout)
    assert (read["language"], read["pipeline_tag"]) == (["en", "de"], "text-classification")
    assert "license" not in read
    [index] = read["model-index"]
    [result] = index["results"]
    assert index["name"] == "tc-01"
    assert result["task"]["type"] == "text-classification"
    assert set(result["dataset"]) == {"type", "name"}
    assert [(each["type"], each["value"]) for each in result["metrics"]] == [
        ("accuracy", evaluation["accuracy"]),
        ("f1", evaluation["macro_f1"]),
        ("f1", evaluation["micro_f1"]),
    ]
    cells = rows(done.stdout)
    assert ["Accuracy", "0.750", "0.409 to 0.929"] in cells
    for label, found in evaluation["per_label"].items():
        assert [label, *(f"{found[name]:.3f}" for name in ("precision", "recall", "f1")), str(found["support"])] in cells
    assert evaluation["measured_how"] in done.stdout
    assert "- languages: en (90 %), de (10 %)" in done.stdout
    for limit in (
        "fewer than 20 measured examples",
        "28.4 % got an accepted label",
        "learnt texts in en and de",
        "The calibration error is 0.16",
    ):
        assert limit in done.stdout
    # No text of an example, and no address of an account.
    assert version["dataset"]["s3bucket"] not in done.stdout


def test_words_from_outside_are_shown_as_they_are_and_change_nothing_of_the_card(
    server: Server, winnow: Winnow, version: dict[str, Any], evaluation: dict[str, Any]
) -> None:
    evaluation["per_label"][HOSTILE] = evaluation["per_label"].pop("debt")
    evaluation["confusion"] = {"top": [{"truth": HOSTILE, "predicted": "saving", "count": 3}]}
    evaluation["most_wrong"][0]["text"] = "a secret text"
    version["note"] = HOSTILE
    serve(server, version, evaluation)

    card = winnow("card", "tc-01").stdout

    fields(card)
    shown = HOSTILE.replace("\n", " ")
    assert [shown, "1.000", "1.000", "1.000", "3"] in rows(card)
    assert [shown, "saving", "3"] in rows(card)
    assert "<script>" not in card.replace("\\<script\\>", "")
    assert "a secret text" not in card
    assert [token.markup for token in MarkdownIt().parse(card.split("---\n", 2)[2]) if token.type == "heading_open"].count("#") == 1


def test_a_version_without_examples_says_that_nothing_was_measured(server: Server, winnow: Winnow, version: dict[str, Any]) -> None:
    version |= {"recipe": "zero-shot", "evaluation": None}
    serve(server, version, {})

    done = winnow("card", "tc-01", "--model-version", str(version["version"]))

    assert done.returncode == 0, done.stderr
    assert "model-index" not in fields(done.stdout)
    assert "Nothing was measured." in done.stdout
    assert not [call for call in server.calls() if call.endswith("/evaluation")]


def test_it_is_saved_in_a_file_or_is_a_member_of_json(
    server: Server, winnow: Winnow, version: dict[str, Any], evaluation: dict[str, Any], tmp_path: Path
) -> None:
    serve(server, version, evaluation)
    printed = winnow("card", "tc-01").stdout
    file = tmp_path / "README.md"

    saved = winnow("card", "tc-01", "--output", str(file))

    assert file.read_bytes().decode() == printed
    assert str(file) in saved.stdout.replace("\n", "")
    assert json.loads(winnow("card", "tc-01", "--json").stdout)["card"] == printed
    ends(winnow("card", "tc-01", "--output", str(tmp_path / "absent" / "README.md")), 2, "Can't write")


def test_a_model_without_a_live_version_and_a_version_in_training_have_none(
    server: Server, winnow: Winnow, version: dict[str, Any], evaluation: dict[str, Any]
) -> None:
    serve(server, version | {"status": "training"}, evaluation)
    ends(winnow("card", "tc-01"), 1, "is training", "ready")
    server.gives("GET /models/tc-01", (200, MODELS["models"][0] | {"model_id": "tc-01", "live_version": None}))
    ends(winnow("card", "tc-01"), 1, "No version of tc-01 is live", "--model-version")
    server.gives("GET /models/other", problem(404, "There is no model 'other'."))
    ends(winnow("card", "other"), 1, "There is no model")
