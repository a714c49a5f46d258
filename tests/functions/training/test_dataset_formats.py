"""The same examples in every format give the same frozen examples, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.dataset_formats import ONE, SEVERAL, Labelled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.conftest import Winnow

ALONE: list[Labelled] = [
    (f'{word} {number}, "quoted" and {place} ✓', (f"{place}_{word}",))
    for number in range(100)
    for word in ("house", "garden", "shed", "barn", "flat")
    for place in ("town", "country")
]
TOGETHER: list[Labelled] = [
    (f"{text} {number}", labels)
    for number in range(200)
    for text, labels in (
        ("a|b, c", ("one", "two")),
        ("tab\tin it", ("two",)),
        ("été", ("three", "one")),
        ("漢字 🙂", ("one",)),
        ("x", ("two",)),
    )
]


def frozen(winnow: Winnow, name: str, body: bytes) -> dict[str, bytes]:
    """The objects that Prepare writes for this data set: the compressed examples and rows of each part."""
    winnow.s3.put_object(Bucket="albert-textcats", Key=name, Body=body)
    assert winnow.create(id=name.replace(".", "-"), training_object=name).status == 202
    winnow.invoke("functions/training/prepare", winnow.started_job())
    version = winnow.version(name.replace(".", "-"))
    assert version["error"] is None
    return {key.rpartition("/")[2]: body for key, body in winnow.objects().items() if f"/{uid(winnow)}/" in key and "/examples/" in key}


def uid(winnow: Winnow) -> str:
    given: str = winnow.started_job()["job"]["uid"]
    return given


@pytest.mark.slow
@pytest.mark.parametrize(("examples", "formats"), [(ALONE, ONE), (TOGETHER, SEVERAL)], ids=["one label", "several labels"])
def test_a_thousand_examples_are_the_same_bytes_in_every_format(
    winnow: Winnow, examples: list[Labelled], formats: dict[str, tuple[Callable[[Sequence[Labelled]], bytes], str]]
) -> None:
    assert len(examples) == 1000

    kept = {name: frozen(winnow, name, write(examples)) for name, (write, _) in formats.items()}

    for name, objects in kept.items():
        for part in ("train.jsonl.gz", "test.jsonl.gz"):
            assert objects[part] == kept["array.json"][part], f"{name}: {part}"
