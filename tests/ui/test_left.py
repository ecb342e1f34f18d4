"""The window opens on the list that one was in, and a file that names none of ours costs nothing."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from app.paths import Profile
from app.ui.kit.painted_list import PaintedList
from tests.ui.driver import Driver

Opened = Callable[..., Driver]


def test_the_window_opens_on_the_list_that_one_was_in(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    assert driver.desk.section == "customer"
    driver.press("Ctrl+3")
    driver.until(lambda: driver.desk.section == "deal" and driver.desk.list.ready)
    driver.press("Ctrl+0")  # a page beside the lists is none
    driver.until(lambda: driver.desk.section == "today")
    driver.close()
    kept = msgspec.json.decode(laptop.settings.read_bytes())
    assert kept["section"] == "deal"

    again = opened(laptop)
    assert (again.desk.section, again.desk.list.kind.name) == ("deal", "deal")
    assert again.desk.list.count() > 0
    assert again.window.windowTitle() == "Fieldkeep – Deals"
    assert isinstance(again.focus(), PaintedList)
    again.press("Ctrl+L")
    again.until(lambda: again.shell.desk is None)
    again.shell.locking.unlock()
    again.until(lambda: again.shell.desk is not None and again.desk.list.ready)
    assert again.desk.section == "deal"


@pytest.mark.parametrize("section", ['"nothing"', "7", '"conflicts"'])
def test_a_file_that_names_no_list_opens_on_the_first(opened: Opened, laptop: Profile, section: str) -> None:
    laptop.settings.write_text(f'{{"section": {section}}}')
    assert opened(laptop).desk.section == "customer"
