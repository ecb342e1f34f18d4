"""In which units amounts are written, where a heading or a description says so: "in millions of USD", "万元".

Nothing is guessed: a text counts only when every word of it is understood, so "(M)" alone, which is a thousand to some
and a million to others, says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sync.protocol import money
from sync.protocol.kinds.han import simplified

CURRENCIES: Final = frozenset(money.SIGNS.values()) | {
    "AUD", "BRL", "CAD", "CHF", "CZK", "DKK", "HUF", "IDR", "ILS", "KWD", "MXN", "MYR", "NOK", "NZD", "PHP",
    "PLN", "RON", "RUB", "SAR", "SEK", "SGD", "THB", "TRY", "VND", "ZAR",
}  # fmt: skip
_FACTORS: Final = {
    **dict.fromkeys(("thousand", "thousands", "tsd", "tausend", "000", "000s", "千"), 1_000),
    "万": 10_000,
    **dict.fromkeys(("million", "millions", "mio", "mln", "mn", "millionen", "百万"), 1_000_000),
    "千万": 10_000_000,
    "亿": 100_000_000,
    **dict.fromkeys(("billions", "bn", "mrd", "milliarden", "十亿"), 1_000_000_000),
}
_LETTERS: Final = {"k": 1_000, "m": 1_000_000, "mm": 1_000_000}  # only beside a currency
_MONEY: Final = {
    "dollar": "", "dollars": "", "euro": "EUR", "euros": "EUR", "pounds": "GBP", "yuan": "CNY",
    "元": "CNY", "人民币": "CNY", "美元": "USD", "欧元": "EUR", "英镑": "GBP", "日元": "JPY", "港元": "HKD",
    "港币": "HKD", "台币": "TWD", "新台币": "TWD",
}  # fmt: skip
_COMPOUND: Final = re.compile(r"([kmt])([a-z]{3})")  # kEUR, TEUR, MUSD
_DOLLARS: Final = re.compile(r"\bu\.?s\.?[\s-]+dollars?\b", re.IGNORECASE)
_FILLERS: Final = frozenset(("in", "of", "单位"))
_TOKEN: Final = re.compile(
    r"[A-Z]{2}[$¥]|[$€£¥￥₹₩]|['’]?000s?|[a-z]+|单位|千万|百万|十亿|人民币|美元|欧元|英镑|日元|港元|港币|新台币|台币|[千万亿元]|[^\s,.:/：，]",
    re.IGNORECASE,
)
_BRACKETS: Final = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|（([^（）]*)）")
_AFTER_IN: Final = re.compile(r"\bin\s+(.*)|单位[:：]?\s*(\S+)", re.IGNORECASE)
_WORDS_MAX: Final = 5  # of a unit within a sentence


@dataclass(frozen=True, slots=True)
class Unit:
    """What a written number is multiplied by, and the currency; "" where none is named."""

    factor: int = 1
    currency: str = ""


def read(text: str) -> Unit | None:
    """The unit that a text is, None where it is none or says more than that."""
    factor, currency, letter, named = 0, "", 0, False
    for token in _TOKEN.findall(_DOLLARS.sub("USD", simplified(text))):
        word = token.casefold().lstrip("'’")
        if (joined := _COMPOUND.fullmatch(word)) and joined[2].upper() in CURRENCIES and not factor:
            factor, word = 1_000_000 if joined[1] == "m" else 1_000, joined[2]
        code = money.SIGNS.get(word.upper(), word.upper())
        if word in _FACTORS and not factor:
            factor = _FACTORS[word]
        elif word in _LETTERS and not letter:
            letter = _LETTERS[word]
        elif code in CURRENCIES and currency in ("", code):
            currency, named = code, True
        elif word == "元" and named:
            continue  # the coin of whatever currency was named: "新台币万元"
        elif word in _MONEY and (not currency or _MONEY[word] in ("", currency)):
            currency, named = currency or _MONEY[word], True
        elif word not in _FILLERS:
            return None
    if letter and (factor or not named):
        return None
    if not (factor or letter or currency):
        return None
    return Unit(factor or letter or 1, currency)


def within(sentence: str) -> Unit | None:
    """The unit that a description names, in brackets or after "in"; None where it names none, or two."""
    found = {unit for text in _said(sentence) if (unit := _longest(text)) is not None and unit.factor > 1}
    return found.pop() if len(found) == 1 else None


def _said(sentence: str) -> Iterator[str]:
    sentence = simplified(sentence)
    for match in (*_BRACKETS.finditer(sentence), *_AFTER_IN.finditer(_BRACKETS.sub(" ", sentence))):
        yield next(group for group in match.groups() if group is not None)


def _longest(text: str) -> Unit | None:
    """The unit that a text begins with."""
    words = text.split()[:_WORDS_MAX]
    for last in range(len(words), 0, -1):
        if (unit := read(" ".join(words[:last]))) is not None:
            return unit
    return None
