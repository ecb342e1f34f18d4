"""Acts on many records: every piece whole, refused rows told, and all of it taken back from the numbers of its ops."""

from __future__ import annotations

import random
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store import bulk, lists, narrowing, records
from app.store.bulk import Selection, Setting
from app.store.filters import ALL, Asks, Condition, Filter
from app.store.rowset import RowSet
from app.store.store import Store
from sync.protocol.kinds import KINDS
from tests.protocol.strategies import tries
from tests.store.device import CUSTOMER, Device
from tests.store.exchanges import send
from tests.store.server import Server

LEADS = Filter((Condition("stage", Asks.IS, ("lead",)),))


@given(
    st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 9_000), max_size=30)), max_size=8),
    st.integers(1, 9),
)
@tries(100)
def test_a_set_of_rowids_is_a_set(steps: list[tuple[bool, set[int]]], most: int) -> None:
    plain: set[int] = set()
    rows = RowSet()
    for adding, some in steps:
        other = rows.copy()
        if adding:
            plain |= some
            rows.add(some)
        else:
            plain -= some
            rows.drop(some)
        assert len(rows) == len(plain)
        assert all(each in rows for each in plain)
        assert (7 in rows) is (7 in plain)
        found = array("q")
        after = -1
        while piece := rows.after(after, most):
            found.extend(piece)
            after = piece[-1]
        assert list(found) == sorted(plain)
        assert other is not rows


def book(store: Store, count: int = 40) -> list[bytes]:
    with records.batch(store) as batch:
        return [
            batch.add(
                CUSTOMER,
                {
                    "name": f"Customer {n:03}",
                    "stage": "lead" if n % 2 else "customer",
                    "tags": ["old", f"t{n % 3}"] if n % 4 else None,
                },
            ).id
            for n in range(count)
        ]


def everything(store: Store) -> dict[bytes, tuple[bool, dict[str, object]]]:
    shape = store.shapes["customer"]
    rows = (shape.stored(row) for row in store.db.all(shape.select))
    return {stored.id: (stored.deleted, stored.values) for stored in rows}


def run(store: Store, selection: Selection, deed: bulk.Deed, size: int = 7) -> list[bulk.Did]:
    done = []
    after = 0
    while True:
        rowids, after = bulk.taken(store, selection, after)
        done += [bulk.do(store, CUSTOMER, rowids[at : at + size], deed) for at in range(0, len(rowids), size)]
        if not after:
            return done


def take_back(store: Store, done: list[bulk.Did], most: int = 5) -> list[bulk.Did]:
    undone = []
    for each in reversed(done):
        span = each.span
        while span is not None:
            did, span = bulk.undo(store, span, most)
            undone.append(did)
    return undone


def chosen(store: Store, rowids: list[int], *, every: bool, filter_: Filter = ALL) -> Selection:
    last = narrowing.last_rowid(store, store.shapes["customer"])
    return Selection(CUSTOMER, every, RowSet(rowids), filter_, last, 0)


@pytest.mark.parametrize(
    "deed", [Setting("stage", "former"), Setting("tags", ["new", "t1"]), Setting("owner", None), None]
)
def test_an_act_on_all_but_some_is_done_and_taken_back_in_pieces(
    store: Store, monkeypatch: pytest.MonkeyPatch, deed: bulk.Deed
) -> None:
    monkeypatch.setattr(narrowing, "SPAN", 9)
    ids = book(store)
    before = everything(store)
    spared = list(lists.ids(store, CUSTOMER, LEADS))[3:6]
    done = run(store, chosen(store, spared, every=True, filter_=LEADS), deed)
    after = everything(store)
    spared_ids = {record.id for record in lists.by_rowids(store, CUSTOMER, spared)}
    for id_ in ids:
        values = before[id_][1]
        if values.get("stage") != "lead" or id_ in spared_ids:
            assert after[id_] == before[id_]
        elif deed is None:
            assert after[id_] == (True, values)
        elif deed.field == "tags":
            assert after[id_][1]["tags"] == sorted({*(values.get("tags") or ()), "new", "t1"})  # type: ignore[misc]
        else:
            assert after[id_][1].get(deed.field) == deed.value
    assert sum(len(did.ids) for did in done) == 17
    take_back(store, done)
    assert everything(store) == before
    assert store.unsent() == 40 + 2 * 17


def test_these_rows_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "TAKEN", 4)
    book(store)
    rowids = random.Random(1).sample(list(lists.ids(store, CUSTOMER)), 11)
    done = run(store, chosen(store, rowids, every=False), None)
    assert sum(len(did.ids) for did in done) == 11
    assert len(lists.ids(store, CUSTOMER)) == 29


def test_a_record_made_after_the_choice_is_not_in_it(store: Store) -> None:
    book(store, 6)
    selection = chosen(store, [], every=True)
    late = records.add(store, CUSTOMER, {"name": "Late"})
    run(store, selection, None)
    assert [record.id for record in lists.page(store, CUSTOMER).records] == [late.id]


def test_refused_rows_are_told_and_do_not_stop_the_others(store: Store) -> None:
    ids = book(store, 5)
    rowids = lists.ids(store, CUSTOMER)
    records.delete(store, ids[0])
    did = bulk.do(store, CUSTOMER, rowids, Setting("stage", "lead"))
    assert (len(did.ids), did.same, sum(did.left.values())) == (2, 2, 1)
    wrong = bulk.do(store, CUSTOMER, rowids, Setting("stage", "dreaming"))
    assert (wrong.ids, wrong.span) == ([], None)
    assert sum(wrong.left.values()) == 5
    assert store.unsent() == 5 + 1 + 2


def test_no_act_on_many_closes_a_circle(store: Store) -> None:
    ids = book(store, 5)
    top, middle, low, _loose, deposed = ids
    records.edit(store, middle, {"parent": top})
    records.edit(store, low, {"parent": middle})
    records.edit(store, top, {"parent": deposed})
    did = bulk.do(store, CUSTOMER, lists.ids(store, CUSTOMER), Setting("parent", low))
    assert (len(did.ids), did.same, sum(did.left.values())) == (1, 0, 4)
    freed = bulk.do(
        store, CUSTOMER, array("q", [lists.rowid_of(store, CUSTOMER, top) or 0]), Setting("parent", None)
    )
    records.edit(store, deposed, {"parent": low})
    (undone,) = take_back(store, [freed])
    assert (undone.ids, sum(undone.left.values())) == ([], 1)
    assert records.get(store, top).values.get("parent") is None


def test_taking_back_leaves_what_was_changed_since(store: Store) -> None:
    ids = book(store, 4)
    did = bulk.do(store, CUSTOMER, lists.ids(store, CUSTOMER), Setting("stage", "former"))
    records.edit(store, ids[0], {"stage": "prospect"})
    records.delete(store, ids[1])
    records.edit(store, ids[2], {"industry": "Retail"})
    (undone,) = take_back(store, [did], most=50)
    assert (len(undone.ids), undone.same) == (2, 2)
    kept = everything(store)
    assert kept[ids[0]][1]["stage"] == "prospect"
    assert kept[ids[1]] == (True, {**kept[ids[1]][1], "stage": "former"})
    assert (kept[ids[2]][1]["stage"], kept[ids[2]][1]["industry"]) == ("customer", "Retail")
    assert kept[ids[3]][1]["stage"] == "lead"


def test_what_names_one_record_is_set_for_none_at_once() -> None:
    for kind in KINDS.values():
        names = {field.name for field in bulk.settable(kind)}
        assert kind.title not in names
        assert not names & {"number", "tax_number", "phones", "emails", "notes", "address"}
    assert {"owner", "stage", "tags", "territory"} <= {field.name for field in bulk.settable(CUSTOMER)}


def test_what_the_server_has_taken_is_taken_back_too_and_what_it_refused_is_not(
    device: Device, store: Store
) -> None:
    server = Server()
    ids = book(store, 6)
    send(server, device, store)
    before = everything(store)
    first = bulk.do(store, CUSTOMER, lists.ids(store, CUSTOMER)[:3], Setting("stage", "former"))
    send(server, device, store, refuse=first.ids[0])
    second = bulk.do(store, CUSTOMER, lists.ids(store, CUSTOMER)[3:], Setting("stage", "former"))
    assert store.unsent() == 3
    undone = take_back(store, [first, second], most=2)
    assert sum(len(did.ids) for did in undone) == 5
    assert sum(did.same for did in undone) == 1
    assert everything(store) == before
    assert len(ids) == 6
