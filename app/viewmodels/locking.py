"""Locking and opening as the window does it: at a key, at the system's word, after a while without input; and the PIN.

Who is told by the system covers the window at once and closes the store in the teller's own thread: neither waits for
what the window is doing, and sleep waits for both.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from app.errors import Locked
from app.keys import trusted_time
from app.keys.secret import SecretBytes
from app.services.session import ACTIVE, LOCK_CRYPTO, Session
from app.services.why_locked import BY_IDLE, BY_PERSON
from app.system.events import LOCKING, Event
from app.viewmodels import notices
from app.viewmodels.base import Background
from app.viewmodels.notices import Notice, Screen
from app.viewmodels.pin import PinChoice
from sync.protocol.documents import PinRule
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

if TYPE_CHECKING:
    from app.viewmodels.shell import Shell

MINUTE_S: Final = 60
COVERED_S: Final = 1.0  # the store is closed by then; a window that hangs holds up no sleep
LOCK_AFTER: Final = "lock_after"

_LOG = logging.getLogger("app.viewmodels.locking")


def since_boot_s() -> float:
    """Seconds since boot, sleep counted: what passes while a lid is closed passes here too."""
    return trusted_time.system_clock().boottime_ns / 1e9


class Locking:
    """Locks and opens for one window. All in the screen's thread but for `heard`."""

    def __init__(self, shell: Shell, slow: Background, clock: Callable[[], float] = since_boot_s) -> None:
        self._shell = shell
        self._slow = slow
        self.clock = clock
        self._touched = clock()
        self.busy = False  # the page stands, and the store closes or opens behind it
        self._owed = ""  # what asked for a lock before there was a session
        self._owing = threading.Lock()

    # -- locking

    def lock(self, because: str = BY_PERSON) -> None:
        """Lock now: the page goes at once, drafts are saved, the store closes."""
        session = self._shell.session
        if session is None or self._shell.screen is not Screen.WORK:
            return
        self._cover(because)
        self._slow.run(lambda: session.lock(because), self._done, self._not_locked)

    def heard(self, event: Event) -> None:
        """The system tells of something; from any thread. Comes back when the store is closed."""
        if event not in LOCKING:
            self._shell.post(self._woke)
            return
        with self._owing:
            session = self._shell.session
            if session is None:
                self._owed = event.value
                return
        if session.stage != ACTIVE:
            session.pin.forget()  # it may have been given, and another one be wanted before anything opens
            self._shell.post(self._shell.look)
            return
        covered = threading.Event()

        def cover() -> None:
            self._covered(event.value)
            covered.set()

        self._shell.post(cover)
        try:
            session.lock(event.value)
        except KnownError as problem:
            refused = problem
            self._shell.post(lambda: self._not_locked(refused))
        else:
            self._shell.post(lambda: self._done(None))
        covered.wait(COVERED_S)

    def opened(self, session: Session) -> None:
        """There is a session: what asked for a lock before has waited for it."""
        with self._owing:
            owed, self._owed = self._owed, ""
        self._touched = self.clock()
        if owed and session.stage == ACTIVE:
            self.busy = self._shell.busy = True
            self._shell.show(Screen.LOCK, notices.locking(owed))
            self._slow.run(lambda: session.lock(owed), self._done, self._not_locked)

    def _covered(self, because: str) -> None:
        session = self._shell.session
        if session is None or self._shell.screen is not Screen.WORK:
            return
        if session.stage == ACTIVE:
            self._cover(because)
        else:
            self._shell.look()

    def _cover(self, because: str) -> None:
        self._shell.show(Screen.LOCK, notices.locking(because, self.minutes()))
        self._shell.busy = True

    # -- without input

    def touched(self) -> bool:
        """Somebody uses the window; False where it had to lock before that: then nothing is done with what came."""
        if self.look_at_clock():
            return False
        self._touched = self.clock()
        return True

    def look_at_clock(self) -> bool:
        """Lock where nobody has used the window for too long; whether it did."""
        left = self.seconds_left()
        if left is None or left > 0 or self._shell.screen is not Screen.WORK:
            return False
        _LOG.info("nobody used the window for %s minutes", self.minutes())
        self.lock(BY_IDLE)
        return True

    def _woke(self) -> None:
        self.look_at_clock()

    def seconds_left(self) -> float | None:
        """Until it locks by itself; None where it never does."""
        minutes = self.minutes()
        return None if minutes is None else self._touched + minutes * MINUTE_S - self.clock()

    def minutes(self) -> int | None:
        """Without input for so long, the window locks: as the policy says, or sooner where the person wants it."""
        ruled = self._ruled()
        chosen = self._shell.settings[LOCK_AFTER]
        each = [number for number in (ruled, int(chosen) if chosen.isdigit() else 0) if number > 0]
        return min(each, default=None)

    def as_it_says(self) -> str:
        """What IT says of it, as the first of the choices."""
        ruled = self._ruled()
        if ruled <= 0:
            return _("As IT says: never")
        text = ngettext("As IT says: {n} minute", "As IT says: {n} minutes", ruled)
        return text.format(n=ruled)

    def offered(self, value: str) -> bool:
        """Whether a person may choose this: sooner than the policy says, never later."""
        ruled = self._ruled()
        return not value.isdigit() or ruled <= 0 or int(value) <= ruled

    def _ruled(self) -> int:
        """Minutes without input that the policy allows, 0 for any."""
        session = self._shell.session
        return session.ruling.policy.inactivity_min if session is not None else 0

    # -- opening

    def unlock(self, pin: SecretBytes | None = None) -> None:
        """Open what a person locked."""
        self._try(lambda session: session.unlock(pin), pin)

    def choose_pin(self, new: SecretBytes | None, current: SecretBytes | None = None) -> None:
        """Take a new PIN, or none, and open."""
        self._try(lambda session: session.choose_pin(new, current), new, current)

    def choice(self) -> PinChoice:
        """For who chooses a PIN."""
        session = self._shell.session
        return PinChoice(self._slow, session.pin.rule if session is not None else PinRule())

    def give_up_pin(self) -> None:
        """Nobody knows the PIN: only IT opens this device from here on."""
        self._try(lambda session: session.give_up_pin())

    def notice(self, session: Session) -> Notice:
        """Why this session is locked, and what opens it."""
        return notices.locked(session, self.minutes())

    def _try(self, work: Callable[[Session], None], *secrets: SecretBytes | None) -> None:
        session = self._shell.session
        if session is None or self._shell.busy:
            _wipe(secrets)
            return
        self._shell.begin()

        def do() -> None:
            try:
                work(session)
            finally:
                _wipe(secrets)

        self._slow.run(do, self._done, self._refused)

    def _done(self, _result: None) -> None:
        """Locked or opened."""
        self.busy = self._shell.busy = False
        self._touched = self.clock()
        self._shell.look()
        self._shell.tell()  # another PIN, and the page stays

    def _refused(self, problem: KnownError) -> None:
        session = self._shell.session
        if isinstance(problem, Locked) and session is not None and session.stage == LOCK_CRYPTO:
            self._shell.busy = False
            self._shell.look()  # the page says it
        else:
            if session is not None and self._shell.screen is Screen.LOCK:
                self._shell.notice = self.notice(session).made_harmless()  # with the tries that are left
            self._shell.refused(problem)

    def _not_locked(self, problem: KnownError) -> None:
        # The store is closed whatever failed: stay on this page and say so.
        self.busy = self._shell.busy = False
        self._shell.put_desk_away()
        self._shell.problem = problem
        self._shell.tell()


def _wipe(secrets: Iterable[SecretBytes | None]) -> None:
    for secret in secrets:
        if secret is not None:
            secret.wipe()
