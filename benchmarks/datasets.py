"""Reads and reports on a gigabyte of JSON Lines: shows rows per second and the growth of memory.

    make bench-datasets            1,000 MB; MB=100 for less, GZIP=1 for gzip

The file is generated while it is read, so the result includes neither disk nor network.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import time
import zlib
from collections.abc import Iterator

from winnow.datasets.formats import Reader
from winnow.datasets.report import Counting
from winnow.domain.dataset import Ceilings

LABELS = 100
ROWS_A_BLOCK = 2_000
WORDS = ["save", "spend", "account", "card", "transfer", "rent", "holiday", "limit", "budget", "fee", "bank", "today", "why", "how"]


class Made:
    """A stream of JSON Lines of the given size before compression."""

    def __init__(self, most: int, *, packed: bool) -> None:
        self._most = most
        self._blocks = self._packed() if packed else self._plain()
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        while len(self._rest) < size and (block := next(self._blocks, b"")):
            self._rest += block
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    def _plain(self) -> Iterator[bytes]:
        drawn, made, number = random.Random(0), 0, 0
        texts = [f"@ {row} " + " ".join(drawn.choices(WORDS, k=12)) for row in range(ROWS_A_BLOCK)]
        rows = [{"text": text, "label": f"label {row % LABELS}"} for row, text in enumerate(texts)]
        block = "".join(json.dumps(row) + "\n" for row in rows).encode()
        while made < self._most:
            # Each block has new texts; every tenth block occurs again.
            piece = block.replace(b"@", str(number - number % 10 // 9).encode())
            made, number = made + len(piece), number + 1
            yield piece

    def _packed(self) -> Iterator[bytes]:
        packer = zlib.compressobj(6, wbits=zlib.MAX_WBITS | 16)
        for block in self._plain():
            if piece := packer.compress(block):
                yield piece
        yield packer.flush()


def most_memory() -> float:
    """The peak memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mb", type=int, default=1_000)
    arguments.add_argument("--gzip", action="store_true")
    given = arguments.parse_args()
    ceilings = Ceilings(rows=10**9, bytes=2 * given.mb * 10**6)
    reader = Reader(Made(given.mb * 10**6, packed=given.gzip), "made.jsonl", ceilings)
    counting = Counting(ceilings)
    began_with, began = most_memory(), time.perf_counter()
    shown = 0
    for found in reader:
        counting.add(found)
        if reader.unpacked_bytes >= (shown + 1) * given.mb * 10**5:
            shown += 1
            print(f"{reader.unpacked_bytes / 1e6:8,.0f} MB {reader.rows:12,} rows   peak memory {most_memory():6,.0f} MB", flush=True)
    read = time.perf_counter() - began
    report = counting.report()
    whole, grown = time.perf_counter() - began, most_memory() - began_with
    print(
        f"{reader.rows:,} rows, {reader.unpacked_bytes / 1e6:,.0f} MB in {whole:,.1f} s ({whole - read:.1f} s of them for comparisons):"
        f" {reader.rows / whole:,.0f} rows per second; memory grew by {grown:,.0f} MB, {grown * 2**20 / reader.rows:.0f} bytes per row."
        f" Warnings: {report.warnings:,}."
    )


if __name__ == "__main__":
    main()
