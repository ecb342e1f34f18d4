"""The console in a real browser, with security keys of its own: from the invitation to the verified receipt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.browser import Browser, chromium, number, set_up
from tests.served import Server
from tests.server.driver import Device, Tls
from tests.server.running import Org

IT = "it@example.com"


@pytest.fixture
def org(tmp_path: Path, scripts: Path) -> Org:
    made = Org(tmp_path, scripts)
    made.init()
    return made


@pytest.fixture
def server(org: Org) -> Iterator[Server]:
    running = org.serve(console=True)
    yield running
    assert running.stop() == 0


@pytest.fixture
def browser(org: Org, server: Server) -> Iterator[Browser]:
    with chromium(org, server.console) as made:
        yield made


@pytest.fixture
def laptop(org: Org, server: Server) -> Iterator[Device]:
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    line = Tls(server.url, (org.keys / "ca.crt").read_text())
    made = Device(line, "LAP-0388")
    made.enrol(org.code("ana@example.com"))
    made.add("customer", name="Café Größe")
    made.sync()
    yield made
    line.close()


def invite(org: Org) -> str:
    return str(org.json("console", "invite", IT)["url"])


def test_from_the_invitation_to_the_verified_receipt(org: Org, browser: Browser, laptop: Device) -> None:
    """Everything IT does about a stolen laptop, in the browser; the organisation's keys enter a passkey once."""
    set_up(browser, invite(org))
    browser.add_key("internal")
    browser.go("/account")
    browser.fill("form[action='/account/passkey'] [name=label]", "This laptop")
    browser.press("Add a passkey")
    browser.shows("This laptop", "form[action='/account/passkey/remove'], main")
    browser.press("Sign out")
    browser.press("Sign in with a passkey")
    browser.at("/devices")
    browser.go("/account")
    browser.fill("form[action='/account/order-key'] [name=label]", "Key in hand")
    browser.press("Register a passkey for wipes")
    browser.press("Make the passkey")
    browser.at("/account")
    digits = browser.text(".key .mono")
    browser.shows("waits to be entered in the root", ".key")
    org.admin("console", "grant", IT, "--key", digits)
    browser.go(f"/devices/{laptop.enrolment}")
    browser.fill("form[action$='/wipe'] [name=name]", "LAP-0388")
    browser.fill("form[action$='/wipe'] [name=reason]", "stolen <b>today</b>")
    browser.press("Wipe device")
    browser.shows("stolen <b>today</b>")
    assert "wipe.localhost" in browser.driver.current_url
    browser.press("Sign and wipe device")
    browser.at(f"/devices/{laptop.enrolment}")
    browser.shows("Wiping", "h1")
    # What the page shows from here on it was told of, without being loaded again.
    browser.driver.execute_script("window.same = true")
    laptop.session = None
    papers = [paper.data for paper in laptop.exchange(root_version=1).papers if paper.kind == "order"]
    browser.shows("Fetched by the device", "#progress .done:nth-child(2)")
    laptop.hand_in(laptop.receipt(papers[-1]))
    browser.shows("Receipt verified", "#progress .done:last-child")
    assert browser.driver.execute_script("return window.same")
    assert not [each for each in browser.console() if each["level"] == "SEVERE"]


def test_without_scripts_but_for_passkeys(org: Org, server: Server, laptop: Device) -> None:
    with chromium(org, server.console) as browser:
        letters = set_up(browser, invite(org))
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        browser.press("Sign out")
        browser.fill("[name=email]", IT)
        browser.fill("[name=password]", "seven quiet paper boats")
        browser.fill("[name=number]", number(letters, 1))
        browser.press("Sign in with the password")
        browser.at("/devices")
        browser.fill("form.filter [name=q]", "lap-03")
        browser.press("Find")
        browser.press("LAP-0388")
        browser.fill("form[action$='/lock'] [name=reason]", "left in a taxi")
        browser.press("Lock device")
        browser.shows("Lock on its way", "h1")
        browser.press("Report on a loss")
        browser.shows("DRAFT: notice of a personal data breach")
