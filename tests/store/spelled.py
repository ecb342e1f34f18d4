"""How words may be written otherwise: not in the program's words, but from tables made by hand for the tests' names."""

from __future__ import annotations

import functools
import re
import unicodedata
from itertools import product

PAIRS = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("å", "aa"), ("ø", "oe"))

# Of the letters in the names of the tests alone, folded.
LETTERS = {
    letter: ways.split()
    for letter, ways in {
        "а": "a", "б": "b", "в": "v w", "г": "g h", "д": "d", "е": "e ye je yo jo io", "ж": "zh j z", "з": "z",
        "и": "i y j", "к": "k c", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t",
        "у": "u w", "ф": "f ph", "х": "kh h x ch", "ц": "ts c tz cz", "ч": "ch c tch", "ш": "sh s sch",
        "щ": "shch sch sht sc st s", "ы": "y i", "э": "e", "ю": "yu iu ju", "я": "ya ia ja", "і": "i yi ji",
        "кс": "x", "ий": "y", "ия": "ia ya ija", "α": "a", "ο": "o", "υ": "y u i v f", "ου": "u", "π": "p", "δ": "d dh",
        "λ": "l", "σ": "s", "ρ": "r", "ι": "i", "η": "i e h", "γ": "g y gh",
    }.items()
}  # fmt: skip
LETTERS["ъ"], LETTERS["ь"] = ["", "a"], [""]


def with_pairs(text: str) -> str:
    """A text with two letters for each of those with a mark, "" where it has none."""
    plain = unicodedata.normalize("NFC", text).replace("Å", "Å")
    written = plain
    for letter, pair in PAIRS:
        written = written.replace(letter, pair).replace(letter.upper(), pair)
    return "" if written == plain else written


def has_pair(term: str) -> bool:
    """Whether a term as it was typed is long enough to stand for a word with such a letter."""
    return len(term) >= 5 and any(pair in term for _letter, pair in PAIRS)


@functools.lru_cache(maxsize=4096)
def in_latin(word: str) -> frozenset[str]:
    """All the ways in which the first letters of a word, as long as they are of the table, are written."""
    found: set[str] = set()
    run = ""
    for char in word:
        if char not in LETTERS:
            break
        run += char
    for parts in _cuts(run):
        found.update("".join(said) for said in product(*(LETTERS[part] for part in parts)))
    return frozenset(found)


def _cuts(run: str) -> list[list[str]]:
    if not run:
        return [[]]
    return [
        [run[:length], *rest]
        for length in (1, 2)
        if len(run) >= length and run[:length] in LETTERS
        for rest in _cuts(run[length:])
    ]


def phone_runs(asked: str) -> list[str]:
    """The digits, one of which a phone number must hold for a question that is one number."""
    if not re.fullmatch(r"[\d\s+()./-]+", asked):
        return []
    whole = "".join(str(unicodedata.digit(char)) for char in asked if char.isdecimal())
    if len(whole) < 3:
        return []
    abroad = "+" in asked or whole.startswith("00")
    home = whole.lstrip("0")
    at_home = re.match(r"\s*8[ (-]", asked) is not None or (len(whole) == 11 and whole.startswith("8"))
    if not abroad and at_home:
        rest = whole[1:]
        return [rest] if len(rest) >= 5 else [whole, "7" + rest] if len(rest) >= 3 else [whole]
    codes = [code for code in ("1", "30", "86", "49", "7") if abroad and home.startswith(code)]
    rest = home.removeprefix(codes[0]).lstrip("0") if codes else ""
    typed = next((run for run in (rest, home, whole) if len(run) >= 5), whole)
    return [typed, "7" + rest, "8" + rest] if codes == ["7"] and 3 <= len(rest) < 5 else [typed]
