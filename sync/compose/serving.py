"""Runs the server: TLS 1.3 on one address, the admin socket beside it, and a stop that finishes what has begun."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import datetime as dt
import os
import resource
import signal
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import uvicorn
from starlette.types import ASGIApp

from sync.compose import compacting, console, making, office_socket, telling
from sync.protocol import joins
from sync.protocol.texts import gettext as _
from sync.server import config, limits, logs, mailing, tls
from sync.server.config import Folders, Settings
from sync.server.db.base import Store
from sync.server.errors import SetupError
from sync.server.exchange import Step
from sync.server.office import StoreOffice
from sync.server.ready import Ready
from sync.server.service import Service
from sync.server.web import held_lines, routes

if TYPE_CHECKING:
    from sync.console.web.app import Console

KEEP_ALIVE_S: Final = 75
STOP_S: Final = 20
CONNECTIONS: Final = 1_000  # besides those of devices that hold a line: these have two
UNANSWERED_MS: Final = 60_000  # what is sent to a device and not acknowledged for so long was sent to nobody
_M_MMAP_THRESHOLD: Final = -3  # of glibc's mallopt
_LARGE: Final = 128 * 1024  # glibc's own, from which on a block lies apart until one was freed
PARTS: Final = "ready"  # in the data folder; what is in it is no part of a backup
_LAST_BYTES_S: Final = 0.3  # for what is written to leave the machine


@dataclass(frozen=True, slots=True)
class Where:
    """Where the server listens: for devices, and for the console where there is one."""

    host: str
    port: int
    console_port: int | None = None


def run(
    folders: Folders,
    settings: Settings,
    where: Where,
    announce: Callable[[str, str], None],
    step: Step = lambda name: None,
) -> None:
    """Serve until SIGTERM or SIGINT; `announce` gets the addresses once it answers, "" for no console.

    Raises SetupError, StoreError.
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _keep_large_blocks_apart()
    with config.alone(folders):
        context = _tls(folders, settings)
        lease_key = config.read_lease_key(folders.lease_key)
        most = _lines()
        store = config.open_store(folders)
        service: Service | None = None
        try:
            listening = _listen(where.host, where.port)
            bound = int(listening.getsockname()[1])
            service = Service(store, lease_key)
            service.step = step
            lines = held_lines(service)
            lines.most = most
            office = StoreOffice(store, lease_key, config.url_of(settings.host, bound))
            service.ready = Ready(store, folders.data / PARTS, making.make, service.now)
            service.ready.start()
            office.expected = service.ready.expect
            desk, pages = _console(office, settings, where)
            app: ASGIApp = routes(service, lines)
            if pages is not None:
                app = console.Doors(app, pages.app(), int(desk[0].getsockname()[1]))
            server = _Server(
                _settings(app, context, CONNECTIONS + 2 * most),
                folders.socket,
                office,
                [lines, *([pages] if pages else [])],
                lambda: announce(
                    config.url_of(where.host, bound), office.console.url if office.console else ""
                ),
                lambda: _chores(store, folders, settings, office),
            )
            with _quiet_signals():
                server.run(sockets=[listening, *desk])
            logs.note("stopped")
        finally:
            if service is not None and service.ready is not None:
                service.ready.stop()
            store.close()


def _settings(app: ASGIApp, context: ssl.SSLContext, most: int) -> uvicorn.Config:
    """How uvicorn serves, with at most so many connections and requests."""
    return uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,  # what time it is stands in the answers
        proxy_headers=False,
        limit_concurrency=most,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
        ssl_context_factory=lambda _config, _default: context,
    )


async def _chores(store: Store, folders: Folders, settings: Settings, office: StoreOffice) -> None:
    """What goes on beside the answers, for as long as the server runs."""
    running = [compacting.daily(store, settings.kept_days)]
    if settings.mail is not None:
        carrier = mailing.Smtp(settings.mail, folders)
        running.append(
            mailing.keep_telling(
                store, carrier, folders.mailed, lambda: office.console.url if office.console else ""
            )
        )
    await asyncio.gather(*running)


class Held(Protocol):
    """What holds lines open."""

    def close(self) -> None:
        """End them."""


def _console(
    office: StoreOffice, settings: Settings, where: Where
) -> tuple[list[socket.socket], Console | None]:
    """The console and where it listens, where there is one. Devices are served without it all the same."""
    if where.console_port is None:
        return [], None
    try:
        listening = _listen(where.host, where.console_port)
    except SetupError as error:
        logs.alarm(
            "console",
            problem="cannot_listen",
            port=where.console_port,
            served="devices",
            next="--console-port",
        )
        telling.aside(
            joins.sentences(
                error.title,
                _("Devices are served without the console. Start it on a free port: --console-port N"),
            )
        )
        return [], None
    port = int(listening.getsockname()[1])
    office.console = console.site(settings.console_host, port)
    return [listening], console.made(office, console.sites(settings.console_host, port))


class _Server(uvicorn.Server):
    """uvicorn with the admin socket, which starts before the address is announced and ends with the server."""

    def __init__(
        self,
        settings: uvicorn.Config,
        path: Path,
        office: StoreOffice,
        held: Sequence[Held],
        announce: Callable[[], None],
        daily: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        super().__init__(settings)
        self._path = path
        self._office = office
        self._held = held
        self._announce = announce
        self._daily = daily
        self._chores: asyncio.Task[None] | None = None
        self._desk: asyncio.Server | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets=sockets)
        if not self.should_exit:
            self._desk = await office_socket.serve(self._path, self._office)
            logs.note("started")
            self._announce()
            self._chores = asyncio.create_task(self._daily())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what has begun and end."""
        if self._chores is not None:
            self._chores.cancel()
        if self._desk is not None:
            self._desk.close()
            self._path.unlink(missing_ok=True)
        for each in self._held:
            each.close()
        cutting = asyncio.create_task(self._cut_idle_lines())
        try:
            await super().shutdown(sockets=sockets)
        finally:
            cutting.cancel()

    async def _cut_idle_lines(self) -> None:
        """Finish the running requests, then cut lines that are kept alive: a device that sleeps on one does not
        answer the polite end of TLS, and a stop would wait for it."""
        if running := set(self.server_state.tasks):
            await asyncio.wait(running, timeout=STOP_S)
        await asyncio.sleep(_LAST_BYTES_S)
        for line in list(self.server_state.connections):
            transport = getattr(line, "transport", None)
            if transport is not None and not transport.get_write_buffer_size():
                transport.abort()


@contextlib.contextmanager
def _quiet_signals() -> Iterator[None]:
    """uvicorn raises a signal again once it has stopped; by then it has been obeyed."""
    names = (signal.SIGTERM, signal.SIGINT)
    former = {name: signal.signal(name, lambda _number, _frame: None) for name in names}
    try:
        yield
    finally:
        for name, handler in former.items():
            signal.signal(name, handler)


def _tls(folders: Folders, settings: Settings) -> ssl.SSLContext:
    context = _with_certificate(folders.tls_certificate, folders.tls_key)
    if not folders.console_certificate.exists():
        return context
    own = _with_certificate(folders.console_certificate, folders.console_key)
    # Devices believe the organisation's certificate alone, so a name of theirs is never answered with the other.
    names = {*console.hosts("", settings.console_host)} - {settings.host, "localhost", ""}

    def choose(line: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        if name in names:
            line.context = own

    context.sni_callback = choose
    return context


def _with_certificate(certificate: Path, key: Path) -> ssl.SSLContext:
    try:
        left = tls.days_left(certificate.read_bytes(), dt.datetime.now(dt.UTC))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(certificate, key)
    except (OSError, ValueError):
        raise SetupError(
            _("The server's certificate or its key is missing or damaged."),
            _("Name the secrets folder that “init” made, or put it back from its copy."),
        ) from None
    if left < 0:
        raise SetupError(
            _("The server's certificate is not valid any more."), _("Renew it: see docs/server.md")
        )
    if left < tls.WARN_DAYS:
        logs.alarm("certificate", days_left=left)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _keep_large_blocks_apart() -> None:
    """Have each large block of memory lie on pages of its own, also after one was freed.

    Each connection has 256 KiB to read into, of which it touches a few. Apart, the rest costs nothing; glibc by itself
    takes them from the heap once such a block was freed, where others have touched the pages before.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library does as it does
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)


def _lines() -> int:
    """How many lines may be held: as many as the system gives us open files for, with one more for each device."""
    wanted = CONNECTIONS + 2 * limits.LINES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    files = wanted if soft == resource.RLIM_INFINITY else soft
    lines = min(limits.LINES, (files - min(CONNECTIONS, files // 4)) // 2)
    if lines < limits.LINES:
        logs.note("lines", most=lines, files=files)
    return lines


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket on the first address of `host`, IPv4 before IPv6. Raises SetupError."""
    if not 0 <= port < 65_536:  # the system would take what is left of it after 65536
        raise SetupError(_("This is not a port."), _("Ports are numbers from 0 to 65535."))
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, _type, _proto, _name, address = min(found, key=lambda each: each[0] != socket.AF_INET)
        listening = socket.create_server(address[:2], family=family, backlog=2048)
        with contextlib.suppress(OSError, AttributeError):  # a system without it waits longer, that is all
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED_MS)
        return listening
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", "") or ""
        raise SetupError(
            _("The server cannot listen on {host}, port {port}.").format(host=host, port=port),
            _("Choose another with --host and --port. ({error})").format(error=why),
        ) from None
