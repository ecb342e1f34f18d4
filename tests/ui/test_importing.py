"""The page of an import in the real window: read, looked at, brought in; and stopped, which leaves nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.commands import IMPORT, TODAY
from app.paths import Profile
from app.services.opening import open_session
from app.store import begun
from app.ui.importing import ImportPage
from app.viewmodels.bringing import Bringing
from tests.ui.driver import Driver, words_below


def _page(driver: Driver, folder: Path, count: int) -> tuple[ImportPage, Bringing]:
    path = folder / "customers.csv"
    path.write_text("name,number\n" + "".join(f"Company {n},N{n}\n" for n in range(count)))
    bringing = Bringing(driver.desk, [path])
    page = ImportPage(bringing)
    driver.qtbot.addWidget(page)
    page.show()
    return page, bringing


def _said(page: ImportPage) -> str:
    return words_below(page)


def test_it_says_how_far_it_is_and_what_it_brought(
    opened: Callable[[Profile], Driver], laptop: Profile, tmp_path: Path
) -> None:
    driver = opened(laptop)
    page, bringing = _page(driver, tmp_path, 3_000)
    driver.until(lambda: "3,000 records would be added" in _said(page))
    page._go.click()
    assert page._stop.isVisible() and not page._leave.isVisible()
    driver.until(lambda: "Bringing in: " in _said(page) or not bringing.busy)
    driver.until(lambda: "3,000 records added." in _said(page))
    assert not page._stop.isVisible() and page._leave.isVisible()
    page.let_go()


def test_stop_leaves_nothing_and_bring_in_is_there_again(
    opened: Callable[[Profile], Driver], laptop: Profile, tmp_path: Path
) -> None:
    driver = opened(laptop)
    page, bringing = _page(driver, tmp_path, 20_000)
    driver.until(lambda: bringing.may_apply)
    page._go.click()
    page._stop.click()
    driver.until(lambda: not bringing.busy)
    assert "Stopped. Nothing was imported." in _said(page)
    assert page._go.isEnabled()
    page.let_go()


def test_an_import_that_a_crash_broke_off_is_told_and_may_be_begun_again(
    opened: Callable[[Profile], Driver], laptop: Profile, tmp_path: Path
) -> None:
    path = tmp_path / "customers.csv"
    path.write_text("name,number\nCompany 1,N1\n")
    with open_session(laptop) as session:
        session.call(begun.keep_import, [path])
    driver = opened(laptop)
    line = driver.work.aside
    driver.until(lambda: "An import was broken off" in words_below(line))
    assert line._again.isVisible() and not line._undo.isVisible() and not line._timer.isActive()
    line._again.click()
    driver.until(lambda: isinstance(driver.work._page, ImportPage))
    page = driver.work._page
    assert isinstance(page, ImportPage)
    driver.until(lambda: "1 record would be added" in _said(page))
    assert not line.isVisible()
    driver.until(lambda: not driver.desk.session.read(begun.imports))


def test_whoever_searches_meanwhile_sees_what_is_found_and_hears_what_came_in(
    opened: Callable[[Profile], Driver], laptop: Profile, tmp_path: Path
) -> None:
    path = tmp_path / "customers.csv"
    path.write_text("name,number\n" + "".join(f"Company {n},N{n}\n" for n in range(3_000)))
    driver = opened(laptop)
    driver.work.bring([path])
    page = driver.work._page
    assert isinstance(page, ImportPage)
    driver.until(lambda: page._bringing.may_apply)
    page._go.click()
    driver.press("Ctrl+F")
    driver.type("beta")
    driver.until(lambda: "Betatech" in driver.titles())
    assert driver.work._page is None
    driver.until(lambda: driver.desk.aside is not None and "3,000 records added." in driver.desk.aside.text)


def test_enter_on_stop_stops(opened: Callable[[Profile], Driver], laptop: Profile, tmp_path: Path) -> None:
    driver = opened(laptop)
    page, bringing = _page(driver, tmp_path, 20_000)
    driver.until(lambda: bringing.may_apply)
    page._go.click()
    QTest.keyClick(page._stop, Qt.Key.Key_Return)
    driver.until(lambda: not bringing.busy)
    assert "Stopped. Nothing was imported." in _said(page)
    page.let_go()


def shown(driver: Driver) -> ImportPage:
    page = driver.work._page
    assert isinstance(page, ImportPage)
    return page


def test_whoever_comes_back_finds_the_import_and_meanwhile_the_foot_tells_of_it(
    opened: Callable[[Profile], Driver], laptop: Profile, tmp_path: Path
) -> None:
    path = tmp_path / "customers.csv"
    path.write_text("name,number\n" + "".join(f"Company {n},N{n}\n" for n in range(20_000)))
    driver = opened(laptop)
    driver.work.bring([path])
    foot = driver.work._foot.line
    page = shown(driver)
    bringing = page._bringing
    assert driver.focus() is page  # nothing is to be decided yet, and no button is under a hasty Enter
    driver.work.go("contact")  # while files are read
    driver.until(lambda: "An import waits" in words_below(foot))
    assert bringing.report is not None
    driver.press("Ctrl+I")
    again = shown(driver)
    assert again is not page and again._bringing is bringing
    assert driver.focus() is again._go
    assert "20,000 records would be added" in _said(again)
    driver.until(lambda: "An import waits" not in words_below(foot))
    driver.press("Return")
    driver.until(lambda: bringing.busy)
    driver.work.go(TODAY)
    driver.until(lambda: "Bringing in: " in words_below(foot))
    driver.press("Ctrl+I")
    last = shown(driver)
    driver.until(lambda: "20,000 records added." in _said(last))
    driver.work.go("customer")
    assert IMPORT not in driver.desk.beside
    driver.until(lambda: "Bringing in" not in words_below(foot))


def test_the_focus_goes_to_what_is_to_be_decided(
    opened: Callable[[Profile], Driver], laptop: Profile, tmp_path: Path
) -> None:
    path = tmp_path / "customers.csv"
    path.write_text("name,number\nCompany 1,N1\n")
    driver = opened(laptop)
    driver.work.bring([path])
    page = shown(driver)
    driver.until(lambda: driver.focus() is page._go)
    page._leave.click()
    assert IMPORT not in driver.desk.beside
    empty = tmp_path / "nothing.csv"
    empty.write_text("")
    driver.work.bring([empty])
    refused = shown(driver)
    driver.until(lambda: driver.focus() is refused._leave)
