"""Labels without examples: what a request may say, and the report on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import batched
from typing import Any

from winnow.datasets.languages import as_dicts, languages_of
from winnow.datasets.report import Found, of_similar_labels
from winnow.datasets.row_problems import Kind
from winnow.domain.errors import InvalidFieldError
from winnow.domain.label_names import LabelList, NamedLabel
from winnow.domain.normal_form import is_blank, label_form

# Fewer letters of an alphabet don't show a language: "spam, ham" looks Danish.
_FEWEST_LETTERS = 20
# Single names are too short to show a language.
_NAMES_TOGETHER = 10
_MOST_SHOWN = 20
_MEANINGLESS = (
    "These names don't say what they mean, so that nothing can be found by them: name what the texts are about, or add a `description`."
)


def label_list(given: Sequence[str | Mapping[str, str]], most: int) -> LabelList:
    """The labels of a request: names, or objects with `name` and perhaps `description`.

    InvalidFieldError if there are more than `most`, or if a name has no visible character or occurs twice in the same form (NFC, trimmed).
    """
    if len(given) > most:
        raise InvalidFieldError(f"labels has {len(given):,} labels: this deployment takes at most {most:,}.", field="labels")
    places: dict[str, int] = {}
    labels = []
    for place, each in enumerate(given):
        field, named = (f"labels[{place}]", {"name": each}) if isinstance(each, str) else (f"labels[{place}].name", each)
        name = label_form(named["name"])
        if not name:
            raise InvalidFieldError(f"{field} has only characters that nobody sees: name the label.", field=field)
        if name in places:
            raise InvalidFieldError(f"{field} is {name!r}, like labels[{places[name]}]: name each label once.", field=field)
        places[name] = place
        description = named.get("description", "")
        labels.append(NamedLabel(name, "" if is_blank(description) else description.strip()))
    return LabelList(tuple(labels))


def languages(labels: LabelList) -> dict[str, float]:
    """The languages of the names and descriptions, with their shares, as `languages_of` finds them. Empty if they are too short."""
    texts = [" ".join(label.texts) for label in labels.labels if not label.is_meaningless]
    letters = [character for text in texts for character in text if character.isalpha()]
    if len(letters) < _FEWEST_LETTERS and "".join(letters).isascii():
        return {}
    return languages_of(". ".join(together) for together in batched(texts, _NAMES_TOGETHER, strict=False))


def report(labels: LabelList, *, exclusive: bool, spoken: Set[str] | None) -> dict[str, Any]:
    """The report on labels without examples, in the form of a data set's.

    spoken: the languages that the deployment's sentence encoders speak; None if nobody said them.
    """
    found = languages(labels)
    problems = list(_problems(labels, found, spoken))
    return {
        "format": None,
        "bytes": len(labels.to_bytes()),
        "unpacked_bytes": len(labels.to_bytes()),
        "rows": len(labels.labels),
        "trainable": True,
        "errors": 0,
        "warnings": sum(problem.count for problem in problems),
        "examples": 0,
        "languages": as_dicts(found),
        "language_texts": 0,
        "exclusive": exclusive,
        "labels": [{"label": label.name, "description": label.description, "examples": 0, "texts": 0} for label in labels.labels],
        "problems": [problem.as_dict() for problem in problems],
        "test_set": None,
    }


def _problems(labels: LabelList, found: Mapping[str, float], spoken: Set[str] | None) -> Iterator[Found]:
    yield from of_similar_labels(label.name for label in labels.labels)
    if meaningless := [label.name for label in labels.labels if label.is_meaningless]:
        yield Found(Kind.MEANINGLESS_LABEL, len(meaningless), _MEANINGLESS, [{"labels": [name]} for name in meaningless[:_MOST_SHOWN]])
    if spoken is not None and (foreign := [language for language in found if language not in spoken]):
        sentence = f"The sentence encoders don't speak {', '.join(foreign)}: names and descriptions in English work best."
        yield Found(Kind.FOREIGN_LANGUAGE, len(foreign), sentence)
