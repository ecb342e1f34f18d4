"""The bulk process: rows and imports are written beside the window's process, and whatever ends it, nothing is lost."""

from __future__ import annotations

import csv
import datetime as dt
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.changes import Changes
from app.errors import AppError, Locked, Stopped, StoreDamaged
from app.keys.secret import SecretBytes
from app.services import doctor
from app.services import records as book
from app.services.bulk.laying import LEAST, PIECE, Laying
from app.services.bulk.process import BulkProcess
from app.services.exchange.progress import Progress
from app.services.importing import Importing
from app.services.opening import open_session
from app.services.session import LOCK_UI, Session
from app.services.syncing import Syncing
from app.store import lists, records, search
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.codec import Raw, pack
from sync.protocol.ids import new_record_id
from sync.protocol.kinds import KINDS
from sync.protocol.messages import Change
from tests.road import ANNA, BEN, Laptop, Town

CUSTOMER = KINDS["customer"]
TODAY = dt.date(2026, 11, 1)


@pytest.fixture
def laptop(town: Town) -> Laptop:
    """A laptop of its own."""
    return town.laptop(ANNA)


@pytest.fixture
def session(laptop: Laptop) -> Iterator[Session]:
    """Its open session."""
    with open_session(laptop.profile) as opened:
        yield opened


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


def _customers(file: Path, count: int) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("Customer name", "Industry", "Phone"))
        writer.writerows((f"Imported {n}", "Trade", f"+49 30 {n:07}") for n in range(count))
    return file


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


# --- imports -------------------------------------------------------------------------------------------


def test_an_import_comes_in_whole_and_is_sent(town: Town, session: Session, tmp_path: Path) -> None:
    importing = Importing(session, [_customers(tmp_path / "customers.csv", 700)], TODAY, "EUR")
    heard: list[Changes] = []
    session.bus.subscribe(heard.append)
    planned = importing.plan(Progress())
    assert (planned.total("added"), session.read(lists.count, CUSTOMER)) == (700, 0)
    before = book.add(session, KINDS["task"], {"subject": "Before it"})
    brought = importing.bring(Progress())
    assert (brought.done, brought.total("added"), heard[-1].records) == (True, 700, ())
    after = book.add(session, CUSTOMER, {"name": "After it"})
    assert session.read(lists.count, CUSTOMER) == 701
    assert session.call(Store.unsent) == 702
    _sound(session)
    syncing = Syncing(session)
    assert syncing.round().sent == 702
    syncing.close()
    _sound(session)
    other = town.laptop(BEN)
    other.sync()
    held = other.holds()
    assert {"Imported 0", "Imported 699", "After it"} <= {each["name"] for each in held.values()}
    assert before.id != after.id


def test_an_import_that_is_stopped_leaves_nothing(session: Session, tmp_path: Path) -> None:
    importing = Importing(session, [_customers(tmp_path / "customers.csv", 3_000)], TODAY, "EUR")
    importing.plan(Progress())
    progress = Progress()
    progress.stop()
    with pytest.raises(Stopped, match="Nothing was imported"):
        importing.bring(progress)
    assert session.read(lists.count, CUSTOMER) == 0
    book.add(session, KINDS["task"], {"subject": "After it"})
    _sound(session)
    assert importing.bring(Progress()).total("added") == 3_000  # and it may be begun again
    assert session.read(lists.count, CUSTOMER) == 3_000
    _sound(session)


@pytest.mark.expected_warnings("the bulk process ended by itself")
@pytest.mark.parametrize("nth", [0, 1, 3])
def test_an_import_that_is_killed_leaves_nothing(session: Session, tmp_path: Path, nth: int) -> None:
    book.add(session, CUSTOMER, {"name": "Before it"})
    importing = Importing(session, [_customers(tmp_path / "customers.csv", 6_000)], TODAY, "EUR")
    importing.plan(Progress())
    progress = Dying(importing, nth)
    with pytest.raises(Stopped):
        importing.bring(progress)
    assert progress.killed
    assert session.read(lists.count, CUSTOMER) == 1
    book.add(session, CUSTOMER, {"name": "After it"})
    _sound(session)
    assert session.call(Store.unsent) == 2


class Dying(Progress):
    """Kills the process at the nth word of how far it is."""

    def __init__(self, importing: Importing, nth: int) -> None:
        super().__init__()
        self._importing, self._nth, self.killed = importing, nth, False

    def __call__(self, stage: Any, at: int, total: int) -> None:
        self._nth -= 1
        if self._nth < 0 and not self.killed:
            process = self._importing._process
            assert process is not None
            os.kill(process._process.pid, signal.SIGKILL)
            self.killed = True


def test_files_are_compared_again_once_records_came(session: Session, tmp_path: Path) -> None:
    importing = Importing(session, [_customers(tmp_path / "customers.csv", 10)], TODAY, "EUR")
    assert importing.plan(Progress()).total("added") == 10
    book.add(session, CUSTOMER, {"name": "Imported 3"})
    brought = importing.bring(Progress())
    assert (brought.total("added"), brought.total("updated")) == (9, 1)
    assert session.read(lists.count, CUSTOMER) == 10
    _sound(session)


def test_files_that_changed_since_bring_nothing(session: Session, tmp_path: Path) -> None:
    importing = Importing(session, [_customers(tmp_path / "customers.csv", 10)], TODAY, "EUR")
    importing.plan(Progress())
    book.add(session, CUSTOMER, {"name": "Imported 3"})
    _customers(tmp_path / "customers.csv", 11)
    with pytest.raises(AppError, match="the files changed"):
        importing.bring(Progress())
    assert session.read(lists.count, CUSTOMER) == 1
    importing.close()


def test_closing_waits_for_an_import_that_is_being_brought_in(laptop: Laptop, tmp_path: Path) -> None:
    with open_session(laptop.profile) as session:
        importing = Importing(session, [_customers(tmp_path / "customers.csv", 2_000)], TODAY, "EUR")
        importing.plan(Progress())
        begun = threading.Event()
        progress = Said(begun)
        thread = threading.Thread(target=lambda: importing.bring(progress))
        thread.start()
        assert begun.wait(30)
    thread.join()
    with open_session(laptop.profile) as session:
        assert session.read(lists.count, CUSTOMER) == 2_000
        _sound(session)


class Said(Progress):
    """Says that it has begun."""

    def __init__(self, begun: threading.Event) -> None:
        super().__init__()
        self._begun_event = begun

    def __call__(self, stage: Any, at: int, total: int) -> None:
        super().__call__(stage, at, total)
        self._begun_event.set()


def test_a_lock_breaks_an_import_off(session: Session, tmp_path: Path) -> None:
    importing = Importing(session, [_customers(tmp_path / "customers.csv", 20_000)], TODAY, "EUR")
    importing.plan(Progress())
    begun, said = threading.Event(), list[BaseException]()

    def bring() -> None:
        try:
            importing.bring(Said(begun))
        except AppError as problem:
            said.append(problem)

    thread = threading.Thread(target=bring)
    thread.start()
    assert begun.wait(30)
    session.lock()
    thread.join()
    assert said
    session.unlock()
    assert session.read(lists.count, CUSTOMER) == 0
    _sound(session)


def test_a_key_that_does_not_fit_is_told(session: Session) -> None:
    session.call(Store.here)
    with pytest.raises(StoreDamaged), SecretBytes.random(32) as other:
        BulkProcess(session.profile, other, session.papers.held.root.recovery)
