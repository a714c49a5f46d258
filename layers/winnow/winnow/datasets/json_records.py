"""What a JSON record says: which members are its text and its labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from winnow.datasets.row_problems import Kind, RowError
from winnow.datasets.tables import LABEL_NAMES, SUBJECT, TEXT_NAMES
from winnow.domain.dataset import Layout
from winnow.domain.normal_form import is_blank

FORM = '{"text": "…", "label": "…"} or {"text": "…", "labels": ["…", …]}'

# A text and its labels as found. A later check, the same for all formats, makes sure that they are strings.
Labelled = tuple[Any, Any]
# The same with the subject.
OfSubject = tuple[Any, Any, Any]

# These two together are a text.
_TOGETHER = ("subject", "body")
BETWEEN = "\n\n"
# Some versions of doccano call the text so.
_OF_DOCCANO = "data"

_MOST_NAMED = 12
_LONGEST_NAME = 40
_LEFT_OUT = ("reject", "ignore")
# Members in which tools keep the client's own.
_INNER = ("row", "data", "fields", "metadata", "meta")


class Members:
    """Finds the text and the labels of records, by the client's layout or by known names.

    label_names: what the numbers of a member mean, by the member's name; "" stands for every member. understood: the members that were
    found in the first record, for the report.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._labels_were_there = False
        self._seen: set[str] = set()
        self._of_text: Sequence[str] = ()
        self.label_names: dict[str, Sequence[str]] = {}
        self.understood: dict[str, Any] = {}

    def text(self, record: Mapping[str, Any], *, or_the_only_string: bool = False) -> str:
        """The text; several members are joined by a blank line. or_the_only_string: a record's only string is its text under any name."""
        names = self._of_text = self.text_members(record, or_the_only_string=or_the_only_string)
        self.understood.setdefault("text_column", names if len(names) > 1 else names[0])
        if len(names) == 1 and isinstance(record[names[0]], str):
            return str(record[names[0]])
        parts = [record[name] for name in names]
        for name, part in zip(names, parts, strict=True):
            if not isinstance(part, str) and (part is not None or len(parts) == 1):
                raise RowError(f'has no "{listed([name])}" that is a string: expected {FORM}')
        return BETWEEN.join(part for part in parts if part and not is_blank(part))

    def text_members(self, record: Mapping[str, Any], *, or_the_only_string: bool) -> list[str]:
        """The names of the members that make the text."""
        if wanted := self._layout.text_column:
            found = [spelled for name in wanted if (spelled := self._wanted(record, name, "text_column")) is not None]
            if not found:
                raise RowError(f'has no "{listed(wanted)}" (text_column): {_members(record)}')
            return found
        if "text" in record:
            return ["text"]
        known = _known(record, TEXT_NAMES)
        if self._layout.subject_column is not None:
            # Not a text, also if its name could be one.
            known.pop(self._layout.subject_column.strip().lower(), None)
        if all(name in known for name in _TOGETHER):
            return [known[name] for name in _TOGETHER]
        if not known and isinstance(record.get(_OF_DOCCANO), str):
            return [_OF_DOCCANO]
        if not known and or_the_only_string and len(strings := [name for name, value in record.items() if isinstance(value, str)]) == 1:
            return strings
        return [_only(known, TEXT_NAMES[:1], "text", "text_column", record)]

    def has_both(self, record: Mapping[str, Any]) -> bool:
        """Whether the object has a text and a label of its own, and doesn't only hold examples."""
        if "text" in record or any(_spelled(record, name) is not None for name in self._layout.text_column):
            return True
        values = {name.strip().lower() for name, value in record.items() if not isinstance(value, list | Mapping)}
        return not values.isdisjoint(TEXT_NAMES) and not values.isdisjoint(LABEL_NAMES)

    def labels(self, record: Mapping[str, Any]) -> list[Any]:
        """The labels; none if the record has none, or if it is blank."""
        name = self._label_member(record)
        if name is None:
            return []
        self._labels_were_there = True
        self.understood.setdefault("label_column", name)
        return self.meant(record[name], name)

    def subject(self, record: Any) -> Any:
        """The subject of a record whose text was read last. None if it has none. Only a named member is sure to hold subjects."""
        of_text, self._of_text = self._of_text, ()
        if not isinstance(record, Mapping):
            return None
        wanted = self._layout.subject_column
        for part in (record, *(inner for name in _INNER if isinstance(inner := record.get(name), Mapping))):
            name = _spelled(part, wanted or SUBJECT)
            if name is not None and name not in of_text:
                self.understood.setdefault("subject_column", name)
                return part[name]
        # A later record may have none.
        if wanted is not None and "subject_column" not in self.understood:
            raise RowError(f'has no "{listed([wanted])}" (subject_column): {_members(record)}')
        return None

    def _label_member(self, record: Mapping[str, Any]) -> str | None:
        if self._layout.label_column is not None:
            return self._wanted(record, self._layout.label_column, "label_column")
        if ("label" in record) != ("labels" in record):
            return "label" if "label" in record else "labels"
        if "label" in record:
            raise RowError(f'needs either "label" or "labels": expected {FORM}')
        known = _known(record, LABEL_NAMES)
        # A record without a label isn't labelled yet. If the first records have none, the label more likely has another name.
        if not known and self._labels_were_there:
            return None
        return _only(known, LABEL_NAMES[:2], "label", "label_column", record)

    def _wanted(self, record: Mapping[str, Any], name: str, parameter: str) -> str | None:
        """The member that the client named. None if only earlier records have it."""
        spelled = _spelled(record, name)
        if spelled is not None:
            self._seen.add(name)
        elif name not in self._seen:
            raise RowError(f'has no "{listed([name])}" ({parameter}): {_members(record)}')
        return spelled

    def asked(self, names: Iterable[str], what: str) -> str | None:
        """The name of the question or choice whose answers are the labels. None if there is no name. what: "questions", for example."""
        known = {name.strip().lower(): name for name in names}
        if self._layout.label_column is not None:
            return known.get(self._layout.label_column.strip().lower())
        if len(known) > 1:
            known = {name: known[name] for name in LABEL_NAMES if name in known} or known
        if len(known) > 1:
            raise RowError(f"has answers to several {what} ({listed(known.values())}): name one in label_column")
        return next(iter(known.values()), None)

    def meant(self, value: Any, member: str = "") -> list[Any]:
        """The labels of a value: a label, a list of labels, or {"choices": […]}. Numbers become their names, if these are known."""
        if isinstance(value, str):
            return [value]
        if isinstance(value, Mapping) and isinstance(value.get("choices"), list):
            value = value["choices"]
        labels = [label for label in (value if isinstance(value, list) else [value]) if label is not None]
        if any(_is_span(label) for label in labels):
            raise RowError("has spans (parts of the text) instead of labels: export a project of text classification", Kind.BAD_LABEL)
        names = self.label_names.get(member, self.label_names.get(""))
        return labels if names is None else [_named(label, names) for label in labels]


def plain(record: Any, members: Members) -> Labelled:
    """A record with a text and labels under known names."""
    if not isinstance(record, dict):
        raise RowError(f"is not an object: expected {FORM}")
    if (answer := record.get("answer")) in _LEFT_OUT:
        raise RowError(f"has the answer {answer} and is left out", Kind.SKIPPED_ROW)
    return members.text(record), members.labels(record)


def listed(names: Iterable[str]) -> str:
    """The names in a sentence. Long names are cut, and many names too."""
    each = list(names)
    shown = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in each[:_MOST_NAMED]]
    return ", ".join(shown) + (", …" if len(each) > _MOST_NAMED else "")


def _members(record: Mapping[str, Any]) -> str:
    return f"its members are {listed(record)}" if record else "it has no members"


def _spelled(record: Mapping[str, Any], name: str) -> str | None:
    """The member of this name, or else the member whose name differs only in case or white space."""
    return name if name in record else next((each for each in record if each.strip().lower() == name.strip().lower()), None)


def _known(record: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    """The record's members with these names, by their name in lower case."""
    return {lower: name for name in record if (lower := name.strip().lower()) in names}


def _only(known: Mapping[str, str], first: Sequence[str], what: str, parameter: str, record: Mapping[str, Any]) -> str:
    found = [known[name] for name in first if name in known] or list(known.values())
    if len(found) == 1:
        return found[0]
    if found:
        raise RowError(f"has several members that may be the {what} ({listed(found)}): name one in {parameter}")
    raise RowError(f"has no {what} under a known name: {_members(record)}. Name the one with the {what} in {parameter}")


def _is_span(label: Any) -> bool:
    if isinstance(label, Mapping):
        return "start" in label or "start_offset" in label
    return isinstance(label, list) and len(label) > 2 and all(type(place) is int for place in label[:2])


def _named(label: Any, names: Sequence[str]) -> Any:
    if type(label) is not int:
        return label
    if not 0 <= label < len(names):
        raise RowError(f"has a number as a label, but only 0 to {len(names) - 1:,} have names", Kind.BAD_LABEL)
    return names[label]


def mappings(values: Any) -> list[Mapping[str, Any]]:
    """The objects in a list. None if it isn't a list."""
    return [each for each in values if isinstance(each, Mapping)] if isinstance(values, list) else []
