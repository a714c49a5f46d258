"""What the recipes do otherwise where examples are few. The standard library only."""

# With fewer texts a label than this, on average, the settings for few examples hold; both were found on folds of training sets.
_FEW = 40


def is_few(texts: int, labels: int) -> bool:
    return texts < _FEW * labels


def name_as_text(label: str) -> str:
    """What a label's name says of its meaning: one more text of its label, where there are few."""
    return label.replace("_", " ").replace("-", " ")
