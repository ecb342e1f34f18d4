"""The thread that listens: holds a line open on which the server says that there is something to be exchanged.

It carries nothing, and nothing depends on it: without a line the engine exchanges as often as it ever did. Where
something in between keeps back what is sent bit by bit, single events are asked for instead.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from sync.client.errors import ServerRefused, unreachable
from sync.client.https import Held, Said, Sign
from sync.client.line import Line
from sync.client.pace import backoff
from sync.client.surroundings import LOOK_S, Surroundings
from sync.protocol.errors import KnownError, Problem
from sync.protocol.messages import EVENT_END, EVENTS_PATH, POKE, WAIT_S

_LOG = logging.getLogger("sync.client.listener")

OPEN_S: Final = 15.0  # until the request has gone out
FIRST_S: Final = 5.0  # from then to the first heartbeat; later than that somebody in between keeps them back
SILENT_S: Final = 45.0  # without a heartbeat: the line is dead
LATE_S: Final = 10.0  # that a single event may come after its time
STEADY_S: Final = 60.0  # a line that has held for so long was a good one
QUICK_S: Final = 1.0  # single events come no oftener than this
AGAIN_S: Final = 10.0  # a line is tried again by then when the server has answered an exchange
_LOST: Final = (
    2  # a line that was lost is made anew as after so many failures, for others have lost theirs too
)
_EVENT_MAX: Final = 1_000  # bytes


class Engine(Protocol):
    """What is told of it."""

    def poked(self) -> None:
        """There is something."""

    def reached(self) -> None:
        """The server answers, and there may be something."""

    def lost(self) -> None:
        """A line that was open is lost, as when the server stops; nothing more is known."""

    def returned(self) -> None:
        """The machine has slept, or is on another network."""


class _Over(Exception):
    """It is to stop."""


class _Elsewhere(Exception):
    """The machine has slept, or is on another network."""


Hold = Callable[[tuple[str, dict[str, str]], Callable[[Held, Said], None]], Held]


class Listener:
    """Listens within the sessions that `line` opens, by at most one line; `look` says that there may be a new one."""

    def __init__(self, line: Line, hold: Hold, engine: Engine) -> None:
        self._line = line
        self._hold = hold
        self._engine = engine
        self._inbox: queue.SimpleQueue[tuple[Held | None, Said | None]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._surroundings = Surroundings()
        self._failures = 0
        self._singly = ""  # the session in which single events are asked for
        self._open = False  # the server has been heard on this line, or has the question
        self._deaf = ""  # the session whose server knows of no events
        self._answered = False  # the server has answered an exchange since this wait began
        self._heeding = False  # it has said for how long to stay away
        self._thread = threading.Thread(target=self._run, name="fieldkeep-listener", daemon=True)

    def start(self) -> None:
        """Begin, once there is a session."""
        self._thread.start()

    def stop(self, wait_s: float = 2.0) -> None:
        """Let go of the line."""
        self._stopping.set()
        self._inbox.put((None, None))
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(wait_s)

    def look(self, *, answered: bool = False) -> None:
        """An exchange is over: there may be a session now, and the server is there when it has `answered`."""
        self._answered = self._answered or answered
        self._inbox.put((None, None))

    def _run(self) -> None:
        self._surroundings = Surroundings()  # as they are when it begins
        wait = 0.0
        while True:
            try:
                self._pause(wait)
                wait = self._once()
            except _Over:
                return
            except _Elsewhere:
                self._failures, self._singly, wait = 0, "", 0.0
                self._engine.returned()
            except Exception as fault:  # noqa: BLE001 - whatever it is, it is tried again
                _LOG.exception("listening ended with a fault: %s", type(fault).__name__)
                wait = self._failed()

    def _once(self) -> float:
        """Hold one line until it ends; how long to wait before the next."""
        session = self._session()
        singly = session == self._singly
        path = f"{EVENTS_PATH}?wait={WAIT_S}" if singly else EVENTS_PATH
        headers = self._line.signed("GET", path)
        if headers is None:
            return 0.0
        held, self._open = self._hold((path, headers), self._came), False
        began = time.monotonic()
        try:
            return self._single(held) if singly else self._listen(held, session)
        except ServerRefused as refusal:
            return self._refused(refusal, session)
        except KnownError as problem:
            _LOG.info("no line: %s", type(problem).__name__)
            if self._open:
                self._engine.lost()
            good = time.monotonic() - began >= STEADY_S and not singly
            self._failures = _LOST if good else self._failures
            return self._failed()
        finally:
            held.close()

    def _session(self) -> str:
        """The session to listen in, as soon as there is one whose server may know of events."""
        while True:
            session = self._line.session
            if session not in ("", self._deaf):
                return session
            self._next(None, None)

    def _listen(self, held: Held, session: str) -> float:
        """Read a line until it ends; what to wait then. Raises KnownError when it is lost."""
        ends, sent, began = time.monotonic() + OPEN_S, False, 0.0
        data, poked = b"", False
        while (said := self._next(held, ends)) is not None:
            if said is Sign.END:
                if began and time.monotonic() - began < STEADY_S and not poked:
                    raise unreachable()
                if began and not poked:
                    self._engine.lost()
                # One that ends behind a poke is to come back at once, as what it is now.
                self._failures = 0 if poked else _LOST
                return self._failed()
            if isinstance(said, KnownError):
                raise said
            if said is Sign.SENT:
                sent, ends = True, time.monotonic() + FIRST_S
                continue
            *events, data = (data + bytes(said)).split(EVENT_END)
            if len(data) > _EVENT_MAX:
                raise unreachable()
            if not events:
                continue
            ends = time.monotonic() + SILENT_S
            if not began:
                began, self._open = time.monotonic(), True
                self._engine.reached()  # what was filed while there was no line was told to nobody
            poked = any(event + EVENT_END == POKE for event in events)
            if poked:
                self._engine.poked()
        if sent and not began:
            _LOG.info("a line that keeps back what comes bit by bit: single events are asked for")
            self._singly = session
            return 0.0
        raise unreachable()

    def _single(self, held: Held) -> float:
        """Wait for one event; what to wait then. Raises KnownError when none comes."""
        began = time.monotonic()
        ends, data = began + OPEN_S, b""
        while (said := self._next(held, ends)) is not Sign.END:
            if said is None:
                raise unreachable()
            if isinstance(said, KnownError):
                raise said
            if said is Sign.SENT:
                ends, self._open = time.monotonic() + WAIT_S + LATE_S, True
                continue
            data += bytes(said)
            if len(data) > _EVENT_MAX:
                raise unreachable()
        if not data.endswith(EVENT_END):
            raise unreachable()
        if POKE in data:
            self._engine.poked()
        if time.monotonic() - began < QUICK_S:
            # Somebody who answers at once, again and again, is not asked at once again and again.
            return self._failed()
        self._failures = 0
        return 0.0

    def _refused(self, refusal: ServerRefused, session: str) -> float:
        """The server's answer is no; how long to wait."""
        if refusal.problem is Problem.NOT_HERE:
            self._deaf = session
            return 0.0
        if refusal.problem is Problem.UNSIGNED:
            self._line.forget(session)
        if refusal.problem is not Problem.BUSY:
            self._engine.reached()  # the exchange signs in anew, or is told what this is about
        return self._failed(refusal.trouble.retry_after)

    def _pause(self, wait_s: float) -> None:
        """Wait, whatever comes, and not for long once the server is there again, however long it was away. Raises when
        it is to stop or to begin anew.
        """
        began = time.monotonic()
        ends, self._answered = began + wait_s, False
        while time.monotonic() < ends:
            self._next(None, ends, looking=True)
            if self._answered and not self._heeding:
                ends = min(ends, began + AGAIN_S)

    def _failed(self, retry_after: float = 0.0) -> float:
        """One failure more; how long to wait before the next try."""
        self._heeding = retry_after > 0
        # Spreading devices in time is no secret: any luck will do.
        wait = backoff(self._failures, random.random(), retry_after)  # noqa: S311
        self._failures = min(self._failures + 1, 16)
        return wait

    def _came(self, held: Held, said: Said) -> None:
        self._inbox.put((held, said))

    def _next(self, held: Held | None, ends: float | None, *, looking: bool = False) -> Any:
        """What comes next of this line; None when time runs out, and, without an end or while `looking`, when an
        exchange is over.
        """
        while True:
            if self._stopping.is_set():
                raise _Over
            if self._surroundings.changed():
                raise _Elsewhere
            left = LOOK_S if ends is None else ends - time.monotonic()
            if left <= 0:
                return None
            try:
                whose, said = self._inbox.get(timeout=min(left, LOOK_S))
            except queue.Empty:
                continue
            if whose is None and (looking or ends is None):
                return None
            if held is not None and whose is held:
                return said
