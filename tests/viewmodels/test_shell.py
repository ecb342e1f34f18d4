"""What the window shows of a session as it comes and goes, and that nothing typed is lost on the way."""

from __future__ import annotations

from app.changes import WIPE, Changes
from app.services.opening import open_session
from app.store import lists
from app.viewmodels.shell import Screen, Shell
from sync.protocol.kinds import KINDS
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
    shell.close(lambda: None)
    held.turn()


def _title(row: object) -> str:
    return str(getattr(row, "title", ""))
