"""Rename and merge the labels of a model: a new version learns the examples of another one with other labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from winnow.aws import resources
from winnow.datasets.split import FEWEST_LABELS
from winnow.domain.dataset import MAX_LABEL_CHARACTERS
from winnow.domain.errors import InvalidFieldError, ModelNotReadyError
from winnow.domain.normal_form import label_form
from winnow.training.feedback import request_on, train_on

if TYPE_CHECKING:
    from winnow.domain.conditions import Condition
    from winnow.domain.job import IdempotencyKey, TrainingJob, TrainingRequest
    from winnow.domain.model import Model, Version

# The most labels that a request may change. The version's row, of at most 400 KB, has all of them.
MOST_CHANGES = 100


@dataclass(frozen=True, slots=True)
class LabelChanges:
    """What a client wants. rename: new names by the old ones. merge: the labels that become one, by its name, which may be new."""

    rename: Mapping[str, str]
    merge: Mapping[str, Sequence[str]]

    def each(self) -> Iterator[tuple[str, str, str]]:
        """The field, the old label and the new one of each change."""
        yield from (("rename", label_form(old), label_form(new)) for old, new in self.rename.items())
        yield from (("merge", label_form(old), label_form(new)) for new, several in self.merge.items() for old in several)

    def checked(self, known: Set[str], version: int) -> dict[str, str]:
        """The new label of each changed one. known: the labels of the version. InvalidFieldError if they can't be changed like this."""
        changes: dict[str, str] = {}
        for field, old, new in self.each():
            if not new or len(new) > MAX_LABEL_CHARACTERS:
                wrong = f"a label of more than {MAX_LABEL_CHARACTERS} characters" if new else "a label of only characters that nobody sees"
                raise InvalidFieldError(f"{field} has {wrong}: give {old!r} another name.", field=field)
            if old not in known:
                raise InvalidFieldError(
                    f"{field} has the label {old!r}, which version {version} doesn't know: leave it out, or correct its name.", field=field
                )
            if old == new:
                raise InvalidFieldError(f"{field} makes {old!r} of {old!r}: leave it out.", field=field)
            if old in changes:
                raise InvalidFieldError(f"{old!r} can't become two labels: name it once.", field=field)
            changes[old] = new
        for field, old, new in self.each():
            if new in changes:
                last = changes[new]
                advice = (
                    "two labels can't swap their names at once, so use a third name"
                    if last == old
                    else f"change {new!r} first and {old!r} with the next version, or make {last!r} of both with merge"
                )
                raise InvalidFieldError(f"{field} makes {new!r} of {old!r}, but {new!r} itself becomes {last!r}: {advice}.", field=field)
            if field == "rename" and (new in known or list(changes.values()).count(new) > 1):
                raise InvalidFieldError(f"rename makes {new!r} of {old!r}, but another label has that name: use merge.", field=field)
        if len({changes.get(label, label) for label in known}) < FEWEST_LABELS:
            raise InvalidFieldError(f"A single label would be left: a classifier needs at least {FEWEST_LABELS}.", field="merge")
        return changes


def change_labels(model_id: str, wanted: LabelChanges, key: IdempotencyKey | None, condition: Condition | None) -> TrainingJob:
    """Register a version that learns the examples of the live version, and all pending feedback, with other labels.

    Without a live version, it is the latest ready one. The arguments and other errors are those of `train_on`.
    ModelNotReadyError if there are no examples; InvalidFieldError for changes that can't be made.
    """

    def request_of(model: Model) -> TrainingRequest:
        base = resources.versions().base_of_feedback(model)
        if base is None or base.without_examples:
            raise ModelNotReadyError(
                f"Model {model_id!r} has no ready version that learnt examples: train one, and change its labels then."
            )
        changes = wanted.checked(_labels(base), base.job.version)
        return request_on(model, base, resources.feedback_batches().newest(model) or "", changes)

    return train_on(model_id, request_of, key, condition)


def _labels(base: Version) -> set[str]:
    return set(resources.artifacts().description(base.job, base.manifest_sha256 or "")["labels"])
