"""How a session locks and opens again: by a person, the system, policy, an order, a PIN; here the ladder is obeyed.

Whatever asks for a lock closes the store and takes its key out of memory, drafts saved. Who may lift it differs, and is
written down in the guarded state with the reason.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from app.changes import CLOSING, Changes
from app.errors import AppError, Locked
from app.keys import trusted_time, vault
from app.keys.device import DeviceKeys
from app.keys.ring import RESET, Keyring
from app.keys.secret import SecretBytes
from app.keys.state import State
from app.paths import Profile
from app.services import copies, guard, unfinished, why_locked
from app.services.card import Card
from app.services.memory import Memory
from app.services.open_store import OpenStore
from app.services.papers import Papers
from app.services.pin import ASKED, PinGate, TooOften
from app.services.ruling import Ruling
from app.services.why_locked import (
    ASKS_PIN,
    BY_NO_PIN,
    BY_ORDER,
    BY_PERSON,
    BY_PIN,
    BY_SHORT_PIN,
    NOT_ENROLLED,
    REASON_SHOWN,
)
from sync.protocol import sealing

_LOG = logging.getLogger("app.services.locks")

ACTIVE: Final = "active"
LOCK_UI: Final = "lock_ui"
LOCK_CRYPTO: Final = "lock_crypto"


class Locks:
    """The part of a session that locks and opens; the session makes what stands here."""

    profile: Profile
    card: Card
    damage: AppError | None
    store: OpenStore
    papers: Papers
    pin: PinGate
    ruling: Ruling
    _ring: Keyring
    _memory: Memory

    def __init__(self) -> None:
        self._turning = threading.RLock()  # a lock that comes while somebody unlocks has the last word
        self._locks = 0

    @property
    def keys(self) -> DeviceKeys:
        """The device's own keys. Raises KeyMissing, KeyringUnreachable."""
        raise NotImplementedError

    def tell(self, changes: Changes) -> None:
        """Let every view know."""
        raise NotImplementedError

    @property
    def state(self) -> State:
        """The guarded state."""
        return self._memory.state

    @property
    def stage(self) -> str:
        """active, lock_ui or lock_crypto; never active while its files do not hold."""
        return LOCK_CRYPTO if self.damage is not None else self.state.stage

    # -- lock and unlock

    def lock(self, because: str = BY_PERSON) -> None:
        """Lock as a person does, or the system for them: the store closes and its key leaves memory."""
        self._locks += 1
        with self._turning:
            was = self.stage
            self._close_store()
            if was == ACTIVE:
                self._memory.set(stage=LOCK_UI, locked_because=because)
        self.tell(Changes((), "lock"))

    def ask_pin(self) -> None:
        """At the beginning: a store that opens with a PIN alone, or needs a new one, is as locked as by a person."""
        short = (self.state.stage, self.state.locked_because) == (
            LOCK_UI,
            BY_SHORT_PIN,
        )  # as it was given to another
        if (self.stage == ACTIVE or short) and (because := self._kept_shut_by()):
            self._memory.set(stage=LOCK_UI, locked_because=because)

    def unlock(self, pin: SecretBytes | None = None) -> None:
        """Unlock what a person locked. Raises Locked when only IT can, or a lock came meanwhile; WrongPin, and what the
        vault raises.
        """
        self._try(lambda: self.pin.open(pin))

    def choose_pin(self, new: SecretBytes | None, current: SecretBytes | None = None) -> None:
        """Take another PIN, or none, and open the store. Raises as `PinGate.choose`, and as `unlock`."""
        self._try(lambda: self.pin.choose(new, current))

    def give_up_pin(self) -> None:
        """Nobody knows the PIN any more: lock as after too many tries, so that IT can let a new one be chosen."""
        self._lock_hard(BY_PIN, ask_share=False)

    def _try(self, opening: Callable[[], None]) -> None:
        locks = self._locks
        if self.stage == LOCK_CRYPTO:
            raise self.locked_error()
        self.judge()
        try:
            opening()
        except TooOften:
            self._lock_hard(BY_PIN, ask_share=False)
            raise
        except Locked as locked:
            if locked.by_order:
                self.share_is_gone()
            raise
        with self._turning:
            if self._locks != locks:
                self.pin.forget()
                raise self.locked_error()
            self._open_or_ask()
        self.tell(Changes((), "lock"))

    def _kept_shut_by(self) -> str:
        """What of the PIN keeps a store shut that nothing else does; "" for nothing."""
        if self.damage is not None:
            return ""
        if self.pin.is_short:
            return BY_SHORT_PIN
        return BY_NO_PIN if self.pin.wants_new() else ASKS_PIN if self.pin.asks() else ""

    def _open_or_ask(self) -> None:
        """Nothing but the PIN, where there is one, keeps the store shut any more."""
        because = self._kept_shut_by()
        self._memory.set(stage=LOCK_UI if because else ACTIVE, locked_because=because)

    def judge(self) -> None:
        """Let policy, lease and clock speak; locks when they ask for it. Raises Locked then."""
        self._memory.raise_floor()
        verdict = self.ruling.judge()
        if self.stage != LOCK_CRYPTO and self.damage is None and self.pin.used_up():
            self._lock_hard(BY_PIN, ask_share=False)
        if self.stage != LOCK_CRYPTO and verdict.rung is guard.Rung.LOCK:
            self._lock_hard(verdict.signal, ask_share=True)
        elif self.stage == ACTIVE and verdict.rung is guard.Rung.LOCK_UI:
            self._close_store()
            self._memory.set(stage=LOCK_UI, locked_because=verdict.signal)
            self.tell(Changes((), "lock"))
        if self.stage == LOCK_CRYPTO or verdict.rung is guard.Rung.LOCK_UI:
            raise self.locked_error()

    def judge_anew(self, ruled_by: int) -> None:
        """A policy that came in rules from now on, not from the next start; `ruled_by` did before. Raises Locked."""
        if ruled_by != self.ruling.policy.version and self.damage is None:
            self.judge()

    def nothing_missing(self) -> None:
        """Open what a missing order has locked, once it has come or the server knows of it no longer."""
        state, by_it = self.state, (LOCK_UI, guard.ORDER_MISSING)
        if (state.stage, state.locked_because) == by_it and not self.papers.order_missing():
            self._open_or_ask()
            self.tell(Changes((), "lock"))

    def share_is_gone(self) -> None:
        """The store asks for a share that this device has not got: it was locked, whatever its own state says."""
        if self.stage != LOCK_CRYPTO:
            self._memory.set(stage=LOCK_CRYPTO, locked_because=BY_ORDER, locked_why="", ask_share=True)
            self.tell(Changes((), "lock"))

    def not_enrolled(self) -> Locked:
        """Lock hard, since the server knows this device no longer; what to say of it."""
        if (self.state.stage, self.state.locked_because) != (LOCK_CRYPTO, NOT_ENROLLED):
            self._lock_hard(NOT_ENROLLED, ask_share=True)
        return why_locked.hard(self.state, self.card.org_name, self.profile.sealed_outbox)

    def stay_locked(self) -> None:
        """Take the share away again where a crash came between a lock and that, or before an unlock was done."""
        if self.stage == LOCK_CRYPTO:
            self._drop_share()

    def locked_error(self) -> AppError:
        """Why it is locked, and what opens it; for a session whose files do not hold, what is wrong with them."""
        if self.damage is not None:
            return self.damage
        if self.stage == LOCK_UI and self.papers.order_missing():
            return why_locked.order_missing(self.card.org_name)
        if self.stage in (ACTIVE, LOCK_UI):
            return why_locked.window(self.ruling.verdict, self.state.locked_because)
        return why_locked.hard(
            self.state, self.card.org_name, self.profile.sealed_outbox, self.ruling.verdict
        )

    def take_share(self) -> bool:
        """Put back the share that the server has sent, when this device had asked for it; False where policy goes on
        asking for the lock.
        """
        sealed, self.papers.share = self.papers.share, None
        if sealed is None or not self.state.ask_share or self.damage is not None:
            return True
        if self.papers.order_missing():
            return True  # it may be a lock; the share is asked for again
        if not self._may_open():
            return False
        given = sealing.unseal(self.keys.seal, sealing.SHARE, sealed)
        share, reset = given[: vault.KEY_BYTES], given[vault.KEY_BYTES :]
        vault.restore_share(self.profile, self._ring, share)
        if self.state.pin_reset:
            self.pin.take_reset(reset)
        self._open_again()
        return True

    # -- inside

    def _may_open(self) -> bool:
        """Whether policy lets a device open that was locked hard; else it is policy's lock from now on."""
        verdict = self.ruling.judge()
        if verdict.rung is guard.Rung.LOCK and self.state.locked_because != verdict.signal:
            self._memory.set(locked_because=verdict.signal, locked_why="")
        return verdict.rung is not guard.Rung.LOCK

    def _open_again(self) -> None:
        """Locked hard no longer; a window that policy or a PIN keeps shut stays so."""
        verdict = self.ruling.verdict
        because = verdict.signal if verdict.rung is guard.Rung.LOCK_UI else self._kept_shut_by()
        stage = LOCK_UI if because else ACTIVE
        self._memory.set(stage=stage, locked_because=because, locked_why="", ask_share=False)
        self.tell(Changes((), "lock"))

    def _close_store(self, *, at_once: bool = True) -> None:
        """Close the store for good, or until an unlock: work that waits for its thread must not open it again.

        With `at_once`, an import that is being brought in is broken off, and nothing of it stays.
        """
        if at_once:
            self.store.end_bulk()
        if self.stage == ACTIVE and not self.store.is_shut:
            # Who holds a draft saves it now, in this thread, while the store still takes it.
            self.tell(Changes((), CLOSING))
        unsent = self.store.shut()
        self.pin.forget()
        unfinished.take_away(self.profile)
        copies.take_away(self.profile)
        if unsent is not None and unsent != self.state.unsent:
            self._memory.set(unsent=unsent)

    def _lock_hard(self, because: str, *, ask_share: bool, why: str = "") -> None:
        self._close_store()
        said, boot = why[:REASON_SHOWN], trusted_time.system_clock().boot_id
        self._memory.set(
            stage=LOCK_CRYPTO, locked_because=because, locked_why=said, ask_share=ask_share, locked_in=boot
        )
        self._drop_share()
        _LOG.info("locked: %s", because)
        self.tell(Changes((), "lock"))

    def _drop_share(self) -> None:
        """Only a share that the server is known to hold may go: a lock must always be one that opens again."""
        if not self.state.share_ack:
            return
        vault.drop_share(self.profile, self._ring, [self.state.epoch])
        if self.damage is None:
            self._ring.delete(RESET)

    def _unlock_by_order(self) -> None:
        if self.stage != LOCK_CRYPTO:
            return
        if self.state.locked_because == BY_PIN:
            # The share brings along what a new PIN takes. It may be here still; then it only comes once more.
            self._memory.set(ask_share=True, pin_reset=ASKED, pin_fail=0)
            return
        try:
            with vault.open_key(self.profile, self._ring):
                pass
        except Locked as locked:
            if locked.by_order:
                self._memory.set(ask_share=True)
                return
        self._open_again() if self._may_open() else self._memory.set(ask_share=True)

    def _changing(self, before: State, after: State) -> None:
        if after.stage == ACTIVE and before.stage != ACTIVE:
            self.store.reopen()
