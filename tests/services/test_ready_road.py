"""A ready part takes the place of an open session's store: who reads or writes meanwhile waits, and finds it there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.changes import SYNC, Changes
from app.errors import Locked
from app.services import ready_road
from app.services import records as book
from app.services.opening import open_session
from app.services.session import Session
from app.services.syncing import Syncing
from app.store import lists, outbox, ready
from app.store.store import Store
from sync.client import ready as fetching
from sync.client.line import Line
from sync.protocol import ready as sealed
from sync.protocol.codec import Raw, pack
from sync.protocol.ids import new_record_id
from sync.protocol.kinds import KINDS
from sync.protocol.messages import Change, ReadyReply
from sync.protocol.ready import Fed
from tests.road import ANNA, Town

CUSTOMER = KINDS["customer"]
PART, KEY = b"p" * sealed.PART_BYTES, b"k" * sealed.KEY_BYTES
LINE: Any = None  # nobody is asked


@pytest.fixture
def session(town: Town) -> Iterator[Session]:
    """An open session of a new laptop that has read its first page."""
    with open_session(town.laptop(ANNA).profile) as opened:
        syncing = Syncing(opened)
        syncing.round()
        syncing.close()
        yield opened


@pytest.fixture
def part(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """There is a part of all that is here and 50 more; what is put into the list happens before its piece comes."""
    here = session.call(Store.here)
    there = session.call(lambda store: [_change(store, each) for each in lists.ids(store, CUSTOMER)])
    seq = here.cursor.seq + 50
    more = [
        Change(kind="customer", id=bytes(new_record_id()), ver=here.cursor.seq + 1 + at, hlc=at << 16,
               cells={"name": Raw(pack(f"Of the part {at}"))})
        for at in range(50)
    ]  # fmt: skip
    cursor = type(here.cursor)(
        epoch=here.cursor.epoch, seq=seq, scopes=here.cursor.scopes, care=here.cursor.care
    )
    made = ready.make(
        tmp_path, iter([Fed(cursor, False, [*there, *more], [])]), KEY, PART, tmp_path / "a.part"
    )
    reply = ReadyReply(part=PART, key=KEY, lengths=made.lengths, rows=made.rows, cursor=cursor)
    monkeypatch.setattr(fetching, "offered", lambda line, layout: reply if layout == made.layout else None)
    happens: list[Callable[[], object]] = []

    def pieces(line: Line, asked: ReadyReply, go_on: Callable[[], None]) -> Iterator[bytes]:
        for each in happens:
            each()
        go_on()
        yield sealed.open_piece(KEY, PART, 0, (tmp_path / "a.part").read_bytes())

    monkeypatch.setattr(fetching, "pieces", pieces)
    return happens


def _change(store: Store, rowid: int) -> Change:
    (record,) = lists.by_rowids(store, CUSTOMER, [rowid])
    shape = store.shapes["customer"]
    (row,) = store.db.all(f"{shape.select} WHERE _rowid = ?", (rowid,))
    cells = {name: Raw(pack(value)) for name, value in shape.cells(shape.stored(row)).items()}
    return Change(kind="customer", id=record.id, ver=row[2], cells=cells, hlc=1)


def _names(session: Session) -> set[str]:
    def look(store: Any) -> set[str]:
        found = lists.by_rowids(store, CUSTOMER, lists.ids(store, CUSTOMER))
        return {str(each.values["name"]) for each in found}

    return session.read(look)


def test_a_session_goes_on_with_a_part(session: Session, part: list[Callable[[], object]]) -> None:
    told: list[Changes] = []
    session.bus.subscribe(told.append)
    before = _names(session)
    assert ready_road.take(session, LINE, 0) >= 50
    assert _names(session) > before
    assert Changes((), SYNC) in told
    own = book.add_all(session, CUSTOMER, [{"name": "Typed later"}])
    assert own and "Typed later" in _names(session)
    assert not session.profile.store_coming.exists()


def test_what_is_typed_meanwhile_is_there(session: Session, part: list[Callable[[], object]]) -> None:
    part.append(lambda: book.add_all(session, CUSTOMER, [{"name": "Typed meanwhile"}]))
    assert ready_road.take(session, LINE, 0)
    assert {"Typed meanwhile", "Of the part 7"} <= _names(session)
    assert session.call(Store.unsent) == 1
    assert session.call(lambda store: outbox.every(store.db)[0].set["name"]) == "Typed meanwhile"


def test_who_reads_and_writes_meanwhile_waits(session: Session, part: list[Callable[[], object]]) -> None:
    said: list[object] = []
    whole = ready.put_in_place
    threads = [
        threading.Thread(target=lambda: said.append(_names(session))),
        threading.Thread(
            target=lambda: said.append(book.add_all(session, CUSTOMER, [{"name": "Waited for it"}]))
        ),
    ]

    def place(*args: Any) -> bool:
        for each in threads:
            each.start()
        return whole(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ready, "put_in_place", place)
        assert ready_road.take(session, LINE, 0)
    for each in threads:
        each.join(30)
        assert not each.is_alive()
    assert len(said) == 2
    assert {"Waited for it", "Of the part 7"} <= _names(session)


def test_a_lock_meanwhile_ends_it(session: Session, part: list[Callable[[], object]]) -> None:
    before = session.profile.store.stat().st_size
    part.append(session.lock)
    with pytest.raises(Locked):
        ready_road.take(session, LINE, 0)
    assert not session.profile.store_coming.exists()
    session.unlock()
    assert "Of the part 7" not in _names(session)
    assert session.profile.store.stat().st_size == before


def test_a_part_that_came_to_nothing_leaves_the_store(
    session: Session, part: list[Callable[[], object]]
) -> None:
    def lost() -> None:
        raise fetching.Dropped("")

    before = _names(session)
    part.append(lost)
    assert ready_road.take(session, LINE, 0) == 0
    assert _names(session) == before
    assert book.add_all(session, CUSTOMER, [{"name": "Goes on"}])
    assert not session.profile.store_coming.exists()


def test_a_part_behind_what_was_read_is_left(session: Session, part: list[Callable[[], object]]) -> None:
    assert ready_road.take(session, LINE, 2**40) == 0
    assert "Of the part 7" not in _names(session)
