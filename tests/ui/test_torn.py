"""A record in a window of its own: in step with the main window, by keyboard alone, and gone with the store."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QLineEdit, QWidget

from app import settings
from app.paths import Profile
from app.services.opening import open_session
from app.store import lists
from app.ui.torn_window import TornWindow
from app.viewmodels.notices import Screen
from sync.protocol.kinds import KINDS
from tests.ui.driver import Driver, stops, words_below
from tests.ui.organisation import Organisation
from tests.ui.test_names import nameless

Opened = Callable[..., Driver]


def _torn(driver: Driver, title: str) -> TornWindow:
    """Tear a record off, by key; its window, in front."""
    driver.choose(title)
    driver.press("Ctrl+T")
    assert driver.desk.detail is not None
    window = driver.work.torn.windows[driver.desk.detail.record.id]
    driver.until(window.isActiveWindow)
    return window


def _field(root: QWidget, name: str) -> QLineEdit:
    found = next(each for each in stops(root) if each.accessibleName() == name)
    assert isinstance(found, QLineEdit)
    return found


def test_both_windows_stay_in_step_while_one_types(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    window = _torn(driver, "Betatech")
    assert driver.work.detail.isVisible()
    driver.press("Ctrl+E")
    assert driver.focus().window() is window
    _field(window, "Industry").setFocus()
    driver.press("Ctrl+A")
    driver.type("Optics")
    assert driver.desk.editor is not None
    assert driver.desk.editor.value("industry") == "Optics"  # one form, before it is saved
    driver.press("Tab")
    driver.until(lambda: "Optics · Boston" in words_below(driver.work.detail))
    driver.until(lambda: "Optics · Boston" in words_below(window))

    driver.window.activateWindow()
    driver.until(driver.window.isActiveWindow)
    driver.choose("Condax")
    assert window.torn.detail is not None
    assert window.torn.detail.record.title == "Betatech"
    driver.choose("Betatech")
    driver.press("Return")
    driver.press("Ctrl+A")
    driver.type("Betatech GmbH")
    driver.press("Esc")
    assert "Betatech GmbH" in words_below(window)
    driver.until(lambda: driver.row_of("Betatech GmbH") >= 0)
    driver.until(lambda: window.torn.editor is not None and not window.torn.editor.has_unsaved())
    window.activateWindow()
    driver.until(window.isActiveWindow)
    driver.press("Ctrl+Z")
    driver.until(lambda: driver.row_of("Betatech") >= 0)


def test_names_titles_and_keys_of_the_window(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    window = _torn(driver, "Betatech")
    assert window.windowTitle() == "Fieldkeep – Customer"
    assert not nameless(window)
    assert driver.focus().window() is window
    driver.press("Ctrl+E")
    assert not nameless(window)
    driver.press("Ctrl+K")  # what is not about the record is done in the main window
    driver.until(driver.window.isActiveWindow)
    assert driver.work.asking.palette is not None
    driver.press("Esc")
    again = _torn(driver, "Betatech")
    assert again is window  # one window for a record
    driver.press("Ctrl+W")
    driver.until(lambda: not driver.work.torn.windows)
    window = _torn(driver, "Condax")
    driver.press("Esc")
    driver.until(lambda: not driver.work.torn.windows)
    assert driver.desk.torn == {}


def test_the_palette_tears_off_and_finds_it_by_its_words(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.choose("Betatech")
    driver.press("Ctrl+K")
    driver.type("tear off")
    driver.offer("Show in a window of its own")
    driver.until(lambda: len(driver.work.torn.windows) == 1)


def test_what_was_typed_outlives_the_closing_of_the_window(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    window = _torn(driver, "Betatech")
    _beside(driver, window, "Condax")
    _type_industry(driver, window, "Half typ")
    window.close()
    driver.until(lambda: not driver.work.torn.windows)
    driver.until(driver.window.isActiveWindow)
    driver.choose("Betatech")
    driver.until(lambda: "Half typ · Boston" in words_below(driver.work.detail))
    driver.press("Ctrl+Z")
    driver.until(lambda: "Medical · Boston" in words_below(driver.work.detail))


def test_a_lock_takes_the_window_and_saves_what_was_typed(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    window = _torn(driver, "Betatech")
    _beside(driver, window, "Condax")
    _type_industry(driver, window, "Half typ")
    gone: list[bool] = []
    window.destroyed.connect(lambda: gone.append(True))
    driver.press("Ctrl+L")
    driver.until(lambda: driver.shell.screen is Screen.LOCK and not driver.shell.busy)
    driver.settle()
    assert gone
    shown = [each for each in driver.application.topLevelWidgets() if each.isVisible()]
    assert shown == [driver.window]
    assert "Betatech" not in "\n".join(words_below(each) for each in driver.application.topLevelWidgets())
    driver.press("Return")
    driver.until(lambda: driver.shell.screen is Screen.WORK and driver.desk.list.ready)
    driver.choose("Betatech")
    assert driver.desk.detail is not None
    assert driver.desk.detail.record.values["industry"] == "Half typ"


def test_closing_the_main_window_saves_what_was_typed_in_the_other(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    window = _torn(driver, "Betatech")
    _type_industry(driver, window, "Half typ")
    driver.close()
    assert _industry(laptop, "Betatech") == "Half typ"


def test_a_wipe_takes_the_window(opened: Opened, laptop: Profile, org: Organisation, name: str) -> None:
    driver = opened(laptop)
    window = _torn(driver, "Betatech")
    gone: list[bool] = []
    window.destroyed.connect(lambda: gone.append(True))
    driver.until(lambda: driver.shell.sync.last_ok)
    org.admin("wipe", name, "--reason", "Lost", keys=True)
    driver.shell.try_now()
    driver.until(lambda: driver.shell.screen is Screen.WIPED and driver.shell.notice.body)
    driver.settle()
    assert gone
    assert not laptop.settings.exists()


def test_a_record_deleted_here_or_there_closes_its_window(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    _torn(driver, "Betatech")
    driver.press("Ctrl+Del")
    driver.until(lambda: not driver.work.torn.windows)
    driver.until(lambda: driver.row_of("Betatech") < 0)
    driver.window.activateWindow()
    driver.until(driver.window.isActiveWindow)
    driver.press("Ctrl+Z")
    driver.until(lambda: driver.row_of("Betatech") >= 0)
    _torn(driver, "Betatech")
    driver.window.activateWindow()
    driver.until(driver.window.isActiveWindow)
    driver.work.delete()
    driver.until(lambda: not driver.work.torn.windows)


def test_what_is_begun_there_opens_in_the_main_window(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    window = _torn(driver, "Betatech")
    button = next(each for each in stops(window) if each.accessibleName() == "Add task")
    button.setFocus()
    driver.press("Space")
    driver.until(driver.window.isActiveWindow)
    assert driver.desk.section == "task"
    driver.until(lambda: driver.focus().window() is driver.window)
    assert driver.focus().accessibleName() == "Subject"
    assert "Betatech" in words_below(driver.work.detail)
    assert window.torn.detail is not None


def test_sizes_are_as_they_were_left(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop, (1300, 820))
    window = _torn(driver, "Betatech")
    window.resize(611, 644)
    driver.settle()
    driver.press("Ctrl+W")
    driver.until(lambda: not driver.work.torn.windows)
    driver.work.list.parentWidget().setSizes([420, 800])  # type: ignore[union-attr]
    driver.settle()
    driver.close()
    kept = settings.load(laptop)
    assert kept.sizes("record") == (611, 644)
    assert kept.sizes("main") == (1300, 820, 0)
    again = opened(laptop)
    assert abs(again.work.list.width() - 420) <= 2
    assert _torn(again, "Betatech").size().toTuple() == (611, 644)


def _beside(driver: Driver, window: TornWindow, title: str) -> None:
    """Have another record in the main window, and the window of this one in front again."""
    driver.window.activateWindow()
    driver.until(driver.window.isActiveWindow)
    driver.choose(title)
    window.activateWindow()
    driver.until(window.isActiveWindow)


def _type_industry(driver: Driver, window: TornWindow, text: str) -> None:
    driver.press("Ctrl+E")
    _field(window, "Industry").setFocus()
    driver.press("Ctrl+A")
    driver.type(text)


def _industry(profile: Profile, title: str) -> object:
    with open_session(profile) as session:
        found = session.call(
            lambda store: lists.page(store, KINDS["customer"], where={"name": title}).records[0]
        )
    return found.values["industry"]


def test_windows_of_one_kind_are_told_apart_by_number_alone(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    first = _torn(driver, "Betatech")
    driver.window.activateWindow()
    driver.until(driver.window.isActiveWindow)
    second = _torn(driver, "Condax")
    titles = ["Fieldkeep – Customer", "Fieldkeep – Customer (2)"]
    assert [each.windowTitle() for each in (first, second)] == titles
    driver.desk.put_back(first.torn)
    driver.until(lambda: len(driver.work.torn.windows) == 1)
    assert second.windowTitle() == titles[1]  # a window keeps its title
    driver.window.activateWindow()
    driver.until(driver.window.isActiveWindow)
    assert _torn(driver, "Betatech").windowTitle() == titles[0]
