"""Acts on many records by the bulk process: done to the record, whatever ends them, and taken back whole."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import tracemalloc
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.errors import AppError, NoSpace
from app.services import acting, doctor, many, sealed_work
from app.services import records as book
from app.services.acting import Act
from app.services.bulk.pipe import Ended, Pieced
from app.services.bulk.process import BulkProcess
from app.services.many import Asked, Doer, Outcome
from app.services.opening import open_session
from app.services.session import Session
from app.services.syncing import Syncing
from app.store import begun, bulk, narrowing
from app.store.bulk import Selection, Setting
from app.store.filters import ALL, Asks, Condition, Filter
from app.store.rowset import RowSet
from app.store.store import Store
from tests.road import BEN, Laptop, Town
from tests.services.pieces import (
    COUNT,
    CUSTOMER,
    NORTH,
    SPARED,
    everyone,
    fill,
    in_small_pieces,
    pid_of,
    territories,
    to_the_end,
)


def sound(session: Session) -> None:
    """Doctor finds no fault, each waiting op has its sealed copy, and nothing passes for lost work."""
    assert [
        each.found for each in doctor.examine(session, doctor.AtWork()) if each.level == doctor.FAULT
    ] == []
    assert sealed_work.set_aside(session.profile) == 0


def undoing(outcome: Outcome) -> Asked:
    return acting.undoing(CUSTOMER, outcome.spans, outcome.changed)


@pytest.fixture
def filled(session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    in_small_pieces(monkeypatch)
    fill(session)
    yield session


BEFORE = {"South": COUNT // 2, "East": COUNT // 2}
SPARE = {"South": 4, "East": 3}
AFTER = {**SPARE, "North": COUNT - SPARED}


def test_all_of_it_is_done_beside_and_taken_back_and_the_server_gets_it(filled: Session, town: Town) -> None:
    act = Act(filled, acting.doing(everyone(filled), NORTH))
    assert act.large and act.kept
    done = to_the_end(act)
    assert (done.at, done.changed, done.same, done.left) == (COUNT - SPARED, COUNT - SPARED, 0, {})
    assert territories(filled) == AFTER
    assert filled.read(many.broken_off) is None
    sound(filled)
    syncing = Syncing(filled)
    while filled.call(Store.unsent):
        syncing.round()
    undone = to_the_end(Act(filled, undoing(done)))  # from the archive by now
    assert (undone.changed, undone.same) == (COUNT - SPARED, 0)
    assert territories(filled) == BEFORE
    while filled.call(Store.unsent):
        syncing.round()
    syncing.close()
    sound(filled)
    other = town.laptop(BEN)
    other.sync()
    with open_session(other.profile) as session:
        there = territories(session)
    assert there["South"] >= BEFORE["South"] and "North" not in there


@pytest.mark.parametrize("setting", [Setting("tags", ["new"]), Setting("owner", None), None])
def test_tags_owners_and_deletions_go_the_same_way(filled: Session, setting: Setting | None) -> None:
    south = Filter((Condition("territory", Asks.IS, ("South",)),))
    before = filled.call(Store.counts)["customer"]
    turn = filled.store.turns()["customer"]
    asked = everyone(filled, south)
    done = to_the_end(Act(filled, acting.doing(asked, setting)))
    assert done.changed == asked.count >= COUNT // 2 - SPARED
    if setting is None:
        assert filled.call(Store.counts)["customer"] == before - done.changed
        assert filled.store.turns()["customer"] != turn
    undone = to_the_end(Act(filled, undoing(done)))
    assert undone.changed == done.changed
    assert filled.call(Store.counts)["customer"] == before
    sound(filled)


def test_a_save_comes_in_between_and_undo_leaves_it(filled: Session) -> None:
    act = Act(filled, acting.doing(everyone(filled), NORTH))
    saved: list[bytes] = []

    def save(outcome: Outcome) -> None:
        if outcome.at > 300 and not saved:
            saved.append(book.add(filled, CUSTOMER, {"name": "Meanwhile"}).id)
            rows = filled.call(lambda store: store.db.all("SELECT _id FROM record_customer WHERE _rowid = 9"))
            book.edit(filled, rows[0][0], {"territory": "Elsewhere"})

    done = to_the_end(act, save)
    assert (len(done.spans), done.changed) == (2, COUNT - SPARED)
    undone = to_the_end(Act(filled, undoing(done)))
    assert (undone.changed, undone.same) == (COUNT - SPARED - 1, 1)
    assert territories(filled) == {"South": 1199, "East": 1200, "Elsewhere": 1, None: 1}
    sound(filled)


@pytest.mark.expected_warnings("the bulk process ended by itself")
def test_a_process_that_is_killed_is_done_without(filled: Session) -> None:
    act = Act(filled, acting.doing(everyone(filled), NORTH))
    killed: list[int] = []

    def kill(outcome: Outcome) -> None:
        if outcome.at > 200 and not killed:
            killed.append(pid_of(act))
            os.kill(killed[0], signal.SIGKILL)

    done = to_the_end(act, kill)
    assert killed and (done.at, done.changed, done.same) == (COUNT - SPARED, COUNT - SPARED, 0)
    assert territories(filled) == AFTER
    to_the_end(Act(filled, undoing(done)))
    assert territories(filled) == BEFORE
    sound(filled)


@pytest.mark.expected_warnings("the bulk process ended by itself")
def test_a_piece_whose_word_was_lost_is_not_done_twice(
    filled: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = Act(filled, acting.doing(everyone(filled), NORTH))
    real = BulkProcess._heard
    pieces: list[Any] = []

    def lost(process: BulkProcess, silence_s: float) -> Any:
        answer = real(process, silence_s)
        pieces.extend([answer] if isinstance(answer, Pieced) else [])
        if len(pieces) == 3:
            raise Ended
        return answer

    monkeypatch.setattr(BulkProcess, "_heard", lost)
    done = to_the_end(act)
    assert (done.at, done.changed, done.same) == (COUNT - SPARED, COUNT - SPARED, 0)
    assert len(done.spans) == 1
    sound(filled)


@pytest.mark.expected_warnings("the bulk process ended by itself")
def test_one_that_says_nothing_any_more_is_ended(filled: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    act = Act(filled, acting.doing(everyone(filled), NORTH))
    stopped: list[int] = []

    def stop(outcome: Outcome) -> None:
        if outcome.at > 100 and not stopped:
            monkeypatch.setattr(acting, "SILENCE_S", 0.5)
            stopped.append(pid_of(act))
            os.kill(stopped[0], signal.SIGSTOP)

    assert to_the_end(act, stop).changed == COUNT - SPARED
    assert stopped and territories(filled) == AFTER
    sound(filled)


def test_without_a_process_it_is_done_here(
    filled: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-such-python"))
    act = Act(filled, acting.doing(everyone(filled), NORTH))
    seen: list[int] = []

    def look(outcome: Outcome) -> None:
        found = filled.read(many.broken_off)
        seen.append(found[1].at if found is not None else -1)
        assert seen[-1] == outcome.at

    assert to_the_end(act, look).changed == COUNT - SPARED
    assert len(seen) > 1 and territories(filled) == AFTER
    sound(filled)


def test_a_lock_cuts_it_off_and_it_goes_on_where_it_was(filled: Session) -> None:
    act = Act(filled, acting.doing(everyone(filled), NORTH))
    locking = threading.Thread(target=filled.lock)

    def lock(outcome: Outcome) -> None:
        if outcome.at > 300 and not locking.ident:
            locking.start()

    with pytest.raises(AppError):
        to_the_end(act, lock)
    locking.join()
    assert act._process is not None and not act._process.lives
    filled.unlock()
    found = filled.read(many.broken_off)
    assert found is not None
    asked, cut = found
    assert 300 < cut.at < COUNT - SPARED
    assert territories(filled)["North"] == cut.changed == cut.at
    sound(filled)
    done = to_the_end(Act(filled, asked, cut))
    assert (done.at, done.changed, done.same) == (COUNT - SPARED, COUNT - SPARED, 0)
    assert territories(filled) == AFTER
    assert filled.read(many.broken_off) is None
    to_the_end(Act(filled, undoing(done)))
    assert territories(filled) == BEFORE
    sound(filled)


@pytest.mark.parametrize("undo", [False, True])
def test_a_window_that_is_killed_half_way_is_told_how_far_it_came(laptop: Laptop, undo: bool) -> None:
    with open_session(laptop.profile) as session:
        fill(session)
        asked = acting.doing(everyone(session), NORTH)
        if undo:
            asked = undoing(to_the_end(Act(session, asked)))
        session.call(many.keep, asked, Outcome())
    assert laptop.act("go_on", at=700).code == -signal.SIGKILL
    with open_session(laptop.profile) as session:
        found = session.read(many.broken_off)
        assert found is not None
        cut = found[1]
        assert 700 <= cut.at < COUNT - SPARED
        north = territories(session)["North"]
        assert cut.changed == (COUNT - SPARED - north if undo else north)
        assert [
            each.found for each in doctor.examine(session, doctor.AtWork()) if each.level == doctor.FAULT
        ] == []
        done = to_the_end(Act(session, *found))
        assert (done.at, done.changed) == (COUNT - SPARED, COUNT - SPARED)
        assert territories(session) == (BEFORE if undo else AFTER)


def test_what_is_taken_back_in_place_of_going_on_is_told_no_more(filled: Session) -> None:
    act = Act(filled, acting.doing(everyone(filled), NORTH))
    act.begin()
    for _piece in range(4):
        act.piece()
    act.end(whole=False, forget=False)
    found = filled.read(many.broken_off)
    assert found is not None and 0 < found[1].changed <= many.MANY
    small = Act(filled, undoing(found[1]))
    assert not small.kept
    to_the_end(small)
    assert filled.read(many.broken_off) is None
    assert territories(filled) == BEFORE


def test_a_full_disk_leaves_whole_pieces_and_it_goes_on_later(
    filled: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-such-python"))
    real = Store.writing
    act = Act(filled, acting.doing(everyone(filled), NORTH))

    def full(store: Store) -> Any:
        if act.outcome.at > 500:
            raise NoSpace("full", "make room")
        return real(store)

    monkeypatch.setattr(Store, "writing", full)
    with pytest.raises(NoSpace):
        to_the_end(act)
    act.end(whole=False, forget=False)
    monkeypatch.undo()
    found = filled.read(many.broken_off)
    assert found is not None
    assert found[1].at == territories(filled)["North"] == act.outcome.at
    assert to_the_end(Act(filled, *found)).changed == COUNT - SPARED
    sound(filled)


def test_a_small_act_stays_here_and_is_not_remembered(session: Session) -> None:
    fill(session, 50)
    act = Act(session, acting.doing(everyone(session), NORTH))
    assert not (act.large or act.kept)
    assert to_the_end(act, lambda _outcome: None).changed == 50 - SPARED
    assert act._process is None and session.read(begun.act) is None


def test_what_a_newer_program_has_begun_is_let_be(session: Session) -> None:
    session.call(begun.keep_act, b"\x81\xa4type\xa5Later", b"\x80")
    assert session.read(many.broken_off) is None


@pytest.mark.parametrize("deed", [NORTH, None])
def test_memory_does_not_grow_with_the_records(
    filled: Session, deed: bulk.Deed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is held between pieces is the same after the first few hundred records and after all of them."""
    asked = acting.doing(everyone(filled), deed)
    monkeypatch.setattr(narrowing, "SPAN", 200)

    def work(store: Store) -> tuple[list[int], int]:
        doer = Doer(filled.profile, asked, Outcome(), kept=True)
        many.keep(store, asked, Outcome())
        held: list[int] = []
        looked_up = 0
        while doer.piece(store, 100) is not None:
            looked_up = max(looked_up, len(doer._found))
            if doer.outcome.at > 500 and not tracemalloc.is_tracing():
                tracemalloc.start()
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        return held, looked_up

    held, looked_up = filled.call(work)
    assert len(held) > 20 and looked_up <= 200
    assert (held[-1] - held[10]) / (COUNT - SPARED - 1_000) < 30  # bytes a record; an id alone takes 57


def test_a_selection_travels(filled: Session) -> None:
    asked = Selection(CUSTOMER, False, RowSet(array("q", (3, 5, 2_000))), ALL, 2_400, 3)
    back = many.chosen(asked).selection()
    assert list(back.rows.after(0, 10)) == [3, 5, 2_000]
    assert (back.kind, back.every, back.last, back.count) == (CUSTOMER, False, 2_400, 3)
