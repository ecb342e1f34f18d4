"""The bulk process: rows are written beside the window's process, and whatever ends it, nothing is lost."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import AppError, Locked, StoreDamaged
from app.keys.secret import SecretBytes
from app.paths import Profile
from app.services import doctor
from app.services import records as book
from app.services.bulk import laying as laying_room
from app.services.bulk.laying import LEAST, PIECE, Laying
from app.services.bulk.pipe import Ended
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
    assert [
        each.found for each in doctor.examine(session, doctor.AtWork()) if each.level == doctor.FAULT
    ] == []


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
    process = BulkProcess(session.profile)
    with pytest.raises(StoreDamaged), SecretBytes.random(32) as other:
        process.open(other, session.papers.held.root.recovery)
    assert not process.lives


def test_a_lock_waits_for_no_process_that_is_starting(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that hangs before it has opened anything."""
    session.call(Store.here)
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 300\n")
    slow.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(slow))
    said: list[BaseException] = []

    def begin() -> None:
        try:
            session.store.begin_bulk()
        except AppError as problem:
            said.append(problem)

    thread = threading.Thread(target=begin)
    thread.start()
    _until(lambda: bool(session.store._begun))
    (process,) = session.store._begun
    session.lock()
    thread.join(30)
    assert said and not process.lives and not thread.is_alive()
    assert session.stage == LOCK_UI


@pytest.mark.expected_warnings("the bulk process ended by itself")
def test_one_that_says_nothing_any_more_is_ended(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laying_room, "SILENCE_S", 0.5)
    laying = _laying(session)
    assert laying.lay(_answer(session, _rows(LEAST)))[1].changes == []
    os.kill(laying.pid(), signal.SIGSTOP)
    answer = _answer(session, _rows(2 * PIECE))
    _laid, rest = laying.lay(answer)
    assert rest.changes == answer.changes
    replica = session.replica()
    assert replica is not None
    session.run_replica(replica.apply, rest)
    assert session.read(lists.count, CUSTOMER) == LEAST + 2 * PIECE
    _sound(session)


@pytest.mark.expected_warnings("the bulk process ended by itself")
def test_rows_whose_word_was_lost_count_as_come(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """It dies between the commit and its answer: who remembers names has to look again."""
    laying = _laying(session)
    laying.lay(_answer(session, _rows(LEAST)))
    turn = session.store.turns()["customer"]
    real = BulkProcess._heard

    def lost(process: BulkProcess, silence_s: float) -> Any:
        real(process, silence_s)
        raise Ended

    monkeypatch.setattr(BulkProcess, "_heard", lost)
    _laid, rest = laying.lay(_answer(session, _rows(LEAST)))
    assert len(rest.changes) == LEAST
    assert session.store.turns()["customer"] != turn
    assert session.read(lists.count, CUSTOMER) == 2 * LEAST


def test_a_profile_whose_name_is_no_text_is_served(town: Town, tmp_path: Path) -> None:
    laptop = town.laptop(ANNA)
    odd = tmp_path / os.fsdecode(b"M\xfcller")
    laptop.folder.rename(odd)
    with open_session(Profile(odd)) as session:
        laying = _laying(session)
        assert laying.lay(_answer(session, _rows(LEAST)))[1].changes == []
        laying.rest()
