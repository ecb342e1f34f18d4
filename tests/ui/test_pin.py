"""A PIN in the window, by keyboard alone: chosen, changed, asked for at the lock, given up and chosen anew."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.keys.secret import SecretBytes
from app.paths import Profile
from app.services.opening import open_session
from app.services.session import LOCK_CRYPTO
from app.system.events import Event
from app.ui.kit.buttons import Button
from app.ui.kit.secret_line import SecretLine
from app.ui.lock import LockPage
from app.ui.pin_card import PinCard
from app.viewmodels.notices import Screen
from sync.protocol.documents import PinRule
from tests.ui.driver import Driver, stops, words_below
from tests.ui.organisation import Organisation

Opened = Callable[..., Driver]
PIN, OTHER = "83 wolken", "am blauen see"


@pytest.fixture
def pinned(laptop: Profile) -> Profile:
    """A laptop whose store asks for a PIN."""
    with open_session(laptop) as session:
        session.choose_pin(SecretBytes(PIN.encode()))
    return laptop


def page(driver: Driver) -> LockPage:
    assert isinstance(driver.window.shown, LockPage)
    return driver.window.shown


def idle(driver: Driver) -> None:
    driver.until(lambda: not driver.shell.busy)
    driver.settle()


def tabbed(driver: Driver, text: str) -> None:
    """Go by Tab to the button that says this."""
    for _step in range(40):
        at = driver.focus()
        if isinstance(at, Button) and at.text() == text:
            return
        driver.press("Tab")
    raise AssertionError(f"no way by Tab to “{text}”")


def test_the_page_has_the_focus_where_the_pin_goes(opened: Opened, pinned: Profile) -> None:
    driver = opened(pinned)
    assert driver.shell.screen is Screen.LOCK
    assert isinstance(driver.focus(), SecretLine)
    assert "10 tries are left" in words_below(page(driver))
    driver.type("not the pin")
    driver.press("Return")
    idle(driver)
    said = words_below(page(driver))
    assert "This PIN is not right." in said and "9 tries are left" in said
    assert isinstance(driver.focus(), SecretLine)
    driver.type(PIN)
    driver.press("Return")
    driver.until(lambda: driver.shell.screen is Screen.WORK)
    driver.press("Ctrl+L")
    driver.until(lambda: driver.shell.screen is Screen.LOCK)
    idle(driver)
    assert isinstance(driver.focus(), SecretLine), "what is typed next is the PIN"
    assert all(each.accessibleName() or isinstance(each, Button) for each in stops(driver.window))


def test_a_pin_is_chosen_changed_and_taken_off_on_the_settings_page(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.press("Ctrl+,")
    tabbed(driver, "Choose a PIN")
    driver.press("Return")
    assert isinstance(driver.focus(), SecretLine)
    driver.type("12345")
    driver.press("Return")
    driver.type("12345")
    driver.press("Return")
    card = driver.work.findChild(PinCard)
    assert isinstance(card, PinCard)
    assert "6 characters at least" in words_below(card)
    for line in card.findChildren(SecretLine):
        line.empty()
    for _line in range(2):
        driver.type(PIN)
        driver.press("Return")
    idle(driver)
    assert "This store opens with your PIN alone." in words_below(card)
    assert driver.shell.screen is Screen.WORK, "nobody is thrown out of their work"

    tabbed(driver, "Change PIN")
    driver.press("Return")
    for text in ("wrong one", OTHER, OTHER):
        driver.type(text)
        driver.press("Return")
    idle(driver)
    assert "9 tries are left" in words_below(card)
    for text in (PIN, OTHER, OTHER):
        driver.type(text)
        driver.press("Return")
    idle(driver)
    tabbed(driver, "Change PIN")
    driver.press("Return")
    driver.type(OTHER)
    tabbed(driver, "Open without a PIN")
    driver.press("Return")
    idle(driver)
    assert "without a PIN" in words_below(card)


def test_whoever_knows_the_pin_no_more_is_let_in_by_it(
    opened: Opened, pinned: Profile, org: Organisation, name: str
) -> None:
    driver = opened(pinned)
    driver.type(PIN)
    driver.press("Return")
    driver.until(lambda: driver.shell.screen is Screen.WORK)
    session = driver.shell.session
    assert session is not None
    driver.until(lambda: session.state.reset_ack)
    driver.press("Ctrl+L")
    driver.until(lambda: driver.shell.screen is Screen.LOCK)
    idle(driver)
    tabbed(driver, "I do not know the PIN any more")
    driver.press("Return")
    assert session.stage != LOCK_CRYPTO, "asked once more"
    driver.press("Return")
    driver.until(lambda: session.stage == LOCK_CRYPTO)
    idle(driver)
    assert name in words_below(page(driver))
    assert org.admin("devices") and next(each for each in org.admin("devices") if each["name"] == name)
    driver.press("F5")
    driver.until(lambda: next(e for e in org.admin("devices") if e["name"] == name)["pin_locked"])
    org.admin("unlock", name)
    driver.press("F5")
    driver.until(lambda: driver.shell.notice.new_pin)
    idle(driver)
    assert isinstance(driver.focus(), SecretLine)
    driver.type(OTHER)
    driver.press("Return")
    driver.type("something else")
    driver.press("Return")
    assert "Both must be the same" in words_below(page(driver))
    driver.type(OTHER)
    driver.press("Return")
    driver.until(lambda: driver.shell.screen is Screen.WORK and driver.desk.list.ready)
    assert driver.titles()


def ask_for(rule: PinRule, patch: pytest.MonkeyPatch) -> None:
    """Have the policy in force ask for it."""
    from app.services import held

    real = held.read_policy

    def asking(*arguments: object) -> object:
        policy, state = real(*arguments)  # type: ignore[arg-type]
        return msgspec.structs.replace(policy, pin=rule), state

    patch.setattr(held, "read_policy", asking)


def test_a_longer_one_that_policy_asks_for_is_chosen_where_the_old_one_was_given(
    opened: Opened, pinned: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_for(PinRule(required=True, min_len=12), monkeypatch)
    driver = opened(pinned)
    driver.type(PIN)
    driver.press("Return")
    driver.until(lambda: not driver.shell.busy and driver.shell.notice.new_pin)
    said = words_below(page(driver))
    assert "Choose a longer PIN" in said
    assert "12 characters at least" in said
    for _line in range(2):
        driver.type(OTHER + " im mai")
        driver.press("Return")
    driver.until(lambda: driver.shell.screen is Screen.WORK)
    driver.press("Ctrl+L")
    driver.until(lambda: driver.shell.screen is Screen.LOCK)
    idle(driver)
    driver.until(lambda: isinstance(driver.application.focusWidget(), SecretLine))
    driver.type(OTHER + " im mai")
    driver.press("Return")
    driver.until(lambda: driver.shell.screen is Screen.WORK)


def test_the_system_locks_while_a_longer_one_is_chosen_and_the_key_goes(
    opened: Opened, pinned: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_for(PinRule(required=True, min_len=12), monkeypatch)
    driver = opened(pinned)
    driver.type(PIN)
    driver.press("Return")
    driver.until(lambda: not driver.shell.busy and driver.shell.notice.new_pin)
    session = driver.shell.session
    assert session is not None
    held = [session.pin.is_open]
    driver.shell.locking.heard(Event.SCREEN)
    held.append(session.pin.is_open)
    assert held == [True, False]
    driver.until(lambda: driver.shell.notice.needs_pin and not driver.shell.notice.new_pin)


def test_a_policy_that_asks_for_one_is_met_before_the_first_list(
    opened: Opened, laptop: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_for(PinRule(required=True), monkeypatch)
    driver = opened(laptop)
    assert driver.shell.screen is Screen.LOCK
    assert "Your organisation asks for one." in words_below(page(driver))
    for _line in range(2):
        driver.type(PIN)
        driver.press("Return")
    driver.until(lambda: driver.shell.screen is Screen.WORK)


# --- the line


@pytest.fixture
def line(qtbot: QtBot) -> SecretLine:
    made = SecretLine("PIN")
    qtbot.addWidget(made)
    made.show()
    made.setFocus()
    return made


def held(line: SecretLine) -> bytes:
    with line.copied() as copy:
        return bytes(copy.view)


def test_the_line_shows_dots_and_holds_no_text(line: SecretLine) -> None:
    QTest.keyClicks(line, "aB 3$")
    assert (held(line), line.text(), line.letters) == (b"aB 3$", "•" * 5, 5)
    assert line.echoMode() is QLineEdit.EchoMode.Password
    QTest.keyClick(line, Qt.Key.Key_Backspace)
    assert held(line) == b"aB 3"
    for keys in (Qt.Key.Key_Left, Qt.Key.Key_Home):
        QTest.keyClick(line, keys)
    QTest.keyClicks(line, "x")
    assert held(line) == b"aB 3x", "it is written at its end alone"
    QTest.keyClick(line, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(line, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert "•" not in QGuiApplication.clipboard().text()
    QTest.keyClick(line, Qt.Key.Key_Delete)
    assert (held(line), line.text()) == (b"", "")


def test_the_line_takes_letters_of_every_script_and_a_pasted_text(line: SecretLine) -> None:
    QGuiApplication.clipboard().setText("密码é9\n")
    QTest.keyClick(line, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert (held(line).decode(), line.letters) == ("密码é9", 4)
    QTest.keyClick(line, Qt.Key.Key_Backspace)
    QTest.keyClick(line, Qt.Key.Key_Backspace)
    assert held(line).decode() == "密码"
    with line.take() as taken:
        assert taken.same("密码".encode())
    assert line._bytes == bytearray(len(line._bytes)), "nothing is left in its buffer"


def test_the_line_ends_somewhere(line: SecretLine) -> None:
    QGuiApplication.clipboard().setText("😀" * 300)
    QTest.keyClick(line, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert (line.letters, len(held(line)), len(line._bytes)) == (128, 512, 512)
