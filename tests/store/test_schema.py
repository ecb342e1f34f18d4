"""Tables follow the table of kinds: nothing happens twice, a new field or kind is there at the next open."""

from __future__ import annotations

import dataclasses

import pytest

from app.store import lists, records, search
from app.store.store import Store
from sync.protocol.fields import Field, Find, Money, Several, Text
from sync.protocol.kinds import KINDS
from sync.protocol.ops import Act
from tests.store.device import CONTACT, CUSTOMER, Device


def _tables(store: Store) -> list[tuple[object, ...]]:
    return store.db.all("SELECT type, name, sql FROM sqlite_master ORDER BY name")


def test_opening_again_changes_no_table(device: Device, store: Store) -> None:
    before, version = _tables(store), store.db.one("PRAGMA data_version")
    again = device.reopen()
    assert _tables(again) == before
    assert again.db.one("PRAGMA data_version") == version


def test_money_takes_two_columns_and_several_values_one(store: Store) -> None:
    made = records.add(
        store, CUSTOMER, {"name": "A", "revenue": {"minor": 5, "currency": "EUR"}, "phones": ["1", "2"]}
    )
    (row,) = store.db.all('SELECT revenue, revenue_currency, phones FROM "record_customer"')
    assert row[:2] == (5, "EUR")
    assert row[2].count('"value"') == 2
    assert made.values["revenue"] == {"minor": 5, "currency": "EUR"}


def test_new_fields_are_columns_at_the_next_open(
    device: Device, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = records.add(store, CONTACT, {"name": "Anna"})
    grown = dataclasses.replace(
        CONTACT,
        fields=(
            *CONTACT.fields,
            Field("nickname", "Nickname", Text(), find=Find.WORDS, column=9),
            Field("budget", "Budget", Money()),
            Field("cars", "Cars", Several()),
        ),
    )
    monkeypatch.setitem(KINDS, "contact", grown)
    again = device.reopen()
    assert records.get(again, old.id).values == {**old.values}
    values = {"nickname": "Annie", "budget": {"minor": 1, "currency": "CNY"}, "cars": ["Red"]}
    after = records.edit(again, old.id, values)
    assert after.values["nickname"] == "Annie"
    assert after.values["budget"] == values["budget"]
    assert [hit.fields for hit in search.find(again, "annie")] == [("nickname",)]
    assert lists.page(again, grown, where={"nickname": "ANNIE"}, order="budget").records == [after]
    assert records.get(device.reopen(), old.id) == after


def test_a_field_that_was_carried_becomes_visible_and_its_op_keeps_its_place(
    device: Device, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell of a newer version lay in `ext`; after the update the column is there and the cell still carried."""
    with store.writing() as writing:
        writing.op("contact", b"c" * 16, Act.ADD, cells={"name": "Anna", "nickname": "Annie"})
    assert store.unsent() == 1
    grown = dataclasses.replace(CONTACT, fields=(*CONTACT.fields, Field("nickname", "Nickname", Text())))
    monkeypatch.setitem(KINDS, "contact", grown)
    again = device.reopen()
    assert again.unsent() == 1
    device.assert_sealed(again)


def test_a_new_kind_is_a_table_at_the_next_open(
    device: Device, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = dataclasses.replace(CONTACT, name="supplier", label="Supplier", plural="Suppliers")
    monkeypatch.setitem(KINDS, "supplier", kind)
    again = device.reopen()
    made = records.add(again, kind, {"name": "Bolt & Sons"})
    assert again.counts()["supplier"] == 1
    assert [hit.record for hit in search.find(again, "bolt")] == [made]
