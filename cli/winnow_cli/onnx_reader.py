"""Answers from a version that `winnow export` made into ONNX: scores as the service gives them. It needs numpy and onnxruntime.

    python reader.py "I want to save for vacation!"

ONNX has no operator for Unicode's normal forms or for checksums of words, so this file reads the text, and the graph does all else.
export.json says how: shortest and scripts for the words; tokenizer.bin, if there is one, for the pieces of words.
"""

from __future__ import annotations

import json
import re
import struct
import sys
import unicodedata
from collections import Counter
from itertools import groupby, pairwise
from pathlib import Path
from zlib import crc32

import numpy as np
import onnxruntime

# --- words: lower case, in Unicode's form NFKC, without characters that have no width ---

BITS, LONGEST_NGRAM = 18, 5
WIDTHLESS = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]")
SOUTH_EAST_ASIAN = "\u0e01-\u0e4e\u0e80-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u109a-\u109f\u1780-\u17dd\u1950-\u19df\u1a20-\u1a7f"
EAST_ASIAN = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
UNSPACED = f"[{SOUTH_EAST_ASIAN}{EAST_ASIAN}]"
PARTS_WITH_MARKS = range(0x300, 0x1F000), range(0xE0100, 0xE01F0)
MARKS = "".join(each for part in PARTS_WITH_MARKS for each in map(chr, part) if unicodedata.category(each)[0] == "M")
WORD = re.compile(rf"(?={UNSPACED})\w[{MARKS}]{{0,30}}|(?!{UNSPACED})\w(?:[{MARKS}]|(?!{UNSPACED})\w){{0,63}}|[^\w\s]")
EARLIER_WORD = re.compile(r"\w{1,64}|[^\w\s]")
IN_RUN = re.compile(rf"(?=\w){UNSPACED}")


def normal_form(text: str) -> str:
    """NFKC, of each part separately where a run of marks is longer than 30."""
    places, start = [0], 0
    while not text.isascii() and (end := start + 30) < len(text):
        place = end
        while place >= start and unicodedata.combining(unicodedata.normalize("NFKD", text[place])[0]):
            place -= 1
        if place < start:
            places.append(end)
            start = end
        else:
            start = place + 1
    return "".join(unicodedata.normalize("NFKC", text[begin:end]) for begin, end in pairwise([*places, len(text)]))


def words_of(text: str, *, scripts: bool) -> list[str]:
    return (WORD if scripts else EARLIER_WORD).findall(normal_form(WIDTHLESS.sub("", text)).lower())


def ngrams(run: str, shortest: int) -> list[int]:
    marked = f" {run} "
    return [
        crc32(marked[start : start + size].encode("utf-8", "surrogatepass"), 1) & (1 << BITS) - 1 | 1 << BITS
        for size in range(shortest, LONGEST_NGRAM + 1)
        for start in range(size == 1, len(run) + 3 - size - (size == 1))
    ]


def features(text: str, *, shortest: int, scripts: bool) -> dict[int, int]:
    """How often each place is taken: by words, pairs of words, and character n-grams of words, or of runs of a script without spaces."""
    words = words_of(text, scripts=scripts)
    encoded = [word.encode("utf-8", "surrogatepass") for word in words]
    found = [crc32(each) & (1 << BITS) - 1 for each in encoded]
    found += [crc32(left + b" " + right) & (1 << BITS) - 1 for left, right in pairwise(encoded)]
    for in_run, some in groupby(words, lambda word: scripts and IN_RUN.match(word) is not None):
        if in_run:
            found += ngrams("".join(some), 1)
        else:
            for word in some:
                found += ngrams(word, shortest)
    return Counter(found)


# --- pieces of words, as SentencePiece finds them: the tries are double arrays ---


class Tokenizer:
    UNKNOWN, BEGIN, END, MOST_PIECES = 0, 1, 2, 254

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        [length] = struct.unpack_from("<Q", content)
        about, data = json.loads(content[8 : 8 + length]), content[8 + length :]
        kinds = {"U8": np.uint8, "U32": np.uint32, "F32": np.float32}
        read = {name: np.frombuffer(data[slice(*each["data_offsets"])], kinds[each["dtype"]]).tolist() for name, each in about.items()}
        self.pieces, self.scores, self.charsmap = read["pieces"], read["scores"], read["charsmap"]
        self.replacements = bytes(read["replacements"])
        marks = re.escape("".join(map(chr, read["marks"])))
        self.joined = re.compile(f"([^{marks}]?[{marks}]+)")
        self.unknown = min(self.scores) - 10.0

    def windows(self, text: str, most: int) -> list[list[int]]:
        """The pieces of each window of the text. A window has at most 254 pieces, of which half are those of the window before."""
        size, step = self.MOST_PIECES, self.MOST_PIECES // 2
        reached = size + (most - 1) * step + 2
        text = self.normalized(text.encode("utf-8", "replace").decode()[: reached * 64])
        pieces = self.split(text[: reached * 16].encode()) if text else [self.UNKNOWN]
        further = max(0, -(-(len(pieces) - size) // step))
        return [[self.BEGIN, *pieces[start : start + size], self.END] for start in range(0, step * min(most, 1 + further), step)]

    def normalized(self, text: str) -> str:
        others = self.joined.split(text)
        others[::2] = ["".join(map(self.replaced, part)) for part in others[::2]]
        others[1::2] = map(self.replaced, others[1::2])
        words = [word for word in "".join(others).split(" ") if word]
        return "▁" + "▁".join(words) if words else ""

    def replaced(self, text: str) -> str:
        content, place, found = text.encode(), 0, b""
        while place < len(content):
            node, at, end, value = children(self.charsmap[0]), place, 0, 0
            while at < len(content):
                node ^= content[at]
                unit = self.charsmap[node]
                if unit & 0x800000FF != content[at]:
                    break
                node ^= children(unit)
                at += 1
                if unit & 0x100:
                    end, value = at, self.charsmap[node] & 0x7FFFFFFF
            if end:
                found += self.replacements[value : self.replacements.index(b"\0", value)]
            else:
                end = place + width(content[place])
                found += content[place:end]
            place = end
        return found.decode()

    def split(self, content: bytes) -> list[int]:
        """The pieces with the largest sum of scores (Kudo 2018, arXiv 1804.10959)."""
        length, root = len(content), self.pieces[0] >> 10
        best = [0.0] + [float("-inf")] * length
        before, numbers = [0] * (length + 1), [0] * (length + 1)
        begin = 0
        while begin < length:
            node, place, after, known = root, begin, begin + width(content[begin]), False
            while place < length:
                node ^= content[place]
                unit = self.pieces[node]
                if unit & 0x800000FF != content[place]:
                    break
                node ^= unit >> 10
                place += 1
                if unit & 0x100:
                    number = self.pieces[node] & 0x7FFFFFFF
                    known = known or place == after
                    if best[begin] + self.scores[number] > best[place]:
                        best[place], before[place], numbers[place] = best[begin] + self.scores[number], begin, number
            if not known and best[begin] + self.unknown > best[after]:
                best[after], before[after], numbers[after] = best[begin] + self.unknown, begin, self.UNKNOWN
            begin = after
        found, place = [], length
        while place:
            found.append(numbers[place])
            place = before[place]
        return found[::-1]


def children(unit: int) -> int:
    return (unit >> 10) << ((unit & 0x200) >> 6)


def width(first: int) -> int:
    return 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4


# --- answers ---


class Model:
    """A folder that `winnow export` wrote."""

    def __init__(self, folder: Path) -> None:
        self.about = json.loads((folder / "export.json").read_text(encoding="utf-8"))
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer(folder / "tokenizer.bin") if self.about["windows"] else None

    def answer(self, text: str) -> list[tuple[str, float, bool]]:
        """Label, score and whether it is accepted, best first."""
        return self.answered(*self.scores(text))

    def answered(self, scores: np.ndarray, nearness: float) -> list[tuple[str, float, bool]]:
        """The same of what `scores` returned."""
        thresholds, least = np.array(self.about["thresholds"], np.float32), self.about["least_familiarity"]
        familiar = least is None or nearness + self.about["score_weight"] * scores.max() >= least
        order = np.argsort(-scores, kind="stable")
        accepted = (scores >= thresholds) & familiar
        if self.about["exclusive"]:
            accepted[order[1:]] = False
        return [(self.about["labels"][place], float(scores[place]), bool(accepted[place])) for place in order]

    def scores(self, text: str) -> tuple[np.ndarray, float]:
        """The scores of the labels, in the order of export.json, and how near the text is to those that the version learnt."""
        found = sorted(features(text, shortest=self.about["shortest"], scripts=self.about["scripts"]).items())
        given = {"places": np.array([place for place, _ in found], np.int64), "counts": np.array([count for _, count in found], np.int64)}
        if self.tokenizer:
            windows = self.tokenizer.windows(text, self.about["windows"])
            pieces = np.full((len(windows), max(map(len, windows))), -1, np.int64)
            for row, window in zip(pieces, windows, strict=True):
                row[: len(window)] = window
            given["pieces"] = pieces
        scores, nearness = self.session.run(["scores", "nearness"], given)
        # Without sentence vectors: a text without letters and digits is near to nothing.
        silent = not self.tokenizer and all(unicodedata.category(each)[0] in "CMPZ" for each in text)
        return scores[0], 0.0 if silent else float(nearness)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python reader.py TEXT")
    for label, score, accepted in Model(Path(__file__).parent).answer(sys.argv[1]):
        print(f"{score:.6f}  {label}{'' if accepted else '  (not accepted)'}")
