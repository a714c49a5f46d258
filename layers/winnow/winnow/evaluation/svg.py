"""SVG as text: the few elements of the figures. Standard library only.

Labels and texts come from strangers. `text` and `hint` make each of them harmless. Everything else is our own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import accumulate
from xml.sax.saxutils import escape

WIDTH = 800
INK, MUTED, GRID, PAPER, BLUE, ORANGE, GREY = "#1f2933", "#616e7c", "#e4e7eb", "#ffffff", "#1f5fa8", "#c2570c", "#8d99a6"

# XML 1.0 allows no other characters (https://www.w3.org/TR/xml/#charsets).
_NOT_OF_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# They would reverse the text next to a name.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
# The mean width of a character, as a share of the font size (a generous estimate), and of a wide one (east Asian, emoji).
_EM, _WIDE_EM = 0.6, 1.0


def drawing(height: float, title: str, about: str, parts: Iterable[str]) -> str:
    """A complete SVG document, WIDTH wide. title: shown at the top. about: a sentence for screen readers."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {_n(height)}" role="img"'
            ' font-family="system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif">',
            f"<title>{_harmless(title)}</title>",
            f"<desc>{_harmless(about)}</desc>",
            rect(0, 0, WIDTH, height, PAPER),
            text(24, 36, title, size=18, weight=600),
            text(24, 57, about, fill=MUTED),
            *parts,
            "</svg>\n",
        ]
    )


def text(
    x: float, y: float, words: str, *, size: float = 13, fill: str = INK, anchor: str = "start", weight: int = 400, turn: int = 0
) -> str:
    """One line of text. anchor: the end of it that is at x. turn: degrees around (x, y)."""
    turned = f' transform="rotate({turn} {_n(x)} {_n(y)})"' if turn else ""
    heavy = f' font-weight="{weight}"' if weight != 400 else ""
    style = f'font-size="{_n(size)}" fill="{fill}" text-anchor="{anchor}"{heavy}{turned}'
    return f'<text x="{_n(x)}" y="{_n(y)}" {style}>{_harmless(words)}</text>'


def rect(x: float, y: float, width: float, height: float, fill: str, *, hint: str = "") -> str:
    """A filled rectangle. hint: the tooltip."""
    shape = f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" fill="{fill}"'
    return f"{shape}><title>{_harmless(hint)}</title></rect>" if hint else f"{shape}/>"


def line(points: Iterable[tuple[float, float]], stroke: str, *, width: float = 1, dashes: str = "") -> str:
    """A line through at least two points."""
    through = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{through}" fill="none" stroke="{stroke}" stroke-width="{_n(width)}" stroke-linejoin="round"{dashed}/>'


def dot(x: float, y: float, stroke: str, fill: str, *, hint: str = "", radius: float = 4) -> str:
    """A small circle. hint: the tooltip."""
    shape = f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{fill}" stroke="{stroke}" stroke-width="2"'
    return f"{shape}><title>{_harmless(hint)}</title></circle>" if hint else f"{shape}/>"


def mixed(color: str, share: float) -> str:
    """A color #rrggbb mixed with the paper: 0 is paper, 1 is the color."""
    ends = zip(_channels(PAPER), _channels(color), strict=True)
    return "#" + "".join(f"{round(paper + (full - paper) * share):02x}" for paper, full in ends)


def length(words: str, size: float) -> float:
    """The approximate length of a line of text."""
    return sum(_width(character) for character in words) * size


def cut(words: str, room: float, size: float) -> str:
    """The text, or its two ends around an ellipsis if it is too long: names often differ only at the end."""
    words = _plain(words)
    if length(words, size) <= room:
        return words
    half = (room - _EM * size) / 2
    return f"{_beginning(words, half, size)}…{_beginning(words[::-1], half, size)[::-1]}"


def _beginning(words: str, room: float, size: float) -> str:
    ends = accumulate(map(_width, words))
    return words[: sum(end * size <= room for end in ends)]


def _width(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    return _WIDE_EM if unicodedata.east_asian_width(character) in {"W", "F"} else _EM


def _plain(words: str) -> str:
    """One line of characters that XML allows, without direction changes."""
    return " ".join(_TURNING.sub("", _NOT_OF_XML.sub("\ufffd", words)).split())


def _harmless(words: str) -> str:
    return escape(_plain(words))


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
