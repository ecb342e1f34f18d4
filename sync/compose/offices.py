"""The office that a command of IT speaks to: the running server's, else the store opened by the command itself."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sync.compose import console, office_socket
from sync.console.ports import Office
from sync.server import config
from sync.server.errors import SetupError
from sync.server.office import StoreOffice

_POLL_S: Final = 0.3
_STARTING_S: Final = 5.0


@contextlib.contextmanager
def open_at(data: Path) -> Iterator[Office]:
    """The office of the running server, else the store opened here. Raises SetupError, Unreachable."""
    folders, settings = config.load(data)
    with contextlib.ExitStack() as held:
        remote = _running(folders, held)
        if remote is not None:
            yield remote
            return
        store = config.open_store(folders)
        held.callback(store.close)
        url = config.url_of(settings.host, settings.port) if settings.port else ""
        office = StoreOffice(store, config.read_lease_key(folders.lease_key), url)
        office.console = console.site(settings.console_host, settings.console_port)
        yield office


def _running(folders: config.Folders, held: contextlib.ExitStack) -> Office | None:
    """The office of the running server; None when there is none and this process holds the store's lock now."""
    deadline, pause = time.monotonic() + _STARTING_S, threading.Event()
    while True:
        try:
            return held.enter_context(office_socket.connect(folders.socket))
        except office_socket.Unreachable as unreachable:
            try:
                held.enter_context(config.alone(folders))
            except SetupError:
                # Somebody holds the store: a server that is about to answer, or one that will not.
                if time.monotonic() >= deadline:
                    raise unreachable from None
            else:
                return None
        pause.wait(_POLL_S)
