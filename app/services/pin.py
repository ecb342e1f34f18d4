"""The PIN of a store: tried under a count that is written down first, held no longer than the store is open, chosen.

A try counts before it is looked at, so neither a restart nor a process that is killed in between gives one back. The
data key is held here while the store is open, since another opening (a process beside this one, a store that is made
anew) must not ask the person again; a lock wipes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable
from typing import Final

import msgspec

from app.errors import AppError, KeyringUnreachable, Locked
from app.keys import vault
from app.keys.ring import RESET, Keyring
from app.keys.secret import SecretBytes
from app.keys.state import State
from app.paths import Profile
from app.services.memory import Memory
from sync.protocol.documents import PinRule
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

ASKED: Final = "asked"  # IT has unlocked this device: the reset key is asked for
HERE: Final = "here"  # it has come, and a new PIN may be chosen
LETTERS_MAX: Final = 128


class TooOften(Locked):
    """The last try that the policy allows was wrong."""


class PinGate:
    """Who asks for the PIN of one profile; `rule` is what the policy in force says of it."""

    def __init__(self, profile: Profile, ring: Keyring, memory: Memory, rule: Callable[[], PinRule]) -> None:
        self._profile = profile
        self._ring = ring
        self._memory = memory
        self._rule = rule
        self._has: bool | None = None
        self._held: SecretBytes | None = None
        self._short = (
            False  # the PIN that was given last is shorter than the policy has asked since it was chosen
        )
        self._escrow: SecretBytes | None = None  # the reset key, until the server is known to hold it
        self._handing = threading.RLock()  # the exchange reads it while a person may choose another PIN
        self.given: Callable[[SecretBytes, SecretBytes], None] = lambda _key, _pin: None  # data key and PIN

    # -- standing

    @property
    def has_pin(self) -> bool:
        """Whether this store asks for a PIN; read once. Raises as reading the header does."""
        if self._has is None:
            self._has = vault.has_pin(self._profile)
        return self._has

    @property
    def is_open(self) -> bool:
        """Whether the right PIN was given since the last lock."""
        return self._held is not None

    @property
    def rule(self) -> PinRule:
        """What the policy says of PINs."""
        return self._rule()

    def wants_new(self) -> bool:
        """Whether a PIN has to be chosen before the store opens: the policy asks for one, or a longer one, or IT has
        allowed another."""
        return (
            self._memory.state.pin_reset == HERE or self.is_short or (self.rule.required and not self.has_pin)
        )

    @property
    def is_short(self) -> bool:
        """Whether the right PIN was given just now, and policy asks for a longer one: that opens the store."""
        return self._short and self.is_open

    def asks(self) -> bool:
        """Whether the store opens with a PIN alone, and none was given yet."""
        return self.has_pin and self._held is None

    def tries_left(self) -> int:
        """How many wrong tries are left."""
        return max(0, self.rule.max_attempts - self._memory.state.pin_fail)

    def used_up(self) -> bool:
        """Whether the count has come to its end: also where the process ended between the last try and the lock."""
        return self.has_pin and self._memory.state.pin_reset != HERE and self.tries_left() == 0

    # -- opening

    def key(self) -> SecretBytes:
        """The data key. Raises as `vault.open_key` does."""
        if self._held is not None:
            return SecretBytes(self._held.view)
        return vault.open_key(self._profile, self._ring)

    def open(self, pin: SecretBytes | None) -> None:
        """Open by the PIN, where there is one. Raises Locked, TooOften, and what the vault raises."""
        if not self.has_pin:
            with vault.open_key(self._profile, self._ring):
                return
        if pin is None:
            raise Locked(_("This store asks for your PIN."), _("Enter the PIN."))
        self._take(self._tried(pin))
        self._short = self.rule.required and pin.letters < self.rule.min_len
        if not self._memory.state.reset_ack:
            # What was to bring the reset key to the server is gone: another one, under the same PIN.
            with contextlib.suppress(AppError):
                self._escrowed(vault.set_pin(self._profile, self._ring, self.key(), pin))
        with self.key() as key:
            self.given(key, pin)

    def forget(self) -> None:
        """Hold nothing that opens the store."""
        self._short = False
        held, self._held = self._held, None
        if held is not None:
            held.wipe()

    # -- choosing

    def choose(self, new: SecretBytes | None, current: SecretBytes | None = None) -> None:
        """Take another PIN, or none where the policy allows it; the one in force must be known, where there is one and
        IT has not allowed a new one. Raises Locked, TooOften, AppError for one that does not do.
        """
        self._check(new)
        key = self._by_reset() if self._memory.state.pin_reset == HERE else None
        if key is None and self.is_short:
            key = self.key()
        if key is None:
            key = self._tried(current) if self.has_pin else vault.open_key(self._profile, self._ring)
        try:
            made = vault.set_pin(self._profile, self._ring, key, new)
        except BaseException:
            key.wipe()
            raise
        self._has = new is not None
        self._escrowed(made)
        self._memory.set(pin_fail=0, pin_reset="", reset_ack=False)
        with contextlib.suppress(KeyringUnreachable):  # it opens nothing any more
            self._ring.delete(RESET)
        if new is not None:
            self._take(key)
        else:
            self.forget()
            key.wipe()

    # -- what the server holds

    def to_hand_in(self) -> bytes | None:
        """What the server is to hold, as long as it is not known to hold it: the share, and behind it the reset key."""
        with self._handing, contextlib.suppress(AppError):
            if self._escrow is not None:
                return vault.for_server(self._profile, self._ring, self._escrow)
        return None

    def handed_in(self, digest: bytes) -> None:
        """The server says what it holds now."""
        with self._handing:
            both = self.to_hand_in()
            if both is not None and hashlib.sha256(both).digest() == digest:
                self._memory.set(reset_ack=True)
                self._escrowed(None)

    def take_reset(self, reset: bytes) -> None:
        """IT has allowed a new PIN, and the server gave what that takes; without it the old one is asked for."""
        if reset:
            vault.keep_reset(self._ring, reset)
        self._memory.set(pin_reset=HERE if reset else "", pin_fail=0)

    # -- inside

    def _tried(self, pin: SecretBytes | None) -> SecretBytes:
        """The data key by this PIN. The count rises first."""
        if pin is None:
            raise Locked(_("This store asks for your PIN."), _("Enter the PIN."))
        if self.tries_left() == 0:
            raise too_often()
        self._memory.alter(_one_more)
        try:
            key = vault.open_key(self._profile, self._ring, pin=pin)
        except vault.WrongPin:
            left = self.tries_left()
            if left == 0:
                raise too_often() from None
            text = ngettext(
                "{n} try is left. After that only IT can open this device.",
                "{n} tries are left. After that only IT can open this device.",
                left,
            )
            raise vault.WrongPin(_("This PIN is not right."), text.format(n=left)) from None
        except AppError:
            self._memory.alter(_one_less)  # the PIN was not looked at
            raise
        self._memory.set(pin_fail=0)
        return key

    def _by_reset(self) -> SecretBytes | None:
        try:
            return vault.open_with_reset(self._profile, self._ring)
        except vault.WrongReset:  # a PIN was chosen just before the process ended
            self._memory.set(pin_reset="")
            return None

    def _take(self, key: SecretBytes) -> None:
        self.forget()
        self._held = key

    def _escrowed(self, reset: SecretBytes | None) -> None:
        with self._handing:
            if self._escrow is not None:
                self._escrow.wipe()
            self._escrow = reset

    def _check(self, new: SecretBytes | None) -> None:
        """Raises AppError for a PIN that does not do."""
        rule = self.rule
        if new is None:
            if rule.required:
                raise AppError(_("Your organisation asks for a PIN."), _("Choose another one instead."))
            return
        letters = new.letters
        if letters < rule.min_len:
            text = ngettext(
                "It needs {n} character at least.", "It needs {n} characters at least.", rule.min_len
            )
            raise AppError(_("This PIN is too short."), text.format(n=rule.min_len))
        if letters > LETTERS_MAX:
            raise AppError(_("This PIN is too long."), _("Choose one of at most 128 characters."))


def too_often() -> TooOften:
    """The last try was wrong."""
    return TooOften(
        _("The PIN was wrong too often."),
        _("Your work is safe. Ask IT to unlock this device; then you choose a new PIN."),
        by_order=True,
    )


def _one_more(state: State) -> State:
    return msgspec.structs.replace(state, pin_fail=state.pin_fail + 1)


def _one_less(state: State) -> State:
    return msgspec.structs.replace(state, pin_fail=max(0, state.pin_fail - 1))
