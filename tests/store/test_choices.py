"""Settling a conflict on a device: offline, undone, sent, refused, and with a server that knows nothing of it."""

from __future__ import annotations

import msgspec
import pytest

from app.errors import NotFound
from app.store import choices, chosen, conflicts, outbox, records
from app.store.choices import KEPT, SWAPPED
from app.store.conflicts import OpenConflict
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.protocol.errors import FieldProblem
from sync.protocol.merge import Conflict
from sync.protocol.ops import Act, Op
from tests.store.device import CUSTOMER, Device
from tests.store.exchanges import foreign, meet, page, row, send
from tests.store.server import Server


def _met(device: Device, store: Store) -> tuple[Server, bytes, OpenConflict]:
    """A record of which "former" stands, from elsewhere, and "customer" is kept, which was written here."""
    server = Server()
    id_ = meet(server, device, store)
    (met,) = conflicts.open_conflicts(store)
    return server, id_, met


def test_a_choice_is_an_op_that_waits_and_nobody_is_asked_again(device: Device, store: Store) -> None:
    server, id_, met = _met(device, store)
    choices.settle(store, met.conflict.id, SWAPPED)
    shown = records.get(store, id_)
    assert (shown.values["stage"], shown.waiting, shown.conflicts) == ("customer", True, 0)
    assert conflicts.open_count(store) == 0
    (op,) = outbox.every(store.db)
    assert (op.settles, op.set, op.was) == (
        {met.conflict.id: SWAPPED}, {"stage": "customer"}, {"stage": "former"},
    )  # fmt: skip
    with pytest.raises(NotFound):
        choices.settle(store, met.conflict.id, KEPT)
    send(server, device, store)
    assert (store.unsent(), conflicts.open_count(store), records.get(store, id_).conflicts) == (0, 0, 0)
    assert server.rows[id_].cells["stage"] == "customer"
    (ended,) = chosen.told(store, id_)
    assert (ended.state, ended.settled_by, ended.kept) == (SWAPPED, "lena@example.com", "customer")


def test_keeping_leaves_the_record_as_it_is(device: Device, store: Store) -> None:
    server, id_, met = _met(device, store)
    choices.settle(store, met.conflict.id, KEPT)
    send(server, device, store)
    assert records.get(store, id_).values["stage"] == "former"
    assert [each.state for each in server.conflicts] == [KEPT]
    assert conflicts.open_count(store) == 0


@pytest.mark.parametrize("choice", [KEPT, SWAPPED])
@pytest.mark.parametrize("sent", [False, True])
def test_a_choice_is_taken_back(device: Device, store: Store, choice: str, sent: bool) -> None:
    server, id_, met = _met(device, store)
    made = choices.settle(store, met.conflict.id, choice)
    if sent:
        send(server, device, store)
    choices.reopen(store, made)
    for _each in range(2):
        shown = records.get(store, id_)
        assert (shown.values["stage"], shown.conflicts) == ("former", 1)
        (again,) = conflicts.open_conflicts(store)
        assert (again.conflict.id, again.conflict.kept) == (met.conflict.id, "customer")
        send(server, device, store)
    assert [each.state for each in server.conflicts] == ["open"]


def test_what_was_changed_since_stays_when_the_choice_is_taken_back(device: Device, store: Store) -> None:
    _server, id_, met = _met(device, store)
    made = choices.settle(store, met.conflict.id, SWAPPED)
    records.edit(store, id_, {"stage": "prospect"})
    choices.reopen(store, made)
    assert records.get(store, id_).values["stage"] == "prospect"
    assert conflicts.open_count(store) == 1


def test_a_choice_that_is_refused_leaves_the_conflict_open(device: Device, store: Store) -> None:
    server, id_, met = _met(device, store)
    choices.settle(store, met.conflict.id, SWAPPED)
    send(server, device, store, refuse=id_)
    assert [each.conflict.id for each in conflicts.open_conflicts(store)] == [met.conflict.id]
    assert records.get(store, id_).conflicts == 1
    assert records.get(store, id_).values["stage"] == "former"
    assert conflicts.attention_count(store) == 1


def test_a_server_that_knows_of_no_choices_leaves_the_conflict_open(
    device: Device, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, id_, met = _met(device, store)
    choices.settle(store, met.conflict.id, SWAPPED)
    whole = server._merge

    def before(op: Op, *more: object) -> object:
        return whole(msgspec.structs.replace(op, settles={}), *more)  # type: ignore[arg-type]

    monkeypatch.setattr(server, "_merge", before)
    send(server, device, store)
    assert (
        records.get(store, id_).values["stage"] == "customer"
    )  # the value is there, and somebody looks once more
    assert [each.conflict.id for each in conflicts.open_conflicts(store)] == [met.conflict.id]


def test_the_word_on_an_earlier_choice_does_not_open_what_a_later_one_settles(
    device: Device, store: Store
) -> None:
    server, id_, met = _met(device, store)
    choices.reopen(store, choices.settle(store, met.conflict.id, SWAPPED))
    choices.settle(store, met.conflict.id, KEPT)
    first, second = outbox.every(store.db)[:2]
    seq = store.here().cursor.seq
    for sent in ([first], [second]):
        results = server.push(device.id, store.incarnation, sent)
        answer = server.page(device.id, store.incarnation, seq)
        StoreReplica(store).apply(msgspec.structs.replace(answer, results=results))
        assert conflicts.open_count(store) == 0
    send(server, device, store)
    assert [each.state for each in server.conflicts] == [KEPT]
    assert records.get(store, id_).values["stage"] == "former"


def test_an_edit_of_a_deleted_record_brings_it_back(device: Device, store: Store) -> None:
    server = Server()
    made = records.add(store, CUSTOMER, {"name": "Anna Ltd", "industry": "Tea"})
    send(server, device, store)
    server.write(foreign("customer", Act.DELETE, made.id, base=1))
    records.edit(store, made.id, {"industry": "Coffee"})
    send(server, device, store)
    assert records.get(store, made.id).deleted
    (met,) = conflicts.open_conflicts(store)
    choices.settle(store, met.conflict.id, SWAPPED)
    send(server, device, store)
    shown = records.get(store, made.id)
    assert (shown.deleted, shown.values["name"], shown.values["industry"]) == (False, "Anna Ltd", "Coffee")
    assert conflicts.open_count(store) == 0


def test_what_a_deleted_record_held_unseen_is_not_lost_when_it_comes_back(
    device: Device, store: Store
) -> None:
    """A device hears of a delete without the cells: whoever brings the record back has not seen its last ones."""
    server = Server()
    made = records.add(store, CUSTOMER, {"name": "Anna Ltd", "industry": "Tea", "notes": "One."})
    send(server, device, store)
    server.write(foreign("customer", Act.SET, made.id, base=1, notes="Two.", industry="Salt"))
    server.write(foreign("customer", Act.DELETE, made.id, base=2))
    records.edit(store, made.id, {"notes": "Three."})
    records.edit(store, made.id, {"industry": "Coffee"})
    send(server, device, store)
    met = {each.conflict.cell: each.conflict.id for each in conflicts.open_conflicts(store)}
    choices.settle(store, met["notes"], SWAPPED)
    send(server, device, store)
    shown = records.get(store, made.id)
    assert {"Two.", "Three."} <= set(str(shown.values["notes"]).split("\n\n"))
    assert shown.values["industry"] == "Salt"  # now it is seen, and may be chosen against


def test_a_held_delete_is_done_after_all_and_taken_back(device: Device, store: Store) -> None:
    server = Server()
    made = records.add(store, CUSTOMER, {"name": "Anna Ltd"})
    send(server, device, store)
    server.write(foreign("customer", Act.SET, made.id, base=1, industry="Tea"))
    records.delete(store, made.id)
    send(server, device, store)
    assert not records.get(store, made.id).deleted
    (met,) = conflicts.open_conflicts(store)
    done = choices.settle(store, met.conflict.id, SWAPPED)
    send(server, device, store)
    assert records.get(store, made.id).deleted
    choices.reopen(store, done)
    send(server, device, store)
    assert not records.get(store, made.id).deleted
    assert conflicts.open_count(store) == 1


def test_a_link_that_would_close_a_circle_is_not_taken(store: Store) -> None:
    upper = records.add(store, CUSTOMER, {"name": "Upper"})
    lower = records.add(store, CUSTOMER, {"name": "Lower", "parent": upper.id})
    met = Conflict(id=b"c" * 16, kind="customer", record=upper.id, cell="parent", kept=lower.id)
    with store.writing():
        chosen.hear(store.db, met, 0)
    with pytest.raises(FieldProblem):
        choices.settle(store, met.id, SWAPPED)
    assert conflicts.open_count(store) == 1  # nothing of it stays
    choices.settle(store, met.id, KEPT)
    assert conflicts.open_count(store) == 0


def test_what_is_settled_leaves_with_its_record(device: Device, store: Store) -> None:
    _server, id_, met = _met(device, store)
    choices.settle(store, met.conflict.id, KEPT)
    page(store, row(id_, 9, gone="left"))
    assert chosen.told(store, id_) == []
    assert store.db.one("SELECT count(*) FROM conflict") == (0,)


def test_what_was_settled_long_ago_is_forgotten_and_what_waits_is_not(device: Device, store: Store) -> None:
    _server, id_, met = _met(device, store)
    old = msgspec.structs.replace(met.conflict, id=b"o" * 16, state=KEPT, settled_hlc=1)
    with store.writing():
        chosen.hear(store.db, old, 0)
    choices.settle(store, met.conflict.id, KEPT)
    page(store, seq=9)
    assert store.db.all("SELECT id, waiting FROM chosen") == [(met.conflict.id, 1)]
    assert chosen.told(store, id_) == []
