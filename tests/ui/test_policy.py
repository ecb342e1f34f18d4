"""What policy asks of a laptop, in the real window: said above the lists, barred in place, off the clipboard."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QClipboard
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QLabel, QWidget
from pytestqt.exceptions import TimeoutError as PytestQtTimeoutError
from pytestqt.qtbot import QtBot

from app.paths import Profile
from app.ui.attached import AttachedPage
from app.ui.clipboard import ClipboardGuard
from app.ui.screenshots import shield
from app.viewmodels.notices import Screen
from app.viewmodels.ruled import Ruled
from tests.house.tree import ROOT
from tests.ui.driver import Driver
from tests.ui.organisation import Organisation, fill, organisation
from tests.ui.sample import FIRST

Opened = Callable[[Profile], Driver]
OLD = {"signal": "app_version", "condition": {"below": "99"}}


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    """An organisation of this module's own, since its policy changes."""
    with organisation(tmp_path_factory.mktemp("ruled")) as made:
        yield made


def _publish(org: Organisation, *rules: dict[str, Any], **use: Any) -> None:
    file = org.folder / "policy.json"
    plain = dict.fromkeys(("export", "print", "copy", "open_outside", "attach"), "allow")
    number = int(org.admin("policy", "show")["version"])
    # Another number of seconds makes each another than the one before.
    said = {"rules": list(rules), "use": {**plain, "clear_clipboard_s": 3_600 + number, **use}}
    file.write_text(json.dumps(said))
    locks = sum(each["locks"] for each in org.admin("policy", "try", file)["devices"])
    org.admin("policy", "publish", file, "--locks", str(locks), keys=True)


def _said(driver: Driver) -> list[str]:
    return [
        each.text() for each in driver.work.policy.findChildren(QLabel) if each.isVisibleTo(driver.window)
    ]


def _new_laptop(org: Organisation, name: str, person: str) -> Profile:
    profile = org.laptop(name, person)
    fill(profile)
    return profile


def test_a_warning_stands_above_the_lists_until_it_is_hidden(
    opened: Opened, org: Organisation, name: str, person: str
) -> None:
    _publish(org, {**OLD, "action": "warn"})
    driver = opened(_new_laptop(org, name, person))
    driver.until(lambda: driver.work.policy.isVisibleTo(driver.window))
    (line,) = _said(driver)
    assert "not one that your organisation accepts" in line
    assert "Ask IT for the newer version" in line
    (close,) = driver.work.policy.findChildren(QAbstractButton)
    close.setFocus()
    QTest.keyClick(close, Qt.Key.Key_Space)
    driver.until(lambda: not driver.work.policy.isVisibleTo(driver.window))
    driver.shell.tick()  # it stays hidden for as long as this page is open
    driver.settle()
    assert not driver.work.policy.isVisibleTo(driver.window)


def test_a_restriction_stays_and_names_what_is_not_allowed(
    opened: Opened, org: Organisation, name: str, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish(org, {**OLD, "action": "restrict"})
    driver = opened(_new_laptop(org, name, person))
    driver.until(lambda: len(_said(driver)) == 2)
    assert "Not allowed here:" in _said(driver)[1]
    assert not driver.work.policy.findChildren(QAbstractButton)  # nothing to hide it with
    asked: list[str] = []

    def ask(*_arguments: object) -> tuple[str, str]:
        asked.append("")
        return "", ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", ask)
    assert not driver.desk.acting.may_export()
    driver.until(lambda: driver.desk.aside is not None)
    assert driver.desk.aside is not None
    assert "writing records" in driver.desk.aside.text
    driver.choose(FIRST)
    driver.work.detail.show_page("attachment")
    driver.settle()
    (page,) = [each for each in driver.work.findChildren(AttachedPage) if each.isVisibleTo(driver.work)]
    driver.until(lambda: page._files.ready)
    page.add.click()
    assert "attaching files" in page.said.text()
    assert asked == []  # nobody is asked for a file that would be refused


def test_a_policy_that_locks_shows_why_and_its_end_opens(
    opened: Opened, org: Organisation, name: str, person: str
) -> None:
    _publish(org)
    driver = opened(_new_laptop(org, name, person))
    driver.until(lambda: driver.shell.sync.last_ok)
    _publish(org, {**OLD, "action": "lock_ui"})
    driver.shell.try_now()
    driver.until(lambda: driver.shell.screen is Screen.LOCK)
    assert "not one that your organisation accepts" in driver.shell.notice.title
    assert "Ask IT for the newer version" in driver.shell.notice.body
    _publish(org)
    driver.shell.try_now()
    driver.until(
        lambda: driver.shell._session is not None and not driver.shell._session.ruling.verdict.reasons
    )
    driver.shell.locking.unlock()
    driver.until(lambda: driver.shell.screen is Screen.WORK)


# --- the clipboard


class Clipboard(QObject):
    """A clipboard that knows whose it is; the platform of tests has none that tells."""

    changed = Signal(QClipboard.Mode)

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.ours = False

    def put(self, text: str, *, ours: bool) -> None:
        self.text, self.ours = text, ours
        self.changed.emit(QClipboard.Mode.Clipboard)

    def clear(self, _mode: QClipboard.Mode) -> None:
        self.put("", ours=True)

    def ownsClipboard(self) -> bool:
        return self.ours

    def supportsSelection(self) -> bool:
        return False

    def ownsSelection(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("blocked", "clear_s", "ours", "left", "refused"),
    [
        (frozenset(), 0, True, "secret", 0),
        (frozenset({"copy"}), 0, True, "", 1),
        (frozenset({"copy"}), 0, False, "secret", 0),  # another program's is nobody's business
        (frozenset({"export"}), 0, True, "secret", 0),
    ],
)
def test_what_may_not_be_copied_is_gone_in_the_same_moment(
    qtbot: QtBot, blocked: frozenset[str], clear_s: int, ours: bool, left: str, refused: int
) -> None:
    told: list[str] = []
    clipboard: Any = Clipboard()
    guard = ClipboardGuard(clipboard, clipboard, lambda: Ruled((), blocked, clear_s), lambda: told.append(""))
    clipboard.put("secret", ours=ours)
    assert (clipboard.text, len(told)) == (left, refused)
    guard.clear()
    assert clipboard.text == ("" if ours else "secret")


def test_what_was_copied_goes_after_a_while_unless_another_program_has_copied_since(qtbot: QtBot) -> None:
    clipboard: Any = Clipboard()
    ClipboardGuard(clipboard, clipboard, lambda: Ruled((), frozenset(), 1), lambda: None)
    clipboard.put("secret", ours=True)
    qtbot.waitUntil(lambda: clipboard.text == "", timeout=5_000)
    clipboard.put("secret", ours=True)
    clipboard.put("theirs", ours=False)
    with pytest.raises(PytestQtTimeoutError):
        qtbot.waitUntil(lambda: clipboard.text == "", timeout=1_500)


def test_the_window_clears_what_was_copied_at_a_lock(
    opened: Opened, org: Organisation, name: str, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish(org)
    driver = opened(_new_laptop(org, name, person))
    cleared: list[str] = []
    monkeypatch.setattr(driver.window._clipboard, "clear", lambda: cleared.append(""))
    driver.shell.locking.lock()
    driver.until(lambda: driver.shell.screen is Screen.LOCK)
    assert cleared


_ON_A_SCREEN = """
from PySide6.QtWidgets import QApplication, QLineEdit
from app.ui.clipboard import ClipboardGuard
from app.viewmodels.ruled import Ruled

application = QApplication([])
barred, told = [frozenset()], []
clipboard = application.clipboard()
guard = ClipboardGuard(application, clipboard, lambda: Ruled((), barred[0], 0), lambda: told.append(""))
field = QLineEdit("secret")
field.show()
field.selectAll()
field.copy()
print(repr(clipboard.text()), len(told))
guard.clear()
print(repr(clipboard.text()))
barred[0] = frozenset({"copy"})
field.copy()
print(repr(clipboard.text()), len(told))
"""


@pytest.mark.xvfb
def test_on_a_real_screen_the_clipboard_is_cleared_as_well(xvfb: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ON_A_SCREEN], env={**os.environ, **xvfb, "QT_QPA_PLATFORM": "xcb"},
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["'secret' 0", "''", "'' 1"], done.stderr


def test_no_screenshot_can_be_kept_away_here(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    assert shield(window, True) is False


def test_a_wipe_that_waits_is_said_above_the_lists_and_cannot_be_hidden(
    opened: Opened, org: Organisation, name: str, person: str
) -> None:
    _publish(org)
    org.admin("root", "rule", "--delay", "60", keys=True)
    driver = opened(_new_laptop(org, name, person))
    assert not driver.work.policy.isVisibleTo(driver.window)
    org.admin("wipe", name, "--reason", "sold by mistake", keys=True)
    driver.until(lambda: driver.work.policy.isVisibleTo(driver.window))
    (line,) = _said(driver)
    assert "has ordered this device to be wiped at" in line
    assert "sold by mistake" in line
    assert not driver.work.policy.findChildren(QAbstractButton)
    org.admin("cancel", name, keys=True)
    driver.until(lambda: not driver.work.policy.isVisibleTo(driver.window))
