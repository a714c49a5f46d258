"""The recipe "zero-shot": labels known only by their names and descriptions, for when there are no examples yet.

A label's vector is the mean of the sentence vectors of its name, in words, and of its description. A text's logit for a label is the cosine
of their vectors (Chang et al. 2008, "Importance of Semantic Representation: Dataless Classification"). Templates around the name, such as
"This is about …", and the vectors of both encoders side by side gave nothing on training sets.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from winnow.domain.label_names import NamedLabel
from winnow.recipes import encoder
from winnow.recipes.windows import MOST_WINDOWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes.encoder import Encoding

TEMPERATURE = 0.1
"""The cosines are divided by it. On training sets 0.03 to 0.07 fit best. Nothing was measured, so the scores must not look certain."""

NEVER = 2.0
"""The threshold of each label. No score reaches it: nobody knows at which score an answer is right."""

# With several labels per text, the cosine with a score of a half. Most right labels are below it.
_EVEN = 0.5


class Classifier:
    """A text classifier. `learn` makes it from labels, and `from_bytes` restores it from `to_bytes`.

    encoding: the sentence encoder; None means the layer's.
    """

    def __init__(self, labels: Sequence[str], *, exclusive: bool, language: str, encoding: Encoding | None = None) -> None:
        self.labels = tuple(labels)
        self.exclusive = exclusive
        self.language = language
        self.encoding = encoding or encoder.installed()
        # Of shape (labels, dimensions), each of length 1.
        self._vectors = np.empty((0, 0), np.float32)

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        return (self.encoding,)

    def learn(self, labels: Sequence[NamedLabel]) -> Classifier:
        """Give each label its vector. The labels are those of the classifier, in any order."""
        texts = {label.name: label.texts for label in labels}
        found = np.array([self.encoding.vectors(texts[name], MOST_WINDOWS).mean(axis=0) for name in self.labels], np.float32)
        self._vectors = found / np.sqrt(np.einsum("ij,ij->i", found, found))[:, None]
        return self

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of shape (texts, labels)."""
        return self.judged(texts)[0]

    def judged(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits, of shape (texts, labels), and the cosine to the nearest label, of shape (texts,)."""
        cosines: NDArray[np.float32] = self.encoding.vectors(texts, MOST_WINDOWS) @ self._vectors.T
        return (cosines if self.exclusive else cosines - np.float32(_EVEN)), cosines.max(axis=1)

    @property
    def nbytes(self) -> int:
        """The bytes in memory, without the shared encoder."""
        return self._vectors.nbytes

    def to_bytes(self) -> bytes:
        """The labels' vectors and the encoder's digest, without the encoder."""
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, encoder=np.array([self.encoding.name, self.encoding.digest]), vectors=self._vectors)
        return file.getvalue()

    def from_bytes(self, weights: bytes) -> Classifier:
        """Load the vectors of a classifier with the same labels. Raises EncoderError if it needs another encoder."""
        with np.load(io.BytesIO(weights), allow_pickle=False) as arrays:
            self.encoding = encoder.with_digest(self.encoding, *arrays["encoder"].tolist())
            self._vectors = arrays["vectors"]
        return self
