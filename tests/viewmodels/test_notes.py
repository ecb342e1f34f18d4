"""A note is safe from its first letter: beside its record, through a lock, and when it cannot be saved."""

from __future__ import annotations

from app.changes import CLOSING, Changes
from app.services.session import Session
from app.store import lists
from app.store.records import Record
from app.store.store import Store
from app.viewmodels.desk import Desk
from app.viewmodels.notes import Unfinished
from sync.protocol.ids import id_text
from sync.protocol.kinds import KINDS
from tests.viewmodels.conftest import Held


def _opened(session: Session, held: Held, unfinished: Unfinished) -> Desk:
    """A workplace that keeps its drafts when the store closes, as the window's does."""
    made = Desk(session, held, unfinished=unfinished)

    def hear(changes: Changes) -> None:
        if changes.origin == CLOSING:
            made.rescue()
        else:
            held.post(lambda: made.heard(changes))

    session.bus.subscribe(hear)
    made.start()
    held.turn()
    return made


def _show(desk: Desk, held: Held, title: str) -> Record:
    titles = [getattr(desk.list.row(at), "title", "") for at in range(desk.list.count())]
    desk.choose(titles.index(title))
    held.turn()
    assert desk.detail is not None
    return desk.detail.record


def _line(desk: Desk) -> tuple[str, str]:
    """What stands in the line of the record that is shown, and beside it."""
    assert desk.detail is not None
    id_ = desk.detail.record.id
    return desk.notes.text(id_), desk.notes.said(id_)


def _activities(session: Session, customer: bytes) -> set[str]:
    where = {"customer": id_text(customer)}
    found = session.call(lambda store: lists.page(store, KINDS["activity"], where=where).records)
    return {each.title for each in found}


def test_a_half_typed_note_stays_with_its_record_and_is_told_as_it_is(session: Session, held: Held) -> None:
    desk = _opened(session, held, {})
    record = _show(desk, held, "Betatech")
    assert _line(desk) == ("", "")
    desk.note("Asked for a qu")
    assert _line(desk) == ("Asked for a qu", "Press Enter to save")
    _show(desk, held, "Condax")
    assert _line(desk) == ("", "")
    _show(desk, held, "Betatech")
    assert _line(desk) == ("Asked for a qu", "Press Enter to save")
    desk.notes.keep(record)
    assert _line(desk) == ("", "Not saved yet")
    held.turn()
    assert _line(desk) == ("", "Saved on this device")
    assert "Asked for a qu" in _activities(session, record.id)
    desk.undo()
    held.turn()
    assert _line(desk) == ("", "")
    assert "Asked for a qu" not in _activities(session, record.id)


def test_a_half_typed_note_outlives_a_lock_in_the_store_and_is_gone_on_with(
    session: Session, held: Held
) -> None:
    unfinished: Unfinished = {}
    desk = _opened(session, held, unfinished)
    record = _show(desk, held, "Betatech")
    before = _activities(session, record.id)
    desk.note("Asked for a qu")
    waiting = session.call(Store.unsent)
    desk.rescue()
    held.turn()  # the page hears of its own rescue while it still stands
    session.lock()
    desk.close()
    held.turn()
    assert desk.notes.text(record.id) == ""
    session.unlock()
    assert session.call(Store.unsent) == waiting + 1  # it goes out, or comes back after a wipe, with all else

    desk = _opened(session, held, unfinished)
    _show(desk, held, "Betatech")
    assert _line(desk) == ("Asked for a qu", "Saved on this device")
    desk.note("Asked for a quote")
    assert _line(desk) == ("Asked for a quote", "Press Enter to save")
    desk.notes.keep(record)
    held.turn()
    assert _line(desk) == ("", "Saved on this device")
    assert _activities(session, record.id) - before == {"Asked for a quote"}


def test_an_emptied_note_is_nobodys_wish_for_an_activity(session: Session, held: Held) -> None:
    desk = _opened(session, held, {})
    record = _show(desk, held, "Betatech")
    before = _activities(session, record.id)
    desk.note("No")
    desk.note("")
    desk.notes.keep(record)
    desk.rescue()
    held.turn()
    assert _line(desk) == ("", "")
    assert _activities(session, record.id) == before


def test_a_note_that_could_not_be_saved_stands_in_its_line_again(session: Session, held: Held) -> None:
    desk = Desk(session, held)  # nobody tells it that the store closes
    desk.start()
    held.turn()
    record = _show(desk, held, "Betatech")
    desk.note("Asked for a quote")
    session.lock()
    desk.notes.keep(record)
    held.turn()
    assert _line(desk) == ("Asked for a quote", "Press Enter to save")
    assert desk.aside is not None
    session.unlock()
    desk.notes.keep(record)
    held.turn()
    assert _line(desk) == ("", "Saved on this device")
    assert "Asked for a quote" in _activities(session, record.id)
