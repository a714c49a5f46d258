"""The files of tests/support/tried_files.py: tables, encodings, labels. The exports of tools are in tool_exports.py."""

from __future__ import annotations

import gzip
import json

from tests.support.tried_files import HEAT, LIGHT, ROWS, TEXTS, WATER, Tried, table
from winnow.datasets.split import too_rare

_QUOTED = [(f'"{text}, please"', label) for text, label in ROWS]
_PLEASE = [(f"{text}, please", (label,)) for text, label in ROWS]
_TWO = [
    *((text, label) for text, label in ROWS),
    ("Water runs into the lamp", f"{WATER}#{LIGHT}"),
    ("The lamp is off", LIGHT),
    ("It is dark", LIGHT),
]
_AS_TWO = [(text, tuple(label.split("#"))) for text, label in _TWO]


def _tsv(*rows: tuple[str, str]) -> bytes:
    return "".join(f"{label}\t{text}\n" for text, label in rows).encode()


_THREE = "6 rows, first: Line 2 of the data set has 3 columns, but the header has 2: "
_UNCLEAR = "It is not clear which column of the data set holds "
_TEXT, _LABEL = "the text (name it with `text_column`)", "the label (name it with `label_column`)"

DELIMITERS = [
    Tried("Delimiters", "commas", table("text", "label")),
    Tried("Delimiters", "semicolons, as Excel writes in much of Europe", table("text", "label", by=";"), understood={"delimiter": ";"}),
    Tried(
        "Delimiters",
        "semicolons, and a comma in each text",
        table("text", "label", rows=[(f"{text}, please", label) for text, label in ROWS], by=";"),
        examples=_PLEASE,
    ),
    Tried("Delimiters", "tabs, in a file .tsv", table("text", "label", by="\t"), "texts.tsv", understood={"delimiter": "\t"}),
    Tried("Delimiters", "tabs, in a file .txt", table("label", "text", rows=[(label, text) for text, label in ROWS], by="\t"), "texts.txt"),
    Tried(
        "Delimiters",
        "tabs, and a comma and a quote in each text",
        table("text", "label", rows=[(f'"No", {text}', label) for text, label in ROWS], by="\t"),
        "texts.tsv",
        examples=[(f'"No", {text}', (label,)) for text, label in ROWS],
    ),
    Tried(
        "Delimiters",
        "tabs, quoted by Excel",
        table("text", "label", rows=[(f'"{text}, ""now"""', label) for text, label in ROWS], by="\t"),
        "texts.tsv",
        examples=[(f'{text}, "now"', (label,)) for text, label in ROWS],
    ),
    Tried("Delimiters", "vertical bars", table("text", "label", by="|"), understood={"delimiter": "|"}),
    Tried("Delimiters", "Excel's first line sep=;", table("text", "label", by=";", before="sep=;\n"), understood={"delimiter": ";"}),
    Tried("Delimiters", "Excel's first line sep=, with CRLF", table("text", "label", end="\r\n", before="sep=,\r\n")),
    Tried("Delimiters", "the parameter `delimiter`", table("text", "label", by="|"), layout={"delimiter": "|"}),
    Tried(
        "Delimiters",
        "a wrong parameter `delimiter`",
        table("text", "label", by=";"),
        layout={"delimiter": "|"},
        refused=f"{_UNCLEAR}the text (name it with `text_column`) and which {_LABEL}. The columns are: text;label.",
    ),
    Tried(
        "Delimiters",
        "label, tab, text without a header (the SMS spam collection)",
        _tsv(*ROWS),
        "SMSSpamCollection",
        understood={"delimiter": "\t"},
    ),
    Tried(
        "Delimiters",
        "the same with a quote at the beginning of a text",
        _tsv(*((f'"{text} I said', label) for text, label in ROWS)),
        "spam.txt",
        examples=[(f'"{text} I said', (label,)) for text, label in ROWS],
    ),
    Tried(
        "Delimiters",
        "text;label without a header",
        "".join(f"{text};{label}\n" for text, label in ROWS).encode(),
        understood={"label_column": "column 2"},
    ),
    Tried("Delimiters", "Comprehend's label,text without a header", "".join(f"{label},{text}\n" for text, label in ROWS).encode()),
    Tried("Delimiters", "quoted texts with commas", table("text", "label", rows=_QUOTED), examples=_PLEASE),
    Tried(
        "Delimiters", "CRLF, a byte order mark and blank lines", ("\ufeff\r\n" + table("text", "label", end="\r\n\r\n").decode()).encode()
    ),
    Tried("Delimiters", "packed with gzip", gzip.compress(table("text", "label")), "texts.csv.gz"),
]

COLUMNS = [
    Tried(
        "Columns",
        "subject,body,category",
        table("subject", "body", "category", rows=[("Ticket", text, label) for text, label in ROWS]),
        examples=[(f"Ticket\n\n{text}", (label,)) for text, label in ROWS],
        understood={"text_column": ["subject", "body"], "label_column": "category"},
    ),
    Tried(
        "Columns",
        "subject,body,category with an empty subject",
        table("subject", "body", "category", rows=[("", text, label) for text, label in ROWS]),
    ),
    *(
        Tried("Columns", f"{text},{label}", table(text, label), understood={"text_column": text.strip(), "label_column": label.strip()})
        for text, label in (
            ("text", "category"),
            ("Sentence", "LABEL"),
            ("utterance", "intent"),
            (" Message ", " Class "),
            ("content", "topic"),
            ("body", "tag"),
            ("title", "category"),
            ("query", "intent"),
            ("review", "sentiment"),
            ("Text", "Target"),
        )
    ),
    Tried("Columns", "label and text the other way round", table("label", "text", rows=[(label, text) for text, label in ROWS])),
    Tried(
        "Columns",
        "v1,v2 and three columns without a name (spam.csv)",
        table("v1", "v2", "", "", "", rows=[(label, text, "", "", "") for text, label in ROWS]),
        understood={"text_column": "v2", "label_column": "v1"},
    ),
    Tried(
        "Columns",
        "the index column of pandas",
        table("", "text", "label", rows=[(str(n), text, label) for n, (text, label) in enumerate(ROWS)]),
    ),
    Tried(
        "Columns",
        "a column Unnamed: 0",
        table("Unnamed: 0", "text", "label", rows=[(str(n), text, label) for n, (text, label) in enumerate(ROWS)]),
    ),
    Tried(
        "Columns",
        "other columns before and behind",
        table("id", "text", "date", "label", rows=[("7", text, "2026-01-01", label) for text, label in ROWS]),
    ),
    Tried(
        "Columns",
        "empty columns behind, as Excel leaves them",
        table("text", "label", rows=[(text, label, "", "", "") for text, label in ROWS]),
    ),
    Tried("Columns", "rows of delimiters alone at the end", table("text", "label") + b",\n,\n"),
    Tried(
        "Columns",
        "Frage;Kategorie, named by parameters",
        table("Frage", "Kategorie", by=";"),
        layout={"text_column": "frage", "label_column": "Kategorie"},
    ),
    Tried(
        "Columns",
        "two text columns, named by a parameter",
        table("Titel", "Inhalt", "label", rows=[("Ticket", text, label) for text, label in ROWS]),
        layout={"text_column": ["Titel", "Inhalt"]},
        examples=[(f"Ticket\n\n{text}", (label,)) for text, label in ROWS],
    ),
    Tried(
        "Columns",
        "Frage;Kategorie",
        table("Frage", "Kategorie", by=";"),
        refused=f"{_UNCLEAR}{_TEXT} and which {_LABEL}. The columns are: Frage, Kategorie.",
    ),
    Tried(
        "Columns", "text and a column of another name", table("text", "kind"), refused=f"{_UNCLEAR}{_LABEL}. The columns are: text, kind."
    ),
    Tried(
        "Columns",
        "two columns that may hold the label",
        table("text", "category", "sentiment", rows=[(text, label, "bad") for text, label in ROWS]),
        refused=f"{_UNCLEAR}{_LABEL}. The columns are: text, category, sentiment.",
    ),
    Tried(
        "Columns",
        "two columns that may hold the text",
        table("title", "body", "label", rows=[("Ticket", text, label) for text, label in ROWS]),
        refused=f"{_UNCLEAR}{_TEXT}. The columns are: title, body, label.",
    ),
    Tried(
        "Columns",
        "a parameter that names no column",
        table("text", "label"),
        layout={"label_column": "Kategorie"},
        refused="The data set has no column 'Kategorie' (found: text, label).",
    ),
    Tried(
        "Columns",
        "label twice",
        table("text", "label", "label", rows=[(text, label, label) for text, label in ROWS]),
        refused="Line 1 of the data set has two columns named label (upper and lower case are the same): rename or remove one.",
    ),
    Tried(
        "Columns",
        "label and labels",
        table("text", "label", "labels", rows=[(text, label, label) for text, label in ROWS]),
        refused=f"{_UNCLEAR}{_LABEL}. The columns are: text, label, labels.",
    ),
    Tried(
        "Columns",
        "one comma too many in each row",
        table("text", "label", rows=[(f"{text}, please", label) for text, label in ROWS]),
        refused=_THREE + "quote texts that contain a comma or a quote.",
    ),
    Tried(
        "Columns",
        "texts in curly quotes",
        table("text", "label", rows=[(f"“{text}, please”", label) for text, label in ROWS]),
        refused=_THREE + 'a text is quoted with “ and ”, so use straight quotes (").',
    ),
    Tried(
        "Columns",
        "a space before the quote",
        table("label", "text", rows=[(label, f' "{text}, please"') for text, label in ROWS]),
        examples=_PLEASE,
    ),
    Tried(
        "Columns",
        "a table of one column",
        table("text", rows=[(text,) for text, _ in ROWS]),
        refused=f"{_UNCLEAR}{_LABEL}. The columns are: text.",
    ),
    Tried(
        "Columns",
        "only a header",
        b"text,label\n",
        refused="The data set has no label at all: a classifier needs examples of at least two.",
    ),
]

_ACCENTS = [
    ("La chaudière est froide", HEAT),
    ("Le radiateur gèle déjà", HEAT),
    ("L\u2019eau coule à côté", WATER),
    ("Robinet cassé \u2013 à réparer", WATER),
]
_AS_READ = [(text, (label,)) for text, label in _ACCENTS]
_FRENCH = table("text", "label", rows=_ACCENTS).decode()

ENCODINGS = [
    Tried("Encodings", "UTF-8 with a byte order mark", ("\ufeff" + _FRENCH).encode(), examples=_AS_READ, understood={"encoding": "utf-8"}),
    Tried(
        "Encodings",
        "UTF-16 with its mark (Excel's Unicode text)",
        _FRENCH.replace(",", "\t").encode("utf-16"),
        "texts.txt",
        examples=_AS_READ,
        understood={"encoding": "utf-16"},
    ),
    Tried("Encodings", "UTF-16, big end first", b"\xfe\xff" + _FRENCH.encode("utf-16-be"), examples=_AS_READ),
    Tried(
        "Encodings",
        "Windows-1252",
        _FRENCH.encode("cp1252"),
        examples=_AS_READ,
        warns={"not-utf-8": 1},
        understood={"encoding": "windows-1252"},
    ),
    Tried(
        "Encodings", "Windows-1252, named by a parameter", _FRENCH.encode("cp1252"), layout={"encoding": "windows-1252"}, examples=_AS_READ
    ),
    Tried(
        "Encodings",
        "Windows-1252 in one line of UTF-8",
        _FRENCH.encode() + "Été brûlant,heating\n".encode("cp1252"),
        examples=[*_AS_READ, ("Été brûlant", (HEAT,))],
        warns={"not-utf-8": 1},
    ),
    Tried(
        "Encodings",
        "Windows-1252 in a JSON array on one line",
        json.dumps([{"text": text, "label": label} for text, label in _ACCENTS], ensure_ascii=False).encode("cp1252"),
        "texts.json",
        examples=_AS_READ,
        warns={"not-utf-8": 1},
    ),
    Tried(
        "Encodings",
        "Windows-1251, named by a parameter",
        table("text", "label", rows=[("Батарея холодная", HEAT), ("Котёл шумит", HEAT), ("Кран течёт", WATER), ("Вода на полу", WATER)])
        .decode()
        .encode("cp1251"),
        layout={"encoding": "windows-1251"},
        examples=[("Батарея холодная", (HEAT,)), ("Котёл шумит", (HEAT,)), ("Кран течёт", (WATER,)), ("Вода на полу", (WATER,))],
    ),
    Tried(
        "Encodings",
        "UTF-16 without a mark",
        _FRENCH.encode("utf-16-le"),
        refused="The data set is not UTF-8: save it as UTF-8, or give `encoding` if it is UTF-16 without a mark.",
    ),
    Tried(
        "Encodings",
        "UTF-16 without a mark, named by a parameter",
        _FRENCH.encode("utf-16-le"),
        layout={"encoding": "utf-16"},
        examples=_AS_READ,
    ),
    Tried(
        "Encodings",
        "Windows-1252 that the parameter calls UTF-8",
        _FRENCH.encode("cp1252"),
        layout={"encoding": "utf-8"},
        refused="4 rows, first: Line 2 of the data set is not UTF-8 (byte 0xe8): save the file as UTF-8.",
    ),
    Tried(
        "Encodings",
        "a byte that no encoding has",
        _FRENCH.encode() + b"caf\x81,heating\n",
        refused="Line 6 of the data set is not UTF-8 (byte 0x81): save the file as UTF-8.",
    ),
]

_48 = [(f"{text} {number}", label) for number in range(8) for text, label in ROWS]
_PAIRS = [("café", HEAT), ("cafe\u0301 au lait", HEAT), ("thé", WATER), ("thé vert", WATER)]

LABELS = [
    Tried(
        "Labels",
        "one blank label among 48",
        table("text", "label", rows=[*_48, ("A row to be labelled", "")]),
        examples=[(text, (label,)) for text, label in _48],
        warns={"unlabelled-row": 1},
    ),
    Tried(
        "Labels",
        "a blank label where others have two",
        table("text", "labels", rows=[*((text, label) for text, label in ROWS), ("Both", f"{HEAT}|{WATER}"), ("Neither", "")]),
        examples=[*((text, (label,)) for text, label in ROWS), ("Both", (HEAT, WATER)), ("Neither", ())],
    ),
    Tried(
        "Labels",
        "null in JSON",
        b"\n".join(json.dumps({"text": text, "label": label}).encode() for text, label in [*ROWS, ("Later", None)]),
        "texts.jsonl",
        warns={"unlabelled-row": 1},
    ),
    Tried("Labels", "labels with spaces around them", table("text", "label", rows=[(text, f" {label} ") for text, label in ROWS])),
    Tried(
        "Labels",
        "labels in quotes behind a comma and a space",
        table("text", "label", rows=[(text, f' "{label}"') for text, label in ROWS]),
    ),
    Tried("Labels", "labels in quotes of their own", table("text", "label", rows=[(text, f'"""{label}"""') for text, label in ROWS])),
    Tried("Labels", "labels in curly quotes", table("text", "label", rows=[(text, f"“{label}”") for text, label in ROWS])),
    Tried("Labels", "lists that pandas printed", table("text", "labels", rows=[(text, str([label]).join('""')) for text, label in ROWS])),
    Tried(
        "Labels",
        "lists of two that pandas printed",
        table("text", "label", rows=[(text, f'"{label.split("#")}"') for text, label in _TWO]),
        examples=_AS_TWO,
    ),
    Tried(
        "Labels",
        "arrays that numpy printed",
        table("text", "label", rows=[(text, "[" + " ".join(repr(e) for e in label.split("#")) + "]") for text, label in _TWO]),
        examples=_AS_TWO,
    ),
    Tried(
        "Labels",
        'Label Studio\'s {"choices": […]}',
        table(
            "text", "label", rows=[(text, '"' + json.dumps({"choices": label.split("#")}).replace('"', '""') + '"') for text, label in _TWO]
        ),
        examples=_AS_TWO,
    ),
    Tried("Labels", "a#b, doccano's", table("text", "label", rows=_TWO), examples=_AS_TWO, understood={"label_separator": "#"}),
    Tried(
        "Labels",
        "a|b in a column label",
        table("text", "label", rows=[(text, label.replace("#", "|")) for text, label in _TWO]),
        examples=_AS_TWO,
        understood={"label_separator": "|"},
    ),
    Tried(
        "Labels",
        '"a, b"',
        table("text", "label", rows=[(text, f'"{label.replace("#", ", ")}"') for text, label in _TWO]),
        examples=_AS_TWO,
        understood={"label_separator": ","},
    ),
    Tried(
        "Labels",
        "__label__a,__label__b",
        table("text", "label", rows=[(text, '"' + ",".join(f"__label__{e}" for e in label.split("#")) + '"') for text, label in _TWO]),
        examples=_AS_TWO,
    ),
    Tried(
        "Labels",
        "a/b with the parameter `label_separator`",
        table("text", "label", rows=[(text, label.replace("#", "/")) for text, label in _TWO]),
        layout={"label_separator": "/"},
        examples=_AS_TWO,
    ),
    Tried(
        "Labels",
        "one label with a comma in it",
        table("text", "label", rows=[*ROWS, *((f"{text} again", '"light, lamps"') for text in TEXTS[HEAT])]),
        examples=[*((text, (label,)) for text, label in ROWS), *((f"{text} again", ("light, lamps",)) for text in TEXTS[HEAT])],
        warns={"packed-label": 1},
    ),
    Tried(
        "Labels",
        "C# and F#",
        table("text", "label", rows=[(text, {HEAT: "C#", WATER: "F#"}[label]) for text, label in ROWS]),
        examples=[(text, ({HEAT: "C#", WATER: "F#"}[label],)) for text, label in ROWS],
    ),
    Tried(
        "Labels",
        "numbers and booleans in JSON",
        b"\n".join(json.dumps({"text": text, "label": v}).encode() for (text, _), v in zip(ROWS, (0, 0, 1, 1, True, True), strict=True)),
        "texts.jsonl",
        examples=[(text, (v,)) for (text, _), v in zip(ROWS, ("0", "0", "1", "1", "true", "true"), strict=True)],
    ),
    Tried(
        "Labels",
        "café in two normal forms as a label",
        table(
            "text",
            "label",
            rows=[(text, "café" if n % 2 else "cafe\u0301") if label == HEAT else (text, label) for n, (text, label) in enumerate(ROWS)],
        ),
        examples=[(text, ("café",)) if label == HEAT else (text, (label,)) for text, label in ROWS],
    ),
    Tried(
        "Labels",
        "a text in two normal forms",
        table("text", "label", rows=[*_PAIRS, ("cafe\u0301", HEAT)]),
        examples=[*((text, (label,)) for text, label in _PAIRS), ("cafe\u0301", (HEAT,))],
        warns={"duplicate": 1},
    ),
    Tried(
        "Labels",
        "a text of characters without width",
        table("text", "label", rows=[*ROWS, ("\u200b\u2060", HEAT)]),
        refused="Line 8 of the data set has an empty text: give it a text or leave it out.",
    ),
    Tried("Labels", "a label with one text", table("text", "label", rows=[*ROWS, ("The lamp is off", LIGHT)]), warns={"dropped-label": 1}),
    Tried(
        "Labels",
        'a label with one text and `rare_labels` "refuse"',
        table("text", "label", rows=[*ROWS, ("The lamp is off", LIGHT)]),
        asked={"rare_labels": "refuse"},
        refused=too_rare([LIGHT]),
    ),
    Tried(
        "Labels",
        "three labels with one text each",
        table("text", "label", rows=[("a b", HEAT), ("c d", WATER), ("e f", LIGHT)]),
        refused=too_rare([HEAT, LIGHT, WATER]),
    ),
]

TRIED = [*DELIMITERS, *COLUMNS, *ENCODINGS, *LABELS]
