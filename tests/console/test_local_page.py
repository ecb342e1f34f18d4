"""A passkey signs an order on a page of the admin's own machine: a real Chromium, a key made by itself, no server."""

from __future__ import annotations

import fcntl
import http.client
import queue
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.by import By

from sync.console import hands, local_page
from sync.console import paper as papers
from sync.protocol import trust
from sync.protocol.errors import KnownError
from tests.console.away import Person, draft, root_in
from tests.console.browser import Browser, chromium
from tests.server.driver import Device
from tests.server.inside import Inside
from tests.server.running import Org

WAIT_S = 60.0


@pytest.fixture(autouse=True)
def one_at_a_time() -> Iterator[None]:
    """The pages have four ports on the whole machine, whichever tests run beside these."""
    with (Path(tempfile.gettempdir()) / "fieldkeep-tests-signing-page.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@pytest.fixture
def browser(house: Org) -> Iterator[Browser]:
    with chromium(house, "http://localhost") as made:
        made.driver.get("about:blank")
        made.add_key()
        yield made


def open_page(browser: Browser, url: str, selector: str) -> None:
    """Load it until it is there: a browser may hold on to the line of a page before it, on the same port."""

    def look() -> object:
        browser.driver.get(url)
        return browser.driver.find_element(By.CSS_SELECTOR, selector)

    browser.until(look)


def on_page(act: Callable[[str], Any], run: Callable[[], Any]) -> Any:
    """Run a command that shows a page, and do something on it."""
    told: queue.Queue[str] = queue.Queue()
    done: queue.Queue[Any] = queue.Queue()
    with mock.patch.object(local_page, "_to_terminal", told.put):
        working = threading.Thread(target=lambda: done.put(run()), daemon=True)
        working.start()
        act(told.get(timeout=WAIT_S))
        working.join(WAIT_S)
    return done.get(timeout=1)


def test_a_passkey_is_made_and_signs_as_one_of_two(
    house: Org, inside: Inside, laptops: list[Device], browser: Browser
) -> None:
    ed = Person(house, house.folder / "ed")

    def make(url: str) -> None:
        open_page(browser, url, "button")
        browser.press("Make the passkey")
        browser.shows("Close this page")

    pub = on_page(make, lambda: ed.make("order", "Ed's passkey", "--passkey"))
    house.admin("root", "admin-add", str(pub))
    file = draft(house, "wipe.paper", "LAP-1", "LAP-2")

    def sign(url: str) -> None:
        open_page(browser, url, "#order")
        shown = browser.text("#order")
        for words in ("WIPE", "LAP-1", "LAP-2", laptops[1].enrolment, "stolen"):
            assert words in shown
        browser.press("Sign")
        browser.shows("Close this page")

    done: subprocess.CompletedProcess[str] = on_page(sign, lambda: ed.sign(file, "wipe 2", "--passkey"))
    assert "Ed's passkey" in done.stdout
    assert not [each for each in browser.console() if "pubKeyCredParams" not in each["message"]]
    Person(house, house.keys).sign(file, "wipe 2")
    house.admin("file", str(file))
    # A signature of this page counts for two devices, as one of a server's page would not.
    root, data = root_in(file), papers.read(file).envelope.to_bytes()
    for laptop in laptops:
        taken = trust.order(root, trust.Floors(), data, enrolment=laptop.enrolment, now=inside.now())
        assert taken.order.op == "wipe"


def test_a_page_that_shows_other_bytes_signs_nothing(house: Org, browser: Browser) -> None:
    ed = Person(house, house.folder / "ed")

    def make(url: str) -> None:
        open_page(browser, url, "button")
        browser.press("Make the passkey")
        browser.shows("Close this page")

    house.admin("root", "admin-add", str(on_page(make, lambda: ed.make("order", "Ed", "--passkey"))))
    file = draft(house, "wipe.paper", "LAP-1")

    def sign(url: str) -> None:
        open_page(browser, url, "[data-payload]")
        bend = "document.querySelector('[data-payload]').textContent += ' '"
        browser.find("[data-payload]")
        browser.driver.execute_script(bend)
        browser.press("Sign")
        browser.shows("Nothing was signed")
        browser.press("Do not sign")
        browser.shows("Close this page")

    done = on_page(sign, lambda: ed.sign(file, "wipe 1", "--passkey", check=False))
    assert (done.returncode, "Nobody signed on the page" in done.stderr) == (1, True)
    assert not papers.read(file).signatures


# -- who else may knock


@pytest.fixture
def page(house: Org) -> Iterator[tuple[str, queue.Queue[Any]]]:
    """A page that waits for a signature, and what comes of it."""
    paper = papers.read(draft(house, "wipe.paper", "LAP-1"))
    told: queue.Queue[str] = queue.Queue()
    got: queue.Queue[Any] = queue.Queue()

    def wait() -> None:
        try:
            got.put(local_page.LocalPage(told.put, 4.0).sign(hands.HERE, paper, ("line",), [b"x" * 16]))
        except KnownError as error:
            got.put(error)

    threading.Thread(target=wait, daemon=True).start()
    yield told.get(timeout=WAIT_S), got
    got.get(timeout=WAIT_S) if got.empty() else None


def ask(url: str, method: str = "GET", body: str = "", **heads: str) -> tuple[int, str]:
    parts = urlsplit(url)
    line = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=10)
    line.request(method, parts.path, body or None, {"host": parts.netloc, **heads})
    answer = line.getresponse()
    return answer.status, answer.read().decode()


def test_only_our_own_page_is_answered(page: tuple[str, Any]) -> None:
    url, _got = page
    origin = url.rsplit("/", 1)[0]
    assert ask(url)[0] == 200
    assert ask(f"{origin}/")[0] == 404
    assert ask(f"{origin}/{'A' * 32}")[0] == 404
    assert ask(f"{origin}/static/../pages/local.html")[0] == 404
    assert ask(url, host="evil.test:17481")[0] == 421  # a name of somebody else's that leads here
    for heads in (
        {},
        {"origin": "http://evil.test"},
        {"origin": "http://localhost:8000"},
        {"origin": "null"},
    ):
        assert ask(url, "POST", "answer=x", **heads)[0] == 403
    assert ask(f"{origin}/other", "POST", "answer=x", origin=origin)[0] == 403
    assert ask(url, "POST", "answer=x", origin=origin)[0] == 400  # no answer of a browser
    assert ask(url)[0] == 200  # and the page is still there


def test_the_page_ends_by_itself_and_takes_no_port_of_others(page: tuple[str, Any]) -> None:
    url, got = page
    port = urlsplit(url).port
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with (
            socket.socket(family) as other,
            pytest.raises(OSError, match=r"in use|annot assign"),
        ):
            other.bind((address, port))
    ended = got.get(timeout=WAIT_S)
    assert isinstance(ended, KnownError)
    assert "Nobody signed" in ended.title
    got.put(None)
    with pytest.raises(OSError, match="refused"):
        ask(url)


def test_a_port_that_another_program_has_is_passed_over(house: Org) -> None:
    paper = papers.read(draft(house, "wipe.paper", "LAP-1"))
    told: list[str] = []
    with socket.create_server(("127.0.0.1", hands.PORTS[0])):
        with pytest.raises(KnownError, match="Nobody signed"):
            local_page.LocalPage(told.append, 0.1).sign(hands.HERE, paper, (), [])
        assert urlsplit(told[0]).port == hands.PORTS[1]
        others = [socket.create_server(("127.0.0.1", each)) for each in hands.PORTS[1:]]
        with pytest.raises(KnownError, match="No port"):
            local_page.LocalPage(told.append, 0.1).sign(hands.HERE, paper, (), [])
        for each in others:
            each.close()
