"""The store as the engine's replica: acks, pages, refusals, conflicts, evictions."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from app.errors import AppError, NotFound
from app.store import conflicts, lists, outbox, records, search
from app.store.circles import circles
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.codec import Raw
from sync.protocol.errors import UpgradeNeeded
from sync.protocol.ids import new_record_id
from sync.protocol.merge import Conflict
from sync.protocol.messages import Change, Cursor
from sync.protocol.ops import Act
from tests.store.device import CUSTOMER, Device
from tests.store.exchanges import BIG, foreign, meet, page, row, send
from tests.store.server import EPOCH, Server


def test_acknowledged_work_leaves_the_outbox_and_nothing_looks_different_but_the_mark(
    device: Device, store: Store
) -> None:
    made = records.add(store, CUSTOMER, {"name": "Anna Ltd", "tags": ["key"]})
    server = Server()
    send(server, device, store)
    after = records.get(store, made.id)
    assert store.unsent() == 0
    assert after == msgspec.structs.replace(made, waiting=False, ver=1)
    assert store.db.one("SELECT count(*) FROM base") == (0,)
    assert StoreReplica(store).position().cursor == Cursor(epoch=EPOCH, seq=1)
    assert StoreReplica(store).position().last_n == 1


def test_an_edit_made_while_its_predecessor_was_under_way_stays_on_top(device: Device, store: Store) -> None:
    server, replica = Server(), StoreReplica(store)
    made = records.add(store, CUSTOMER, {"name": "Anna Ltd", "stage": "lead"})
    taken = replica.take(*BIG)
    records.edit(store, made.id, {"stage": "prospect"})
    results = server.push(device.id, device.incarnation, taken)
    server.write(foreign("customer", Act.SET, made.id, base=1, industry="Retail"))
    answer = msgspec.structs.replace(server.page(device.id, device.incarnation, 0), results=results)
    applied = replica.apply(answer)
    shown = records.get(store, made.id)
    assert applied.records == [("customer", made.id)]
    assert shown.values["stage"] == "prospect"
    assert shown.values["industry"] == "Retail"
    assert shown.waiting
    assert outbox.bases(store.db, [made.id])[made.id][2]["stage"] == "lead"
    send(server, device, store)
    assert not records.get(store, made.id).waiting
    assert server.rows[made.id].cells["stage"] == "prospect"


def test_an_answer_that_came_twice_changes_nothing(device: Device, store: Store) -> None:
    server = Server()
    made = records.add(store, CUSTOMER, {"name": "Anna Ltd"})
    answer = send(server, device, store)
    before = records.get(store, made.id)
    applied = StoreReplica(store).apply(answer)
    assert applied.records == []
    assert records.get(store, made.id) == before
    assert store.counts()["customer"] == 1


def test_an_acknowledgement_whose_result_was_lost_is_enough(device: Device, store: Store) -> None:
    made = records.add(store, CUSTOMER, {"name": "Anna Ltd"})
    records.edit(store, made.id, {"stage": "lead"})
    page(store, seq=7, acked_n=1)
    assert records.get(store, made.id).waiting
    assert records.find_row(store, made.id)[1].waiting == 1
    assert outbox.bases(store.db, [made.id])[made.id][2]["name"] == "Anna Ltd"
    page(store, row(made.id, 5, name="Their word"), seq=7, acked_n=2)
    assert records.get(store, made.id).values == {"name": "Their word"}
    assert not records.get(store, made.id).waiting


def test_an_older_word_on_a_record_changes_nothing(store: Store) -> None:
    id_ = bytes(new_record_id())
    page(store, row(id_, 9, name="New name"))
    page(store, row(id_, 8, name="Old name"), seq=9)
    page(store, row(id_, 8, gone="deleted"), seq=9)
    page(store, row(id_, 8, gone="left"), seq=9)
    assert records.get(store, id_).title == "New name"


def test_a_refused_op_stays_before_the_persons_eyes_and_blocks_nothing(device: Device, store: Store) -> None:
    server = Server()
    kept = records.add(store, CUSTOMER, {"name": "Kept"})
    send(server, device, store)
    records.edit(store, kept.id, {"name": "Not allowed"})
    other = records.add(store, CUSTOMER, {"name": "Allowed"})
    answer = send(server, device, store, refuse=kept.id)
    assert store.unsent() == 0
    assert records.get(store, kept.id).title == "Kept"
    assert server.rows[other.id].cells["name"] == "Allowed"
    (refused,) = conflicts.attention(store)
    assert (refused.n, refused.code, refused.hint, refused.title) == (
        2, "forbidden", "Ask your manager.", "Kept",
    )  # fmt: skip
    assert refused.op is not None
    assert refused.op.set == {"name": "Not allowed"}
    assert conflicts.attention_count(store) == 1
    StoreReplica(store).apply(answer)
    assert conflicts.attention_count(store) == 1


def test_a_refused_new_record_goes_from_the_lists_and_its_content_is_kept(
    device: Device, store: Store
) -> None:
    made = records.add(store, CUSTOMER, {"name": "Not yours"})
    records.edit(store, made.id, {"stage": "lead"})
    send(Server(), device, store, refuse=made.id)
    assert store.counts()["customer"] == 0
    assert not search.find(store, "yours")
    assert [each.title for each in conflicts.attention(store)] == ["Not yours", ""]


def test_both_values_of_a_conflict_are_kept_until_it_is_settled(device: Device, store: Store) -> None:
    id_ = meet(Server(), device, store)
    shown = records.get(store, id_)
    assert shown.values["stage"] == "former"
    assert shown.conflicts == 1
    (met,) = conflicts.open_conflicts(store)
    assert (met.conflict.shown, met.conflict.kept, met.title) == ("former", "customer", "Anna Ltd")
    assert conflicts.open_conflicts(store, record=id_) == [met]
    settled: Conflict = msgspec.structs.replace(met.conflict, state="kept")
    StoreReplica(store).apply(Answer(Cursor(epoch=EPOCH, seq=9), 0, 0, conflicts=[settled]))
    assert conflicts.open_conflicts(store) == []
    assert records.get(store, id_).conflicts == 0


def test_a_record_that_left_leaves_no_trace(device: Device, store: Store) -> None:
    id_ = bytes(new_record_id())
    stays = bytes(new_record_id())
    page(store, row(id_, 1, name="Vanishing Xylophone", notes="quincunx"), row(stays, 2, name="Stays"))
    met = Conflict(
        id=b"c" * 16, kind="customer", record=id_, cell="name", shown="Vanishing Xylophone", kept="x"
    )
    StoreReplica(store).apply(Answer(Cursor(epoch=EPOCH, seq=3), 0, 0, conflicts=[met]))
    records.edit(store, id_, {"industry": "Zither"})
    page(store, row(id_, 4, gone="left"))
    assert store.counts()["customer"] == 1
    assert not search.find(store, "vanishing")
    assert not search.find(store, "quincunx")
    assert lists.title_of(store, id_) is None
    assert conflicts.open_conflicts(store) == []
    assert store.unsent() == 1  # goes up once more, so that a manager sees it
    send(Server(), device, store, refuse=id_)
    (refused,) = conflicts.attention(store)
    assert refused.op is None
    words = _words(store)
    assert b"stays" in words
    for trace in (b"vanishing", b"xylophone", b"quincunx", b"zither"):
        assert trace not in words


def test_what_was_taken_from_a_record_that_left_goes_once_it_is_durable(device: Device, store: Store) -> None:
    server = Server()
    made = records.add(store, CUSTOMER, {"name": "Vanishing"})
    send(server, device, store)
    page(store, row(made.id, 2, gone="left"))
    assert store.db.one("SELECT count(*) FROM op_archive") == (1,)
    page(store, seq=3, durable_seq=3)
    assert store.db.one("SELECT count(*) FROM op_archive") == (0,)


def test_a_record_that_comes_back_is_whole_again(store: Store) -> None:
    id_ = bytes(new_record_id())
    page(store, row(id_, 1, name="Anna Ltd"))
    page(store, row(id_, 1, gone="left"), seq=2)
    page(store, row(id_, 1, name="Anna Ltd", stage="lead"), seq=3)
    assert records.get(store, id_).values == {"name": "Anna Ltd", "stage": "lead"}
    assert store.counts()["customer"] == 1
    assert len(search.find(store, "anna")) == 1


def test_a_delete_from_elsewhere_and_its_undoing(store: Store) -> None:
    id_ = bytes(new_record_id())
    page(store, row(id_, 1, name="Anna Ltd"))
    page(store, row(id_, 2, gone="deleted"))
    gone = records.get(store, id_)
    assert gone.deleted
    assert gone.values == {"name": "Anna Ltd"}
    assert store.counts()["customer"] == 0
    assert not search.find(store, "anna")
    page(store, row(id_, 3, name="Anna Ltd"))
    assert store.counts()["customer"] == 1
    assert len(search.find(store, "anna")) == 1


def test_cells_of_a_newer_version_are_carried_and_come_back_in_ops_untouched(
    device: Device, store: Store
) -> None:
    id_ = bytes(new_record_id())
    odd: dict[str, Any] = {
        "loyalty": {"level": 3}, "colours/blue": True, "revenue": "much", "employees": "some",
        "phones/00000000000000aa": "123", "tags": "key", "founded": 2**63,
    }  # fmt: skip
    page(store, row(id_, 1, name="Anna Ltd", stage="dreaming", **odd))
    shown = records.get(store, id_)
    assert shown.values == {"name": "Anna Ltd", "stage": "dreaming"}
    shape, stored = records.find_row(store, id_)
    cells = {"name": "Anna Ltd", "stage": "dreaming", **odd}
    assert shape.cells(stored) == cells
    records.edit(store, id_, {"industry": "Retail"})
    assert outbox.bases(store.db, [id_])[id_] == (1, False, cells)
    assert outbox.every(store.db)[0].set == {"industry": "Retail"}
    assert shape.cells(records.find_row(device.reopen(), id_)[1]) == {**cells, "industry": "Retail"}


def test_a_kind_of_a_newer_version_refuses_the_page_whole(store: Store) -> None:
    id_ = bytes(new_record_id())
    with pytest.raises(UpgradeNeeded):
        page(store, row(id_, 1, name="Anna Ltd"), row(bytes(new_record_id()), 2, kind="spaceship", name="X"))
    assert store.counts()["customer"] == 0
    assert store.here().cursor.seq == 0


def test_a_page_that_fails_half_way_leaves_nothing(store: Store) -> None:
    good, bad = bytes(new_record_id()), bytes(new_record_id())
    broken = Change(kind="deal", id=bad, ver=2, cells={"name": Raw(b"\xc1")})
    with pytest.raises(Exception, match=r"."):
        page(store, row(good, 1, name="Anna Ltd"), broken)
    assert store.counts()["customer"] == 0
    assert store.here().cursor.seq == 0
    assert not search.find(store, "anna")
    page(store, row(good, 1, name="Anna Ltd"))
    assert store.counts()["customer"] == 1


def _words(store: Store) -> bytes:
    """Every byte the tables hold, the search index's pages too."""
    held = bytearray()
    for (table,) in store.db.all("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"):
        for values in store.db.all(f'SELECT * FROM "{table}"'):  # noqa: S608 - names of the store's own tables
            for value in values:
                held += value if isinstance(value, bytes) else str(value).encode()
    return bytes(held).lower()


def test_a_refused_change_is_made_again_or_let_go_and_nothing_else_ends_it(
    device: Device, store: Store
) -> None:
    server = Server()
    kept = records.add(
        store, CUSTOMER, {"name": "Kept", "phones": [{"label": "work", "value": "1"}], "tags": ["old"]}
    )
    send(server, device, store)
    before = records.get(store, kept.id).values["phones"]
    values = {"stage": "lead", "phones": [*before, {"label": "home", "value": "22"}], "tags": ["old", "new"]}
    records.edit(store, kept.id, values)
    records.edit(store, kept.id, {"industry": None, "name": "Other"})
    send(server, device, store, refuse=kept.id)
    first, second = conflicts.attention(store)
    assert (first.fields, second.fields) == (("stage", "phones", "tags"), ("name",))
    assert first.here
    assert store.unsent() == 0  # nothing goes again by itself

    # What changed meanwhile stays: only what the change said is laid on top.
    records.edit(store, kept.id, {"phones": [*before, {"label": "fax", "value": "333"}]})
    assert conflicts.make_again(store, first.name) == kept.id
    again = records.get(store, kept.id).values
    assert (again["stage"], again["tags"]) == ("lead", ["new", "old"])
    assert sorted(each["value"] for each in again["phones"]) == ["1", "22", "333"]
    assert (conflicts.attention(store), store.unsent()) == ([second], 2)
    device.assert_sealed(store)
    with pytest.raises(NotFound):
        conflicts.make_again(store, first.name)

    assert conflicts.let_go(store, second.name) == kept.id
    assert (conflicts.attention(store), store.unsent()) == ([], 2)
    with pytest.raises(NotFound):
        conflicts.let_go(store, second.name)
    server.refuses.clear()
    send(server, device, store)
    assert server.rows[kept.id].cells["stage"] == "lead"


def test_a_refused_record_and_a_refused_deletion_are_made_again(device: Device, store: Store) -> None:
    server = Server()
    made = records.add(store, CUSTOMER, {"name": "Not yet"})
    send(server, device, store, refuse=made.id)
    (refused,) = conflicts.attention(store)
    assert not refused.here
    conflicts.make_again(store, refused.name)
    assert records.get(store, made.id).title == "Not yet"
    server.refuses.clear()
    send(server, device, store)
    assert server.rows[made.id].cells["name"] == "Not yet"

    records.delete(store, made.id)
    send(server, device, store, refuse=made.id)
    assert not records.get(store, made.id).deleted
    (refused,) = conflicts.attention(store)
    assert refused.fields == ()
    conflicts.make_again(store, refused.name)
    assert records.get(store, made.id).deleted


def test_a_change_of_a_record_that_left_can_only_be_let_go(device: Device, store: Store) -> None:
    id_ = bytes(new_record_id())
    page(store, row(id_, 1, name="Gone"))
    records.edit(store, id_, {"industry": "Tea"})
    page(store, row(id_, 2, gone="left"))
    send(Server(), device, store, refuse=id_)
    (refused,) = conflicts.attention(store)
    with pytest.raises(NotFound, match="not on this device"):
        conflicts.make_again(store, refused.name)
    assert conflicts.attention(store) == [refused]
    conflicts.let_go(store, refused.name)
    assert conflicts.attention_count(store) == 0


def test_what_cannot_be_made_again_stays_before_the_persons_eyes(device: Device, store: Store) -> None:
    server = Server()
    kept = records.add(store, CUSTOMER, {"name": "Kept"})
    send(server, device, store)
    records.edit(store, kept.id, {"name": "Other"})
    send(server, device, store, refuse=kept.id)
    (refused,) = conflicts.attention(store)
    records.delete(store, kept.id)
    with pytest.raises(AppError, match="deleted"):
        conflicts.make_again(store, refused.name)
    assert conflicts.attention(store) == [refused]


def test_a_record_deleted_before_this_device_knew_it_comes_back_whole_and_not_before(
    device: Device, store: Store
) -> None:
    server = Server()
    id_ = bytes(new_record_id())
    server.write(foreign("customer", Act.ADD, id_, name="Anna Ltd", industry="Retail"))
    server.write(foreign("customer", Act.DELETE, id_, base=1))
    page(store, row(id_, 2, gone="deleted"))
    assert records.undelete(store, id_).deleted
    records.undelete(store, id_)
    assert store.unsent() == 1
    assert store.counts()["customer"] == 0
    send(server, device, store)
    shown = records.get(store, id_)
    assert (shown.values, shown.deleted) == ({"name": "Anna Ltd", "industry": "Retail"}, False)
    assert store.counts()["customer"] == 1
    records.edit(store, id_, {"name": "Anna & Co"})
    send(server, device, store)
    assert server.rows[id_].cells["name"] == "Anna & Co"
    assert not server.conflicts


def test_what_was_deleted_stays_so_when_the_answer_to_an_undelete_brought_no_row(store: Store) -> None:
    id_ = bytes(new_record_id())
    page(store, row(id_, 2, gone="deleted"))
    records.undelete(store, id_)
    page(store, seq=3, acked_n=1)
    assert store.unsent() == 0
    assert records.get(store, id_).deleted
    page(store, row(id_, 4, name="Anna Ltd"))
    assert records.get(store, id_).title == "Anna Ltd"


def test_circles_that_are_there_are_named(store: Store) -> None:
    one, two, three, low = sorted(bytes(new_record_id()) for _each in range(4))
    for at, (id_, above) in enumerate(((one, two), (two, three), (three, one), (low, one)), start=1):
        page(store, row(id_, at, name="N", parent=above))
    (found,) = circles(store)
    assert sorted(found) == [one, two, three]
    records.delete(store, three)
    assert circles(store) == []


def test_own_work_is_not_counted_as_received_and_what_left_is_told(device: Device, store: Store) -> None:
    made = [records.add(store, CUSTOMER, {"name": f"N {number}"}).id for number in range(3)]
    strange = bytes(new_record_id())
    answer = Answer(
        Cursor(epoch=EPOCH, seq=5),
        3,
        0,
        changes=[row(made[0], 4, gone="left"), row(strange, 5, name="Theirs")],
    )
    applied = StoreReplica(store).apply(answer)
    assert (len(applied.records), applied.received, applied.left) == (4, 1, 1)
    again = StoreReplica(store).apply(answer)
    assert (again.received, again.left) == (0, 0)
