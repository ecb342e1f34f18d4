"""The thread of the screen reads no file, asks no network and loads nothing, whatever a person does in the window."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app import resources
from app.paths import Profile
from app.ui.kit.painted_list import PaintedList
from tests.ui.driver import Driver
from tests.ui.organisation import Organisation

Opened = Callable[[Profile], Driver]

# Audit events of Python that reach a disk, a network or another program.
_WATCHED = (
    "import",
    "open",
    "os.",
    "socket.",
    "shutil.",
    "subprocess.",
    "tempfile.",
    "ctypes.dlopen",
    "ssl.",
)
_NO_DISK = frozenset({"os.putenv", "os.unsetenv", "socket.__new__"})  # and these do not

_seen: list[str] | None = None  # what the screen's thread did, while somebody looks


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    seen = _seen
    if seen is None or threading.current_thread() is not threading.main_thread():
        return
    if event.startswith(_WATCHED) and event not in _NO_DISK:
        seen.append(f"{event} {str(arguments[:1])[:120]}")


sys.addaudithook(_hook)


@pytest.fixture
def watched() -> Iterator[Callable[[], list[str]]]:
    """Begins to look at the screen's thread when it is called; gives the list of what is seen."""
    global _seen

    def begin() -> list[str]:
        global _seen
        _seen = []
        return _seen

    yield begin
    _seen = None


def test_the_watch_sees_what_the_screens_thread_opens(watched: Callable[[], list[str]]) -> None:
    seen = watched()
    with open(__file__, "rb"):  # noqa: PTH123 - the plainest way to a file
        pass
    assert any(each.startswith("open ") for each in seen)


def test_a_day_in_the_window_keeps_the_screens_thread_off_disk_and_network(
    opened: Opened, org: Organisation, laptop: Profile, watched: Callable[[], list[str]]
) -> None:
    driver = opened(laptop)
    driver.until(lambda: driver.desktop.warming is not None and not driver.desktop.warming.is_alive())
    driver.until(lambda: driver.shell.sync.last_ok)
    # The one exception: an icon of the program itself, read when it is drawn for the first time, once.
    own_icons = {f"open ('{path}',)" for path in resources.path("icons").glob("*.svg")}
    seen = watched()

    driver.press("Ctrl+F")
    driver.type("beta")
    driver.until(lambda: driver.row_of("Betatech") >= 0)
    driver.press("Esc")
    rows = driver.work.list.rows
    for key in ("End", "Home", "PgDown", "Down", "Up"):
        rows.setFocus()
        driver.press(key)
    driver.choose("Betatech")
    driver.press("Return")
    driver.press("Ctrl+A")
    driver.type("Betatech as it is called now")
    driver.press("Esc")
    driver.until(lambda: driver.row_of("Betatech as it is called now") >= 0)
    driver.press("Ctrl+N")
    driver.type("王芳 GmbH")
    driver.press("Esc")
    driver.until(lambda: driver.row_of("王芳 GmbH") >= 0)
    assert isinstance(driver.focus(), PaintedList)

    driver.press("Ctrl+K")
    assert driver.offers()
    driver.press("Esc")
    before = driver.shell.sync.last_ok
    driver.work.sync_now()
    driver.until(lambda: driver.shell.sync.last_ok > before and not driver.shell.sync.waiting)
    for section in ("deal", "activity", "today", "totals", "conflicts", "settings", "keys", "customer"):
        driver.work.go(section)
        driver.settle()
    driver.until(lambda: driver.desk.list.whole)

    assert not [each for each in seen if each not in own_icons]
