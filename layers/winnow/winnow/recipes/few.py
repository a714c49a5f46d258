"""Settings for few examples. Standard library only."""

# With fewer texts per label on average, the settings for few examples apply. All were found on folds of training sets.
_FEW = 40


def is_few(texts: int, labels: int) -> bool:
    return texts < _FEW * labels


def name_as_text(label: str) -> str:
    """The label's name as one more text of that label, when examples are few."""
    return label.replace("_", " ").replace("-", " ")
