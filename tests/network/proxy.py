"""A bad network between a laptop and its server: passes bytes on, and does to a connection what it is told to do.

It never looks into TLS: a fault strikes after so many bytes of one way, wherever in a handshake, a request or an
answer that may be. What needs to be seen in clear stands in `tests/network/reverse.py`.
"""

from __future__ import annotations

import contextlib
import enum
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_PIECE: Final = 65_536
_RESET: Final = struct.pack(
    "ii", 1, 0
)  # SO_LINGER: close with a reset, as a box that lost the connection does


class Deed(enum.Enum):
    """What happens to a connection."""

    CUT = "cut"  # both ends hear a reset
    END = "end"  # both ends hear a proper end, in the middle of what was being said
    STALL = "stall"  # nothing goes through any more either way, and nobody hears of it
    TWICE = "twice"  # the piece goes through a second time


class Way(enum.Enum):
    """From the laptop to the server, or back."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to one connection: a deed after so many bytes of one way; and every piece may be slow and small."""

    deed: Deed | None = None
    way: Way = Way.UP
    at: int = 0
    delay_s: float = 0.0  # before each piece
    piece: int = _PIECE  # bytes passed on at once

    @property
    def name(self) -> str:
        """A word for it in figures."""
        if self.deed is not None:
            return self.deed.value
        return "drip" if self.piece < _PIECE else "slow" if self.delay_s else "none"


NONE: Final = Fault()


class Proxy:
    """Listens on a free port of `host` and passes on to port `target()` there; `draw` says what is done to the next
    connection, `answer` what is said instead of passing anything on, as the portal of a hotel does."""

    def __init__(self, target: Callable[[], int], host: str = "127.0.0.1") -> None:
        self._target = target
        self._host = host
        self.draw: Callable[[], Fault] = lambda: NONE
        self.answer = b""
        self._elsewhere = 0
        self.away = False  # nobody is let through, and whoever was is cut off
        self.came: list[Fault] = []  # what was done to each connection
        self.passed = {Way.UP: 0, Way.DOWN: 0}
        self._listener = socket.create_server((host, 0))
        self.port = int(self._listener.getsockname()[1])
        self._lock = threading.Lock()
        self._open: set[_Connection] = set()
        threading.Thread(target=self._accept, name="bad-network", daemon=True).start()

    @property
    def url(self) -> str:
        """The address that a laptop is given."""
        return f"https://{self._host}:{self.port}"

    def calm(self) -> None:
        """From now on all goes through; what is under way ends."""
        self.draw, self.answer, self.away, self._elsewhere = lambda: NONE, b"", False, 0
        self.cut()

    def lead_to(self, port: int) -> None:
        """Whoever comes is led to somebody else."""
        self._elsewhere = port
        self.cut()

    def leave(self) -> None:
        """The network goes away."""
        self.away = True
        self.cut()

    def back(self) -> None:
        """And comes back."""
        self.away = False

    def cut(self) -> None:
        """Cut every connection there is."""
        with self._lock:
            gone = list(self._open)
        for each in gone:
            each.reset()

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.close()

    # -- inside

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                here, _address = self._listener.accept()
                self._begin(here)

    def _begin(self, here: socket.socket) -> None:
        if self.away:
            _reset(here)
            return
        if self.answer:
            threading.Thread(target=_say, args=(here, self.answer), daemon=True).start()
            return
        fault = self.draw()
        self.came.append(fault)
        try:
            there = socket.create_connection((self._host, self._elsewhere or self._target()), timeout=10)
        except OSError:  # the server is not there
            _reset(here)
            return
        there.settimeout(None)
        connection = _Connection(here, there, fault, self.passed)
        with self._lock:
            self._open.add(connection)
        for way in Way:
            threading.Thread(target=self._run, args=(connection, way), daemon=True).start()

    def _run(self, connection: _Connection, way: Way) -> None:
        if connection.pump(way):
            with self._lock:
                self._open.discard(connection)


class _Connection:
    """Two sockets, and a thread for each way between them."""

    def __init__(
        self,
        here: socket.socket,
        there: socket.socket,
        fault: Fault,
        passed: dict[Way, int],
    ) -> None:
        self._ends = {Way.UP: (here, there), Way.DOWN: (there, here)}
        self._fault = fault
        self._passed = passed
        self._gone = threading.Event()
        self._stalled = threading.Event()
        self._lock = threading.Lock()
        self._pumping = len(Way)

    def reset(self) -> None:
        """Both ends hear that it is gone."""
        self._gone.set()
        for each in self._ends[Way.UP]:
            _reset(each)

    def pump(self, way: Way) -> bool:
        """Pass on what comes this way until it ends; whether the other way has ended too."""
        try:
            self._pump(way)
        except OSError:  # one end is gone, so the other goes too
            self.reset()
        with self._lock:
            self._pumping -= 1
            last = not self._pumping
        if last:
            for each in self._ends[way]:
                each.close()
        return last

    def _pump(self, way: Way) -> None:
        come, go = self._ends[way]
        struck, done = self._fault.way is way and self._fault.deed is not None, 0
        while data := come.recv(self._fault.piece):
            if self._fault.delay_s:
                self._gone.wait(self._fault.delay_s)
            if self._stalled.is_set():
                self._gone.wait()
                return
            if struck and done + len(data) > self._fault.at:
                struck = False
                if not self._strike(data, data[: self._fault.at - done], go):
                    return
            else:
                go.sendall(data)
            done += len(data)
            self._passed[way] += len(data)
        go.shutdown(socket.SHUT_WR)

    def _strike(self, data: bytes, before: bytes, go: socket.socket) -> bool:
        """The fault: `before` still goes through. Whether the connection goes on."""
        deed = self._fault.deed
        if deed is Deed.TWICE:
            go.sendall(data + data)
            return True
        go.sendall(before)
        if deed is Deed.STALL:
            self._stalled.set()
            self._gone.wait()
        elif deed is Deed.END:
            self._gone.set()
            for each in self._ends[Way.UP]:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
        else:
            self.reset()
        return False


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def _say(here: socket.socket, answer: bytes) -> None:
    with contextlib.suppress(OSError), here:
        here.settimeout(5)
        here.recv(_PIECE)
        here.sendall(answer)
