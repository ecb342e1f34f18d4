"""A field that needs more care than its person was granted: said to be hidden, and nothing can be typed into it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QLineEdit

from app.paths import Profile
from sync.protocol.kinds import KINDS
from tests.ui.driver import Driver, stops, words_below
from tests.ui.organisation import Organisation, sync

Opened = Callable[..., Driver]


def _field(driver: Driver, name: str) -> QLineEdit:
    found = next(each for each in stops(driver.work.detail) if each.accessibleName() == name)
    assert isinstance(found, QLineEdit)
    return found


def test_a_hidden_field_says_so_and_takes_no_letter(
    opened: Opened, org: Organisation, laptop: Profile, person: str, name: str
) -> None:
    sync(laptop)
    org.admin("person", "add", person, "--role", "rep", "--team", f"Teams/{name}", "--care", "confidential")
    sync(laptop)
    driver = opened(laptop)
    driver.choose("Betatech")
    driver.press("Ctrl+E")
    tax, industry = _field(driver, "Tax number"), _field(driver, "Industry")
    assert (tax.isReadOnly(), industry.isReadOnly()) == (True, False)
    assert tax.accessibleDescription() == "Hidden for your role"
    assert "Hidden for your role" in words_below(driver.work.detail)
    editor = driver.desk.editor
    assert editor is not None
    assert editor.hidden == {"tax_number"}
    editor.put("tax_number", "DE1")  # as by a way that is none
    assert editor.value("tax_number") is None
    assert editor.problem is not None
    assert "hidden" in editor.problem.title
    assert not editor.has_unsaved()
    customer = KINDS["customer"]
    assert driver.desk.hidden(customer) == {"tax_number"}
    assert driver.desk.hidden(KINDS["deal"]) == frozenset()
