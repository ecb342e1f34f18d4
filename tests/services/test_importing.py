"""Imports as the window asks for them, by the bulk process: all or nothing, whatever ends them."""

from __future__ import annotations

import csv
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

from app.changes import Changes
from app.errors import AppError, Stopped
from app.services import doctor, sealed_work
from app.services import records as book
from app.services.bulk.pipe import Ended, Told
from app.services.bulk.process import BulkProcess
from app.services.exchange.progress import Progress, Stage
from app.services.importing import Importing
from app.services.opening import open_session
from app.services.session import Session
from app.services.syncing import Syncing
from app.store import begun, lists
from app.store.store import Store
from sync.protocol.kinds import KINDS
from tests.road import BEN, Laptop, Town

CUSTOMER = KINDS["customer"]
TODAY = dt.date(2026, 11, 1)


def _customers(file: Path, count: int) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("Customer name", "Industry", "Phone"))
        writer.writerows((f"Imported {n}", "Trade", f"+49 30 {n:07}") for n in range(count))
    return file


def _sound(session: Session) -> None:
    """Doctor finds no fault (the server knows nothing of rows made here), and each waiting op has its sealed copy."""
    assert [
        each.found for each in doctor.examine(session, doctor.AtWork()) if each.level == doctor.FAULT
    ] == []


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
@pytest.mark.parametrize("part", [0.0, 0.3, 1.0])
def test_an_import_that_is_killed_leaves_nothing(session: Session, tmp_path: Path, part: float) -> None:
    book.add(session, CUSTOMER, {"name": "Before it"})
    importing = Importing(session, [_customers(tmp_path / "customers.csv", 6_000)], TODAY, "EUR")
    importing.plan(Progress())
    progress = Dying(importing, part)
    with pytest.raises(Stopped):
        importing.bring(progress)
    assert progress.killed
    assert session.read(lists.count, CUSTOMER) == 1
    book.add(session, CUSTOMER, {"name": "After it"})
    _sound(session)
    assert session.call(Store.unsent) == 2


class Dying(Progress):
    """Kills the process once it is so far; at the whole, it has written all and not committed yet."""

    def __init__(self, importing: Importing, part: float) -> None:
        super().__init__()
        self._importing, self._part, self.killed = importing, part, False

    def __call__(self, stage: Any, at: int, total: int) -> None:
        if at >= self._part * total and not self.killed:
            process = self._importing._process
            assert process is not None
            os.kill(process._process.pid, signal.SIGKILL)
            self.killed = True


def test_an_import_that_was_broken_off_is_remembered_until_somebody_knows(
    laptop: Laptop, tmp_path: Path
) -> None:
    file = _customers(tmp_path / "customers.csv", 20_000)
    with open_session(laptop.profile) as session:
        importing = Importing(session, [file], TODAY, "EUR")
        importing.plan(Progress())
        assert session.read(begun.imports) == []
        _locked_meanwhile(session, importing)
    with open_session(laptop.profile) as session:
        session.unlock()
        assert (session.read(begun.imports), session.read(lists.count, CUSTOMER)) == ([file], 0)
        again = Importing(session, [_customers(file, 10)], TODAY, "EUR")
        again.plan(Progress())
        assert again.bring(Progress()).total("added") == 10
        assert session.read(begun.imports) == []


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
    _locked_meanwhile(session, importing)
    session.unlock()
    assert session.read(lists.count, CUSTOMER) == 0
    _sound(session)


def test_what_a_broken_off_import_has_sealed_is_no_lost_work(
    session: Session, town: Town, tmp_path: Path
) -> None:
    """At the next opening nothing is set aside for IT, and what was numbered before stays so."""
    book.add(session, CUSTOMER, {"name": "Before it"})
    incarnation = session.call(Store.here).incarnation
    importing = Importing(session, [_customers(tmp_path / "customers.csv", 6_000)], TODAY, "EUR")
    importing.plan(Progress())
    locking = threading.Thread(target=session.lock)
    with pytest.raises(AppError):
        importing.bring(Locking(locking, lambda: not session.store.may_begin_bulk))
    locking.join()
    session.unlock()
    assert session.call(Store.here).incarnation == incarnation
    assert sealed_work.set_aside(session.profile) == 0
    _sound(session)


class Locking(Progress):
    """Has the store locked once all is written and nothing committed."""

    def __init__(self, locking: threading.Thread, gone: Callable[[], bool]) -> None:
        super().__init__()
        self._locking, self._gone = locking, gone

    def __call__(self, stage: Any, at: int, total: int) -> None:
        super().__call__(stage, at, total)
        if stage is Stage.WRITING and at == total:
            self._locking.start()
            until = time.monotonic() + 30
            while not self._gone():
                assert time.monotonic() < until
                threading.Event().wait(0.02)


@pytest.mark.expected_warnings("the bulk process ended by itself")
def test_an_import_that_is_in_says_so_though_its_word_was_lost(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    importing = Importing(session, [_customers(tmp_path / "customers.csv", 10)], TODAY, "EUR")
    importing.plan(Progress())
    turn = session.store.turns()["customer"]
    real = BulkProcess._heard

    def lost(process: BulkProcess, silence_s: float) -> Any:
        answer = real(process, silence_s)
        if isinstance(answer, Told):
            raise Ended
        return answer

    monkeypatch.setattr(BulkProcess, "_heard", lost)
    brought = importing.bring(Progress())
    assert (brought.done, brought.total("added")) == (True, 10)
    assert session.store.turns()["customer"] != turn
    assert session.read(lists.count, CUSTOMER) == 10
    _sound(session)


def test_a_file_whose_name_is_no_text_comes_in(session: Session, tmp_path: Path) -> None:
    file = _customers(tmp_path / os.fsdecode(b"M\xfcller.csv"), 10)
    importing = Importing(session, [file], TODAY, "EUR")
    (told,) = importing.plan(Progress()).files
    assert told.file.startswith("M") and told.file.endswith("ller.csv")
    assert importing.bring(Progress()).total("added") == 10


def test_without_a_process_it_is_done_here(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-such-python"))
    importing = Importing(session, [_customers(tmp_path / "customers.csv", 700)], TODAY, "EUR")
    assert importing.plan(Progress()).total("added") == 700
    assert importing.bring(Progress()).total("added") == 700
    assert session.read(lists.count, CUSTOMER) == 700
    _sound(session)


def _locked_meanwhile(session: Session, importing: Importing) -> None:
    """The store is locked while the import is being brought in, which then fails."""
    begin, said = threading.Event(), list[BaseException]()

    def bring() -> None:
        try:
            importing.bring(Said(begin))
        except AppError as problem:
            said.append(problem)

    thread = threading.Thread(target=bring)
    thread.start()
    assert begin.wait(30)
    session.lock()
    thread.join()
    assert said
