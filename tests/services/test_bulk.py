"""The bulk process: rows are written beside the window's process, and whatever ends it, nothing is lost."""

from __future__ import annotations

import datetime as dt
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import Locked, StoreDamaged
from app.keys.secret import SecretBytes
from app.services import doctor
from app.services import records as book
from app.services.bulk.laying import LEAST, PIECE, Laying
from app.services.bulk.process import BulkProcess
from app.services.opening import open_session
from app.services.session import LOCK_UI, Session
from app.store import lists, records, search
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.codec import Raw, pack
from sync.protocol.ids import new_record_id
from sync.protocol.kinds import KINDS
from sync.protocol.messages import Change
from tests.road import ANNA, Town

CUSTOMER = KINDS["customer"]
TODAY = dt.date(2026, 11, 1)


def _rows(count: int, first: int = 0) -> list[Change]:
    return [
        Change(
            kind="customer", id=bytes(new_record_id()), ver=first + n + 1,
            cells={"name": Raw(pack(f"Row {first + n}")), "industry": Raw(pack("贸易" if n % 2 else "Trade"))},
        )
        for n in range(count)
    ]  # fmt: skip


def _answer(session: Session, changes: list[Change]) -> Answer:
    here = session.call(Store.here)
    cursor = here.cursor
    moved = type(cursor)(
        epoch=cursor.epoch, seq=cursor.seq + len(changes), scopes=cursor.scopes, schema=cursor.schema
    )
    return Answer(moved, here.acked_n, here.durable_seq, changes=changes)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _until(true: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        threading.Event().wait(0.02)


def _sound(session: Session) -> None:
    """Doctor finds no fault (the server knows nothing of rows made here), and each waiting op has its sealed copy."""
    assert [each.found for each in doctor.examine(session) if each.level == doctor.FAULT] == []


class Kept(Laying):
    """A laying of a session that can be looked into."""

    def pid(self) -> int:
        assert self._process is not None
        return self._process._process.pid


def _laying(session: Session) -> Kept:
    store = session.store
    return Kept(store.begin_bulk, lambda: store.pen.held(patient=True), store.wrote_beside)


def test_rows_laid_in_beside_are_as_those_laid_in_here(town: Town) -> None:
    answers: list[Any] = []
    changes = _rows(2 * PIECE + 7)
    for beside in (True, False):
        with open_session(town.laptop(ANNA).profile) as session:
            answer = _answer(session, changes)
            replica = session.replica()
            assert replica is not None
            if beside:
                laying = _laying(session)
                assert laying.takes(answer)
                laid, rest = laying.lay(answer)
                assert (laid.received, rest.changes) == (len(changes), [])
                session.run_replica(replica.apply, rest)
                laying.rest()
            else:
                session.run_replica(replica.apply, answer)
            found = [hit.record.title for hit in session.read(search.find, "贸易")]
            page = [(each.id, each.ver, each.values) for each in session.read(lists.page, CUSTOMER).records]
            answers.append(
                (found, page, session.read(lists.count, CUSTOMER), session.call(Store.here).cursor.seq)
            )
            _sound(session)
    assert answers[0] == answers[1]


def test_a_page_that_takes_records_away_is_left_to_the_store(session: Session) -> None:
    laying = _laying(session)
    changes = _rows(LEAST)
    assert laying.takes(_answer(session, changes))
    changes[7] = Change(kind="customer", id=changes[7].id, ver=7, gone="left")
    assert not laying.takes(_answer(session, changes))
    assert not laying.takes(_answer(session, changes[:5]))


def test_a_save_comes_in_between_and_both_stay(session: Session) -> None:
    laying = _laying(session)
    answer = _answer(session, _rows(8 * PIECE))
    said: list[Any] = []
    thread = threading.Thread(target=lambda: said.append(laying.lay(answer)))
    thread.start()
    _until(lambda: session.read(lists.count, CUSTOMER) > 0)
    made = book.add(session, CUSTOMER, {"name": "In between"})
    behind = session.read(lists.count, CUSTOMER)
    thread.join()
    laying.rest()
    assert 0 < behind < 8 * PIECE + 1  # it did not wait for the whole page
    assert session.read(lists.count, CUSTOMER) == 8 * PIECE + 1
    assert session.read(records.get, made.id).waiting
    _sound(session)


@pytest.mark.expected_warnings("the bulk process ended by itself")
def test_a_process_that_is_killed_leaves_its_page_to_the_store(session: Session) -> None:
    laying = _laying(session)
    answer = _answer(session, _rows(6 * PIECE))
    said: list[Any] = []
    thread = threading.Thread(target=lambda: said.append(laying.lay(answer)))
    thread.start()
    _until(lambda: session.read(lists.count, CUSTOMER) > 0)
    os.kill(laying.pid(), signal.SIGKILL)
    thread.join()
    _laid, rest = said[0]
    assert rest.changes
    replica = session.replica()
    assert replica is not None
    session.run_replica(replica.apply, rest)
    assert session.read(lists.count, CUSTOMER) == 6 * PIECE
    _sound(session)


def test_a_lock_ends_it_at_once(session: Session) -> None:
    laying = _laying(session)
    answer = _answer(session, _rows(10 * PIECE))
    thread = threading.Thread(target=lambda: laying.lay(answer))
    thread.start()
    _until(lambda: session.read(lists.count, CUSTOMER) > 0)
    pid = laying.pid()
    session.lock()
    thread.join()
    assert not _lives(pid)
    assert session.stage == LOCK_UI
    with pytest.raises(Locked):
        session.store.begin_bulk()
    session.unlock()
    assert 0 < session.read(lists.count, CUSTOMER) <= 10 * PIECE
    _sound(session)
    laying.rest()
    assert laying.lay(_answer(session, _rows(LEAST)))[1].changes == []  # and it works again
    laying.rest()


def test_it_ends_with_whoever_began_it(session: Session) -> None:
    process = session.store.begin_bulk()
    pid = process._process.pid
    process._to.close()  # as when this process is no more
    _until(lambda: not process.lives)
    assert not _lives(pid)
    process.end()


def test_its_key_is_nowhere_to_be_read(session: Session) -> None:
    process = session.store.begin_bulk()
    folder = Path(f"/proc/{process._process.pid}")
    with session.store._key() as key:
        digits = bytes(key.to_hex())
        raw = bytes(key.view)
    seen = (folder / "cmdline").read_bytes()
    assert digits not in seen and raw not in seen
    assert b"app.services.bulk" in seen
    if os.geteuid():  # its memory is closed to others of the same person, as the window's is
        assert (folder / "environ").stat().st_uid == 0
    process.end()


def test_a_key_that_does_not_fit_is_told(session: Session) -> None:
    session.call(Store.here)
    with pytest.raises(StoreDamaged), SecretBytes.random(32) as other:
        BulkProcess(session.profile, other, session.papers.held.root.recovery)
