"""Two devices make one customer; pairs are found behind, for whoever sees both, and stay found as records change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.store import conflicts, duplicates, examination, joined, joining, lists, outbox, records
from app.store.choices import SWAPPED, reopen, settle
from app.store.duplicates import AGAIN
from app.store.joining import BOTH, GONE, REMAINS
from app.store.records import get
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.fields import Care
from sync.protocol.ids import id_text, new_record_id
from sync.protocol.kinds import KINDS, pairs
from sync.protocol.messages import Change, Cursor
from sync.protocol.ops import Act
from tests.store.device import CONTACT, CUSTOMER, Device
from tests.store.exchanges import foreign, page, row, send
from tests.store.server import EPOCH, Server

CONSENT = KINDS["consent"]


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Device]:
    """A colleague's device."""
    made = Device(tmp_path / "other")
    made.profile.folder.mkdir()
    yield made
    made.close()


def _pairs(store: Store) -> list[tuple[bytes, bytes, str]]:
    duplicates.catch_up(store)
    return [(each.a, each.b, each.why) for each in duplicates.found(store)]


def _both(store: Store, **more: object) -> tuple[bytes, bytes]:
    one = records.add(store, CUSTOMER, {"name": "Nordlicht GmbH", "phones": "030 5550123"}).id
    two = records.add(store, CUSTOMER, {"name": "Nordlicht", "phones": "+49 30 5550123", **more}).id
    return one, two


def test_both_stay_and_both_devices_are_told(device: Device, store: Store, other: Device) -> None:
    server, colleague = Server(), other.create()
    mine = records.add(store, CUSTOMER, {"name": "Nordlicht GmbH", "phones": "030 5550123"}).id
    theirs = records.add(colleague, CUSTOMER, {"name": "Nordlicht", "phones": "+49 30 5550123"}).id
    assert _pairs(store) == _pairs(colleague) == []
    for _round in range(2):
        send(server, device, store)
        send(server, other, colleague)
    told = [(*sorted((mine, theirs)), "phone")]
    assert _pairs(store) == _pairs(colleague) == told
    assert not get(store, mine).deleted and not get(store, theirs).deleted

    joining.join(store, mine, theirs)
    for _round in range(2):
        send(server, device, store)
        send(server, other, colleague)
    assert _pairs(store) == _pairs(colleague) == []
    for each in (store, colleague):
        assert (get(each, mine).deleted, get(each, theirs).deleted) == (False, True)
        assert joined.remains_of(each, theirs) == mine
        assert examination.examine(each) == []


def test_a_pair_follows_what_its_records_say(store: Store) -> None:
    one, two = _both(store)
    assert _pairs(store) == [(one, two, "phone")]
    records.edit(store, two, {"phones": None, "name": "Nordwind"})
    assert _pairs(store) == []
    records.edit(store, two, {"name": "Nordlicht"})
    assert _pairs(store) == [(one, two, "name")]
    records.delete(store, one)
    assert duplicates.found(store) == []  # at once, though nobody has looked yet
    assert _pairs(store) == []
    records.undelete(store, one)
    assert _pairs(store) == [(one, two, "name")]


def test_who_sees_more_or_less_of_the_same_records_is_told_of_other_pairs(store: Store) -> None:
    one, two = sorted(bytes(new_record_id()) for _each in range(2))
    phone: dict[str, Any] = {"phones/0011223344556677": {"label": "work", "value": "030 5550123"}}

    def laid(care: int, *changes: Change) -> list[tuple[bytes, bytes, str]]:
        cursor = Cursor(epoch=EPOCH, seq=9, scopes=1, care=care)
        StoreReplica(store).apply(Answer(cursor, 0, 0, changes=list(changes)))
        return _pairs(store)

    both = [row(id_, 3, name=name, **phone) for id_, name in ((one, "Nordlicht GmbH"), (two, "Nordlicht"))]
    told = [(one, two, "phone")]
    assert laid(Care.CONFIDENTIAL, *both) == told
    # The rows came already, or come once the last page of those that show more is through: neither says it again.
    assert laid(Care.INTERNAL) == []
    assert laid(Care.CONFIDENTIAL) == told
    assert laid(Care.RESTRICTED) == told
    assert examination.examine(store) == []


def test_what_left_leaves_no_key(store: Store) -> None:
    page(store, *(row(bytes([n]) * 16, n, name="Nordlicht", tax_number="DE1") for n in (1, 2)))
    assert len(_pairs(store)) == 1
    page(store, row(b"\x02" * 16, 3, gone="left"))
    assert duplicates.count(store) == 0
    (kept,) = {r for (r,) in store.db.all("SELECT row FROM alike_customer")}
    assert store.db.one('SELECT _id FROM "record_customer" WHERE _rowid = ?', (kept,)) == (b"\x01" * 16,)
    page(
        store, row(b"\x03" * 16, 4, name="Nordlicht", tax_number="DE1")
    )  # it gets the rowid that is free again
    assert [each[:2] for each in _pairs(store)] == [(b"\x01" * 16, b"\x03" * 16)]


def test_a_book_of_before_is_gone_through_in_steps(device: Device, store: Store) -> None:
    one, two = _both(store)
    for table in (
        "alike_customer",
        "alike_contact",
        "duplicate",
        "duplicate_left",
        "duplicate_row",
        "joined",
    ):
        with store.db.building():
            store.db.execute(f"DROP TABLE {table}")
    store = device.reopen()
    assert duplicates.left(store) == 2
    assert duplicates.step(store, 1) and duplicates.left(store) == 1
    assert _pairs(store) == [(one, two, "phone")]
    examination.repair(store)
    assert _pairs(store) == [(one, two, "phone")]


def test_a_crowd_under_one_key_is_no_pair(store: Store) -> None:
    for n in range(40):
        records.add(store, CUSTOMER, {"name": f"Desk {n}", "phones": "030 5550123"})
    assert _pairs(store) == []


def test_different_is_said_once_for_everybody(device: Device, store: Store, other: Device) -> None:
    server, colleague = Server(), other.create()
    one, two = _both(store)
    send(server, device, store)
    send(server, other, colleague)
    joining.set_apart(store, two, one)
    joining.set_apart(colleague, one, two)  # neither knows of the other's word
    for _round in range(2):
        send(server, device, store)
        send(server, other, colleague)
    assert _pairs(store) == _pairs(colleague) == []
    assert server.conflicts == []
    joining.set_apart(store, one, two, different=False)
    send(server, device, store)
    send(server, other, colleague)
    assert _pairs(store) == _pairs(colleague) == [(one, two, "phone")]


def test_a_join_takes_the_values_moves_what_refers_and_is_one_act(device: Device, store: Store) -> None:
    one, two = _both(
        store, industry="Cranes", address={"city": "Kiel", "street": "Quay 1"}, do_not_contact=True,
        emails="info@nordlicht.example", stage="lead", notes="Two",
    )  # fmt: skip
    filled = {"notes": "One", "stage": "customer", "source": "Fair", "address": {"city": "Kiel"}}
    records.edit(store, one, filled)
    contact = records.add(store, CONTACT, {"name": "Anna", "customer": two}).id
    consent = records.add(store, CONSENT, {"purpose": "news", "status": "withdrawn", "customer": two}).id
    device.ahead_ms = 1_000
    records.edit(store, two, {"name": "Nordlicht Kräne", "source": "Web"})
    before, waits = get(store, one).values, len(outbox.every(store.db))

    made = joining.join(store, one, two, {"source": REMAINS, "do_not_contact": REMAINS})
    values = get(store, one).values
    assert values["industry"] == "Cranes"  # filled over empty
    assert values["name"] == "Nordlicht Kräne"  # the record that was changed last
    assert values["address"]["street"] == "Quay 1"  # the fuller one
    assert values["source"] == "Fair"  # as chosen
    assert values["stage"] == "customer"  # whose and how far: no clock decides that
    assert values["do_not_contact"] is True  # the stricter one, whatever was chosen
    assert values["notes"] == "One\n\nTwo"
    assert [each["value"] for each in values["phones"]] == ["030 5550123", "+49 30 5550123"]
    assert get(store, contact).values["customer"] == get(store, consent).values["customer"] == one
    assert get(store, two).deleted and joined.remains_of(store, two) == one
    ops = outbox.every(store.db)[waits:]
    assert {op.first for op in ops} == {ops[0].n} and ops[-1].act is Act.DELETE
    device.assert_sealed(store)

    joining.take_apart(store, made)
    assert get(store, one).values == before
    assert not get(store, two).deleted and joined.remains_of(store, two) == two
    assert get(store, contact).values["customer"] == two
    assert _pairs(store) == [(one, two, "phone")]


def test_a_joined_record_that_is_brought_back_is_part_of_no_other(store: Store) -> None:
    one, two = _both(store)
    joining.join(store, one, two)
    joining.bring_back(store, two)
    assert joined.joined_into(store, one) == [] and _pairs(store) == [(one, two, "phone")]


def test_a_value_is_chosen_cell_by_cell(store: Store) -> None:
    one, two = _both(store, notes="Two")
    records.edit(store, one, {"notes": "One"})
    joining.join(store, one, two, {"name": GONE, "phones": REMAINS, "notes": GONE, "stage": BOTH})
    values = get(store, one).values
    assert (values["name"], values["notes"]) == ("Nordlicht", "Two")
    assert [each["value"] for each in values["phones"]] == ["030 5550123"]


def test_an_edit_elsewhere_before_the_join_keeps_the_record(device: Device, store: Store) -> None:
    server = Server()
    one, two = _both(store)
    send(server, device, store)
    joining.join(store, one, two)
    server.write(foreign("customer", Act.SET, two, base=2, source="Fair"))
    send(server, device, store)
    assert not get(store, two).deleted and get(store, two).values["source"] == "Fair"
    assert _pairs(store) == [(one, two, AGAIN)]
    joining.join(store, one, two)
    send(server, device, store)
    assert get(store, two).deleted and get(store, one).values["source"] == "Fair"
    assert (_pairs(store), conflicts.open_count(store)) == ([], 0)


def test_an_edit_elsewhere_after_the_join_is_told_on_the_record_that_remains(
    device: Device, store: Store
) -> None:
    server = Server()
    one, two = _both(store)
    send(server, device, store)
    joining.join(store, one, two)
    send(server, device, store)
    server.write(foreign("customer", Act.SET, two, base=2, source="Fair"))
    send(server, device, store)
    (met,) = conflicts.open_conflicts(store, record=one)
    assert (met.remains, met.conflict.kept, met.present) == (one, "Fair", None)
    made = settle(store, met.conflict.id, SWAPPED)
    assert get(store, one).values["source"] == "Fair" and get(store, two).deleted
    reopen(store, made)
    assert "source" not in get(store, one).values and conflicts.open_count(store) == 1
    settle(store, met.conflict.id, SWAPPED)
    send(server, device, store)
    assert server.rows[one].cells["source"] == "Fair" and server.rows[two].deleted
    assert conflicts.open_count(store) == 0


def test_two_join_the_same_pair_the_other_way_round(device: Device, store: Store, other: Device) -> None:
    server, colleague = Server(), other.create()
    one, two = _both(store)
    send(server, device, store)
    send(server, other, colleague)
    joining.join(store, one, two)
    joining.join(colleague, two, one)
    for _round in range(3):
        send(server, device, store)
        send(server, other, colleague)
    for each in (store, colleague):
        assert (get(each, one).deleted, get(each, two).deleted) == (False, True)
        assert joined.remains_of(each, two) == one


@pytest.mark.parametrize("first", ["taken back", "joined again"])
def test_a_join_said_once_more_is_not_taken_back_with_the_first(
    device: Device, store: Store, other: Device, first: str
) -> None:
    server, colleague = Server(), other.create()
    one, two = _both(store)
    send(server, device, store)
    made = joining.join(store, one, two)
    server.write(foreign("customer", Act.SET, two, base=2, source="Fair"))
    send(server, device, store)
    send(server, other, colleague)
    assert _pairs(colleague) == [(one, two, AGAIN)]
    joining.join(colleague, one, two)
    joining.take_apart(store, made)
    both = [(device, store), (other, colleague)]
    for _round in range(3):
        for each in both if first == "taken back" else reversed(both):
            send(server, *each)
    assert server.rows[two].deleted
    cell = pairs.joined(two)
    kept = [each.conflict.cell for each in conflicts.open_conflicts(colleague, record=one)]
    assert cell in server.rows[one].cells or cell in kept


def test_what_was_joined_and_is_joined_the_other_way_is_no_part_of_itself(
    device: Device, store: Store
) -> None:
    server = Server()
    one, two = _both(store)
    send(server, device, store)
    joining.join(store, one, two)
    server.write(foreign("customer", Act.SET, two, base=2, source="Fair"))
    send(server, device, store)
    joining.join(store, two, one)
    send(server, device, store)
    assert pairs.joined(two) not in server.rows[two].cells
    assert _pairs(store) == []
    # As a version before this one has written it.
    server.write(foreign("customer", Act.SET, two, base=server.rows[two].ver, **{pairs.joined(two): True}))
    send(server, device, store)
    assert (_pairs(store), duplicates.count(store)) == ([], 0)


def test_who_joins_what_was_called_different_is_asked_nothing(device: Device, store: Store) -> None:
    server = Server()
    one, two = _both(store)
    joining.set_apart(store, one, two)
    send(server, device, store)
    joining.join(store, two, one)
    send(server, device, store)
    assert server.rows[one].deleted and conflicts.open_count(store) == 0


def test_a_reference_that_came_later_leads_to_the_record_that_remains(device: Device, store: Store) -> None:
    server = Server()
    one, two = _both(store)
    send(server, device, store)
    joining.join(store, one, two)
    send(server, device, store)
    server.write(foreign("contact", Act.ADD, b"k" * 16, name="Omar", customer=two))
    send(server, device, store)
    assert lists.name_of(store, two) == get(store, one).title
    found = lists.page(store, CONTACT, where={"customer": id_text(one)}).records
    assert [each.title for each in found] == ["Omar"]


def test_a_reference_to_a_deleted_record_says_so(store: Store) -> None:
    one, _two = _both(store)
    records.delete(store, one)
    assert lists.name_of(store, one) == "Nordlicht GmbH (deleted)"
    assert lists.name_of(store, b"x" * 16) is None


@pytest.mark.timeout(20)
def test_joins_that_go_round_in_a_circle_come_to_an_end(store: Store) -> None:
    """Whoever sees records may write of them what no program of ours does."""
    one, two, three, four = (bytes([each]) * 16 for each in b"ABCD")
    said = ((one, two), (two, three), (three, two), (four, four))
    cells: list[dict[str, Any]] = [{pairs.joined(gone): {}, "name": "Nordlicht"} for _remains, gone in said]
    page(store, *(row(said[at][0], at + 1, **cells[at]) for at in range(4)))
    for each in (one, two, three, four):
        assert joined.joined_into(store, each) == []
        assert joined.remains_of(store, each) == each
    assert (four, four) not in {(a, b) for a, b, _why in _pairs(store)}
