"""Settings for few examples. Standard library only."""

from collections.abc import Sequence

# With fewer texts per label on average, the settings for few examples apply. All were found on folds of training sets.
_FEW = 40


def is_few(texts: int, labels: int) -> bool:
    return texts < _FEW * labels


def names_as_texts(labels: Sequence[str]) -> tuple[list[str], list[int]]:
    """The labels' names as one more text of each label, when examples are few, and the numbers of these labels.

    A name without letters says nothing: the digits of texts have nothing to do with a label "7".
    """
    named = [number for number, label in enumerate(labels) if any(map(str.isalpha, label))]
    return [labels[number].replace("_", " ").replace("-", " ") for number in named], named
