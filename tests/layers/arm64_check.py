"""Proves that the layers for arm64 work on that processor: the encoders encode, and our recipes train, are saved and predict, from their
byte code.

Not a pytest test: an aarch64 Python 3.13 runs it, on such a machine or in emulation, where an import takes about a minute.
`make test-arm64` does so. By hand, after `make build`:

layers=.aws-sam/build
export PYTHONPATH=$layers/WinnowLayer/python:$layers/SpacyLayer/python:$layers/EncoderLayer/python OPENBLAS_NUM_THREADS=1
python3.13 -B tests/layers/arm64_check.py reference.json

reference.json has the logits of recipes and the encoders' vectors from another processor. That processor makes it with
--reference reference.json.
"""

import json
import platform
import sys
import traceback
from pathlib import Path

import numpy as np
import onnxruntime
import spacy
import spacy.about
import thinc.about
import tokenizers
import winnow_encoder

import winnow
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import encoder
from winnow.recipes.artifact import TrainedClassifier, recipe_of
from winnow.training import fit

LAYERS = (winnow, spacy, winnow_encoder)
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
SETTINGS = {
    "linear": Hyperparameters(n_iter=10, learn_rate=2.0, batch_size=1),
    "cnn": Hyperparameters(n_iter=10, learn_rate=0.003, batch_size=4, dropout=0.2),
    "sentence": Hyperparameters(n_iter=1),
    "best": Hyperparameters(n_iter=10, learn_rate=2.0, batch_size=1),
}
# The largest allowed differences of logits. Measured: 2e-6, 9e-5, 6e-5.
TOLERANCES = {"linear": 1e-5, "sentence": 0.05, "best": 0.05}
# Processors may round int8 products differently. The multilingual encoder has none.
LEAST_COSINES = {"minilm": 0.99, "use-multilingual": 0.99999}
# One for each language of the multilingual encoder.
PARALLEL = [
    "قطتي نائمة",
    "Meine Katze schläft",
    "My cat is asleep",
    "Mi gato duerme",
    "Mon chat dort",
    "Il mio gatto dorme",
    "猫が寝ている",
    "고양이가 자고 있어요",
    "Mijn kat slaapt",
    "Mój kot śpi",
    "O meu gato dorme",
    "Мой кот спит",
    "แมวของฉันกำลังนอนหลับ",
    "Kedim uyuyor",
    "我的猫在睡觉",
]


def main() -> int:
    """Run the checks and print how many passed. Returns 1 if one failed."""
    versions = f"spaCy {spacy.about.__version__}, thinc {thinc.about.__version__}, numpy {np.__version__}"
    print(f"Python {platform.python_version()} on {platform.machine()}, {versions}")
    checks = (
        layers_are_for_arm64,
        encoder_works,
        multilingual_encoder_works,
        byte_code_is_there,
        linear_works,
        sentence_works,
        best_works,
        recipes_are_the_same_everywhere,
        cnn_works,
        multilabel_cnn_works,
    )
    failed = 0
    for check in checks:
        try:
            print(f"ok      {check.__name__}: {check()}", flush=True)
        except Exception:  # the next checks are still useful
            failed += 1
            print(f"FAILED  {check.__name__}\n{traceback.format_exc()}", flush=True)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


def layers_are_for_arm64() -> str:
    machine = platform.machine()
    assert machine in {"aarch64", "arm64"}, f"this Python is for {machine}"
    layers = [str(package_folder(module)) for module in LAYERS]
    assert len(set(layers)) == len(layers), f"winnow, spaCy and the encoder must come from three layers, but come from {', '.join(layers)}"
    return f"{machine}, winnow, spaCy and the encoder from layers of their own"


def byte_code_is_there() -> str:
    """Each loaded module of the layers came with its byte code."""
    assert sys.dont_write_bytecode, "run it with python -B: without it Python writes the byte code that the layers lack"
    layers = {package_folder(module) for module in LAYERS}
    specs = [getattr(module, "__spec__", None) for module in list(sys.modules.values())]
    sources = [spec for spec in specs if spec and spec.origin and spec.origin.endswith(".py") and layers & set(Path(spec.origin).parents)]
    bare = [spec.name for spec in sources if not (spec.cached and Path(spec.cached).is_file())]
    assert not bare, f"no byte code of {', '.join(bare)}"
    return f"all {len(sources)} modules"


def linear_works() -> str:
    return trained_and_kept("linear", exclusive=True)


def cnn_works() -> str:
    return trained_and_kept("cnn", exclusive=True)


def multilabel_cnn_works() -> str:
    return trained_and_kept("cnn", exclusive=False)


def sentence_works() -> str:
    return trained_and_kept("sentence", exclusive=True)


def best_works() -> str:
    return trained_and_kept("best", exclusive=True)


def recipes_are_the_same_everywhere() -> str:
    """With the same seed, training gives nearly the same logits here as on the other processor."""
    apart = {recipe: float(np.abs(logits(recipe) - np.array(reference()[recipe])).max()) for recipe in TOLERANCES}
    assert all(apart[recipe] <= most for recipe, most in TOLERANCES.items()), f"the logits differ: {apart}"
    return "logits at most " + ", ".join(f"{far:.1e} ({recipe})" for recipe, far in apart.items()) + " apart"


def encoder_works() -> str:
    return f"onnxruntime {onnxruntime.__version__}, tokenizers {tokenizers.__version__}, {encodes_as_elsewhere('minilm')}"


def multilingual_encoder_works() -> str:
    return encodes_as_elsewhere("use-multilingual")


def encodes_as_elsewhere(name: str) -> str:
    """The encoder gives texts nearly the same vectors as on the other processor."""
    cosines = (vectors(name) * np.array(reference()[name])).sum(axis=1)
    assert cosines.min() >= LEAST_COSINES[name], f"cosines with the other processor's vectors are {cosines}"
    return f"cosines {cosines.min():.6f} and more"


def vectors(name: str) -> np.ndarray:
    """Of shape (texts, dimensions), each of length 1."""
    return encoder.installed(name).vectors([*(example.text for example in EXAMPLES), *PARALLEL])


def reference() -> dict[str, list[list[float]]]:
    """The results of the other processor."""
    read: dict[str, list[list[float]]] = json.loads(Path(sys.argv[1]).read_text())
    return read


def logits(recipe: str) -> np.ndarray:
    """Of shape (texts, labels): after the recipe's full training, before calibration."""
    trained = fit.train(recipe, EXAMPLES, Hyperparameters(), exclusive=True)
    return trained.classifier.logits([example.text for example in EXAMPLES])


def trained_and_kept(recipe: str, *, exclusive: bool) -> str:
    """A classifier learns its examples, and predicts the same after it is loaded from its artifact."""
    labels, texts = list(TEXTS), [example.text for example in EXAMPLES]
    losses: list[float] = []
    classifier = recipe_of(recipe).Classifier(labels, exclusive=exclusive, language="en")
    fitting = classifier.fitting(EXAMPLES, SETTINGS[recipe])
    for _ in fitting.begin():
        pass
    while fitting.epochs < (SETTINGS[recipe].n_iter or 0):
        for _ in fitting.run_epoch():
            pass
        losses.append(fitting.loss)
    fitting.finish()
    assert recipe == "sentence" or losses[-1] < losses[0], f"the loss did not fall: {losses}"
    trained = TrainedClassifier(recipe, classifier, 1.0, (0.5,) * len(labels))
    predictions = trained.predict(texts)
    for example, (best, *_) in zip(EXAMPLES, predictions, strict=True):
        assert best.label == example.labels[0], f"{example.text!r} got the label {best}"
    files = trained.to_files()
    assert TrainedClassifier.from_files(files).predict(texts) == predictions, "loaded from its artifact it predicts something else"
    size = sum(map(len, files.values()))
    return f"loss {losses[0]:.4f} → {losses[-1]:.4f}, {len(texts)} of {len(texts)} right, and the same again from {size:,} bytes"


def package_folder(module: object) -> Path:
    """The folder from which a package was imported."""
    return Path(str(getattr(module, "__file__", ""))).parents[1]


if sys.argv[1] == "--reference":
    computed = {**{name: vectors(name) for name in encoder.IN_LAYER}, **{recipe: logits(recipe) for recipe in TOLERANCES}}
    Path(sys.argv[2]).write_text(json.dumps({name: array.tolist() for name, array in computed.items()}))
else:
    sys.exit(main())
