"""One page on this machine where a passkey signs a paper, or is made: shown by this program and not by a server.

It answers under `localhost` alone, on a port that the root names, under a path that nobody can guess, until something
is signed or minutes have passed. Both loopback addresses are taken, so that no other program of this machine
answers the browser in its place.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import queue
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs

import jinja2

from sync.console.hands import HERE, Asserted, Made
from sync.console.paper import Paper
from sync.console.places import Place
from sync.console.web import heads, passkeys, resources
from sync.protocol import signing, texts
from sync.protocol.documents import Site
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

WAIT_S: Final = 300.0
_FORM_MAX: Final = 64 * 2**10
_SLOW_S: Final = 10.0  # a browser that says nothing for so long has gone
_STATIC: Final = {"passkey.js": "text/javascript", "console.css": "text/css", "mark.svg": "image/svg+xml"}
_HEADS: Final = {
    **heads.SHUT,
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'",
}

Tell = Callable[[str], None]
_Taker = Callable[[str | None], None]  # None where the person does not sign


class LocalPage:
    """The page; `tell` says its address to the person, who opens it in a browser."""

    def __init__(self, tell: Tell | None = None, wait_s: float = WAIT_S) -> None:
        self._tell = tell or _to_terminal
        self._wait_s = wait_s

    def sign(self, site: Site, paper: Paper, lines: tuple[str, ...], among: list[bytes]) -> Asserted:
        """Sign the challenge of a paper. Raises KnownError."""
        challenge = signing.challenge(paper.payload)

        def options(place: Place) -> str:
            return passkeys.question(place, challenge, among)

        def read(_place: Place, answer: str) -> Asserted:
            found = passkeys.asserted(answer)
            return Asserted(found.id, found.authenticator_data, found.client_data_json, found.signature)

        values = {"make": False, "lines": lines, "payload": paper.payload.decode("utf-8", "replace")}
        found: Asserted = self._answered(site, values, options, read)
        return found

    def make(self, site: Site, label: str) -> Made:
        """Make a passkey for orders. Raises KnownError."""
        challenge, handle = secrets.token_bytes(32), secrets.token_bytes(16)

        def options(place: Place) -> str:
            return passkeys.wish(place, "", label, handle, challenge, [])

        def read(place: Place, answer: str) -> Made:
            found = passkeys.made(place, challenge, answer)
            return Made(found.id, found.spki, found.synced)

        found: Made = self._answered(site, {"make": True, "lines": (label,), "payload": ""}, options, read)
        return found

    def _answered(
        self,
        site: Site,
        values: dict[str, Any],
        options: Callable[[Place], str],
        read: Callable[[Place, str], Any],
    ) -> Any:
        """What the page brings. Raises KnownError."""
        answers: queue.Queue[Any] = queue.Queue()
        with _listening(site) as (sockets, port):
            place = Place(site.rp_id, f"http://{site.rp_id}:{port}")
            token = secrets.token_urlsafe(24)

            def take(answer: str | None) -> None:
                answers.put(None if answer is None else read(place, answer))

            def written(*, done: bool = False, signed: bool = False) -> str:
                return _ENVIRONMENT.get_template("local.html").render(
                    language=texts.language(), path=f"/{token}", options="" if done else options(place), done=done,
                    signed=signed, **values,
                )  # fmt: skip

            page = _Page(place, token, written(), written(done=True, signed=True), written(done=True), take)
            servers = [_serving(each, page) for each in sockets]
            try:
                self._tell(f"{place.origin}/{token}")
                found = answers.get(timeout=self._wait_s)
            except queue.Empty:
                found = None
            finally:
                for each in servers:
                    each.shutdown()
                    each.server_close()
            if found is None:
                raise KnownError(_("Nobody signed on the page."), _("Nothing was signed. Start again."))
            return found


class _Page:
    """What the handler needs to know."""

    def __init__(self, place: Place, token: str, text: str, signed: str, refused: str, take: _Taker) -> None:
        self.place = place
        self.token = token
        self.text = text
        self.signed = signed
        self.refused = refused
        self.take = take


class _Server(ThreadingHTTPServer):
    """A server on a socket that is bound already."""

    daemon_threads = True

    def __init__(self, bound: socket.socket, page: _Page) -> None:
        self.address_family = bound.family
        super().__init__(bound.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = bound
        self.page = page

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is nothing to be told."""


class _Handler(BaseHTTPRequestHandler):
    """Answers the page, its script and its style, and takes the one form."""

    server: _Server
    timeout = _SLOW_S
    server_version = "Fieldkeep"
    sys_version = ""

    def do_GET(self) -> None:
        """The page, or a part of it."""
        page = self.server.page
        if not self._host_fits():
            self._say(HTTPStatus.MISDIRECTED_REQUEST, "", "text/plain")
        elif hmac.compare_digest(self.path.encode(), f"/{page.token}".encode()):
            self._say(HTTPStatus.OK, page.text, "text/html")
        elif (name := self.path.removeprefix("/static/")) in _STATIC:
            text = (resources.root() / "static" / name).read_text(encoding="utf-8")
            self._say(HTTPStatus.OK, text, _STATIC[name])
        else:
            self._say(HTTPStatus.NOT_FOUND, "", "text/plain")

    def do_POST(self) -> None:
        """The browser's answer."""
        page = self.server.page
        length = int(self.headers.get("content-length", "0") or "0") if self._host_fits() else 0
        fits = hmac.compare_digest(self.path.encode(), f"/{page.token}".encode())
        if not fits or self.headers.get("origin") != page.place.origin or not 0 < length <= _FORM_MAX:
            self._say(HTTPStatus.FORBIDDEN, "", "text/plain")
            return
        form = parse_qs(self.rfile.read(length).decode("utf-8", "replace"), max_num_fields=8)
        if "refuse" in form:
            self._say(HTTPStatus.OK, page.refused, "text/html")
            page.take(None)
            return
        try:
            page.take(form.get("answer", [""])[0])
        except KnownError as error:
            self._say(HTTPStatus.BAD_REQUEST, error.title, "text/plain")
            return
        self._say(HTTPStatus.OK, page.signed, "text/html")

    def _host_fits(self) -> bool:
        """Whether the browser means us by our name: another name that leads here is another page's trick."""
        host = self.server.page.place.origin.removeprefix("http://")
        return self.headers.get("host") == host

    def _say(self, status: HTTPStatus, text: str, media: str) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in {**_HEADS, "Content-Type": f"{media}; charset=utf-8"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """The token stands in no log."""


def _serving(bound: socket.socket, page: _Page) -> _Server:
    server = _Server(bound, page)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    return server


@contextlib.contextmanager
def _listening(site: Site) -> Iterator[tuple[list[socket.socket], int]]:
    """Sockets on both loopback addresses, on the first port of the site that is free on both. Raises KnownError."""
    ports = [int(each.rsplit(":", 1)[1]) for each in site.origins if each in HERE.origins]
    for port in ports:
        bound: list[socket.socket] = []
        try:
            bound.append(_bound(socket.AF_INET, "127.0.0.1", port))
            if _has_six():
                bound.append(_bound(socket.AF_INET6, "::1", port))
        except OSError:
            for each in bound:
                each.close()
            continue
        yield bound, port
        return
    raise KnownError(
        _("No port of this machine is free for the page."),
        _("End the program that uses it, or sign with a key file: --keys DIR"),
    )


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # there it lets nobody else in while somebody listens; elsewhere it would
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
        made.listen(8)
    except OSError:
        made.close()
        raise
    return made


def _has_six() -> bool:
    """Whether this machine has the other loopback address at all."""
    try:
        probe = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    except OSError:
        return False
    with contextlib.closing(probe):
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


def _to_terminal(url: str) -> None:
    # Not opened by us: the address would stand in the browser's arguments, which every user of the machine may read.
    print(_("Open this page in a browser of this machine:"), file=sys.stderr)
    print(url, file=sys.stderr, flush=True)


_ENVIRONMENT: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(resources.root() / "pages"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals.update(_=texts.gettext)
