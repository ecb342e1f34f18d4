"""Phone numbers as search sees them: their digits alone, and the runs of digits that a typed number stands for.

The rule. A question that is one phone number as people write them is found where its digits, all together, stand inside
a phone number's digits: without the zeros it begins with, and without the country's number behind + or 00, where five
digits are left; so it does not matter which of the two was written as at home and which as from abroad. The 8 that
numbers of Russia and Kazakhstan begin with at home, apart from what follows or first of eleven digits, is left out in
the same way; where fewer than five digits are left it may as well be their country's 7, and behind + or 00 that 7 may
be this 8: `8 495` and `+7 495` find the same numbers.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

DIGIT_RUN: Final = 3
PHONE_MARK: Final = "\ue000"  # private use: a run of a phone number in the index never looks like a word

_LINE: Final = 5  # digits that tell a line, where a number is looked for without its beginning
_NO_DIGIT: Final = {code: None for code in range(128) if not chr(code).isdecimal()}
_RUN: Final = re.compile(f"(?=([0-9]{{{DIGIT_RUN}}}))")
_PHONE: Final = re.compile(r"[\d\s+()./\u2010-\u2015\u2212-]+")
# What countries begin with from abroad, by ITU-T E.164: those of one or two digits, all others of three.
_COUNTRY: Final = re.compile("1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[2-9][0-9][0-9]")
_SEVEN: Final = "7"  # the country of two, whose numbers begin with another digit at home
_EIGHT: Final = "8"
_EIGHT_APART: Final = re.compile(r"\s*8[^0-9+]")
_WHOLE: Final = 11  # digits of such a number with its 8


def digits(text: str) -> str:
    """The digits of a phone number, whatever script they are written in."""
    if text.isascii():
        return text.translate(_NO_DIGIT)
    return "".join(str(unicodedata.decimal(c)) for c in text if c.isdecimal())


def runs(text: str) -> tuple[str, ...]:
    """The runs of digits of which a phone number holds one when it is the one typed; none when no number was typed."""
    run = digits(text) if _PHONE.fullmatch(text) else ""
    if len(run) < DIGIT_RUN:
        return ()
    parts = [run, run.lstrip("0")]
    rest, seven = "", False
    if run.startswith("00") or "+" in text:
        if country := _COUNTRY.match(parts[-1]):
            seven, rest = country[0] == _SEVEN, parts[-1][country.end() :].lstrip("0")
    elif run[0] == _EIGHT and (len(run) == _WHOLE or _EIGHT_APART.match(text)):
        seven, rest = True, run[1:]
    parts.append(rest)
    typed = next((part for part in reversed(parts) if len(part) >= _LINE), run)
    if seven and DIGIT_RUN <= len(rest) < _LINE:
        return tuple(dict.fromkeys((typed, _SEVEN + rest, _EIGHT + rest)))
    return (typed,)


def marked(text: str, typed: str) -> tuple[int, int] | None:
    """Where a typed number stands in a text that is one: first and one-past-last character."""
    if not _PHONE.fullmatch(text):
        return None
    places = [at for at, char in enumerate(text) if char.isdecimal()]
    whole = digits(text)
    for run in runs(typed):
        if (at := whole.find(run)) >= 0:
            return places[at], places[at + len(run) - 1] + 1
    return None


def tokens(text: str) -> list[str]:
    """What the index holds of a phone number."""
    return [PHONE_MARK + run for run in _RUN.findall(digits(text))]


def asked(run: str) -> str:
    """The digits of a phone number in the index's own words: a little wider, for runs of them may stand apart."""
    return " AND ".join(f'"{PHONE_MARK}{part}"' for part in _RUN.findall(run))


def any_asked(found: tuple[str, ...]) -> str:
    """The same for any of these runs; "" for none."""
    return " OR ".join(f"({asked(run)})" for run in found)


def is_run(term: str) -> bool:
    """Whether a term is also looked for inside phone numbers."""
    return len(term) >= DIGIT_RUN and term.isdecimal()
