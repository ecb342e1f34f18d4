"""Files of a record in the real window: attached, dropped, opened, saved and taken off; and what stays of a copy."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from app.paths import Profile
from app.ui import attached
from app.ui.attached import AttachedPage
from app.viewmodels.notices import Screen
from tests.house.tree import ROOT
from tests.ui.driver import Driver, stops
from tests.ui.organisation import COLLEAGUE, PERSON, Organisation, fill, sync
from tests.ui.sample import FIRST

PHOTO = ROOT / "docs" / "pictures" / "list-light.png"

Opened = Callable[[Profile], Driver]


@pytest.fixture
def shown_outside(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What would be handed to other programs: none are started here."""
    shown: list[Path] = []
    monkeypatch.setattr(attached, "show_outside", shown.append)
    return shown


def _page(driver: Driver, title: str = FIRST) -> AttachedPage:
    driver.choose(title)
    driver.work.detail.show_page("attachment")
    driver.settle()
    (page,) = [each for each in driver.work.findChildren(AttachedPage) if each.isVisibleTo(driver.work)]
    driver.until(lambda: page._files.ready)
    return page


def _read(path: Path) -> bytes:
    """As another program reads it: the screen's own thread opens no file of a profile."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(path.read_bytes).result()


def _words(page: AttachedPage) -> list[str]:
    return [row.text.word for row in page._files.rows]


def test_attached_sent_opened_and_gone_at_a_lock(
    opened: Opened, laptop: Profile, shown_outside: list[Path]
) -> None:
    driver = opened(laptop)
    page = _page(driver)
    assert page.add.isVisibleTo(page)
    assert not page.show_file.isEnabled()
    page._files.attach([PHOTO])
    driver.until(lambda: page._files.count() == 1)
    driver.until(lambda: _words(page) == [""])  # the server has it
    driver.until(lambda: driver.shell.sync.files == 0)
    assert page._files.rows[0].text.second.startswith("53 kB")
    page.rows.setFocus()
    page.rows.choose(0)
    assert "makes a copy that other programs can read" in page.said.text()  # before anything is opened
    driver.press("Return")
    driver.until(lambda: shown_outside)
    (copy,) = shown_outside
    assert copy.name == PHOTO.name
    assert _read(copy) == PHOTO.read_bytes()
    assert copy.stat().st_mode & 0o777 == 0o400
    driver.until(lambda: page._files.progress is None)
    driver.work.lock()
    driver.until(lambda: driver.shell.screen is Screen.LOCK and not driver.shell.busy)
    assert not copy.exists()
    assert not list(laptop.temp.rglob("*.*"))


def test_dropped_saved_removed_and_taken_back(opened: Opened, laptop: Profile, tmp_path: Path) -> None:
    driver = opened(laptop)
    page = _page(driver)
    carried = QMimeData()
    carried.setUrls([QUrl.fromLocalFile(str(PHOTO)), QUrl("https://example.com/x.pdf")])
    page.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, carried, Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )  # fmt: skip
    driver.until(lambda: page._files.count() == 1 and page._files.progress is None)
    page._files.save(0, tmp_path / "saved.png")
    driver.until((tmp_path / "saved.png").exists)
    driver.until(lambda: page._files.progress is None)
    assert (tmp_path / "saved.png").read_bytes() == PHOTO.read_bytes()
    page.rows.setFocus()
    page.rows.choose(0)
    driver.press("Del")
    driver.until(lambda: page._files.count() == 0)
    driver.work.undo()
    driver.until(lambda: driver.desk.detail is not None and driver.desk.detail.record.kind.from_file)
    driver.work.detail.show_page("attachment")  # the page of a file is about itself
    driver.settle()
    own = next(each for each in driver.work.findChildren(AttachedPage) if each.isVisibleTo(driver.work))
    driver.until(lambda: own._files.count() == 1)
    assert not own.add.isVisibleTo(own)


def test_a_colleague_sees_it_and_fetches_it_when_it_is_opened(
    opened: Opened, org: Organisation, name: str, shown_outside: list[Path]
) -> None:
    one, other = org.laptop(f"{name}-1", PERSON), org.laptop(f"{name}-2", COLLEAGUE)
    fill(one)
    sync(one)
    driver = opened(one)
    page = _page(driver)
    page._files.attach([PHOTO])
    driver.until(lambda: page._files.count() == 1 and _words(page) == [""])
    driver.close()
    sync(other)
    driver = opened(other)
    page = _page(driver)
    driver.until(lambda: page._files.count() == 1)
    assert _words(page) == ["not here yet"]
    org.stop()
    page.open(0)
    driver.until(lambda: "could not be reached" in page.said.text())
    org.start()
    page.open(0)
    driver.until(lambda: shown_outside)
    assert _read(shown_outside[0]) == PHOTO.read_bytes()
    driver.until(lambda: _words(page) == [""])


def test_a_file_that_is_no_file_says_why(opened: Opened, laptop: Profile, tmp_path: Path) -> None:
    driver = opened(laptop)
    page = _page(driver)
    page._files.attach([tmp_path / "gone.pdf"])
    driver.until(lambda: "no such file" in page.said.text())
    assert page.add.isEnabled()
    assert all(each.accessibleName() or getattr(each, "text", str)() for each in stops(page))
    driver.work.go("attachment")
    driver.press("Ctrl+N")
    assert driver.desk.editor is None
    assert driver.desk.aside is not None
