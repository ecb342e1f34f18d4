"""A field that needs more care than its person was granted: said to be hidden, and nothing can be typed into it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QLineEdit, QWidget

from app.paths import Profile
from app.services.opening import open_session
from sync.protocol.kinds import KINDS
from tests.ui import sample
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
    assert tax.accessibleDescription() == "Hidden on this device"
    assert "Hidden on this device" in words_below(driver.work.detail)
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


CLEAR = {
    "phones": [{"label": "work", "value": "+49 30 5550123"}, {"label": "home", "value": "+49 30 5550124"}],
    "emails": [{"label": "work", "value": "chef@betatech.example"}],
    "address": {"street": "Kaistrasse 7", "city": "Bremen"},
    "revenue": {"minor": 777_700, "currency": "EUR"},
    "tax_number": "DE136695976",
    "notes": "Pays late",
}
SECRETS = ("5550123", "chef@", "Kaistrasse", "7,777", "DE136695976", "Pays late", sample.FIRST)


def _less_care(driver: Driver, org: Organisation, person: str, name: str) -> None:
    """IT grants less while the window is open, and the window hears of it."""
    org.admin("person", "add", person, "--role", "rep", "--team", f"Teams/{name}", "--care", "internal")
    driver.work.sync_now()

    def masked() -> bool:
        editor = driver.desk.editor
        record = editor.record if editor is not None else None
        return record is not None and record.values["name"] == "•••"

    driver.until(masked)
    driver.settle()


def _widget(driver: Driver, name: str) -> QWidget:
    return next(each for each in stops(driver.work.detail) if each.accessibleName() == name)


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("Name", "•••"),
        ("Tax number", ""),
        ("Phones", "•••23"),
        ("Phones, label", ""),
        ("E-mails", "•••@•••"),
        ("Address, Street", ""),
        ("Annual revenue", ""),
        ("Notes", "•••"),
    ],
)
def test_what_is_hidden_leaves_the_screen_from_under_the_focus_too(
    opened: Opened, org: Organisation, laptop: Profile, person: str, name: str, at: str, shown: str
) -> None:
    with open_session(laptop) as session:
        session.call(sample.edit_first, CLEAR)
    sync(laptop)
    driver = opened(laptop)
    driver.choose(sample.FIRST)
    driver.press("Ctrl+E")
    _widget(driver, at).setFocus()
    assert "DE136695976" in words_below(driver.work.detail)
    _less_care(driver, org, person, name)
    driver.until(lambda: not [each for each in SECRETS if each in words_below(driver.work.detail)])
    focus = driver.focus()
    assert driver.work.detail.isAncestorOf(focus)
    assert shown in words_below(driver.work.detail)
    field = _field(driver, "Name")
    assert (field.text(), field.isReadOnly(), field.accessibleDescription()) == (
        "•••",
        True,
        "Hidden on this device",
    )
    driver.press("Ctrl+Z")
    assert not [each for each in SECRETS if each in words_below(driver.work.detail)]


def test_what_was_half_typed_when_its_field_was_hidden_goes_to_it_and_the_rest_is_saved(
    opened: Opened, org: Organisation, laptop: Profile, person: str, name: str
) -> None:
    sync(laptop)
    driver = opened(laptop)
    driver.choose("Betatech")
    driver.press("Ctrl+E")
    editor = driver.desk.editor
    assert editor is not None
    editor.put("industry", "Optics")
    _field(driver, "Name").setFocus()
    driver.press("End")
    editor.put("name", "Betatech North")  # not saved yet: nobody has paused
    _less_care(driver, org, person, name)
    assert _field(driver, "Name").text() == "•••"
    editor.save()
    driver.until(lambda: not editor.has_unsaved())
    driver.work.sync_now()
    driver.until(lambda: org.admin("refused"))
    (refused,) = org.admin("refused", "--values", keys=True)
    assert "Betatech North" in str(refused)
    driver.until(lambda: editor.record is not None and not editor.record.waiting)
    assert (editor.value("industry"), editor.value("name")) == ("Optics", "•••")
    assert "Betatech" not in words_below(driver.work.detail)
