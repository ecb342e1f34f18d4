"""A real Chromium with security keys made by itself, and an organisation whose server has a console."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import pyotp
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions
from selenium.webdriver.remote.webelement import WebElement

from tests.forks import wait_until
from tests.server.running import Org

T = TypeVar("T")

for _talker in ("selenium", "urllib3"):
    logging.getLogger(_talker).setLevel(logging.WARNING)

WAIT_S: Final = 20.0
PASSWORD: Final = "seven quiet paper boats"
WIDE: Final = (1440, 900)
_QUIET: Final = (
    "--headless=new", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--no-first-run", "--no-default-browser-check", "--disable-extensions",
    "--disable-domain-reliability", "--disable-client-side-phishing-detection", "--metrics-recording-only",
    "--disable-features=OptimizationHints,MediaRouter,Translate,DialMediaRouteProvider", "--no-pings",
)  # fmt: skip


def folder_of_chromium() -> tuple[str, str]:
    """The browser and its driver."""
    found = shutil.which("chromium"), shutil.which("chromedriver")
    if found[0] is None or found[1] is None:
        raise RuntimeError("Chromium is not installed; `make setup` says which packages to install")
    return found[0], found[1]


class Browser:
    """One Chromium, which trusts this server's key and nobody else's beyond the usual."""

    def __init__(self, driver: webdriver.Chrome, origin: str) -> None:
        self.driver = driver
        self.origin = origin

    def go(self, path: str) -> None:
        """Open a page of the console."""
        self.driver.get(path if path.startswith("https:") else f"{self.origin}{path}")

    def find(self, selector: str) -> WebElement:
        """The first element of that selector, once it is there."""
        return self.until(lambda: self.driver.find_element(By.CSS_SELECTOR, selector))

    def text(self, selector: str = "main") -> str:
        """What stands there."""
        return self.until(lambda: self.driver.find_element(By.CSS_SELECTOR, selector).text)

    def shows(self, words: str, selector: str = "main") -> None:
        """Wait until this stands there."""
        self.until(lambda: words in self.driver.find_element(By.CSS_SELECTOR, selector).text or None)

    def fill(self, selector: str, text: str) -> None:
        """Type into a field."""
        field = self.find(selector)
        field.clear()
        field.send_keys(text)

    def press(self, words: str) -> None:
        """Press the button, or follow the link, of these words."""
        path = f"//*[self::button or self::a][normalize-space()='{words}']"
        self.until(lambda: self._pressed(path))

    def _pressed(self, path: str) -> bool | None:
        found = self.driver.find_element(By.XPATH, path)
        if not found.is_enabled():
            return None
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
        found.click()
        return True

    def at(self, path: str) -> None:
        """Wait for a page."""
        self.until(lambda: self.driver.current_url.startswith(self.origin + path) or None)

    def until(self, look: Callable[[], T | None]) -> T:
        """What `look` finds, once it finds something."""
        found: list[T] = []

        def looked() -> bool:
            with contextlib.suppress(WebDriverException):
                if (seen := look()) is not None:
                    found.append(seen)
            return bool(found)

        wait_until(looked, "the page does not show it", seconds=WAIT_S, pause=0.05)
        return found[0]

    def add_key(self, transport: str = "internal") -> None:
        """Put a security key in, or the machine's own."""
        self.driver.add_virtual_authenticator(
            VirtualAuthenticatorOptions(
                protocol="ctap2", transport=transport, has_resident_key=True, has_user_verification=True,
                is_user_verified=True,
            )
        )  # fmt: skip

    def shot(self, path: Path) -> None:
        """A picture of the page."""
        self.driver.save_screenshot(str(path))

    def console(self) -> list[Any]:
        """What the browser itself complained of."""
        found: list[Any] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [each for each in found if "favicon" not in each["message"]]

    def scheme(self, name: str) -> None:
        """Prefer light or dark."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


@contextlib.contextmanager
def chromium(org: Org, origin: str, language: str = "en", size: tuple[int, int] = WIDE) -> Iterator[Browser]:
    """A browser for as long as the block lasts."""
    program, driver = folder_of_chromium()
    folder = tempfile.mkdtemp(prefix="fk-chromium-")
    options = Options()
    options.binary_location = program
    for word in (
        *_QUIET,
        f"--user-data-dir={folder}",
        f"--window-size={size[0]},{size[1]}",
        f"--lang={language}",
    ):
        options.add_argument(word)
    options.add_argument(f"--ignore-certificate-errors-spki-list={_spki(org)}")
    options.add_experimental_option("prefs", {"intl.accept_languages": language})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    made = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield Browser(made, origin)
    finally:
        made.quit()
        shutil.rmtree(folder, ignore_errors=True)


def _spki(org: Org) -> str:
    certificate = x509.load_pem_x509_certificate((org.secrets / "tls.crt").read_bytes())
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()


def number(letters: str, steps: int = 0) -> str:
    """What an app shows that was given these letters, some steps later."""
    app = pyotp.TOTP("".join(letters.split()))
    return str(app.at(int(time.time()) + 30 * steps))


def set_up(browser: Browser, url: str) -> str:
    """Take up an invitation, and be signed in; the letters of the second factor."""
    browser.go(url)
    letters = browser.text(".mono")
    browser.fill("[name=password]", PASSWORD)
    browser.fill("[name=again]", PASSWORD)
    browser.fill("[name=number]", number(letters))
    browser.press("Set up and sign in")
    browser.at("/devices")
    return letters
