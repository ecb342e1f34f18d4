"""What single cells of a table mean: words for "empty", and texts that a spreadsheet would take for a formula.

A cell that begins with one of `= + - @`, a tab or a carriage return runs as a formula when a spreadsheet opens
the file. Export puts one apostrophe before it, and import takes one away, so that a value comes back as it was.
The same apostrophe saves a value that spells one of our words for "empty".
"""

from __future__ import annotations

import re
from typing import Final

EMPTY: Final = frozenset(
    ("NULL", "null", "(NULL)", "(null)", "\\N", "#N/A", "N/A", "n/a", "NaN", "nan", "-", "--", "–", "—")
)
_WORDS = "|".join(re.escape(word) for word in sorted(EMPTY))
_DANGER = re.compile(rf"'*(?:[=+\-@\t\r＝＋－＠]|\s*(?:{_WORDS})\s*\Z)")
_DEFUSED = re.compile(rf"'+(?:[=+\-@\t\r＝＋－＠]|\s*(?:{_WORDS})\s*\Z)")


def defuse(text: str) -> str:
    """A text as a cell that no spreadsheet runs and that `restore` gives back unchanged."""
    return f"'{text}" if _DANGER.match(text) else text


def restore(cell: str) -> str:
    """The text of a cell: the apostrophe of `defuse` taken away, and "" for a word that means empty."""
    if cell.startswith("'") and _DEFUSED.match(cell):
        return cell[1:]
    bare = cell.strip()
    return "" if not bare or bare in EMPTY else cell
