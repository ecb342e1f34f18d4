"""Making, changing, deleting and taking back records, alone and in batches."""

from __future__ import annotations

import itertools

import pytest

from app.errors import AppError, NotFound
from app.store import lists, outbox, records, search
from app.store.store import Store
from sync.protocol.errors import FieldProblem
from sync.protocol.ops import Act
from tests.store.device import CONTACT, CUSTOMER, DEAL, PERSON, Device

WHOLE = {
    "name": "Bergström & Söner",
    "type": "company",
    "stage": "lead",
    "phones": [{"id": "00000000000000aa", "label": "work", "value": "+46 8 123 456"}],
    "emails": [{"id": "00000000000000bb", "label": "work", "value": "info@example.com"}],
    "address": {"street": "Gatan 1", "city": "Umeå"},
    "owner": "rep@example.com",
    "revenue": {"minor": 125_000_00, "currency": "SEK"},
    "employees": 12,
    "do_not_contact": False,
    "tags": ["key", "north"],
    "notes": "Line one\nline two",
}


def test_every_value_comes_back_as_it_was_given(device: Device, store: Store) -> None:
    made = records.add(store, CUSTOMER, WHOLE)
    other = records.add(store, CONTACT, {"name": "王芳", "customer": made.id})
    assert made.values == WHOLE
    again = device.reopen()
    assert records.get(again, made.id) == made
    assert records.get(again, made.id).values == WHOLE
    assert records.get(again, other.id).values["customer"] == made.id
    assert made.title == "Bergström & Söner"
    assert made.waiting
    assert made.ver == 0


def test_an_add_fills_defaults_and_the_owner(store: Store) -> None:
    made = records.add(store, DEAL, {"name": "Ten units"})
    assert made.values == {"name": "Ten units", "stage": "prospecting", "owner": PERSON}
    given = records.add(store, DEAL, {"name": "Two units", "owner": "omar@example.com", "stage": None})
    assert given.values["owner"] == "omar@example.com"
    assert given.values["stage"] == "prospecting"


def test_an_edit_sends_only_what_changed_and_what_it_was(store: Store) -> None:
    made = records.add(store, CUSTOMER, WHOLE)
    phones = [{"label": "mobile", "value": "+46 70 1"}, {"label": "work", "value": "+46 8 123 456"}]
    after = records.edit(
        store, made.id, {"phones": phones, "stage": "prospect", "employees": 12, "tags": ["key"]}
    )
    op = outbox.every(store.db)[-1]
    new = next(cell for cell in op.set if cell.startswith("phones/"))
    assert op.act is Act.SET
    assert op.set == {
        "stage": "prospect",
        "tags/north": None,
        new: {"label": "mobile", "value": "+46 70 1"},
    }
    assert op.was == {"stage": "lead", "tags/north": True, new: None}
    assert [each["value"] for each in after.values["phones"]] == ["+46 8 123 456", "+46 70 1"]


def test_an_edit_that_changes_nothing_writes_nothing(device: Device, store: Store) -> None:
    made = records.add(store, CUSTOMER, WHOLE)
    size = device.profile.sealed_outbox.stat().st_size
    assert records.edit(store, made.id, {"name": "Bergström & Söner", "address": WHOLE["address"]}) == made
    assert store.unsent() == 1
    assert device.profile.sealed_outbox.stat().st_size == size


def test_a_deleted_record_leaves_lists_search_and_counts_and_comes_back(store: Store) -> None:
    made = records.add(store, CUSTOMER, WHOLE)
    gone = records.delete(store, made.id)
    assert gone.deleted
    assert store.counts()["customer"] == 0
    assert not lists.page(store, CUSTOMER).records
    assert not search.find(store, "bergstrom")
    assert lists.page(store, CUSTOMER, deleted=True).records == [gone]
    assert records.delete(store, made.id) == gone
    with pytest.raises(AppError, match="deleted"):
        records.edit(store, made.id, {"stage": "former"})
    back = records.undelete(store, made.id)
    assert back.values == WHOLE
    assert store.counts()["customer"] == 1
    assert [hit.record for hit in search.find(store, "bergstrom")] == [back]
    assert [op.act for op in outbox.every(store.db)] == [Act.ADD, Act.DELETE, Act.UNDELETE]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "A", "emails": ["nobody"]}, "emails"),
        ({"name": "A", "wings": 2}, "wings"),
        ({"name": "A", "revenue": {"minor": 2**64, "currency": "EUR"}}, "revenue"),
    ],
)
def test_a_value_that_its_field_cannot_hold_leaves_no_trace(
    device: Device, store: Store, values: dict[str, object], field: str
) -> None:
    with pytest.raises(FieldProblem) as caught:
        records.add(store, CUSTOMER, values)
    assert caught.value.field == field
    assert store.unsent() == 0
    assert store.counts()["customer"] == 0
    assert device.profile.sealed_outbox.stat().st_size == 0


def test_an_id_is_taken_once(store: Store) -> None:
    made = records.add(store, CUSTOMER, WHOLE, id=bytes(range(16)))
    assert made.id == bytes(range(16))
    with pytest.raises(AppError):
        records.add(store, CUSTOMER, {"name": "Another"}, id=made.id)
    assert records.get(store, made.id).title == WHOLE["name"]


def test_an_unknown_id_is_not_found(store: Store) -> None:
    for act in (records.get, records.delete, records.undelete):
        with pytest.raises(NotFound):
            act(store, b"x" * 16)
    with pytest.raises(NotFound):
        records.edit(store, b"x" * 16, {"name": "A"})


def test_a_batch_is_one_transaction_and_one_seal(device: Device, store: Store) -> None:
    with records.batch(store) as batch:
        made = [batch.add(CUSTOMER, {"name": f"Customer {n}"}) for n in range(3_000)]
        batch.edit(made[7].id, {"stage": "lead"})
        batch.delete(made[8].id)
    assert store.counts()["customer"] == 2_999
    assert store.unsent() == 3_002
    device.assert_sealed(store)
    assert store.db.one("SELECT count(*) FROM sealed") == (1,)
    ops = outbox.every(store.db)
    assert [op.n for op in ops] == list(range(1, 3_003))
    assert all(op.first == op.n for op in ops)
    assert all(a.hlc < b.hlc for a, b in itertools.pairwise(ops))


def test_a_batch_that_raises_leaves_nothing(device: Device, store: Store) -> None:
    kept = records.add(store, CUSTOMER, {"name": "Kept"})
    size = device.profile.sealed_outbox.stat().st_size
    with pytest.raises(FieldProblem), records.batch(store) as batch:
        batch.add(CUSTOMER, {"name": "Never"})
        batch.edit(kept.id, {"name": "Never"})
        batch.add(CUSTOMER, {"name": None})
    assert records.get(store, kept.id) == kept
    assert store.counts()["customer"] == 1
    assert store.unsent() == 1
    assert not search.find(store, "never")
    assert device.profile.sealed_outbox.stat().st_size == size
    records.edit(store, kept.id, {"name": "Kept still"})
    assert [op.n for op in outbox.every(store.db)] == [1, 2]


def test_a_large_batch_is_sealed_in_several_records(device: Device, store: Store) -> None:
    notes = "n" * 60_000
    with records.batch(store) as batch:
        for n in range(150):
            batch.add(CUSTOMER, {"name": f"Customer {n}", "notes": notes})
    assert store.db.one("SELECT count(*) FROM sealed")[0] == 3
    device.assert_sealed(store)


def test_records_say_nothing_of_their_content_when_printed(store: Store) -> None:
    made = records.add(store, CUSTOMER, {"name": "Secret customer"})
    shape, stored = records.find_row(store, made.id)
    assert "Secret" not in repr(made) + repr(stored) + repr(shape)
