"""One profile held open by one process: its guarded state, its store while unlocked, and obedience to orders.

Stages: active ⇄ lock_ui (a person or the system locked, an order is missing, or a PIN is asked for: the store is closed
and its key out of memory) ; active ⇄ lock_crypto (an order, silence or a PIN tried too often locked: the key's share is
gone until the server gives it back) ; any → wiped, which leaves no session at all. A session whose files do not hold
(`damage`) never opens its store; orders reach it all the same.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app import log
from app.changes import BEHIND, Bus, Changes
from app.errors import AppError, KeyringUnreachable
from app.keys import device, trusted_time
from app.keys.device import DeviceKeys
from app.keys.ring import Keyring
from app.paths import Profile
from app.services import wipe
from app.services.card import Card, refreshed
from app.services.held import Held
from app.services.kept_orders import Pending
from app.services.locks import ACTIVE, LOCK_CRYPTO, LOCK_UI, Locks
from app.services.memory import Memory
from app.services.open_store import OpenStore
from app.services.opener import Opener
from app.services.papers import CANCELLED, DONE, REFUSED, Papers
from app.services.pin import PinGate
from app.services.rotation import HandIn, Rotation
from app.services.ruling import Ruling
from app.services.why_locked import BY_ORDER
from app.services.wiped_words import wiped_error
from sync.protocol import documents

_LOG = logging.getLogger("app.services.session")
if TYPE_CHECKING:
    from app.services.bulk.laying import Laying
    from app.store.replica import StoreReplica

__all__ = ["ACTIVE", "LOCK_CRYPTO", "LOCK_UI", "Session"]  # the stages, where everybody looks for them

T = TypeVar("T")

OVERTAKEN: Final = REFUSED + "overtaken"


class Session(Locks):
    """Holds a profile until `close`. Who writes goes through `call`, who only looks through `read`, beside it."""

    def __init__(
        self,
        profile: Profile,
        card: Card,
        opener: Opener,
        ring: Keyring,
        memory: Memory,
        held: Held,
        wipe_step: wipe.Step = wipe.no_step,
        damage: AppError | None = None,
    ) -> None:
        super().__init__()
        self.profile = profile
        self.card = card
        self.damage = damage
        self.bus = Bus()
        self.files = Bus()  # told when an attached file has gone up or come: no record is another for that
        self.wipe_step = wipe_step
        self._opener = opener
        self._ring = ring
        self._memory = memory
        memory.on_change = self._changing
        self.pin = PinGate(profile, ring, memory, lambda: self.papers.held.policy.pin)
        self.store = OpenStore(
            profile,
            key=lambda: self.pin.key(),
            recovery=lambda: self.papers.held.root.recovery,
            refusal=self._shut_because,
            found=lambda records: self.tell(Changes(tuple(records), BEHIND)),
        )
        self._closed = False
        self._keys: DeviceKeys | None = None
        self._signing_key: Ed25519PrivateKey | None = None
        self.papers = Papers(
            profile,
            held,
            state=lambda: memory.state,
            alter=memory.alter,
            note=memory.note,
            now=memory.now,
            sample=lambda at: trusted_time.anchored(at, trusted_time.system_clock()),
        )
        self.papers.store_shut = damage is not None
        self.rotation = Rotation(
            profile,
            ring,
            memory,
            days=lambda: self.papers.held.policy.keys.rotate_days,
            recovery=lambda: self.papers.held.root.recovery,
            step=wipe_step,
        )
        self.pin.given = self.rotation.prepare
        self.papers.share_as = lambda: self.rotation.share_as
        self.papers.hand_in = self._to_hand_in
        self.papers.handed_in = self._handed_in
        self.papers.shares_held = self._shares_held
        self.ruling = Ruling(profile, memory, self.papers)

    # -- standing

    @property
    def keys(self) -> DeviceKeys:
        """The device's own keys, read when first needed. Raises KeyMissing, KeyringUnreachable."""
        if self._keys is None:
            self._keys = device.load(self._ring)
        return self._keys

    @property
    def signing_key(self) -> Ed25519PrivateKey:
        """The key that signs for this device: all that one has left whose other keys are gone. Raises as `keys`."""
        if self._signing_key is None:
            self._signing_key = device.load_signing(self._ring)
        return self._signing_key

    def now(self) -> int:
        """Trusted UTC milliseconds."""
        return self._memory.now()

    def met(self) -> None:
        """After an exchange: the card says what the server says of this person."""
        person = self.papers.person
        if person is not None and person != self.card.person:
            self.card = refreshed(self.card, person)
            with contextlib.suppress(OSError):  # the server says it again at the next start
                self.card.write(self.profile)

    # -- the store

    def call(self, work: Callable[..., T], *args: object) -> T:
        """`work(store, *args)` on the store's thread. Raises Locked, and what `work` raises."""
        return self.store.call(lambda store: work(store, *args))

    def read(self, work: Callable[..., T], *args: object) -> T:
        """`work(reader, *args)` beside whoever writes: at one moment of the store, after all that was saved before.

        Raises Locked, also when the store closes meanwhile, and what `work` raises.
        """
        return self.store.read(lambda reader: work(reader, *args))

    def replica(self) -> StoreReplica | None:
        """The replica while the store may be open."""
        if self.stage != ACTIVE:
            return None
        from app.store.replica import StoreReplica  # an exchange comes after the first list

        return self.call(StoreReplica)

    def run_replica(self, work: Callable[..., T], *args: object) -> T:
        """A method of the replica on the store's thread. Raises Locked when the store was closed meanwhile."""
        return self.store.call(lambda _store: work(*args))

    def laying(self) -> Laying:
        """What lays the pages of a round in beside this process."""
        from app.services.bulk.laying import Laying  # an exchange comes after the first list

        return Laying(self.store.begin_bulk, self.store.pen, self.store.wrote_beside)

    def tell(self, changes: Changes) -> None:
        """Let every view know."""
        self.bus.publish(changes)

    def travel(self, on: bool) -> None:
        """Say to the server from now on whether this device travels (travel.py). Raises AppError."""
        self._memory.set(travelling=on)

    # -- keys

    def want_other_keys(self) -> None:
        """Have the keys changed at the next contact, however old; with a PIN, once it is given. Raises AppError."""
        self._memory.set(keys_asked=True)

    def change_keys(self) -> bool:
        """After an exchange: go on with changing the keys of this device, where that is due; whether the server has to
        be told of it now. Raises nothing."""
        if self.damage is not None:
            return False
        free = self.stage == ACTIVE and not self.pin.has_pin
        return self.rotation.step_on(self.pin.key if free else None)

    def _to_hand_in(self) -> HandIn | None:
        if self.damage is not None:
            return None
        share = self.pin.to_hand_in()
        if share is None:
            return self.rotation.to_hand_in()
        return HandIn(epoch=self.rotation.share_as, share=share, sealed=self.rotation.sealed(share))

    def _handed_in(self, digest: bytes) -> None:
        self.pin.handed_in(digest)
        self.rotation.handed_in(digest)

    def _shares_held(self, epochs: list[int]) -> None:
        if self.damage is not None:
            return
        was = self.state.share_ack
        self.rotation.heard(epochs)
        if self.state.share_ack and not was:
            with contextlib.suppress(KeyringUnreachable):  # it goes at the next start
                self.stay_locked()  # a share that was kept until the server had it

    # -- orders

    def obey(self) -> bool:
        """Carry out the orders that are due; whether any was. Raises Wiped after a wipe."""
        any_done = False
        for pending in self.papers.due():
            if pending.order.op == documents.CANCEL:
                self._cancel(pending)
                self.papers.done(pending, DONE)
                return self.obey() or True  # what is due is another thing now
            if pending.order.op == documents.WIPE:
                self._wipe(pending)
            elif pending.order.op == documents.LOCK:
                self._lock_hard(BY_ORDER, ask_share=False, why=pending.order.reason)
                self._forget_unlocks(pending)
            elif self.damage is not None:
                continue  # nothing is unlocked that cannot be looked at
            else:
                self._unlock_by_order()
            self.papers.done(pending, DONE)
            any_done = True
        return any_done

    def wipe_for_silence(self) -> None:
        """Wipe where the policy's own rule for silence is due; asked once the server was looked for in vain.

        Raises Wiped then. A device whose files do not hold never does: it cannot know when it was in contact.
        """
        locked = self.damage is None and self.stage == LOCK_CRYPTO
        if locked and (intent := self.ruling.silent_out(self.card)) is not None:
            self._destroy(intent)

    def close(self) -> None:
        """Close the store and let the profile go."""
        if self._closed:
            return
        self._closed = True
        try:
            self._close_store(at_once=False)
        finally:
            self.store.close()
            self._memory.close()
            self._opener.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- inside

    def _shut_because(self) -> AppError | None:
        """Why the store must stay shut; None when it need not."""
        return self.locked_error() if self.stage != ACTIVE or self.store.is_shut else None

    def _forget_unlocks(self, lock: Pending) -> None:
        """An unlock that was signed before this lock and waits still must not undo it."""
        for pending in self.papers.pending():
            if pending.order.op == documents.UNLOCK and pending.order.seq < lock.order.seq:
                self.papers.done(pending, OVERTAKEN)

    def _cancel(self, cancel: Pending) -> None:
        """Let go of the wipe that is not to be; one whose intent is written has left no session to come here."""
        for pending in self.papers.pending():
            if pending.order.order_id == cancel.order.cancels and pending.order.op == documents.WIPE:
                self.papers.done(pending, CANCELLED)

    def _wipe(self, pending: Pending) -> None:
        self._destroy(self.ruling.ordered_out(pending, self.card))

    def _destroy(self, intent: wipe.Intent) -> None:
        try:
            self.tell(Changes((), "wipe"))
            self._close_store()
        except Exception as problem:  # noqa: BLE001 - a draft, a full disk, a damaged store: nothing holds up a wipe
            _LOG.info("closing for the wipe: %s", problem)
        self._memory.forget()
        log.shut()
        with contextlib.suppress(OSError):
            # A disk that takes no file: the keys are gone all the same, and every start tries the rest again.
            wipe.begin(self.profile, self._ring, intent, self.wipe_step)
            wipe.destroy(self.profile, self._ring, self.now, self.wipe_step)
        self.tell(Changes((), "wiped"))
        raise wiped_error(intent)
