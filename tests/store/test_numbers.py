"""Numbers, and words that end in one, are found by every beginning of theirs and by nothing else."""

from __future__ import annotations

from app.store import records, search
from app.store.store import Store
from tests.store.device import CUSTOMER
from tests.store.scanned import scan


def test_numbers_behind_letters_are_found_by_their_beginnings(store: Store) -> None:
    names = [
        "mueller12345",
        "mueller21",
        "muster12",
        "C-0000777",
        "x1",
        "12b34c",
        "1234567890123456789012345678901",
    ]
    with records.batch(store) as batch:
        ids = [
            batch.add(CUSTOMER, {"name": f"Shop {n}", "industry": name}).id for n, name in enumerate(names)
        ]
    for at, name in enumerate(names):
        for long in range(1, len(name) + 1):
            asked = name[:long]
            found = {hit.record.id for hit in search.find(store, asked)}
            assert ids[at] in found, asked
            assert found == {
                id_
                for id_, other in zip(ids, names, strict=True)
                if scan(CUSTOMER, {"name": f"Shop {ids.index(id_)}", "industry": other}, asked)
            }, asked
    assert search.find(store, "mueller13") == []
