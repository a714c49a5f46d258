"""Proves that the built arm64 layer works on its own platform. Not a test of pytest's: run it with an aarch64 Python 3.13,
on a Graviton machine or under emulation (an import then takes about a minute):

PYTHONPATH=.aws-sam/build/SpacyLayer/python OPENBLAS_NUM_THREADS=1 python3.13 -B tests/layers/arm64_check.py
"""

import platform
import sys
from pathlib import Path

import numpy
import spacy
import spacy.about
import thinc.about
from spacy.language import Language
from spacy.training import Example

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
ROUNDS = 15


def main() -> None:
    print(
        f"Python {platform.python_version()}, spaCy {spacy.about.__version__}, thinc {thinc.about.__version__}, numpy {numpy.__version__}"
    )
    print(f"platform: {platform.machine()}")
    check_byte_code()

    trained = new_pipeline()
    train(trained)
    loaded = new_pipeline().from_bytes(trained.to_bytes())
    for label, texts in TEXTS.items():
        for text in texts:
            scores = trained(text).cats
            assert loaded(text).cats == scores, f"{text!r} is scored otherwise after saving and loading"
            assert max(scores, key=scores.__getitem__) == label, f"{text!r} is {label}, and was learned as {scores}"
    print(f"trained, saved, loaded: {len(TEXTS)} labels, {trained('my card').cats}")

    print(f"{'arm64' if platform.machine() in {'aarch64', 'arm64'} else platform.machine()} layer: ok")


def check_byte_code() -> None:
    """Each module of the layer that is loaded by now came with its byte code."""
    assert sys.dont_write_bytecode, "run it with python -B: without it Python writes the byte code that the layer lacks"
    layer = Path(spacy.__file__).parents[1]
    modules = [module.__spec__ for module in list(sys.modules.values()) if getattr(module, "__spec__", None)]
    sources = [spec for spec in modules if spec and spec.origin and spec.origin.endswith(".py") and layer in Path(spec.origin).parents]
    bare = [spec.name for spec in sources if not (spec.cached and Path(spec.cached).is_file())]
    assert not bare, f"no byte code: {', '.join(bare)}"
    print(f"byte code: all {len(sources)} modules")


def new_pipeline() -> Language:
    nlp = spacy.blank("en")
    tok2vec = {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "pretrained_vectors": None,
        "width": 32,
        "depth": 1,
        "embed_size": 500,
        "window_size": 1,
        "maxout_pieces": 3,
        "subword_features": True,
    }
    model = {
        "@architectures": "spacy.TextCatReduce.v1",
        "exclusive_classes": True,
        "use_reduce_first": False,
        "use_reduce_last": False,
        "use_reduce_max": True,
        "use_reduce_mean": True,
        "tok2vec": tok2vec,
    }
    nlp.add_pipe("textcat", config={"model": model})
    return nlp


def train(nlp: Language) -> None:
    examples = [
        Example.from_dict(nlp.make_doc(text), {"cats": {other: float(other == label) for other in TEXTS}})
        for label, texts in TEXTS.items()
        for text in texts
    ]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(ROUNDS):
        nlp.update(examples, sgd=optimizer)


main()
