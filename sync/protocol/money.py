"""Amounts of money as people and files write them, turned into minor units and an ISO 4217 currency."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final

from babel.numbers import get_currency_precision

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
_NUMBER = re.compile(r"[+-]?\d[\d.,'\s\u00a0\u202f]*")


def parse(text: str, currency: str = DEFAULT_CURRENCY) -> dict[str, int | str] | None:
    """{"minor", "currency"} of a written amount, None for an empty one.

    The currency named in the text wins over `currency`. Raises ValueError when it is no amount.
    """
    text = text.strip()
    if not text or text in ("-", "–", "n/a", "N/A"):
        return None
    found = _NUMBER.search(text)
    if found is None:
        raise ValueError("no number")
    number, rest = found.group(), (text[: found.start()] + " " + text[found.end() :]).strip()
    negative = rest.startswith("(") and rest.endswith(")")
    rest = rest.strip("() ").strip()
    if rest.startswith("-"):
        negative, rest = True, rest[1:].strip()
    if rest:
        code = SIGNS.get(rest, rest.upper())
        if not re.fullmatch(r"[A-Z]{3}", code):
            raise ValueError("not a currency")
        currency = code
    try:
        value = Decimal(_plain(number))
    except InvalidOperation:
        raise ValueError("not a number") from None
    return amount(-value if negative else value, currency)


def amount(value: Decimal, currency: str) -> dict[str, int | str]:
    """The stored form of a decimal amount, rounded half to even to the currency's minor unit."""
    scale = get_currency_precision(currency)
    minor = int((value * (10**scale)).to_integral_value(ROUND_HALF_EVEN))
    if abs(minor) > 2**63 - 1:
        raise ValueError("too large")
    return {"minor": minor, "currency": currency}


def decimal(minor: int, currency: str) -> Decimal:
    """The amount in major units, exact."""
    return Decimal(minor).scaleb(-get_currency_precision(currency))


def _plain(number: str) -> str:
    """A written number with its grouping taken out and a point before the fraction."""
    bare = re.sub(r"[\s'\u00a0\u202f]", "", number).rstrip(".,")
    point, comma = bare.rfind("."), bare.rfind(",")
    if point >= 0 and comma >= 0:
        group, mark = (",", ".") if point > comma else (".", ",")
        return bare.replace(group, "").replace(mark, ".")
    if comma >= 0:
        # One comma before exactly three digits groups thousands; otherwise it marks the fraction.
        if bare.count(",") > 1 or re.search(r",\d{3}$", bare):
            return bare.replace(",", "")
        return bare.replace(",", ".")
    return bare.replace(".", "") if bare.count(".") > 1 else bare
