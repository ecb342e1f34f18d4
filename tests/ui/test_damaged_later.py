"""A store whose pages turn out damaged while the window is open: no empty list is shown, and what was typed is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.paths import Profile
from app.services.session import Session
from app.viewmodels.notices import Screen
from tests.ui.driver import Driver

PAGE = 4096


def test_a_list_that_cannot_be_read_is_not_shown_empty(
    opened: Callable[[Profile], Driver], laptop: Profile
) -> None:
    driver = opened(laptop)
    driver.until(lambda: driver.desk.list.whole)
    spoiling = threading.Thread(target=_spoil, args=(driver.desk.session,))
    spoiling.start()
    driver.until(lambda: not spoiling.is_alive())
    driver.press("Ctrl+4")  # deals: nothing has read them yet
    driver.until(lambda: driver.shell.screen is Screen.TROUBLE)
    driver.until(lambda: not driver.shell.busy)
    assert "damaged" in driver.shell.notice.title + driver.shell.notice.body
    assert driver.shell.desk is None


def _spoil(session: Session) -> None:
    """All pages but the first two, which say what tables there are."""
    session.call(lambda store: store.db.checkpoint())
    file = session.profile.store
    with file.open("r+b") as stream:
        for page in range(2, file.stat().st_size // PAGE):
            stream.seek(page * PAGE)
            stream.write(b"\x5a" * PAGE)
