"""A server put back from the wrong backup and then the right one, or twice from one: what nobody saw is not gone."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sync.compose import backing
from sync.protocol import merge
from sync.protocol.errors import Problem
from sync.protocol.ids import new_incarnation, new_record_id
from sync.protocol.merge import Conflict
from sync.protocol.messages import Cursor
from sync.protocol.ops import Act
from tests.server.driver import Device, Refusal
from tests.server.inside import Inside, problem_of
from tests.server.test_comparing import records_of


def restore(inside: Inside, file: Path, *, lost: bool = False) -> None:
    """Put a backup in the store's place; `lost` when the store is gone with its disk."""
    inside.store.close()
    if lost:
        for each in inside.folders.store.parent.glob("store.db*"):
            each.unlink()
    backing.restore(inside.folders, file, replace=True)
    inside.open()


def goes_back(device: Device, inside: Inside) -> None:
    """The device is told of the restore, and does as app.store.restored does."""
    device.send, device.session = inside.send, None
    with pytest.raises(Refusal) as refusal:
        device.exchange()
    assert problem_of(refusal) is Problem.EPOCH
    common = refusal.value.trouble.expected
    device.incarnation, device.session = bytes(new_incarnation()), None
    device.waiting = [msgspec.structs.replace(op, n=n, first=n) for n, op in enumerate(device.waiting, 1)]
    device.n = len(device.waiting)
    device.cursor = Cursor(epoch=device.cursor.epoch if common else b"", seq=common, care=device.cursor.care)
    device.rows = {}


def stands(inside: Inside, id_: bytes) -> tuple[merge.Row, list[Conflict]]:
    """The record as the server has it, with its open conflicts."""
    with inside.store.read() as tx:
        held = tx.records.held(id_)
        assert held is not None
        return held.row, tx.records.conflicts_of(id_)


def test_a_delete_that_saw_nothing_of_an_edit_in_the_right_backup_does_not_take_it(
    inside: Inside, ana: Device, bo: Device, tmp_path: Path
) -> None:
    id_ = ana.add("customer", name="Northwind", industry="first")
    ana.sync()
    bo.sync()
    backing.backup(inside.folders, tmp_path / "old")
    bo.edit(id_, industry="by bo")
    bo.sync()
    backing.backup(inside.folders, tmp_path / "new")
    restore(inside, tmp_path / "old")  # by mistake
    goes_back(ana, inside)
    ana.sync()
    ana.edit(id_, source="web")  # so that her row has a number of this history
    ana.sync()
    ana.delete(id_)
    restore(inside, tmp_path / "new")
    goes_back(ana, inside)
    ana.sync()
    row, conflicts = stands(inside, id_)
    assert not row.deleted
    assert row.cells["industry"] == "by bo"
    assert [each.kept for each in conflicts] == [merge.DELETED]


def test_one_backup_put_back_twice_within_a_moment_begins_two_histories(
    inside: Inside, ana: Device, bo: Device, tmp_path: Path
) -> None:
    id_ = ana.add("customer", name="Northwind", industry="first")
    ana.sync()
    bo.sync()
    backing.backup(inside.folders, tmp_path / "one")
    restore(inside, tmp_path / "one")
    goes_back(ana, inside)
    ana.sync()
    ana.edit(id_, source="web")
    ana.sync()
    ana.delete(id_)
    restore(inside, tmp_path / "one", lost=True)
    goes_back(bo, inside)
    bo.sync()
    bo.edit(id_, industry="by bo")
    bo.sync()
    goes_back(ana, inside)
    ana.sync()
    row, conflicts = stands(inside, id_)
    assert not row.deleted
    assert [each.kept for each in conflicts if each.cell == merge.WHOLE_RECORD] == [merge.DELETED]


def test_what_a_device_says_that_its_author_had_seen_swallows_nobodys_work(
    inside: Inside, ana: Device, bo: Device, tmp_path: Path
) -> None:
    """A base in the lost history is a device's word alone: what it calls replaced can be looked up and taken back."""
    id_ = ana.add("customer", name="Northwind", industry="first")
    ana.sync()
    bo.sync()
    backing.backup(inside.folders, tmp_path / "one")
    lost = ana.edit(id_, industry="by ana")
    ana.sync()
    ver = ana.rows[id_].ver
    restore(inside, tmp_path / "one")
    goes_back(ana, inside)
    goes_back(bo, inside)
    bo.sync()
    bo.op("customer", id_, Act.SET, {"industry": "by bo"}, base=2**32 - 1, was={"industry": "first"})
    bo.sync()
    ana.n += 1
    ana.waiting = [msgspec.structs.replace(lost, n=ana.n, first=ana.n, ver=ver)]
    ana.sync()
    row, conflicts = stands(inside, id_)
    assert (row.cells["industry"], conflicts) == ("by bo", [])
    with inside.store.read() as tx:
        (kept,) = tx.records.conflicts_after(0)
    assert (kept.state, kept.shown, kept.kept) == (merge.KEPT, "by bo", "by ana")
    assert (kept.kept_by, kept.settled_by) == ("ana@example.com", "bo@example.com")
    bo.sync()
    bo.op("customer", id_, Act.SET, {}, settles={kept.id: merge.OPEN}, base=row.ver)
    bo.sync()
    assert [each.kept for each in stands(inside, id_)[1]] == ["by ana"]


def test_a_restored_server_alone_says_that_it_has_for_others_what_a_device_names(
    inside: Inside, ana: Device, bo: Device, tmp_path: Path
) -> None:
    west = inside.device(inside.person("west@example.com", team="Sales/West"), "west")
    theirs, shared = west.add("customer", name="Westwind"), bo.add("customer", name="Northwind")
    for device in (west, bo, ana):
        device.sync()
    never = bytes(new_record_id())
    asked = (theirs, never, shared)
    assert [each.kind for each in records_of(ana, *asked)] == ["", "", "customer"]
    backing.backup(inside.folders, tmp_path / "backup")
    restore(inside, tmp_path / "backup")
    goes_back(ana, inside)
    ana.sync()
    said = records_of(ana, *asked)
    assert [(each.kind, each.gone, each.ver, each.cells) for each in said[:2]] == [
        ("customer", "left", 0, {}), ("", "left", 0, {}),
    ]  # fmt: skip
    assert (said[2].kind, said[2].gone) == ("customer", "")
