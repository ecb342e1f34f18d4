"""The thread that exchanges: waits by the pace, runs cycles until nothing is left, tells how it stands."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

from sync.client.errors import ServerRefused
from sync.client.holding_back import HeldBack
from sync.client.pace import Pace
from sync.client.status import Phase
from sync.protocol.errors import KnownError, UpgradeNeeded
from sync.protocol.texts import gettext as _

_LOG = logging.getLogger("sync.client.engine")


class Engine:
    """Runs `round_` (all exchanges until nothing is left) when it is due, in a thread of its own.

    `round_` raises KnownError when a round fails. `tell` is called from the engine's thread.
    """

    def __init__(
        self,
        round_: Callable[[], None],
        tell: Callable[[Phase, KnownError | None], None],
        between: Callable[[], bool] = lambda: False,
    ) -> None:
        """`between` is called after a round that went well, until it says that nothing is left to do or a round is due:
        what goes behind everything else. It raises KnownError when it fails, and is called again after the next round.
        """
        self._round = round_
        self._tell = tell
        self._between = between
        self._more = False  # `between` may have something to do
        self._pace = Pace(last_exchange=time.monotonic())
        self._wake = threading.Condition()
        self._stopping = False
        self._running = False
        self._told_meanwhile = False  # there is something that the round under way may have missed
        self._thread = threading.Thread(target=self._run, name="fieldkeep-engine", daemon=True)

    def start(self) -> None:
        """Begin; the first exchange is due at once."""
        self._thread.start()

    def stop(self, wait_s: float = 2.0) -> None:
        """End after the exchange under way, at the latest after `wait_s` seconds."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(wait_s)

    def edited(self) -> None:
        """An edit was saved: exchange once typing settles."""
        self._change(lambda pace: pace.edited(time.monotonic()))

    def wanted(self) -> None:
        """A person asked: exchange now."""
        self._change(Pace.wanted)

    def poked(self) -> None:
        """The server says that there is something: exchange, now or right after the exchange under way."""
        self._hear(Pace.told)

    def reached(self) -> None:
        """The server answered somebody else of this device: exchange, as `poked`, though the last one failed."""
        self._hear(Pace.reached)

    def lost(self) -> None:
        """The line to the server was lost: exchange within seconds, to know whether the server is there."""
        luck = random.random()  # noqa: S311 - as below
        with self._wake:
            if self._running:
                self._told_meanwhile = True
                return
            self._pace = self._pace.lost(time.monotonic(), luck)
            self._wake.notify()

    def returned(self) -> None:
        """The machine has slept, or the network is another one: exchange now."""
        self._change(Pace.returned)

    def _hear(self, change: Callable[[Pace], Pace]) -> None:
        with self._wake:
            if self._running:
                self._told_meanwhile = True
                return
            self._pace = change(self._pace)
            self._wake.notify()

    def _change(self, change: Callable[[Pace], Pace]) -> None:
        with self._wake:
            self._pace = change(self._pace)
            self._wake.notify()

    def _run(self) -> None:
        try:
            while self._wait_until_due():
                self._once()
        finally:
            # A fault of ours ends the thread with its trace; nobody must go on believing that it runs.
            self._tell(Phase.STOPPED, None)

    def _once(self) -> None:
        with self._wake:
            taken = self._pace
            self._running = True
        self._tell(Phase.SENDING, None)
        try:
            self._round()
        except (ServerRefused, UpgradeNeeded, HeldBack) as refusal:
            self._failed(refusal, Phase.REFUSED)
        except KnownError as problem:
            self._failed(problem, Phase.OFFLINE)
        except Exception as fault:  # noqa: BLE001 - whatever it is, orders must keep coming
            # A fault of ours is told with its trace, and must not keep orders from this device until a restart.
            _LOG.exception("exchange ended with a fault: %s", type(fault).__name__)
            self._failed(_fault(), Phase.OFFLINE)
        else:
            with self._wake:
                fresh = self._pace is taken
                self._pace = self._pace.succeeded(time.monotonic())
                if not fresh:
                    # Something was saved or asked for while the round ran: it may have missed it.
                    self._pace = self._pace.edited(time.monotonic())
                self._round_is_over()
                self._more = True
            self._tell(Phase.IDLE, None)

    def _failed(self, problem: KnownError, phase: Phase) -> None:
        retry_after = float(problem.trouble.retry_after) if isinstance(problem, ServerRefused) else 0.0
        # Spreading devices in time is no secret: any luck will do.
        luck = random.random()  # noqa: S311
        with self._wake:
            self._pace = self._pace.failed(time.monotonic(), luck, retry_after)
            self._round_is_over()
        _LOG.info("exchange failed: %s", type(problem).__name__)
        self._tell(phase, problem)

    def _round_is_over(self) -> None:
        self._running = False
        if self._told_meanwhile:
            self._told_meanwhile = False
            self._pace = self._pace.told()

    def _wait_until_due(self) -> bool:
        while True:
            with self._wake:
                while not self._stopping and not self._more:
                    wait = self._pace.due() - time.monotonic()
                    if wait <= 0:
                        return True
                    self._wake.wait(wait)
                if self._stopping:
                    return False
                if self._pace.due() <= time.monotonic():
                    return True
            self._more = self._one_between()

    def _one_between(self) -> bool:
        try:
            return self._between()
        except KnownError as problem:
            _LOG.info("what goes between exchanges waits: %s", type(problem).__name__)
        except Exception as fault:  # noqa: BLE001 - whatever it is, exchanges must go on
            _LOG.exception("what goes between exchanges ended with a fault: %s", type(fault).__name__)
        return False


def _fault() -> KnownError:
    return KnownError(
        _("Exchanging with the server failed in a way we did not expect."),
        _("Your changes are safe on this device. Fieldkeep goes on trying; tell IT if this stays."),
    )
