"""Cells of a server whose values are of another type than this version knows them to be."""

from __future__ import annotations

from typing import Any

import pytest

from app.store import records, search
from app.store.store import Store
from sync.protocol.ids import new_record_id
from tests.store.exchanges import page, row


@pytest.mark.parametrize(
    "cells",
    [
        {"address": [1]},
        {"address": {"street": 5}},
        {"phones/0123456789abcdef": {"value": "1", "label": 7}},
        {"phones/0123456789abcdef": 5},
        {"tags/key": {"a": 1}},
        {"name": 7},
        {"notes": b"x"},
    ],
)
def test_a_cell_of_a_wrong_type_is_carried_and_not_shown(store: Store, cells: dict[str, Any]) -> None:
    """The page goes in, and the next one after it: nobody's server is stuck on one word that cannot be read."""
    id_, other = bytes(new_record_id()), bytes(new_record_id())
    page(store, row(id_, 5, name="Anna Ltd", industry="Tea"), seq=5)
    page(
        store, row(id_, 6, **{"name": "Anna Ltd", "industry": "Coffee", **cells}), row(other, 7, name="Next")
    )
    shown = records.get(store, id_).values
    assert (shown["industry"], records.get(store, other).values["name"]) == ("Coffee", "Next")
    assert not set(cells) & set(shown)
    assert [each.record.id for each in search.find(store, "coffee")] == [id_]
    page(store, row(id_, 8, name="Anna Ltd", address={"city": "Bonn"}), seq=8)
    assert records.get(store, id_).values["address"] == {"city": "Bonn"}
