"""Pages laid in beside the window's process: one transaction with their end, unless somebody waits or it is cut off."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import msgspec
import pytest

from app.errors import Locked, NoSpace
from app.services import records as book
from app.services.bulk.laying import LEAST, MOST, PIECE
from app.services.bulk.pipe import Commit, Lay
from app.services.bulk.process import BulkProcess
from app.services.session import LOCK_UI, Session
from app.store import lists, records
from app.store.store import Store
from sync.protocol.kinds import KINDS
from sync.protocol.merge import Conflict
from tests.services.pages import Paused, answer_of, laying_of, lives, rows_of, sound, until

CUSTOMER = KINDS["customer"]


def test_how_far_was_read_comes_with_the_rows_where_nothing_else_is_to_be_said(session: Session) -> None:
    laying = laying_of(session)
    answer = answer_of(session, rows_of(LEAST))
    assert laying.lay(answer)[1] is None
    assert session.call(Store.here).cursor == answer.cursor
    durable = answer.durable_seq + 5
    answer = msgspec.structs.replace(answer_of(session, rows_of(LEAST)), durable_seq=durable)
    rest = laying.lay(answer)[1]  # lets go of work that was taken: the store's own thread waits for the disk
    assert rest == msgspec.structs.replace(answer, changes=[])
    assert session.call(Store.here).cursor != answer.cursor
    assert laying.lay(msgspec.structs.replace(answer, more=True))[1] is None  # it is told again
    here = session.call(Store.here)
    assert (here.cursor, here.durable_seq) == (answer.cursor, durable - 5)
    conflict = Conflict(id=b"c" * 16, kind="customer", record=answer.changes[0].id, cell="name", ver=1)
    rest = laying.lay(msgspec.structs.replace(answer, conflicts=[conflict], more=True))[1]
    assert rest is not None and (rest.changes, rest.conflicts) == ([], [conflict])
    laying.rest()


def test_a_save_comes_in_between_and_both_stay(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who lays rows in commits after the piece under way, and lets the save go first."""
    laying = laying_of(session)
    answer = answer_of(session, rows_of(MOST))
    paused = Paused(monkeypatch, go_on=lambda: session.store.pen.wanted)
    thread = paused.behind(lambda: laying.lay(answer))
    assert session.read(lists.count, CUSTOMER) == 0  # it is in the midst of its transaction
    made = book.add(session, CUSTOMER, {"name": "In between"})
    thread.join()
    laying.rest()
    assert paused.asked[1] == Commit(None)
    assert isinstance(paused.asked[2], Lay)
    assert session.read(lists.count, CUSTOMER) == MOST + 1
    assert session.read(records.get, made.id).waiting
    assert session.call(Store.here).cursor == answer.cursor
    sound(session)


def test_a_page_larger_than_any_is_not_one_transaction(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    laying = laying_of(session)
    answer = answer_of(session, rows_of(MOST + 1))
    paused = Paused(monkeypatch, go_on=lambda: True)
    assert laying.lay(answer)[1] is None
    laying.rest()
    assert [each.end is not None for each in paused.asked if isinstance(each, Commit)] == [False, True]
    assert session.read(lists.count, CUSTOMER) == MOST + 1


@pytest.mark.expected_warnings("the bulk process ended by itself")
def test_a_process_that_is_killed_leaves_its_page_to_the_store(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page before it stays, and how far was read is its end."""
    laying = laying_of(session)
    first = answer_of(session, rows_of(LEAST))
    go = threading.Event()
    paused = Paused(monkeypatch, go_on=go.is_set, pages=1)
    assert laying.lay(first)[1] is None
    answer = answer_of(session, rows_of(3 * PIECE))
    said: list[Any] = []
    thread = paused.behind(lambda: said.append(laying.lay(answer)))
    os.kill(laying.pid(), signal.SIGKILL)
    go.set()
    thread.join()
    laid, rest = said[0]
    assert (laid.received, rest) == (0, answer)
    assert session.read(lists.count, CUSTOMER) == LEAST
    assert session.call(Store.here).cursor == first.cursor
    sound(session)
    book.add(session, CUSTOMER, {"name": "Nobody holds the pen"})
    replica = session.replica()
    assert replica is not None
    session.run_replica(replica.apply, rest)
    assert session.read(lists.count, CUSTOMER) == LEAST + 3 * PIECE + 1
    assert session.call(Store.here).cursor == answer.cursor
    sound(session)


def test_a_lock_ends_it_at_once(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the midst of a transaction, of which nothing stays."""
    laying = laying_of(session)
    first, answer = answer_of(session, rows_of(LEAST)), answer_of(session, rows_of(4 * PIECE))
    go = threading.Event()
    paused = Paused(monkeypatch, go_on=go.is_set, pages=1)
    assert laying.lay(first)[1] is None
    thread = paused.behind(lambda: laying.lay(answer))
    pid = laying.pid()
    locking = threading.Thread(target=session.lock)
    locking.start()
    until(lambda: not lives(pid))
    go.set()
    locking.join()
    thread.join()
    assert session.stage == LOCK_UI
    with pytest.raises(Locked):
        session.store.begin_bulk()
    session.unlock()
    assert session.read(lists.count, CUSTOMER) == LEAST
    assert session.call(Store.here).cursor == first.cursor
    sound(session)
    laying.rest()
    assert laying.lay(answer_of(session, rows_of(LEAST)))[1] is None  # and it works again
    laying.rest()


def test_a_store_that_closes_has_what_was_laid_in(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a whole page, and no piece of it is done twice."""
    laying = laying_of(session)
    answer = answer_of(session, rows_of(MOST))
    paused = Paused(monkeypatch, go_on=lambda: session.store.pen.wanted)
    thread = paused.behind(lambda: laying.lay(answer))
    session.store.shut()
    thread.join()
    session.store.reopen()
    assert session.read(lists.count, CUSTOMER) == PIECE
    laying.rest()
    sound(session)


def test_what_cannot_be_laid_in_holds_nobody_up(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in the midst of a transaction: nothing of it stays, and whoever saves next does not wait."""
    laying = laying_of(session)
    answer = answer_of(session, rows_of(3 * PIECE))
    real = BulkProcess.ask

    def ask(process: BulkProcess, request: Any, told: Any = None, **named: Any) -> Any:
        if isinstance(request, Lay) and request.changes[0].id == answer.changes[PIECE].id:
            raise NoSpace("", "")
        return real(process, request, told, **named)

    monkeypatch.setattr(BulkProcess, "ask", ask)
    with pytest.raises(NoSpace):
        laying.lay(answer)
    book.add(session, CUSTOMER, {"name": "Saved"})
    assert session.read(lists.count, CUSTOMER) == 1
    monkeypatch.undo()
    assert laying.lay(answer)[1] is None
    laying.rest()
    assert session.read(lists.count, CUSTOMER) == 3 * PIECE + 1
    sound(session)
