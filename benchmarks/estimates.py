"""`make bench-estimates`: the memory and CPU time of trainings of several sizes, each in a process of its own, beside what a dry run says.

The estimate (winnow/training/estimate.py) is made of these measurements: run this again when a recipe changes. The examples are those of
`make bench-large`. Memory is the peak of the process (VmHWM), with interpreter and packages, in units of 2 ** 20 bytes. CPU seconds are
those of one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass

from winnow.domain.job import TrainingLimits
from winnow.training import estimate
from winnow.training.estimate import estimates


@dataclass(frozen=True, slots=True)
class Size:
    """A training. words: how often the words of each text are repeated in it."""

    recipe: str
    texts: int
    labels: int
    words: int = 1
    epochs: int | None = None


SIZES = (
    Size("linear", 10_000, 20, epochs=2),
    Size("linear", 30_000, 20, epochs=2),
    Size("linear", 30_000, 200, epochs=2),
    Size("linear", 5_000, 200, words=8, epochs=2),
    Size("sentence", 2_500, 20),
    Size("light", 3_000, 20),
    Size("light", 10_000, 20),
    Size("cnn", 3_000, 20, epochs=2),
    Size("sentence", 2_500, 20, words=4),
    Size("cnn", 6_000, 200, epochs=1),
    Size("sentence", 10_000, 20),
    Size("light", 16_000, 200),
)

_LIMITS = TrainingLimits(memory_mb=10_240, seconds=900, minutes=4_320, containers=False)

# In a process of its own. Only fit.Training is timed: a segment reads the examples from S3 beside it.
_TRAIN = """
import json, sys, time
from itertools import islice
from benchmarks.large import lines
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.training.fit import Training

recipe, texts, labels, words, epochs = json.loads(sys.argv[1])
read = (json.loads(line) for line in islice(lines(labels), texts))
examples = [Example(" ".join([each["text"]] * words), (each["label"],), row) for row, each in enumerate(read, 1)]
training = Training(recipe, examples, Hyperparameters(n_iter=epochs), exclusive=True)
began = time.process_time()
for _ in training.steps():
    pass
training.result()
taken = time.process_time() - began
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(json.dumps([round(int(peak) / 1024), taken, sum(len(each.text) for each in examples)]))
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-estimates", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="only sizes of these recipes, such as linear,light")
    arguments = parser.parse_args()
    print("| recipe | texts | labels | characters of a text | epochs | MB | CPU s | estimated MB | estimated s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for size in SIZES:
        if arguments.only is None or size.recipe in arguments.only.split(","):
            print(_line(size), flush=True)
    return 0


def _line(size: Size) -> str:
    given = json.dumps([size.recipe, size.texts, size.labels, size.words, size.epochs])
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", _TRAIN, given], env=os.environ | threads, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    peak, seconds, characters = json.loads(done.stdout)
    [told] = estimates([size.recipe], estimate.Size(size.texts, size.labels, characters), size.epochs, _LIMITS)
    return (
        f"| {size.recipe} | {size.texts:,} | {size.labels} | {characters / size.texts:.0f} | {size.epochs or 'its own'} | {peak:,} |"
        f" {seconds:.1f} | {told.memory_mb:,} | {told.seconds} |"
    )


if __name__ == "__main__":
    sys.exit(main())
