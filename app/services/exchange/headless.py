"""Lists without a row of headings: whether the first row is one, and names for columns by what they hold.

A first row that holds an e-mail address, a web address, a phone number or a day as the rows below it do is no row of
headings, unless one of its cells is a heading that some kind knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from app.services.exchange.headings import meaning
from app.services.exchange.report import Finding, Level
from sync.protocol.kinds import typed_kinds
from sync.protocol.texts import gettext as _

_LOOKED: Final = 200  # rows that tell what a column holds
_MOST: Final = 0.6  # of its cells that have to hold it
_SOME: Final = 0.3  # of its cells with a word that only firms have in their name
_KNOWN: Final = {
    "Email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "Website": re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE),
    "Phone": re.compile(r"(?=(?:\D*\d){7})\+?[\d\s()./\u2010-\u2015-]{7,24}"),
}
_DAY: Final = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")
_FIRM: Final = re.compile(
    r"\b(?:gmbh|ag|kg|ohg|ltd|limited|llc|inc|corp|company|co|plc|sarl|s\.?a|s\.?l|s\.?r\.?l|b\.?v|n\.?v|a\.?b|oy|aps"
    r"|group|holding|bank|ооо|зао|оао|ао)\b\.?|公司|集团|集團|銀行|银行|株式会社|주식회사",
    re.IGNORECASE,
)
_WORDS: Final = re.compile(r"[^\W\d_]")
Row = Sequence[str]


def has_headings(rows: Sequence[Row]) -> bool:
    """Whether the first of these rows is one of headings; rows below it may be none."""
    first, below = rows[0], rows[1 : _LOOKED + 1]
    if any(_is_heading(cell) for cell in first):
        return True
    for at, cell in enumerate(first):
        for known in (*_KNOWN.values(), _DAY):
            if known.fullmatch(cell.strip()) and (not below or _share(below, at, known.fullmatch) >= _MOST):
                return False
    return True


def made_headings(rows: Sequence[Row]) -> list[str]:
    """A heading for each column of rows that have none: what it holds, or its number."""
    some = rows[:_LOOKED]
    width = max(len(row) for row in rows)
    made = [_held(some, at) for at in range(width)]
    words = [at for at, held in enumerate(made) if not held and _share(some, at, _WORDS.search) >= _MOST]
    firms = [at for at in words if _share(some, at, _FIRM.search) >= _SOME]
    if firms:
        made[firms[0]] = "Company"
    # Beside firms or alone, the first other words that are no sentence and no street are who somebody is.
    names = [at for at in words if at not in firms and _share(some, at, _is_name) >= _MOST]
    if names and (not firms or names[0] <= firms[0] + 1):
        made[names[0]] = "Full name"
    return [held or _numbered(at) for at, held in enumerate(made)]


def _numbered(at: int) -> str:
    return _("Column {n}").format(n=at + 1)


def told(headings: Sequence[str], *, asked: bool) -> Finding:
    """What the report says of made headings."""
    taken = ", ".join(f"{at + 1} = {each}" for at, each in enumerate(headings) if each != _numbered(at))
    said = (
        _("Read without a row of headings, as asked. Columns by what they hold: {columns}.")
        if asked
        else _("The first row is no row of headings. Columns by what they hold: {columns}.")
    )
    return Finding(said.format(columns=taken or _("none is plain")), Level.NOTE)


def _is_heading(cell: str) -> bool:
    return bool(cell.strip()) and any(meaning(kind, 0, cell).field is not None for kind in typed_kinds())


def _held(rows: Sequence[Row], at: int) -> str:
    if _share(rows, at, _DAY.fullmatch) >= _MOST:
        return ""  # some of these look like a number to call
    return next((name for name, known in _KNOWN.items() if _share(rows, at, known.fullmatch) >= _MOST), "")


def _is_name(text: str) -> bool:
    return 0 < len(text.split()) <= 4 and not any(char.isdecimal() for char in text)


def _share(rows: Sequence[Row], at: int, known: Callable[[str], object]) -> float:
    """Which part of the filled cells of a column is known so; 0 where none is filled."""
    cells = [text for row in rows if at < len(row) and (text := row[at].strip())]
    return sum(known(text) not in (None, False) for text in cells) / len(cells) if cells else 0.0
