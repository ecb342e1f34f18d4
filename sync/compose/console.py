"""Joins the web console to a server: its hosts, its office and gate, and which of the two answers on which port."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from sync.console.places import Place, Sites
from sync.protocol import documents, signing
from sync.protocol.consoles import ConsoleSite
from sync.protocol.documents import Root
from sync.server import limits, logs
from sync.server.office import StoreOffice

if TYPE_CHECKING:
    from sync.console.web.app import Console

TRIES: Final = 10  # refused ways in, per minute, from one address and as one person
SIGNING_HOST: Final = "wipe."  # before the console's: passkeys of the one are none of the other's
HTTPS: Final = 443
# What a browser takes for the host of a passkey: names, no addresses.
NAME: Final = re.compile(
    r"(?![0-9.]+$)[0-9a-z]([0-9a-z-]{0,61}[0-9a-z])?(\.[0-9a-z]([0-9a-z-]{0,61}[0-9a-z])?){0,10}"
)


def sites(host: str, port: int) -> Sites:
    """Where a console of this host and port is."""
    end = "" if port == HTTPS else f":{port}"
    signing_host = f"{SIGNING_HOST}{host}"
    return Sites(Place(host, f"https://{host}{end}"), Place(signing_host, f"https://{signing_host}{end}"))


def hosts(host: str, console_host: str) -> list[str]:
    """The names that the server's certificate is for."""
    return [host, console_host, f"{SIGNING_HOST}{console_host}"]


def site(host: str, port: int) -> ConsoleSite | None:
    """The same in the office's words; None where there is no console."""
    where = sites(host, port)
    if not port:
        return None
    return ConsoleSite(url=where.console.origin, rp_id=where.signing.rp_id, origin=where.signing.origin)


def made(office: StoreOffice, where: Sites) -> Console:
    """The console of this office."""
    # Not at the top: a server without a console, and every command, goes without its parts.
    from sync.console.web.app import Console
    from sync.console.web.asking import House
    from sync.console.web.tickets import Tickets

    root = documents.parse(signing.open_envelope(office.root(), Root.TYPE).payload, Root)
    house = House(office.gate, office, where, limits.Tries(TRIES), Tickets(), root.org_name)
    return Console(house, logs.fault)


class Doors:
    """The devices' application, and the console's on its own port."""

    def __init__(self, devices: ASGIApp, console: ASGIApp, port: int) -> None:
        self._devices = devices
        self._console = console
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to the one whose port it came to."""
        of_console = scope["type"] == "http" and scope["server"][1] == self._port
        await (self._console if of_console else self._devices)(scope, receive, send)
