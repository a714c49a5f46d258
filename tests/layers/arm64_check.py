"""Proves that the layers built for arm64 work on that processor: our own recipe trains, is kept and predicts, from their byte code.

No test of pytest's: an aarch64 Python 3.13 runs it, on such a machine or under emulation, where an import takes about a minute.
`make test-arm64` does so. By hand, after `make build`:

export PYTHONPATH=.aws-sam/build/WinnowLayer/python:.aws-sam/build/SpacyLayer/python OPENBLAS_NUM_THREADS=1
python3.13 -B tests/layers/arm64_check.py
"""

import platform
import sys
import traceback
from pathlib import Path

import numpy as np
import spacy
import spacy.about
import thinc.about

import winnow
from winnow.domain import Example
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.cnn import Classifier

TEXTS = {
    "card": [
        "my card was stolen",
        "I lost my card",
        "block my card please",
        "the new card has not come",
        "my card is broken",
        "a second card",
    ],
    "loan": ["I want a loan", "what does a loan cost", "pay back my loan early", "a loan for a house", "is my loan granted", "loan rates"],
}
EXAMPLES = [Example(text, (label,)) for label, texts in TEXTS.items() for text in texts]
EPOCHS = 10


def main() -> int:
    """Run the checks and say how many passed; 1 when one failed."""
    versions = f"spaCy {spacy.about.__version__}, thinc {thinc.about.__version__}, numpy {np.__version__}"
    print(f"Python {platform.python_version()} on {platform.machine()}, {versions}")
    checks = (layers_are_for_arm64, byte_code_is_there, exclusive_recipe_works, multilabel_recipe_works)
    failed = 0
    for check in checks:
        try:
            print(f"ok      {check.__name__}: {check()}", flush=True)
        except Exception:  # the next check still tells something
            failed += 1
            print(f"FAILED  {check.__name__}\n{traceback.format_exc()}", flush=True)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


def layers_are_for_arm64() -> str:
    machine = platform.machine()
    assert machine in {"aarch64", "arm64"}, f"this Python is for {machine}"
    layers = [str(package_folder(module)) for module in (winnow, spacy)]
    assert len(set(layers)) == 2, f"winnow and spaCy come from one folder ({layers[0]}), not from two layers"
    return f"{machine}, winnow and spaCy from layers of their own"


def byte_code_is_there() -> str:
    """Each module of the layers that is loaded by now came with its byte code."""
    assert sys.dont_write_bytecode, "run it with python -B: without it Python writes the byte code that the layers lack"
    layers = {package_folder(module) for module in (winnow, spacy)}
    specs = [getattr(module, "__spec__", None) for module in list(sys.modules.values())]
    sources = [spec for spec in specs if spec and spec.origin and spec.origin.endswith(".py") and layers & set(Path(spec.origin).parents)]
    bare = [spec.name for spec in sources if not (spec.cached and Path(spec.cached).is_file())]
    assert not bare, f"none of {', '.join(bare)}"
    return f"all {len(sources)} modules"


def exclusive_recipe_works() -> str:
    return trained_and_kept(exclusive=True)


def multilabel_recipe_works() -> str:
    return trained_and_kept(exclusive=False)


def trained_and_kept(*, exclusive: bool) -> str:
    """A classifier learns its examples, and predicts the same when it was made again from its artifact."""
    labels, texts = list(TEXTS), [example.text for example in EXAMPLES]
    losses: list[float] = []
    classifier = Classifier("en", labels, exclusive=exclusive)
    classifier.train(EXAMPLES, EPOCHS, lambda epoch: losses.append(epoch.loss))
    assert losses[-1] < losses[0], f"the loss did not fall: {losses}"
    trained = TrainedClassifier(classifier, "en", (0.5,) * len(labels))
    predictions = trained.predict(texts)
    for example, (best, *_) in zip(EXAMPLES, predictions, strict=True):
        assert best.label == example.labels[0], f"{example.text!r} is taken for {best}"
    files = trained.to_files()
    assert TrainedClassifier.from_files(files).predict(texts) == predictions, "made again from its artifact it predicts otherwise"
    size = sum(map(len, files.values()))
    return f"loss {losses[0]:.4f} → {losses[-1]:.4f}, {len(texts)} of {len(texts)} right, and the same again from {size:,} bytes"


def package_folder(module: object) -> Path:
    """The folder from which a package was imported."""
    return Path(str(getattr(module, "__file__", ""))).parents[1]


sys.exit(main())
