"""Pages that are laid in beside a session: their rows, who lays them in, and one that stands still in the midst."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from app.services import doctor
from app.services.bulk.laying import Laying
from app.services.bulk.pipe import Commit, Lay, Request
from app.services.bulk.process import BulkProcess
from app.services.session import Session
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.codec import Raw, pack
from sync.protocol.ids import new_record_id
from sync.protocol.messages import Change


def rows_of(count: int, first: int = 0) -> list[Change]:
    """New customers as a page brings them."""
    return [
        Change(
            kind="customer", id=bytes(new_record_id()), ver=first + n + 1,
            cells={"name": Raw(pack(f"Row {first + n}")), "industry": Raw(pack("贸易" if n % 2 else "Trade"))},
        )
        for n in range(count)
    ]  # fmt: skip


def answer_of(session: Session, changes: list[Change]) -> Answer:
    """The next page, of these rows."""
    here = session.call(Store.here)
    cursor = here.cursor
    moved = type(cursor)(
        epoch=cursor.epoch, seq=cursor.seq + len(changes), scopes=cursor.scopes, schema=cursor.schema
    )
    return Answer(moved, here.acked_n, here.durable_seq, changes=changes)


def lives(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        threading.Event().wait(0.02)


def sound(session: Session) -> None:
    """Doctor finds no fault (the server knows nothing of rows made here), and each waiting op has its sealed copy."""
    assert [
        each.found for each in doctor.examine(session, doctor.AtWork()) if each.level == doctor.FAULT
    ] == []


class Kept(Laying):
    """A laying of a session that can be looked into."""

    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process._process.pid


def laying_of(session: Session) -> Kept:
    """One round of a session."""
    store = session.store
    return Kept(store.begin_bulk, store.pen, store.wrote_beside)


class Paused:
    """Stands still once the first rows of a transaction are laid in and not committed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, go_on: Callable[[], bool], pages: int = 0) -> None:
        """`go_on` lets it go on; `pages` are those that go through before."""
        self.asked: list[Request] = []
        self.reached = threading.Event()
        real = BulkProcess.ask

        def ask(process: BulkProcess, request: Any, told: Any = None, **named: Any) -> Any:
            self.asked.append(request)
            answer = real(process, request, told, **named)
            commits = sum(isinstance(each, Commit) for each in self.asked)
            if isinstance(request, Lay) and commits == pages and not self.reached.is_set():
                self.reached.set()
                until(go_on)
            return answer

        monkeypatch.setattr(BulkProcess, "ask", ask)

    def behind(self, work: Callable[[], object]) -> threading.Thread:
        """`work` in a thread of its own, once it stands still."""
        thread = threading.Thread(target=work)
        thread.start()
        assert self.reached.wait(30)
        return thread
