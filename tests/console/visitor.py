"""A browser without a screen: asks the console's application itself, keeps cookies, and holds passkeys in software."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import http.client
import json
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import cbor2
import pyotp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.types import ASGIApp

from sync.compose import console
from tests.console.browser import PASSWORD
from tests.server.driver import now_ms
from tests.server.inside import Inside

IT: Final = "it@example.com"
PORT: Final = 8444
SITES: Final = console.sites("localhost", PORT)
CONSOLE: Final = SITES.console.origin
WIPES: Final = SITES.signing.origin
FROZEN: Final[
    dict[int, int]
] = {}  # seconds at which the clock of an application stands, so that no number ends in a test
TOKEN: Final = re.compile(r'name="token" value="([^"]+)"')


@dataclass(frozen=True)
class Page:
    """An answer."""

    status: int
    heads: dict[str, str]
    cookies: list[str]
    text: str

    @property
    def to(self) -> str:
        """Where it leads."""
        return self.heads.get("location", "")

    @property
    def plain(self) -> str:
        """What a person reads, without markup."""
        return html.unescape(re.sub(r"<[^>]*>", " ", self.text))

    def field(self, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found, self.plain
        return html.unescape(found[1])

    @property
    def options(self) -> dict[str, Any]:
        """What the page asks the browser for."""
        found = re.search(r'data-options="([^"]*)"', self.text)
        assert found, self.plain
        read: dict[str, Any] = json.loads(html.unescape(found[1]))
        return read


@dataclass
class Visitor:
    """One browser."""

    app: ASGIApp
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""
    letters: str = ""
    address: str = "192.0.2.7"
    origin: str = CONSOLE

    def get(self, url: str, **heads: str) -> Page:
        """Open a page; a path is the console's."""
        return self._ask("GET", url, b"", heads)

    def post(self, url: str, form: Mapping[str, str] | None = None, **heads: str) -> Page:
        """Send a form as a page of ours does; `heads` replace what the browser says, "" takes it away."""
        host = urlsplit(url).netloc
        origin = f"https://{host}" if host else self.origin
        said = {"origin": origin, "sec_fetch_site": "same-origin", **heads}
        body = urlencode({"token": self.token, **(form or {})}).encode()
        return self._ask("POST", url, body, said)

    def upload(
        self, url: str, file: bytes, form: Mapping[str, str] | None = None, name: str = "a.json"
    ) -> Page:
        """Send a form with a file in it."""
        mark = "----fieldkeep-0123"
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in {"token": self.token, **(form or {})}.items()
        ]
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: application/json'
        parts += [f"--{mark}\r\n{head}\r\n\r\n".encode(), file, f"\r\n--{mark}--\r\n".encode()]
        said = {"origin": self.origin, "sec_fetch_site": "same-origin"}
        said["content_type"] = f"multipart/form-data; boundary={mark}"
        return self._ask("POST", url, b"".join(parts), said)

    def raw(self, url: str, body: bytes) -> Page:
        """Send bytes."""
        return self._ask("POST", url, body, {"origin": CONSOLE})

    def _ask(self, method: str, url: str, body: bytes, heads: dict[str, str]) -> Page:
        parts = urlsplit(url if url.startswith("https:") else f"{self.origin}{url}")
        said = {"host": parts.netloc, **{name.replace("_", "-"): value for name, value in heads.items()}}
        if self.cookies and parts.netloc == urlsplit(self.origin).netloc:
            said.setdefault("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "https",
            "path": parts.path, "raw_path": parts.path.encode(), "query_string": parts.query.encode(),
            "root_path": "", "client": (self.address, 5), "server": ("127.0.0.1", PORT),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in said.items() if value],
        }  # fmt: skip
        page = asyncio.run(_call(self.app, scope, body))
        for each in page.cookies:
            name, _sign, rest = each.partition("=")
            value = rest.partition(";")[0].strip('"')
            if value and "Max-Age=0" not in each:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        if found := TOKEN.search(page.text):
            self.token = html.unescape(found[1])
        return page

    def accept(self, url: str) -> Page:
        """Take up an invitation."""
        path = urlsplit(url).path
        page = self.get(path)
        found = re.search(r'class="mono">([^<]+)<', page.text)
        assert found, page.plain
        self.letters = found[1]
        form = {"password": PASSWORD, "again": PASSWORD, "number": self.number()}
        answer = self.post(path, form)
        assert answer.status == 303, answer.plain
        self.get("/account")
        return answer

    def number(self, steps: int = 0, now: int | None = None) -> str:
        """What the app shows."""
        at = FROZEN.get(id(self.app), int(time.time())) if now is None else now
        return str(pyotp.TOTP("".join(self.letters.split())).at(at + 30 * steps))

    def sign_in(self, steps: int = 1, **other: Any) -> Page:
        """With the password and the number of the next step."""
        self.token = ""
        form = {"email": IT, "password": PASSWORD, "number": self.number(steps), **other}
        return self.post("/sign-in", form)


async def _call(app: ASGIApp, scope: dict[str, Any], body: bytes) -> Page:
    sent: list[dict[str, Any]] = []
    asked = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return asked.pop(0) if asked else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = next(each for each in sent if each["type"] == "http.response.start")
    pairs = [(name.decode(), value.decode()) for name, value in start["headers"]]
    text = b"".join(each.get("body", b"") for each in sent if each["type"] == "http.response.body")
    return Page(
        start["status"], dict(pairs), [value for name, value in pairs if name == "set-cookie"],
        text.decode("utf-8", "replace"),
    )  # fmt: skip


def over_tls(port: int) -> ASGIApp:
    """A real server at this port of this machine, asked as if it were an application here."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        line = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
        path = scope["path"] + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
        line.putrequest(scope["method"], path, skip_host=True, skip_accept_encoding=True)
        for name, value in scope["headers"]:
            line.putheader(name.decode(), value)
        line.putheader("content-length", str(len(body)))
        line.endheaders(body)
        answer = line.getresponse()
        heads = [(name.lower().encode(), value.encode()) for name, value in answer.getheaders()]
        await send({"type": "http.response.start", "status": answer.status, "headers": heads})
        await send({"type": "http.response.body", "body": answer.read()})
        line.close()

    return app


def b64(data: bytes) -> str:
    """As browsers write bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class SoftKey:
    """A security key in software."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def id(self) -> bytes:
        """Its credential id."""
        return hashlib.sha256(self._xy()).digest()

    def _xy(self) -> bytes:
        at = self.key.public_key().public_numbers()
        return at.x.to_bytes(32, "big") + at.y.to_bytes(32, "big")

    def create(self, options: dict[str, Any], origin: str, **said: Any) -> str:
        """What a browser answers that was asked to make it."""
        xy = self._xy()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: xy[:32], -3: xy[32:]})
        auth = (
            self._auth(options["rp"]["id"], 0x45)
            + bytes(16)
            + len(self.id).to_bytes(2, "big")
            + self.id
            + cose
        )
        client = _client("webauthn.create", options, origin, said)
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": auth})
        return self._answer({"clientDataJSON": b64(client), "attestationObject": b64(made)})

    def get(self, options: dict[str, Any], origin: str, *, flags: int = 0x05, **said: Any) -> str:
        """What a browser answers that was asked to use it."""
        auth = self._auth(options["rpId"], flags)
        client = _client("webauthn.get", options, origin, said)
        sig = self.key.sign(auth + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {"clientDataJSON": b64(client), "authenticatorData": b64(auth), "signature": b64(sig)}
        )

    def _auth(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + (7).to_bytes(4, "big")

    def _answer(self, response: dict[str, str]) -> str:
        name = b64(self.id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def _client(type_: str, options: dict[str, Any], origin: str, said: dict[str, Any]) -> bytes:
    members = {
        "type": type_,
        "challenge": options["challenge"],
        "origin": origin,
        "crossOrigin": False,
        **said,
    }
    return json.dumps(members).encode()


@dataclass
class ConsoleInside(Inside):
    """A server in this process with a console."""

    desk: ASGIApp = field(init=False)
    house: Any = field(init=False)
    base: int = field(default_factory=now_ms)

    def open(self) -> None:
        """Open the store, and the console over it."""
        super().open()
        self.office.console = console.site("localhost", PORT)
        self.house = console.made(self.office, SITES)
        self.desk = self.house.app()
        FROZEN[id(self.desk)] = self.base // 1000

    def now(self) -> int:
        """The server's time, which stands but for `skew`."""
        return self.base + self.skew

    def visitor(self) -> Visitor:
        """A browser that nobody has signed in with."""
        return Visitor(self.desk)

    def admin(self, email: str = IT) -> Visitor:
        """A browser of an admin who has just set up the account."""
        made = self.visitor()
        made.accept(self.office.console_invite(email))
        return made

    def order_key(self, name: str = "order-1.key") -> Any:
        """A key file of the admin."""
        return super().order_key(name)


def grant(inside: ConsoleInside, visitor: Visitor, key: SoftKey) -> None:
    """Register a passkey for orders, and have it entered in the root."""
    from sync.compose import consoles
    from sync.protocol import signing

    sent = visitor.post("/account/order-key", {"label": "Key in hand"})
    page = visitor.get(sent.to)
    done = visitor.post(sent.to, {"answer": key.create(page.options, WIPES)})
    assert done.to == f"{CONSOLE}/account", done.plain
    registered = inside.office.console_keys()[-1]
    import argparse

    asked = argparse.Namespace(
        email=registered.email,
        keys=inside.keys,
        key=signing.keyid(registered.spki)[:12],
        another_admin=False,
        json=True,
    )
    assert consoles.grant(asked, inside.office) == 0


def folder() -> Path:
    """Where the pages are."""
    return Path(__file__).resolve().parents[2] / "resources" / "console"
