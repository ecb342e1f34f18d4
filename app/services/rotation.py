"""The keys of one device changed in the rounds, at contact: made, brought to the server, put in force, the old deleted.

Ring key and share take new names under the next epoch (app/keys/turning.py); the data key, and with it the store, stays
as it is, so nobody who writes waits. They are put in force only once the server has said that it holds the new share,
by its digest; it forgets the old one once this device has said which is in force. With a PIN, the next header can be
made only when the PIN is given: then it is made at that moment, and all else waits for contact.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
from collections.abc import Callable
from typing import Final

import msgspec

from app.errors import AppError
from app.keys import header as headers
from app.keys import turning, vault
from app.keys.ring import Keyring
from app.keys.secret import SecretBytes
from app.keys.state import State
from app.paths import Profile, sync_folder
from app.services.memory import Memory
from sync.protocol import sealing
from sync.protocol.signals import DAY_MS
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

_LOG = logging.getLogger("app.services.rotation")
WAITS_PIN: Final = "pin"
WAITS_CONTACT: Final = "contact"


class HandIn(msgspec.Struct, frozen=True):
    """What the server is to hold, and under which epoch; `share` is b"" where only its sealed copy is left."""

    epoch: int
    share: bytes
    sealed: bytes


class Standing(msgspec.Struct, frozen=True):
    """When the keys were made (UTC milliseconds, 0 where nobody knows), how old they are, after how many days policy
    has them changed (0: never), and what a change waits for ("" where none is under way).
    """

    made: int
    age_days: int
    days: int
    waits: str


def in_words(standing: Standing) -> str:
    """How old the keys of this device are, when they are changed, and what that waits for."""
    age = ngettext("{n} day old", "{n} days old", standing.age_days).format(n=standing.age_days)
    parts = [age if standing.made else _("nobody has written down how old")]
    if standing.waits == WAITS_PIN:
        parts.append(_("new ones are made once the PIN is given"))
    elif standing.waits:
        parts.append(_("new ones come into force at the next contact"))
    elif standing.days:
        days = ngettext("after {n} day", "after {n} days", standing.days).format(n=standing.days)
        parts.append(_("changed {days}, as policy asks").format(days=days))
    return "; ".join(parts)


class Rotation:
    """Changes the keys of one profile; the engine's thread does, but for what takes the PIN."""

    def __init__(
        self,
        profile: Profile,
        ring: Keyring,
        memory: Memory,
        days: Callable[[], int],
        recovery: Callable[[], bytes],
        step: turning.Step = turning.no_step,
    ) -> None:
        """`days`: how old keys may become by the policy in force, 0 for any age. `recovery`: the recovery key."""
        self._profile = profile
        self._ring = ring
        self._memory = memory
        self._days = days
        self._recovery = recovery
        self._step = step
        self._turn = threading.RLock()  # a PIN is given in one thread, while another exchanges
        self._in_force = memory.state.epoch  # of the header
        self._told_as = self._in_force  # which share the server was last told is the one in force
        self._gave_again = False  # what this process has of a share that the server has lost
        self._reset: SecretBytes | None = None  # of the next header, until the server holds it
        self._held: list[int] = []  # epochs of which the server says that it holds the share
        self._acked = 0  # the epoch whose share, as it is here, the server has said that it holds
        self._handed: HandIn | None = None  # as it went out last

    # -- standing

    @property
    def share_as(self) -> int:
        """Under which epoch the server keeps the share of the header in force."""
        state = self._memory.state
        return state.share_as if state.epoch == self._in_force else self._in_force

    @property
    def missing(self) -> bool:
        """Whether the server keeps shares by epoch and has not got the one in force: it was restored from a backup."""
        return bool(self._held) and self.share_as not in self._held

    def standing(self) -> Standing:
        """How the keys stand, for people. Raises as reading the header does."""
        state = self._memory.state
        age = max(0, self._memory.now() - state.keys_made) // DAY_MS if state.keys_made else 0
        waits = ""
        if self._profile.header_next.exists() or state.keys_before:
            waits = WAITS_CONTACT
        elif self.wanted():
            waits = WAITS_PIN if vault.has_pin(self._profile) else WAITS_CONTACT
        return Standing(state.keys_made, age, self._days(), waits)

    def wanted(self) -> bool:
        """Whether other keys are asked for: by somebody, or by their age and the policy."""
        state, days = self._memory.state, self._days()
        old = days > 0 and state.keys_made > 0 and self._memory.now() - state.keys_made >= days * DAY_MS
        return state.keys_asked or old

    def due(self) -> bool:
        """Whether keys are to be made now: a server that keeps but one share would lose the one in force."""
        return self.wanted() and self.share_as in self._held and not self._memory.state.keys_before

    # -- steps

    def resume(self) -> None:
        """At the start: what a crash has left between T5 and T7. Raises nothing: it is tried again in the rounds."""
        with self._turn, contextlib.suppress(AppError, OSError):
            self._in_force = headers.read(self._profile).epoch
            self._finish()
            self._forget_before()

    def prepare(self, data_key: SecretBytes, pin: SecretBytes | None = None) -> None:
        """T1 to T3, where keys are to be made. With a PIN only when it was given just now: whatever fails is tried
        again with the next."""
        if not self.wanted() or self._memory.state.keys_before:
            return
        with self._turn:
            try:
                made = turning.prepare(self._profile, self._ring, data_key, pin, self._step)
            except AppError as problem:
                _LOG.info("keys were not made: %s", type(problem).__name__)
                return
            self._take_reset(made)
            self._acked, self._handed = 0, None

    def step_on(self, data_key: Callable[[], SecretBytes] | None) -> bool:
        """After an exchange: do what is next; whether there is something to tell the server now. `data_key` where the
        store is open and no PIN is needed for it.

        Raises nothing: what does not go now is tried again at the next contact.
        """
        with self._turn:
            try:
                self._finish()
                self._forget_before()
                self._go_on(data_key)
            except (AppError, OSError) as problem:
                _LOG.info("keys are changed later: %s", type(problem).__name__)
                return False
            return self._has_to_tell()

    def _has_to_tell(self) -> bool:
        if self.missing:
            return not self._gave_again
        return self.share_as != self._told_as or self._may_hand_in()

    def _may_hand_in(self) -> bool:
        """Whether a next header waits for the server, which keeps shares by epoch. Raises AppError."""
        if self._acked or self.share_as not in self._held or not self._profile.header_next.exists():
            return False
        return self._reset is not None or not vault.has_pin(self._profile)

    def _go_on(self, data_key: Callable[[], SecretBytes] | None) -> None:
        begun = self._profile.header_next.exists()
        coming = turning.coming(self._profile, self._ring) if begun else None
        if coming is not None and self._acked == coming.epoch:
            self._put_in_force(coming)
        elif begun and coming is None:
            turning.give_up(self._profile, self._ring)  # a lock took its share, or the PIN is another one
            self._take_reset(None)
        elif not begun and data_key is not None and self.due():
            with data_key() as key:
                self.prepare(key)

    def _finish(self) -> None:
        """T6, where T5 was the last that was done. Raises AppError, OSError."""
        if self._memory.state.epoch != self._in_force:
            self._memory.turn(
                self._in_force,
                lambda state: state,
                lambda: sync_folder(self._profile.folder),
                self._after(self._in_force),
            )

    def _put_in_force(self, coming: turning.Coming) -> None:
        sealed = self.sealed(self._whole(coming)).hex()

        def before(state: State) -> State:
            kept = {**state.sealed_shares, str(coming.epoch): sealed}
            return msgspec.structs.replace(state, sealed_shares=kept)

        def switch() -> None:
            self._step("T4")
            try:
                turning.switch(self._profile, self._ring, self._step)
            finally:
                with contextlib.suppress(AppError):
                    self._in_force = headers.read(self._profile).epoch

        self._memory.turn(coming.epoch, before, switch, self._after(coming.epoch, self._reset is not None))
        self._take_reset(None)
        self._acked = 0
        self._step("T6")
        _LOG.info("keys changed: epoch %d", coming.epoch)
        self._forget_before()

    def _after(self, epoch: int, reset: bool | None = None) -> Callable[[State], State]:
        now = self._memory.now()

        def after(state: State) -> State:
            sealed = {each: value for each, value in state.sealed_shares.items() if each == str(epoch)}
            return msgspec.structs.replace(
                state,
                epoch=epoch,
                keys_made=now,
                keys_asked=False,
                share_as=epoch,
                share_ack=True,
                keys_before=epoch,
                sealed_shares=sealed,
                reset_ack=state.reset_ack if reset is None else reset,
            )

        return after

    def _forget_before(self) -> None:
        """T7, where it is still to be done. Raises AppError."""
        state = self._memory.state
        if not state.keys_before:
            return
        if turning.forget_before(self._profile, self._ring, state.keys_before, self._step):
            self._memory.set(keys_before=0)

    # -- what the server holds

    def to_hand_in(self) -> HandIn | None:
        """The share that is to take the place of the one in force, or the one in force where the server has lost it;
        None for nothing. Raises nothing."""
        with self._turn, contextlib.suppress(AppError):
            self._told_as = self.share_as
            if self.missing:
                return self._again()
            coming = turning.coming(self._profile, self._ring) if self._may_hand_in() else None
            if coming is None:
                return None
            both = self._whole(coming)
            self._handed = HandIn(epoch=coming.epoch, share=both, sealed=self.sealed(both))
            return self._handed
        return None

    def handed_in(self, digest: bytes) -> None:
        """The server says what it holds now of what was handed in."""
        with self._turn:
            handed, self._handed = self._handed, None
            if handed is not None and hashlib.sha256(handed.share).digest() == digest:
                self._acked = handed.epoch
                self._step("held")

    def heard(self, epochs: list[int]) -> None:
        """Of which epochs the server holds the share. Where the one in force is lost, no lock may take it away here
        before it is there again."""
        self._held = list(epochs)
        state, held = self._memory.state, self.share_as in epochs
        if epochs and state.share_ack != held:
            if not held:
                _LOG.warning("the server has lost the share of this device")
            self._memory.set(share_ack=held, reset_ack=held and state.reset_ack)
        if not state.keys_made:
            self._memory.set(keys_made=self._memory.now())

    def _again(self) -> HandIn | None:
        """The share in force once more, for a server that has lost it; its sealed copy alone where it is not here."""
        given, self._gave_again = self._gave_again, True
        share = turning.share_of(self._ring, self._in_force)
        if share is not None:
            return HandIn(epoch=self.share_as, share=share, sealed=self.sealed(share))
        sealed = self._memory.state.sealed_shares.get(str(self._in_force), "")
        if not sealed or given:
            return None
        return HandIn(epoch=self.share_as, share=b"", sealed=bytes.fromhex(sealed))

    def sealed(self, share: bytes) -> bytes:
        """A share for whoever holds the recovery key."""
        return sealing.seal(self._recovery(), sealing.SHARE, share)

    # -- inside

    def _whole(self, coming: turning.Coming) -> bytes:
        """The share that is to come, and behind it the reset key where there is a PIN: what the server holds."""
        return coming.share + (bytes(self._reset.view) if self._reset is not None else b"")

    def _take_reset(self, reset: SecretBytes | None) -> None:
        if self._reset is not None:
            self._reset.wipe()
        self._reset = reset
