"""One profile held open by one process: its guarded state, its store while unlocked, and obedience to orders.

Stages: active ⇄ lock_ui (a person locked, or an order is missing) ; active ⇄ lock_crypto (an order or silence locked:
the key's share is gone until the server gives it back) ; any → wiped, which leaves no session at all. A session whose
files do not hold (`damage`) never opens its store; orders reach it all the same.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app import log
from app.changes import BEHIND, CLOSING, Bus, Changes
from app.errors import AppError, Locked
from app.keys import device, trusted_time, vault
from app.keys.device import DeviceKeys
from app.keys.ring import Keyring, share_name
from app.keys.secret import SecretBytes
from app.keys.state import State
from app.paths import Profile
from app.services import copies, guard, unfinished, why_locked, wipe
from app.services.card import Card, refreshed
from app.services.held import Held
from app.services.memory import Memory
from app.services.open_store import OpenStore
from app.services.opener import Opener
from app.services.papers import DONE, REFUSED, Papers, Pending
from app.services.ruling import Ruling
from app.services.why_locked import BY_ORDER, BY_PERSON, NOT_ENROLLED, REASON_SHOWN
from app.services.wiped import wiped_error
from sync.protocol import documents, sealing

_LOG = logging.getLogger("app.services.session")
if TYPE_CHECKING:
    from app.services.bulk.laying import Laying
    from app.store.replica import StoreReplica

T = TypeVar("T")

ACTIVE: Final = "active"
LOCK_UI: Final = "lock_ui"
LOCK_CRYPTO: Final = "lock_crypto"
OVERTAKEN: Final = REFUSED + "overtaken"


class Session:
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
        self.store = OpenStore(
            profile,
            key=lambda: vault.open_key(profile, ring),
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
        self.ruling = Ruling(profile, memory, self.papers)

    # -- standing

    @property
    def state(self) -> State:
        """The guarded state."""
        return self._memory.state

    @property
    def stage(self) -> str:
        """active, lock_ui or lock_crypto; never active while its files do not hold."""
        return LOCK_CRYPTO if self.damage is not None else self.state.stage

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

    # -- lock and unlock

    def lock(self) -> None:
        """Lock as a person does: the store closes and its key leaves memory."""
        self._close_store()
        if self.stage == ACTIVE:
            self._memory.set(stage=LOCK_UI, locked_because=BY_PERSON)
        self.tell(Changes((), "lock"))

    def needs_pin(self) -> bool:
        """Whether unlocking asks for a PIN."""
        return vault.has_pin(self.profile)

    def unlock(self, pin: SecretBytes | None = None) -> None:
        """Unlock what a person locked. Raises Locked when only IT can, and what the vault raises."""
        if self.stage == LOCK_CRYPTO:
            raise self.locked_error()
        self.judge()
        with vault.open_key(self.profile, self._ring, pin=pin):
            pass
        self._memory.set(stage=ACTIVE, locked_because="")
        self.tell(Changes((), "lock"))

    def judge(self) -> None:
        """Let policy, lease and clock speak; locks when they ask for it. Raises Locked then."""
        self._memory.raise_floor()
        verdict = self.ruling.judge()
        if self.stage != LOCK_CRYPTO and verdict.rung is guard.Rung.LOCK:
            self._lock_hard(verdict.signal, ask_share=True)
        elif self.stage == ACTIVE and verdict.rung is guard.Rung.LOCK_UI:
            self._close_store()
            self._memory.set(stage=LOCK_UI, locked_because=verdict.signal)
            self.tell(Changes((), "lock"))
        if self.stage == LOCK_CRYPTO or verdict.rung is guard.Rung.LOCK_UI:
            raise self.locked_error()

    def nothing_missing(self) -> None:
        """Open what a missing order has locked, once it has come or the server knows of it no longer."""
        state, by_it = self.state, (LOCK_UI, guard.ORDER_MISSING)
        if (state.stage, state.locked_because) == by_it and not self.papers.order_missing():
            self._memory.set(stage=ACTIVE, locked_because="")
            self.tell(Changes((), "lock"))

    def share_is_gone(self) -> None:
        """The store asks for a share that this device has not got: it was locked, whatever its own state says."""
        if self.stage == ACTIVE:
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
            return why_locked.window(self.ruling.verdict)
        return why_locked.hard(
            self.state, self.card.org_name, self.profile.sealed_outbox, self.ruling.verdict
        )

    # -- orders

    def obey(self) -> bool:
        """Carry out the orders that are due; whether any was. Raises Wiped after a wipe."""
        any_done = False
        for pending in self.papers.due():
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

    def take_share(self) -> bool:
        """Put back the share that the server has sent, when this device had asked for it; False where policy goes on
        asking for the lock."""
        sealed, self.papers.share = self.papers.share, None
        if sealed is None or not self.state.ask_share or self.damage is not None:
            return True
        if self.papers.order_missing():
            return True  # it may be a lock; the share is asked for again
        if not self._may_open():
            return False
        share = sealing.unseal(self.keys.seal, sealing.SHARE, sealed)
        vault.restore_share(self.profile, self._ring, share)
        self._open_again()
        return True

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
        if self.damage is None:
            vault.drop_share(self.profile, self._ring)
        else:
            self._ring.delete(share_name(self.state.epoch))

    def _forget_unlocks(self, lock: Pending) -> None:
        """An unlock that was signed before this lock and waits still must not undo it."""
        for pending in self.papers.pending():
            if pending.order.op == documents.UNLOCK and pending.order.seq < lock.order.seq:
                self.papers.done(pending, OVERTAKEN)

    def _unlock_by_order(self) -> None:
        if self.stage != LOCK_CRYPTO:
            return
        try:
            with vault.open_key(self.profile, self._ring):
                pass
        except Locked:
            self._memory.set(ask_share=True)
            return
        self._open_again() if self._may_open() else self._memory.set(ask_share=True)

    def _may_open(self) -> bool:
        """Whether policy lets a device open that was locked hard; else it is policy's lock from now on."""
        verdict = self.ruling.judge()
        if verdict.rung is guard.Rung.LOCK and self.state.locked_because != verdict.signal:
            self._memory.set(locked_because=verdict.signal, locked_why="")
        return verdict.rung is not guard.Rung.LOCK

    def _open_again(self) -> None:
        """Locked hard no longer; a window that policy keeps shut stays so."""
        verdict = self.ruling.verdict
        because = verdict.signal if verdict.rung is guard.Rung.LOCK_UI else ""
        stage = LOCK_UI if because else ACTIVE
        self._memory.set(stage=stage, locked_because=because, locked_why="", ask_share=False)
        self.tell(Changes((), "lock"))

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

    def _changing(self, before: State, after: State) -> None:
        if after.stage == ACTIVE and before.stage != ACTIVE:
            self.store.reopen()
