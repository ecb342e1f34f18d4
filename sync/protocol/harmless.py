"""Text as it may stand before a person's eyes: nothing in it that a terminal obeys, or that shows it as another text.

Names, values and reasons are written by people elsewhere. A control character could move the cursor or colour the
screen, a bidirectional one could let `exe.gpj` read as `jpg.exe`, a zero-width one makes two names out of one that
look alike. Every road that prints goes through here. JSON keeps every value exactly: there such characters are
escaped.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

_BREAKS: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACES: Final = re.compile("[\t\n]+")
_JOINERS: Final = "\u200c\u200d"
# Arabic and Syriac signs that stand before numbers: of the class of invisible ones, and seen.
_SEEN: Final = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
_LATIN_END: Final = "\u02ff"
_UNSEEN_IN_JSON: Final = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0001-\U000e007f]"
)


def lines(text: str) -> str:
    """`text` without what is obeyed instead of shown; line breaks, all kinds of them as one, and tabs stay."""
    if text.isprintable():  # most texts: nothing in them that is not seen
        return text
    kept: list[str] = []
    for c in _BREAKS.sub("\n", text):
        if c in _JOINERS:
            # Persian, Hindi and families of emoji need them after a letter of theirs; elsewhere they only hide.
            if kept and kept[-1] > _LATIN_END:
                kept.append(c)
        elif c in "\n\t" or c in _SEEN:
            kept.append(c)
        elif (category := unicodedata.category(c)) == "Cs":
            kept.append("\ufffd")
        elif category not in ("Cc", "Cf"):
            kept.append(c)
    return "".join(kept)


def line(text: str) -> str:
    """The same in one line without tabs: a cell of a table, a name within a sentence."""
    return _SPACES.sub(" ", lines(text))


def escaped(document: str) -> str:
    """A JSON document that says the same, with every invisible character written as an escape."""
    return _UNSEEN_IN_JSON.sub(lambda found: json.dumps(found[0])[1:-1], document)


def width(text: str) -> int:
    """How many columns a terminal gives a text: two for a Chinese letter, none for what is joined to the one before."""
    return sum(_columns(c) for c in text)


def in_columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of as many cells each as lines for a terminal, cell below cell; the cells are harmless lines."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (text + " " * (wide - width(text)) for text, wide in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()


def _columns(c: str) -> int:
    if unicodedata.combining(c) or c in "\u200c\u200d":
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1
