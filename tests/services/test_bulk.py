"""The bulk process: rows are written beside the window's process, and whatever ends it, nothing is lost."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from app.errors import AppError, StoreDamaged
from app.keys.secret import SecretBytes
from app.paths import Profile
from app.services.bulk import laying as laying_room
from app.services.bulk.laying import LEAST, PIECE
from app.services.bulk.pipe import Committed, Ended
from app.services.bulk.process import BulkProcess
from app.services.opening import open_session
from app.services.session import LOCK_UI, Session
from app.store import lists, search
from app.store.store import Store
from sync.protocol.kinds import KINDS
from sync.protocol.messages import Change
from tests.road import ANNA, Town
from tests.services.pages import answer_of, laying_of, lives, rows_of, sound, until

CUSTOMER = KINDS["customer"]


def test_rows_laid_in_beside_are_as_those_laid_in_here(town: Town) -> None:
    answers: list[Any] = []
    changes = rows_of(2 * PIECE + 7)
    for beside in (True, False):
        with open_session(town.laptop(ANNA).profile) as session:
            answer = answer_of(session, changes)
            replica = session.replica()
            assert replica is not None
            if beside:
                laying = laying_of(session)
                assert laying.takes(answer)
                laid, rest = laying.lay(answer)
                assert (laid.received, rest) == (len(changes), None)
                laying.rest()
            else:
                session.run_replica(replica.apply, answer)
            found = [hit.record.title for hit in session.read(search.find, "贸易")]
            page = [(each.id, each.ver, each.values) for each in session.read(lists.page, CUSTOMER).records]
            answers.append(
                (found, page, session.read(lists.count, CUSTOMER), session.call(Store.here).cursor.seq)
            )
            sound(session)
    assert answers[0] == answers[1]


def test_a_page_that_takes_records_away_is_left_to_the_store(session: Session) -> None:
    laying = laying_of(session)
    changes = rows_of(LEAST)
    assert laying.takes(answer_of(session, changes))
    changes[7] = Change(kind="customer", id=changes[7].id, ver=7, gone="left")
    assert not laying.takes(answer_of(session, changes))
    assert not laying.takes(answer_of(session, changes[:5]))


def test_it_ends_with_whoever_began_it(session: Session) -> None:
    process = session.store.begin_bulk()
    pid = process._process.pid
    process._to.close()  # as when this process is no more
    until(lambda: not process.lives)
    assert not lives(pid)
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
    until(lambda: bool(session.store._begun))
    (process,) = session.store._begun
    session.lock()
    thread.join(30)
    assert said and not process.lives and not thread.is_alive()
    assert session.stage == LOCK_UI


@pytest.mark.expected_warnings("the bulk process ended by itself")
def test_one_that_says_nothing_any_more_is_ended(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laying_room, "SILENCE_S", 0.5)
    laying = laying_of(session)
    assert laying.lay(answer_of(session, rows_of(LEAST)))[1] is None
    os.kill(laying.pid(), signal.SIGSTOP)
    answer = answer_of(session, rows_of(2 * PIECE))
    _laid, rest = laying.lay(answer)
    assert rest is not None and rest.changes == answer.changes
    replica = session.replica()
    assert replica is not None
    session.run_replica(replica.apply, rest)
    assert session.read(lists.count, CUSTOMER) == LEAST + 2 * PIECE
    sound(session)


@pytest.mark.expected_warnings("the bulk process ended by itself")
def test_rows_whose_word_was_lost_count_as_come(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """It dies between the commit and its answer: who remembers names has to look again."""
    laying = laying_of(session)
    laying.lay(answer_of(session, rows_of(LEAST)))
    turn = session.store.turns()["customer"]
    real = BulkProcess._heard

    def lost(process: BulkProcess, silence_s: float) -> Any:
        answer = real(process, silence_s)
        if isinstance(answer, Committed):
            raise Ended
        return answer

    monkeypatch.setattr(BulkProcess, "_heard", lost)
    _laid, rest = laying.lay(answer_of(session, rows_of(LEAST)))
    assert rest is not None and len(rest.changes) == LEAST
    assert session.store.turns()["customer"] != turn
    assert session.read(lists.count, CUSTOMER) == 2 * LEAST


def test_a_profile_whose_name_is_no_text_is_served(town: Town, tmp_path: Path) -> None:
    laptop = town.laptop(ANNA)
    odd = tmp_path / os.fsdecode(b"M\xfcller")
    laptop.folder.rename(odd)
    with open_session(Profile(odd)) as session:
        laying = laying_of(session)
        assert laying.lay(answer_of(session, rows_of(LEAST)))[1] is None
        laying.rest()
