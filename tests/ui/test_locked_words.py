"""What readers of screens, tooltips and the system are told of a locked window: nothing of a customer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QApplication, QWidget

from app.paths import Profile
from app.viewmodels.notices import Screen
from tests.ui import sample
from tests.ui.driver import Driver

Opened = Callable[..., Driver]
DEEPEST = 30


def told(interface: QAccessibleInterface | None, depth: int = 0) -> Iterator[str]:
    """All that is told of a thing and of those below it."""
    if interface is None or not interface.isValid() or depth > DEEPEST:
        return
    for part in (
        QAccessible.Text.Name,
        QAccessible.Text.Description,
        QAccessible.Text.Value,
        QAccessible.Text.Help,
    ):
        yield interface.text(part)
    for at in range(interface.childCount()):
        yield from told(interface.child(at), depth + 1)


def every_word() -> str:
    """Of all windows: accessible names and values, titles, paths and tooltips."""
    found: list[str] = []
    for window in QApplication.topLevelWidgets():
        found += [*told(QAccessible.queryAccessibleInterface(window))]
        for each in [window, *window.findChildren(QWidget)]:
            found += [
                each.toolTip(),
                each.statusTip(),
                each.whatsThis(),
                each.windowTitle(),
                each.windowIconText(),
            ]
            found += [each.windowFilePath(), each.accessibleName(), each.accessibleDescription()]
    return "\n".join(found)


def test_a_locked_window_tells_a_screen_reader_nothing_of_a_customer(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.choose(sample.FIRST)
    driver.press("Ctrl+T")
    driver.window.activateWindow()
    driver.until(driver.window.isActiveWindow)
    driver.choose(sample.FIRST)
    before = every_word()
    assert [word for word in sample.SECRET_WORDS if word in before], "the search sees what it must"
    assert not [window for window in QApplication.topLevelWidgets() if sample.FIRST in window.windowTitle()]
    driver.work.lock()
    driver.until(
        lambda: driver.shell.screen is Screen.LOCK and not driver.shell.busy and driver.shell.desk is None
    )
    driver.settle()
    after = every_word()
    assert not [word for word in sample.SECRET_WORDS if word in after]
