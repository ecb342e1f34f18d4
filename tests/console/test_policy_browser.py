"""Policy at the console in a real browser: written by keyboard, looked at as it is typed, signed elsewhere, filed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.console.browser import Browser, chromium, set_up
from tests.console.test_browser import invite, org, server
from tests.served import Server
from tests.server.driver import Device, Tls
from tests.server.running import Org

__all__ = ["org", "server"]


@pytest.fixture
def laptop(org: Org, server: Server) -> Iterator[Device]:
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    line = Tls(server.url, (org.keys / "ca.crt").read_text())
    made = Device(line, "LAP-0388")
    made.enrol(org.code("ana@example.com"))
    made.exchange([], posture={"disk_encryption": False})
    yield made
    line.close()


def choose(browser: Browser, name: str, value: str) -> None:
    """Choose of a list."""
    browser.until(lambda: _chosen(browser, name, value))


def _chosen(browser: Browser, name: str, value: str) -> bool:
    Select(browser.driver.find_element(By.NAME, name)).select_by_value(value)
    return True


def add_row(browser: Browser, signal: str) -> None:
    choose(browser, "signal", signal)
    browser.press("Add a row")


def sign(org: Org, data: str, folder: Path) -> Path:
    """What the machine with the key makes of the file."""
    file = folder / "policy-2.json"
    file.write_text(data)
    with mock.patch("sys.stdin", io.StringIO("policy 2\n")):
        org.call("fieldkeep-admin", "policy", "sign", str(file), "--keys", str(org.keys))
    return folder / "policy-2-signed.json"


def file_of(browser: Browser) -> str:
    """The draft's file, as the link gives it to this visit."""
    script = (
        "const done = arguments[0];"
        "fetch(document.querySelector('#sign a').href).then(got => got.text()).then(done)"
    )
    return str(browser.driver.execute_async_script(script))


def test_a_policy_is_written_looked_at_signed_elsewhere_and_filed(
    org: Org, browser: Browser, laptop: Device, tmp_path: Path
) -> None:
    set_up(browser, invite(org))
    browser.go("/policy")
    browser.shows("1\nof 1 device follows it")
    browser.press("Begin a draft")
    add_row(browser, "disk_encryption")
    # What would come of it is shown as it is chosen, before anything is saved.
    browser.driver.execute_script("window.same = true")
    choose(browser, "r0.action", "lock_crypto")
    browser.shows("1 device would be locked:", "#outlook")
    browser.shows("LAP-0388", "#outlook")
    assert browser.driver.execute_script("return window.same")
    assert "would be locked" not in browser.text("#sign")
    browser.fill("[name=note]", "Disks" + Keys.ENTER)
    browser.shows("Disks", "h1")
    browser.shows("It would lock 1 device.", "#sign")
    signed = sign(org, file_of(browser), tmp_path)
    browser.find("[name=file]").send_keys(str(signed))
    browser.press("File the policy")
    browser.shows("Nothing was filed.", ".trouble")
    browser.find("[name=file]").send_keys(str(signed))
    browser.fill("[name=locks]", "1")
    browser.press("File the policy")
    browser.shows("Policy 2", "h1")
    browser.shows("Encryption of the disk")
    browser.shows("0\nof 1 device follows it")
    laptop.exchange([], policy_version=2, posture={"disk_encryption": True})
    browser.go("/policy")
    browser.shows("1\nof 1 device follows it")
    assert not [
        each for each in browser.console() if "400" not in each["message"] and each["level"] == "SEVERE"
    ]


def test_by_keyboard_alone_and_without_scripts(org: Org, server: Server, laptop: Device) -> None:
    with chromium(org, server.console) as browser:
        set_up(browser, invite(org))
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        browser.go("/policy")
        press_by_keys(browser, "Begin a draft")
        browser.at("/policy/drafts/")
        into_by_keys(browser, "inactivity_min", "25" + Keys.ENTER)
        browser.shows("The window locks after 25 minutes without use.", "#outlook")
        browser.shows("1 change loosens something.", "#outlook")
        into_by_keys(browser, "pin.min_len", "x" + Keys.ENTER)
        browser.shows("A whole number is needed here.")
        # What is wrong has the focus, and says so.
        assert browser.driver.switch_to.active_element.get_attribute("name") == "pin.min_len"


def press_by_keys(browser: Browser, words: str) -> None:
    """Tab until this button has the focus, and press it."""
    tab_until(browser, lambda: browser.driver.switch_to.active_element.text == words)
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)


def into_by_keys(browser: Browser, name: str, text: str) -> None:
    """Tab into a field, and type over what stands there."""
    tab_until(browser, lambda: browser.driver.switch_to.active_element.get_attribute("name") == name)
    browser.driver.switch_to.active_element.send_keys(Keys.CONTROL + "a" + Keys.NULL + text)


def tab_until(browser: Browser, there: object) -> None:
    assert callable(there)
    for _each in range(120):
        if there():
            return
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
    raise AssertionError("no Tab leads there")


@pytest.fixture
def browser(org: Org, server: Server) -> Iterator[Browser]:
    with chromium(org, server.console) as made:
        yield made
