"""A filter may ask for one part of a field: the city of an address, the phone with a label."""

from __future__ import annotations

from typing import Any

import pytest

from app.store import lists, records
from app.store.filters import Asks, Condition, Filter, checked, typed, worded
from app.store.store import Store
from sync.protocol.errors import FieldProblem
from tests.store.device import CUSTOMER, DEAL


@pytest.fixture
def made(store: Store) -> dict[bytes, str]:
    rows: dict[str, dict[str, Any]] = {
        "Here": {"address": {"city": "Berlin", "street": "Köln Street 1"}},
        "There": {"address": {"city": "Köln", "street": "Berlin Road"}, "phones": [_phone("home", "030 1234")]},
        "Nowhere": {"phones": [_phone("work", "030 1234"), _phone("home", "040 99")]},
        "East": {"address": {"city": "East Berlin", "country": "DE"}, "emails": [_phone("work", "k@Müller.example")]},
    }  # fmt: skip
    with records.batch(store) as batch:
        return {batch.add(CUSTOMER, {"name": name, **values}).id: name for name, values in rows.items()}


def _phone(label: str, value: str) -> dict[str, str]:
    return {"label": label, "value": value}


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("address.city=Berlin", "Here"), ("address.city=KÖLN", "There"), ("address.street=berlin road", "There"),
        ("address.city=", "Nowhere"), ("address.country=", "Here Nowhere There"), ("address.city=Ber", ""),
        ("phone.work=030 1234", "Nowhere"), ("phones.home=030 1234", "There"), ("phone.work=", "East Here There"),
        ("phone.fax=", "East Here Nowhere There"), ("email.work=k@müller.example", "East"),
        ("address.city~berlin", "East Here"), ("address.city~kol", "There"), ("address.street~berlin", "There"),
        ("address.region~berlin", ""), ("phone.work~1234", "Nowhere"), ("phone.home~234", "There"),
        ("email.work~mueller", "East"), ("address.city~koeln", "There"),
    ],
)  # fmt: skip
def test_a_part_is_asked_for(store: Store, made: dict[bytes, str], asked: str, wanted: str) -> None:
    if "~" in asked:
        where = Filter((worded(CUSTOMER, *asked.split("~")),))
    else:
        where = typed(CUSTOMER, dict([asked.split("=")]))
    found = lists.page(store, CUSTOMER, where=where).records
    assert " ".join(made[record.id] for record in found) == wanted
    assert lists.count(store, CUSTOMER, where) == len(wanted.split())
    assert len(lists.ids(store, CUSTOMER, where)) == len(wanted.split())


def test_a_part_that_there_is_not_is_refused() -> None:
    for name, hint in (("address.town", "city"), ("name.first", ""), ("phone.", ""), ("tags.a", "")):
        with pytest.raises(FieldProblem) as problem:
            typed(CUSTOMER, {name: "x"})
        assert hint in problem.value.hint
    with pytest.raises(FieldProblem):
        worded(DEAL, "amount.currency", "EUR")
    for part, test in (("city", Asks.CONTAINS), ("town') --", Asks.IS)):
        with pytest.raises(FieldProblem):
            checked(CUSTOMER, Condition("address", test, ("x",), part))
