"""A laptop in a process of its own, for tests.benchmarks.wiping: it enrols, works, holds its line, and is wiped.

Told by lines of JSON, and answers each with one. Moments are nanoseconds of the clock that all processes share. With
"bare" it is the twin: a TLS line on which one byte comes, upon which keyring entries are deleted, by the library alone.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import psutil
import secretstorage

from app import compose
from app.paths import Profile
from app.services import enrolment
from app.services.opening import open_session
from app.services.session import Session
from app.services.syncing import Keeping, Syncing
from app.store import records
from app.store.store import Store
from sync.client.status import Phase, SyncStatus
from sync.protocol.kinds import KINDS

CUSTOMERS: Final = 200
ENTRIES: Final = ("ring.1", "share.1", "enc", "hw")  # what a wipe deletes first of a device without a PIN
WAIT_S: Final = 60.0


class Laptop:
    """One after the other; each ends wiped."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._keeping: Keeping | None = None
        self._idle = 0
        self._turn = threading.Condition()
        self._at: dict[str, int] = {}

    def enrol(self, profile: str, code: str, name: str) -> dict[str, Any]:
        """Join, write something, exchange, and hold the line."""
        place = Profile(Path(profile))
        enrolment.enrol(place, code, name)
        self._idle, self._at = 0, {}
        session = open_session(place, self._stepped)
        self._session = session
        session.call(_fill)
        syncing = Syncing(session)
        syncing.round()
        syncing.close()
        before = psutil.Process().memory_info().rss
        self._keeping = Keeping(session, self._told)
        self._keeping.start()
        # The first exchange, and the one by which a line that has opened asks for what was missed.
        self._until(lambda: self._idle >= 2, "the line did not open")
        line = psutil.Process().memory_info().rss - before
        return {"enrolment": session.card.enrolment, "device": session.card.device, "line_rss": line}

    def wiped(self) -> dict[str, int]:
        """Wait for the end, and say when each step of it was done."""
        self._until(lambda: "W7" in self._at, "the wipe did not come to its end")
        self.close()
        return self._at

    def close(self) -> None:
        """Let it go."""
        if self._keeping is not None:
            self._keeping.stop()
        if self._session is not None:
            self._session.close()
        self._keeping = self._session = None

    def _stepped(self, name: str) -> None:
        with self._turn:
            self._at.setdefault(name, time.monotonic_ns())
            self._turn.notify_all()

    def _told(self, status: SyncStatus) -> None:
        with self._turn:
            self._idle += status.phase is Phase.IDLE
            self._turn.notify_all()

    def _until(self, held: Callable[[], bool], what: str) -> None:
        with self._turn:
            if not self._turn.wait_for(held, WAIT_S):
                raise TimeoutError(what)


def _fill(store: Store) -> None:
    with records.batch(store) as batch:
        for n in range(CUSTOMERS):
            batch.add(
                KINDS["customer"], {"name": f"Customer {n}", "industry": "Trade", "notes": "words " * 20}
            )


def bare(port: int) -> dict[str, int]:
    """The twin: when the entries were gone after a byte came."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        closing(secretstorage.dbus_init()) as bus,
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain) as line,
    ):
        collection = secretstorage.get_default_collection(bus)
        for name in ENTRIES:
            collection.create_item("bench", {"service": "bench", "username": name}, b"ab" * 32, replace=True)
        line.sendall(b"r")
        line.recv(1)
        for name in ENTRIES:
            for item in collection.search_items({"service": "bench", "username": name}):
                item.delete()
        return {"gone": time.monotonic_ns()}


def rest() -> dict[str, float]:
    """What this process has spent and holds by now."""
    here = psutil.Process()
    return {"cpu": sum(here.cpu_times()[:2]), "rss": here.memory_info().rss}


def main() -> int:
    """Do as told until nothing more comes."""
    compose.prepare()
    laptop = Laptop()
    verbs: dict[str, Callable[..., Any]] = {
        "enrol": laptop.enrol, "wiped": laptop.wiped, "close": laptop.close, "bare": bare, "rest": rest,
    }  # fmt: skip
    for line in sys.stdin:
        asked = json.loads(line)
        sys.stdout.write(json.dumps(verbs[asked.pop("do")](**asked)) + "\n")
        sys.stdout.flush()
    laptop.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
