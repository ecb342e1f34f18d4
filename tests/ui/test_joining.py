"""Joining as a person does it: the words of the organisation, a PIN where policy asks for one, anew after a wipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.paths import Profile
from app.viewmodels.notices import Screen
from sync.protocol import codes
from sync.protocol.fingerprint import words_of
from tests.ui.driver import Driver, stops, words_below
from tests.ui.organisation import Organisation, organisation

Opened = Callable[[Profile], Driver]


def test_the_words_of_the_organisation_stand_there_before_anything_is_sent(
    opened: Opened, org: Organisation, name: str, person: str
) -> None:
    found = org.admin("enrol-code", person)
    driver = opened(Profile(org.folder / f"{name}-fresh"))
    assert found["words"] not in words_below(driver.window)
    driver.type(found["code"])
    seen = words_below(driver.window)
    assert found["words"] in seen
    assert "Ask IT for the words of your organisation" in seen
    assert not (org.folder / f"{name}-fresh").exists()
    code = codes.read(found["code"])
    forged = codes.write(codes.EnrolCode(code.url, "11" * 32, code.secret))
    driver.press("Ctrl+A")
    driver.type(forged)
    seen = words_below(driver.window)
    assert words_of("11" * 32) in seen
    assert found["words"] not in seen


def test_after_a_wipe_the_page_says_what_happened_and_the_work_comes_back(
    opened: Opened, org: Organisation, laptop: Profile, name: str, person: str
) -> None:
    driver = opened(laptop)
    driver.until(lambda: driver.shell.sync.last_ok and not driver.shell.sync.waiting)
    driver.choose("Betatech")
    driver.press("Ctrl+E")
    driver.press("End")
    driver.type(" before the wipe")
    org.admin("wipe", name, "--reason", "lost in a taxi", keys=True)
    driver.press("F5")
    driver.until(lambda: driver.shell.screen is Screen.WIPED and driver.shell.notice.again)
    old = next(each["id"] for each in org.admin("devices") if each["name"] == name)
    assert "I have a new code from IT" in words_below(driver.window)
    assert "What you had not sent is sealed, and IT has it." in words_below(driver.window)
    (again,) = list(stops(driver.window))
    again.setFocus()
    driver.press("Space")
    assert driver.shell.screen is Screen.ENROL
    seen = words_below(driver.window)
    assert "This device was wiped by Demo Ltd." in seen
    assert "IT gives the sealed work back to this device" in seen
    driver.type(org.code(person))
    driver.press("Shift+Tab")
    driver.press("Ctrl+A")
    driver.type(name)  # the name of a wiped device is free again
    driver.press("Return")
    driver.until(lambda: driver.shell.screen is Screen.WORK and driver.desk.list.ready)
    fresh = next(
        each["id"] for each in org.admin("devices") if each["state"] == "active" and each["person"] == person
    )
    org.admin("recover", old, "--to", fresh, keys=True)
    driver.press("F5")
    driver.until(lambda: driver.row_of("Betatech before the wipe") >= 0)


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Organisation]:
    """An organisation whose policy asks for a PIN."""
    with organisation(tmp_path / "strict", "Strict Ltd") as made:
        file = tmp_path / "policy.toml"
        file.write_text("[pin]\nrequired = true\nmin_len = 8\n")
        made.admin("policy", "publish", file, keys=True)
        yield made


def test_where_policy_asks_for_a_pin_it_is_chosen_before_anything_opens(
    opened: Opened, strict: Organisation
) -> None:
    driver = opened(Profile(strict.folder / "fresh"))
    driver.type(strict.code())
    driver.press("Tab")
    driver.press("Space")
    driver.until(lambda: driver.shell.screen is Screen.LOCK and driver.shell.notice.new_pin)
    driver.settle()
    seen = words_below(driver.window)
    assert "Choose a PIN" in seen
    assert "8 characters at least" in seen
    driver.type("12345678")
    driver.until(lambda: "among the first that anybody tries" in words_below(driver.window) or None)
    for _letter in "12345678":
        driver.press("Backspace")
    driver.type("quiet boats on paper")
    driver.press("Return")
    driver.type("quiet boats on paper")
    driver.press("Return")
    driver.until(lambda: driver.shell.screen is Screen.WORK)
    driver.until(lambda: driver.shell.sync.last_ok)
