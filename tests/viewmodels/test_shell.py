"""What the window shows of a session as it comes and goes, and that nothing typed is lost on the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from app.changes import WIPE, Changes
from app.services.opening import open_session
from app.store import lists, records, settled
from app.store.store import Store
from app.viewmodels.desk import Desk
from app.viewmodels.notices import Screen
from app.viewmodels.shell import Shell
from sync.protocol.ids import id_text
from sync.protocol.kinds import KINDS
from sync.protocol.merge import Conflict
from tests.ui import sample
from tests.ui.organisation import Organisation
from tests.viewmodels.conftest import Held


def test_a_wipe_takes_the_page_at_once_and_the_draft_only_into_the_store(
    org: Organisation, held: Held
) -> None:
    profile = org.laptop("laptop-draft-and-wipe")
    with open_session(profile) as opened:
        opened.call(sample.fill)
    shell = Shell(profile, held, held)
    shell.start()
    held.turn()
    desk = shell.desk
    assert desk is not None
    desk.choose(next(at for at in range(desk.list.count()) if _title(desk.list.row(at)) == "Betatech"))
    held.turn()
    assert desk.editor is not None
    desk.editor.type_text("name", "Betatech as typed")
    desk.note("Half a note")
    session = desk.session

    session.tell(Changes((), WIPE))
    held.turn()  # the screen's thread is quicker than the one that closes the store
    assert (shell.screen, shell.desk) == (Screen.WIPED, None)
    session.lock()
    session.unlock()
    found = session.call(
        lambda store: lists.page(store, KINDS["customer"], where={"name": "Betatech as typed"}).records
    )
    assert len(found) == 1
    noted = {"subject": "Half a note", "customer": id_text(found[0].id)}
    assert session.call(lambda store: lists.count(store, KINDS["activity"], noted)) == 1
    shell.close(lambda: None)
    held.turn()


def test_who_asks_for_an_exchange_hears_what_came_of_it_though_a_conflict_is_open(
    org: Organisation, held: Held
) -> None:
    profile = org.laptop("laptop-asks-and-hears")
    with open_session(profile) as opened:
        opened.call(sample.fill)
    shell = Shell(profile, held, held)
    shell.start()
    held.turn()
    desk = shell.desk
    assert desk is not None
    _until(held, lambda: shell.sync.last_ok and not shell.sync.waiting)
    assert _said(desk) == ""  # nobody asked
    org.stop()
    try:
        desk.session.call(_one_conflict)
        desk.session.call(lambda store: records.add(store, KINDS["customer"], {"name": "Typed offline"}))
        shell.try_now()
        wanted = "Could not reach the server. Your 1 change is safe on this device."

        def heard() -> bool:
            if _said(desk) not in ("", wanted):
                shell.try_now()  # the line that broke had it tried before the change was there
            return _said(desk) == wanted

        _until(held, heard)
        found = shell.standing()
        assert (found.state, found.words, found.beside) == ("offline", "1 waiting · offline", "1 conflict")
        desk.hush()
        shell.try_now()
        _until(held, lambda: _said(desk))
    finally:
        org.start()
        shell.close(lambda: None)
        held.turn()


def _said(desk: Desk) -> str:
    return desk.aside.text if desk.aside is not None else ""


def _one_conflict(store: Store) -> None:
    record = lists.page(store, KINDS["customer"], where={"name": "Betatech"}).records[0]
    met = Conflict(
        id=bytes(16), kind="customer", record=record.id, cell="name", shown="Betatech", kept="Beta"
    )
    with store.writing():
        settled.conflicts(store.db, [met], [])


def _until(held: Held, condition: Callable[[], object], within_s: float = 30.0) -> None:
    """Let what arrives from other threads be done until something holds."""
    waited = threading.Event()
    end = time.monotonic() + within_s
    while held.turn() or not condition():
        assert time.monotonic() < end
        waited.wait(0.02)


def _title(row: object) -> str:
    return str(getattr(row, "title", ""))
