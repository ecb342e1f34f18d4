"""A ready part in the place of a store that has just been begun: the same rows, one's own on top, or nothing at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.errors import AppError, StoreDamaged
from app.keys.secret import SecretBytes
from app.store import chosen, lists, outbox, pagefile, ready, records, schema, search
from app.store.db import Database
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol import clock
from sync.protocol import ready as sealed
from sync.protocol.codec import Raw, pack
from sync.protocol.errors import BadFrames, Outcome
from sync.protocol.ids import new_record_id
from sync.protocol.merge import KEPT, Conflict
from sync.protocol.messages import Change, Cursor, OpResult
from sync.protocol.ready import Fed, Made
from tests.store import pages
from tests.store.device import CUSTOMER, Device

EPOCH = b"epoch"
PART, KEY = b"p" * sealed.PART_BYTES, b"k" * sealed.KEY_BYTES


def change(seq: int, id_: bytes | None = None, **cells: Any) -> Change:
    """A customer of the server."""
    cells = {"name": f"Customer {seq} Berlin", "notes": f"met at stand {seq}", **cells}
    packed = {name: Raw(pack(value)) for name, value in cells.items()}
    return Change(
        kind="customer", id=id_ or bytes(new_record_id()), ver=seq, cells=packed, hlc=seq << 16, person="bo@x"
    )


ROWS = [change(seq) for seq in range(1, 41)]


def cursor(seq: int) -> Cursor:
    """A cursor of this history."""
    return Cursor(epoch=EPOCH, seq=seq, scopes=1)


@pytest.fixture
def part(tmp_path: Path) -> tuple[Made, Path]:
    """The part of all rows, made of four pages."""
    into, folder = tmp_path / "a.part", tmp_path / "making"
    folder.mkdir()

    def fed() -> Iterator[Fed]:
        for at in range(0, 40, 10):
            yield Fed(cursor(at + 10), at < 30, ROWS[at : at + 10], [])

    return ready.make(folder, fed(), KEY, PART, into), into


@pytest.fixture
def begun(store: Store) -> Store:
    """A store that has read its first page."""
    StoreReplica(store).apply(Answer(cursor(3), 0, 0, more=True, changes=ROWS[:3]))
    return store


def plain(made: Made, file: Path) -> Iterator[bytes]:
    """The pieces of a part, opened."""
    data, at = file.read_bytes(), 0
    for number, length in enumerate(made.lengths):
        yield sealed.open_piece(KEY, PART, number, data[at : at + length])
        at += length


def laid_in(device: Device, store: Store, part: tuple[Made, Path]) -> Store | None:
    """The store that has the part; None where it may not have it."""
    key = SecretBytes(device.key)
    ready.unpack(device.profile, key, plain(*part))
    if not ready.put_in_place(device.profile, key, store):
        assert not device.profile.store_coming.exists()
        return None
    return device.open()


def titles(store: Store) -> list[str]:
    """The names of all customers that are kept."""
    there = lists.by_rowids(store, CUSTOMER, lists.ids(store, CUSTOMER))
    return sorted(str(each.values["name"]) for each in there)


def test_it_holds_what_pages_would_have_brought(
    device: Device, begun: Store, part: tuple[Made, Path]
) -> None:
    assert part[0].rows == 40
    assert part[0].layout == ready.layout(begun.db)
    device_id, incarnation = begun.device, begun.incarnation
    store = laid_in(device, begun, part)
    assert store is not None
    assert titles(store) == sorted(f"Customer {seq} Berlin" for seq in range(1, 41))
    assert (store.device, store.incarnation) == (device_id, incarnation)
    assert store.here().cursor == cursor(40)
    assert store.counts()["customer"] == 40
    assert [hit.record.id for hit in search.find(store, "stand 17")] == [ROWS[16].id]
    store.db.check()
    assert store.db.indexes_hold()
    StoreReplica(store).apply(
        Answer(cursor(41), 0, 0, changes=[change(41, ROWS[4].id, name="Changed behind it")])
    )
    assert "Changed behind it" in titles(store)


def test_what_was_settled_before_keeps_nobody_from_a_part(
    device: Device, begun: Store, tmp_path: Path
) -> None:
    """The server keeps it for good, and tells it with the records: on the first page, and in the part."""
    met = Conflict(
        id=b"c" * 16, kind="customer", record=ROWS[0].id, cell="stage", kept="lead", ver=3, state=KEPT,
        settled_by="bo@x", settled_hlc=clock.stamp(0, device.clock()),
    )  # fmt: skip
    StoreReplica(begun).apply(Answer(cursor(3), 0, 0, more=True, conflicts=[met]))
    folder, into = tmp_path / "settled", tmp_path / "settled.part"
    folder.mkdir()
    made = ready.make(folder, [Fed(cursor(40), False, ROWS, [met])], KEY, PART, into)
    store = laid_in(device, begun, (made, into))
    assert store is not None
    assert [each.kept for each in chosen.told(store, ROWS[0].id)] == ["lead"]


def test_what_waits_stays_on_top_and_goes_up(device: Device, begun: Store, part: tuple[Made, Path]) -> None:
    own = records.add(begun, CUSTOMER, {"name": "Typed meanwhile"}).id
    records.edit(begun, ROWS[1].id, {"industry": "Typed meanwhile"})
    ops = outbox.every(begun.db)
    store = laid_in(device, begun, part)
    assert store is not None
    assert outbox.every(store.db) == ops
    assert records.get(store, own).waiting
    edited = records.get(store, ROWS[1].id)
    assert (edited.values["industry"], edited.values["name"]) == ("Typed meanwhile", "Customer 2 Berlin")
    replica = StoreReplica(store)
    done = [OpResult(n=op.n, outcome=Outcome.OK, ver=41 + at) for at, op in enumerate(replica.take(9, 2**20))]
    replica.apply(Answer(cursor(42), 2, 0, results=done))
    assert not store.unsent()
    assert records.get(store, ROWS[1].id).values["industry"] == "Typed meanwhile"
    later = records.add(store, CUSTOMER, {"name": "Later"})
    assert outbox.every(store.db)[-1].n == 3
    device.close()
    assert later.id in [op.id for op in outbox.every(device.open().db)]


def test_a_store_whose_own_work_was_heard_of_stays(
    device: Device, begun: Store, part: tuple[Made, Path]
) -> None:
    records.add(begun, CUSTOMER, {"name": "Sent"})
    StoreReplica(begun).apply(Answer(cursor(3), 1, 0, results=[OpResult(n=1, outcome=Outcome.OK, ver=41)]))
    assert not ready.may_take(begun)
    assert laid_in(device, begun, part) is None
    assert "Sent" in titles(begun)


def test_rows_that_are_nowhere_else_stay(device: Device, store: Store, part: tuple[Made, Path]) -> None:
    lost = change(2, name="Of a history that the server has lost")
    StoreReplica(store).apply(Answer(cursor(3), 0, 0, changes=[*ROWS[:1], lost]))
    assert laid_in(device, store, part) is None
    assert "Of a history that the server has lost" in titles(store)


def test_a_part_from_before_what_was_read_is_not_taken(
    device: Device, store: Store, part: tuple[Made, Path]
) -> None:
    """Whoever typed what waits had seen what came behind the part: its server would not send that once more."""
    read = [*ROWS, change(41, ROWS[0].id, name="Changed behind it")]
    StoreReplica(store).apply(Answer(cursor(41), 0, 0, changes=read))
    records.edit(store, ROWS[0].id, {"industry": "Tea"})
    assert laid_in(device, store, part) is None
    assert "Changed behind it" in titles(store)


def test_a_part_of_another_history_or_layout_is_not_taken(
    device: Device, store: Store, part: tuple[Made, Path]
) -> None:
    StoreReplica(store).apply(Answer(Cursor(epoch=b"other", seq=3), 0, 0, changes=ROWS[:3]))
    assert laid_in(device, store, part) is None
    StoreReplica(store).apply(Answer(cursor(3), 0, 0, changes=ROWS[:3]))
    with store.db.building() as db:
        db.execute("DROP INDEX record_customer_number")
    assert laid_in(device, store, part) is None
    assert len(titles(store)) == 3


@pytest.mark.parametrize("pieces", [0, 1])
def test_killed_within_it_the_store_is_as_it_was(
    device: Device, begun: Store, part: tuple[Made, Path], pieces: int
) -> None:
    class Killed(Exception):
        pass

    def cut() -> Iterator[bytes]:
        yield from list(plain(*part))[:pieces]
        raise Killed

    with pytest.raises(Killed):
        ready.unpack(device.profile, SecretBytes(device.key), cut())
    device.close()
    again = device.open()
    assert len(titles(again)) == 3
    assert laid_in(device, again, part) is not None  # and begins anew


def test_killed_once_it_is_in_place_it_is_there(
    device: Device, begun: Store, part: tuple[Made, Path]
) -> None:
    key = SecretBytes(device.key)
    ready.unpack(device.profile, key, plain(*part))
    assert ready.put_in_place(device.profile, key, begun)
    device.close()
    assert len(titles(device.open())) == 40


@pytest.mark.expected_warnings("a ready part was not laid in")
@pytest.mark.parametrize(
    "lie",
    [
        "INSERT INTO outbox VALUES (7, 7, 'customer', x'01', 1, x'80')",
        "INSERT INTO sealed VALUES (0, x'01', 1, 1, 5, x'01')",
        "INSERT INTO op_archive VALUES (x'01', 1, x'01', 1, 1, 0, x'80')",
        "INSERT INTO attention VALUES (x'01', 1, 'customer', x'01', 'invalid', '', 1, NULL)",
        "INSERT INTO recovered VALUES (x'01', x'02')",
        "INSERT INTO base VALUES (x'01', 'customer', 1, 0, x'80')",
        "UPDATE here SET hlc = 'soon'",
        "UPDATE here SET cursor = x'c1'",
        "DELETE FROM here",
        "seq",
    ],
)
def test_what_no_page_may_bring_comes_in_no_part(
    device: Device, begun: Store, part: tuple[Made, Path], lie: str
) -> None:
    """A server that lies: a file of a store may hold more than rows."""
    own = records.add(begun, CUSTOMER, {"name": "Typed meanwhile"}).id
    key = SecretBytes(device.key)
    ready.unpack(device.profile, key, plain(*part))
    twist(device, lie)
    assert not ready.put_in_place(device.profile, key, begun)
    assert not device.profile.store_coming.exists()
    assert records.get(begun, own).waiting and begun.here().cursor.seq == 3


def twist(device: Device, lie: str) -> None:
    """Have the file that came say something else."""
    db = Database(device.profile.store_coming, SecretBytes(device.key), version=schema.VERSION)
    with db.write():
        if lie == "seq":
            db.execute("UPDATE here SET cursor = ?", (pack(Cursor(epoch=EPOCH, seq=2**60)),))
        else:
            db.execute(lie)
    db.checkpoint()
    db.close()


def test_a_clock_far_ahead_is_not_followed(device: Device, begun: Store, part: tuple[Made, Path]) -> None:
    key = SecretBytes(device.key)
    ready.unpack(device.profile, key, plain(*part))
    twist(device, "UPDATE here SET hlc = 9223372036854775807")
    assert ready.put_in_place(device.profile, key, begun)
    device.close()
    store = device.open()
    assert records.add(store, CUSTOMER, {"name": "Later"}).waiting


def test_a_file_whose_pages_are_no_store_does_not_take_its_place(
    device: Device, begun: Store, part: tuple[Made, Path]
) -> None:
    data = bytearray(b"".join(plain(*part)))
    at = 6 * pagefile.USABLE  # a page of some table
    data[at : at + 40] = os.urandom(40)
    with pytest.raises(AppError):
        ready.unpack(device.profile, SecretBytes(device.key), [bytes(data)])
    assert len(titles(begun)) == 3


def test_nothing_of_it_is_plain_on_a_disk(
    device: Device, begun: Store, part: tuple[Made, Path], tmp_path: Path
) -> None:
    key = SecretBytes(device.key)
    ready.unpack(device.profile, key, plain(*part))
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"Berlin" not in file.read_bytes(), file
    assert pages.holding(device.profile.store_coming, device.key, "Customer 7 Berlin") == [
        "Customer 7 Berlin"
    ]
    assert len(part[0].lengths) >= 1 and begun.here().cursor.seq == 3


def test_a_piece_of_another_part_place_or_key_is_refused() -> None:
    piece = sealed.seal_piece(KEY, PART, 3, b"plain")
    assert sealed.open_piece(KEY, PART, 3, piece) == b"plain"
    others = [
        (os.urandom(32), PART, 3, piece),
        (KEY, b"q" * 16, 3, piece),
        (KEY, PART, 4, piece),
        (KEY, PART, 3, piece[:-1]),
    ]
    for other in others:
        with pytest.raises(BadFrames):
            sealed.open_piece(*other)


def test_a_page_that_was_altered_is_refused(device: Device, store: Store) -> None:
    records.add(store, CUSTOMER, {"name": "Someone"})
    device.close()
    data = bytearray(device.profile.store.read_bytes())
    assert len(list(pagefile.read(device.profile.store, SecretBytes(device.key)))) == 1
    data[5 * pagefile.PAGE + 100] ^= 1
    device.profile.store.write_bytes(data)
    with pytest.raises(StoreDamaged):
        list(pagefile.read(device.profile.store, SecretBytes(device.key)))
