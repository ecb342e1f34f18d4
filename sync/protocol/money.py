"""Amounts of money as people and files write them, turned into minor units and an ISO 4217 currency."""

from __future__ import annotations

import functools
import re
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

DEFAULT_CURRENCY: Final = "USD"
SIGNS: Final = {
    "$": "USD",
    "US$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "CNY",
    "￥": "CNY",
    "元": "CNY",
    "JP¥": "JPY",
    "NT$": "TWD",
    "HK$": "HKD",
    "₹": "INR",
    "₩": "KRW",
    "CHF": "CHF",
}
WRITTEN_MAX: Final = 100  # characters of a written amount
_NUMBER = re.compile(r"[+-]?(?:\d[\d.,'\s\u00a0\u202f]*|[.,]\d+)")


@functools.cache
def currencies() -> frozenset[str]:
    """The codes of ISO 4217, those of former currencies too."""
    # A table of the whole world: it comes with the first currency, not with the program.
    from babel.numbers import list_currencies

    return frozenset(list_currencies())


def parse(text: str, currency: str = DEFAULT_CURRENCY) -> dict[str, int | str] | None:
    """{"minor", "currency"} of a written amount, None for an empty one.

    The currency named in the text wins over `currency`. Raises ValueError when it is no amount.
    """
    text = text.strip()
    if not text or text in ("-", "–", "n/a", "N/A"):
        return None
    found = _NUMBER.search(text) if len(text) <= WRITTEN_MAX else None
    if found is None:
        raise ValueError("no number")
    number, before, after = found.group().strip(), text[: found.start()].strip(), text[found.end() :].strip()
    if number[-1] in ".," and after[:1] in ("-", "–"):
        number, after = number + "0", after.lstrip("-–").strip()  # "12,-" is twelve and no cents
    negative = before.startswith("(") and after.endswith(")")
    if negative:
        before, after = before[1:].strip(), after[:-1].strip()
    signs = (before + after).count("-")
    if signs + negative + (number[0] in "+-") > 1:
        raise ValueError("two signs")
    rest = f"{before.strip('-').strip()} {after.removeprefix('-').strip()}".strip()
    if rest:
        code = SIGNS.get(rest, rest.upper())
        if code not in currencies():
            raise ValueError("not a currency")
        currency = code
    value = Decimal(_plain(number))
    return amount(-value if negative or signs else value, currency)


def amount(value: Decimal, currency: str) -> dict[str, int | str]:
    """The stored form of a decimal amount, rounded half to even to the currency's minor unit."""
    minor = int((value * (10 ** precision(currency))).to_integral_value(ROUND_HALF_EVEN))
    if abs(minor) > 2**63 - 1:
        raise ValueError("too large")
    return {"minor": minor, "currency": currency}


def decimal(minor: int, currency: str) -> Decimal:
    """The amount in major units, exact."""
    return Decimal(minor).scaleb(-precision(currency))


@functools.lru_cache(512)
def precision(currency: str) -> int:
    """How many digits of the fraction a currency has."""
    from babel.numbers import get_currency_precision

    return int(get_currency_precision(currency))


def _plain(number: str) -> str:
    """A written number with its grouping taken out and a point before the fraction.

    Raises ValueError when its signs part it in a way that nobody writes: a wrong amount is worse than none.
    """
    bare = re.sub(r"[\s\u00a0\u202f]", " ", number).rstrip(".,")
    sign, bare = ("-" if bare.startswith("-") else ""), bare.lstrip("+-")
    marks = re.findall(r"[., ']", bare)
    fraction = ""
    if marks and marks[-1] in ".," and _is_fraction(bare, marks):
        bare, _mark, fraction = bare.rpartition(marks.pop())
    groups = re.split(r"[., ']", bare)
    # Groups of three, and of two above them where lakhs are counted.
    good = len(set(marks)) <= 1 and all(len(group) in (2, 3) for group in groups[1:-1])
    if not good or (marks and (len(groups[-1]) != 3 or not 1 <= len(groups[0]) <= 3)):
        raise ValueError("not a number")
    return f"{sign}{''.join(groups) or '0'}.{fraction or '0'}"


def _is_fraction(bare: str, marks: list[str]) -> bool:
    """Whether the last mark of a number stands before its fraction, and not before a group."""
    last = marks[-1]
    if marks.count(last) > 1:
        return False
    # One comma before exactly three digits groups thousands; one point never does.
    return last == "." or len(set(marks)) > 1 or not re.fullmatch(r"[1-9]\d{0,2},\d{3}", bare)
