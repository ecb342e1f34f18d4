"""Mixed records with gaps and doubles in every field, for tests that ask much and change nothing."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.store import records
from app.store.store import Store
from sync.protocol.kinds import KINDS
from tests.store.device import CONTACT, CUSTOMER, DEAL, PERSON, Device

ACTIVITY = KINDS["activity"]
NAMES = (
    "Zürich Präzision",
    "zurich",
    "北京华泰科技",
    "Straße 12",
    "O'Hara & Söhne",
    "100 % AG",
    "_x_",
    "ΑΘΗΝΑ",
)
TOWNS = ("Köln", "KOLN", "上海", "New York")
DAYS = ("2026-01-31", "2026-02-28", "2026-11-22")
OWNERS = (PERSON, PERSON.upper(), "rep@example.com", "无名")
REVENUES = (
    {"minor": 5, "currency": "EUR"},
    {"minor": -7, "currency": "USD"},
    {"minor": 5, "currency": "USD"},
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store of mixed customers, contacts, deals and activities that no test of the module changes."""
    device = Device(tmp_path_factory.mktemp("shelf"))
    store = device.create()
    draw = random.Random(11)

    def some(*values: Any) -> Any:
        return draw.choice((*values, None))

    with records.batch(store) as batch:
        customers = [batch.add(CUSTOMER, _customer(draw, some, n)).id for n in range(120)]
        for n in range(60):
            customer = some(customers[n], customers[0])
            batch.add(CONTACT, {"name": f"Person {n % 9}", "customer": customer})
            amount = some({"minor": n % 4, "currency": "EUR"}, {"minor": 3, "currency": "USD"})
            chance = some(0, 50, 100)
            deal = {"name": f"Deal {n % 7}", "amount": amount, "close_on": some(*DAYS), "probability": chance}
            batch.add(DEAL, deal)
            day = dt.datetime.fromisoformat(draw.choice(DAYS)).astimezone()
            at = int((day + dt.timedelta(hours=draw.choice((0, 23)))).timestamp() * 1000)
            batch.add(ACTIVITY, {"subject": f"Visit {n}", "at": some({"at": at, "zone": "Asia/Shanghai"})})
        for each in customers[::9]:
            batch.delete(each)
    yield store
    device.close()


def _customer(draw: random.Random, some: Callable[..., Any], n: int) -> dict[str, Any]:
    return {
        "name": draw.choice(NAMES) + draw.choice(("", f" {n % 5}")),
        "stage": some("lead", "prospect", "customer", "former"),
        "industry": some("Retail", "retail", "Ärger", "电子"),
        "employees": some(0, 7, 10**6),
        "revenue": some(*REVENUES),
        "phones": some(["138 0013 5678"], ["+49 30 1"], ["1380013", "99"]),
        "emails": some(["anna@example.com"], ["Bert@Example.org"]),
        "address": some({"city": draw.choice(TOWNS)}, {"street": "Ring 3", "city": "Bonn"}),
        "owner": some(*OWNERS) or "nobody@example.com",
        "tags": some(["a", "vip"], ["VIP"], ["北"]),
        "do_not_contact": some(True, False),
        "notes": some("met in 北京 at the fair", "Zürich again", "x"),
    }
