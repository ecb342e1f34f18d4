"""The generated customer book: a million customers of about 600 bytes and as many deals, the same for one seed.

Values are in the exact form in which the store keeps them, so that nothing needs to be checked on the way in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from app.store.schema import Stored
from tests.benchmarks.names import CHINESE, Dice, Tongue, tongue

SEED: Final = 20_260_101
OWNERS: Final = 40
PRODUCTS: Final = 60
_LAST_DAY: Final = dt.date(2026, 6, 30)
LAST_MS: Final = 1_782_777_600_000  # the end of that day
_DAY_MS: Final = 86_400_000
_STAGES: Final = ("lead", "prospect", "customer", "customer", "customer", "former")
_DEAL_STAGES: Final = (
    "prospecting",
    "engaging",
    "proposal",
    "negotiation",
    "won",
    "won",
    "won",
    "lost",
    "lost",
)
_CURRENCIES: Final = ("EUR", "USD", "CNY", "GBP")
_SOURCES: Final = ("Trade fair", "Website", "Referral", "Cold call", "Partner")
_TERRITORIES: Final = ("North", "South", "East", "West", "华东", "华南", "Центр")


def owner(number: int) -> str:
    """The e-mail of a sales person."""
    return f"rep{number:02d}@demo.example"


def products(dice: Dice) -> list[Stored]:
    """The catalogue."""
    return [
        Stored(
            record_id(dice, 0.0),
            ver=number + 1,
            values={
                "name": f"{dice.one(CHINESE.trades) if number % 3 == 0 else 'Unit'} {number + 1:02d}",
                "code": f"U-{number + 1:03d}",
                "price": {"minor": (dice.below(90) + 10) * 10_000, "currency": "EUR"},
                "active": True,
            },
        )
        for number in range(PRODUCTS)
    ]


def customers(dice: Dice, count: int) -> Iterator[Stored]:
    """Customers in the order in which they came, their changes spread over two years."""
    for number in range(count):
        words = tongue(dice)
        yield Stored(
            record_id(dice, number / count),
            ver=PRODUCTS + number + 1,
            changed_ms=LAST_MS - dice.below(730) * _DAY_MS - dice.below(_DAY_MS),
            changed_by=owner(dice.below(OWNERS)),
            values=customer(dice, words, number),
        )


def customer(dice: Dice, words: Tongue, number: int) -> dict[str, Any]:
    """The values of one customer."""
    town, country, dial = dice.early(words.towns)
    person = words.person(dice)
    private = dice.part() < 0.08
    name = person if private else words.company(dice, town)
    box = f"{dice.one(_BOXES)}{number}"
    values: dict[str, Any] = {
        "name": name,
        "type": "person" if private else "company",
        "stage": dice.one(_STAGES),
        "industry": dice.one(words.trades),
        "phones": [_element(dice, "work", f"+{dial} {dice.below(9000) + 1000} {dice.below(10_000):04d}")],
        "emails": [_element(dice, "work", f"{box}@{dice.one(_DOMAINS)}.example")],
        "address": {
            "street": f"{dice.one(words.streets)} {dice.below(300) + 1}",
            "postcode": f"{dice.below(90_000) + 10_000}",
            "city": town,
            "country": country,
        },
        "owner": owner(dice.below(OWNERS)),
        "territory": dice.one(_TERRITORIES),
        "number": f"C-{number:07d}",
        "notes": words.notes(dice, 3),
    }
    if dice.part() < 0.6:
        values["phones"].append(_element(dice, "mobile", f"+{dial} 1{dice.below(10**9):09d}"))
    if dice.part() < 0.3:
        values["emails"].append(_element(dice, "other", f"{dice.one(_BOXES)}.{number}@mail.example"))
    if not private:
        values["websites"] = [_element(dice, "main", f"https://www.{box}.example")]
        values["employees"] = int(dice.part() ** 4 * 5000) + 1
        values["revenue"] = {"minor": dice.below(10**7) * 100, "currency": dice.one(_CURRENCIES)}
        values["founded"] = 1900 + dice.below(125)
    if dice.part() < 0.5:
        values["tags"] = sorted({dice.one(words.tags), dice.one(words.tags)})
    if dice.part() < 0.5:
        values["source"] = dice.one(_SOURCES)
    return values


def deals(dice: Dice, count: int, customer_ids: list[bytes], product_ids: list[bytes]) -> Iterator[Stored]:
    """Deals; some customers have many, a third have none."""
    for number in range(count):
        begun = _LAST_DAY - dt.timedelta(days=dice.below(730))
        stage = dice.one(_DEAL_STAGES)
        words = CHINESE if dice.part() < 0.4 else tongue(dice)
        values: dict[str, Any] = {
            "name": f"{dice.one(words.trades)} {dice.below(90) + 10}-{number:07d}",
            "customer": customer_ids[int(dice.part() ** 1.5 * len(customer_ids))],
            "product": dice.one(product_ids),
            "stage": stage,
            "amount": {"minor": (dice.below(2000) + 5) * 12_500, "currency": dice.one(_CURRENCIES)},
            "owner": owner(dice.below(OWNERS)),
            "engaged_on": begun.isoformat(),
            "close_on": (begun + dt.timedelta(days=14 + dice.below(180))).isoformat(),
            "probability": dice.below(11) * 10,
            "number": f"D-{number:07d}",
        }
        if dice.part() < 0.3:
            values["notes"] = words.notes(dice, 1)
        yield Stored(
            record_id(dice, number / count),
            ver=PRODUCTS + len(customer_ids) + number + 1,
            changed_ms=LAST_MS - dice.below(730) * _DAY_MS - dice.below(_DAY_MS),
            changed_by=values["owner"],
            values=values,
        )


_BOXES: Final = (
    "info",
    "sales",
    "office",
    "anna",
    "contact",
    "wang.wei",
    "purchasing",
    "k.mueller",
    "li",
    "hello",
)
_DOMAINS: Final = (
    "alderbach", "northgate", "hengyuan", "silverline", "goldfeld", "jinhai", "technosnab", "hankook", "brightview",
    "stonewerk", "meili", "oakridge", "zhongtian", "riverside", "dnipro-mash", "eagleton",
)  # fmt: skip


def record_id(dice: Dice, part: float) -> bytes:
    """A record id made when `part` of two years had gone by; many devices make them, so days are mixed."""
    made_ms = LAST_MS - 2 * 365 * _DAY_MS + int(part * 730 * _DAY_MS) + dice.below(_DAY_MS)
    value = made_ms << 80 | 0x7 << 76 | dice.bits(12) << 64 | 0b10 << 62 | dice.bits(62)
    return value.to_bytes(16, "big")


def _element(dice: Dice, label: str, value: str) -> dict[str, str]:
    return {"id": f"{dice.bits(64):016x}", "label": label, "value": value}
