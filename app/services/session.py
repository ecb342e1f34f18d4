"""One profile held open by one process: its guarded state, its store while unlocked, and obedience to orders.

Stages: active ⇄ lock_ui (a person locked) ; active ⇄ lock_crypto (an order or silence locked: the key's share is
gone until the server gives it back) ; any → wiped, which leaves no session at all.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, TypeVar

import msgspec

from app import log
from app.changes import CLOSING, Bus, Changes
from app.errors import AppError, KeyringUnreachable, Locked
from app.keys import device, trusted_time, vault
from app.keys.device import DeviceKeys
from app.keys.ring import Keyring, SystemKeyring
from app.keys.secret import SecretBytes
from app.keys.state import State, StateFile
from app.paths import Profile
from app.services import guard, wipe
from app.services.card import Card, read_card
from app.services.opener import Opener
from app.services.papers import Change, Papers, Pending, read_held
from app.services.wiped import intent_for, refuse_wiped, wiped_error
from app.store.replica import StoreReplica
from app.store.store import Store
from app.worker import Worker
from sync.protocol import documents, sealing
from sync.protocol.texts import gettext as _

_LOG = logging.getLogger("app.services.session")
T = TypeVar("T")

ACTIVE: Final = "active"
LOCK_UI: Final = "lock_ui"
LOCK_CRYPTO: Final = "lock_crypto"
BY_ORDER: Final = "order"
BY_PERSON: Final = "person"
FLOOR_STEP_MS: Final = 60_000  # the floor of trusted time is written down when it has risen by this much


class Session:
    """Holds a profile until `close`. All store work runs on one thread, through `call`."""

    def __init__(
        self,
        profile: Profile,
        card: Card,
        opener: Opener,
        ring: Keyring,
        guarded: StateFile,
        wipe_step: wipe.Step = wipe.no_step,
    ) -> None:
        self.profile = profile
        self.card = card
        self.bus = Bus()
        self.wipe_step = wipe_step
        self._opener = opener
        self._ring = ring
        self._guarded = guarded
        self._turn = threading.RLock()
        self._state = guarded.load()
        self._store: Store | None = None
        self._shut = False
        self._closed = False
        self._keys: DeviceKeys | None = None
        self.papers = Papers(
            profile,
            read_held(profile, self._state, self.now()),
            state=lambda: self._state,
            alter=self._alter,
            now=self.now,
            sample=lambda at: trusted_time.anchored(at, trusted_time.system_clock()),
        )
        self._worker = Worker("fieldkeep-store")

    # -- standing

    @property
    def state(self) -> State:
        """The guarded state."""
        return self._state

    @property
    def stage(self) -> str:
        """active, lock_ui or lock_crypto."""
        return self._state.stage

    @property
    def keys(self) -> DeviceKeys:
        """The device's own keys, read when first needed. Raises KeyMissing, KeyringUnreachable."""
        if self._keys is None:
            self._keys = device.load(self._ring)
        return self._keys

    def now(self) -> int:
        """Trusted UTC milliseconds."""
        return self._reading().now

    def warning(self) -> str:
        """The signal that policy warns of, or nothing."""
        verdict = self._verdict()
        return verdict.signal if verdict.rung is guard.Rung.WARN else ""

    def clock_anomaly(self) -> str:
        """What is wrong with the clock: clock_back, clock_forward, or nothing."""
        return self._reading().anomaly

    # -- the store

    def call(self, work: Callable[..., T], *args: object) -> T:
        """`work(store, *args)` on the store's thread. Raises Locked, and what `work` raises."""
        return self._on_store(lambda: work(self._open_store(), *args))

    def replica(self) -> StoreReplica | None:
        """The replica while the store may be open."""
        if self.stage != ACTIVE:
            return None
        return self.call(StoreReplica)

    def run_replica(self, work: Callable[..., T], *args: object) -> T:
        """A method of the replica on the store's thread. Raises Locked when the store was closed meanwhile."""
        return self._on_store(lambda: work(*self._while_open(args)))

    def tell(self, changes: Changes) -> None:
        """Let every view know."""
        self.bus.publish(changes)

    # -- lock and unlock

    def lock(self) -> None:
        """Lock as a person does: the store closes and its key leaves memory."""
        self._close_store()
        if self.stage == ACTIVE:
            self._set(stage=LOCK_UI, locked_because=BY_PERSON)
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
        self._set(stage=ACTIVE, locked_because="")
        self.tell(Changes((), "lock"))

    def judge(self) -> None:
        """Let policy, lease and clock speak; locks when they ask for it. Raises Locked then."""
        self._raise_floor()
        verdict = self._verdict()
        if self.stage != LOCK_CRYPTO and verdict.rung is guard.Rung.LOCK:
            self._lock_hard(verdict.signal, ask_share=True)
        if self.stage == LOCK_CRYPTO:
            raise self.locked_error()

    def share_is_gone(self) -> None:
        """The store asks for a share that this device has not got: it was locked, whatever its own state says."""
        if self.stage == ACTIVE:
            self._set(stage=LOCK_CRYPTO, locked_because=BY_ORDER, ask_share=True)
            self.tell(Changes((), "lock"))

    def stay_locked(self) -> None:
        """Take the share away again where a crash came between a lock and that, or before an unlock was done."""
        if self.stage == LOCK_CRYPTO:
            self._drop_share()

    def locked_error(self) -> Locked:
        """Why it is locked, and what opens it."""
        if self.stage in (ACTIVE, LOCK_UI):
            return Locked(_("Fieldkeep is locked."), _("Unlock it with: fieldkeep unlock"))
        if self._state.locked_because == BY_ORDER:
            return Locked(
                _("This device was locked by {org}.").format(org=self.card.org_name),
                _("Your changes are safe. Ask IT to unlock it, then exchange with the server."),
                by_order=True,
            )
        if self._state.locked_because == trusted_time.CLOCK_BACK:
            title = _("The clock of this device was set back.")
        else:
            title = _("This device has been without contact to the server for too long.")
        return Locked(title, _("Your changes are safe. Connect and run: fieldkeep sync"), by_order=True)

    # -- orders

    def obey(self) -> bool:
        """Carry out the orders that are due; whether any was. Raises Wiped after a wipe."""
        any_done = False
        due = [each for each in self.papers.pending() if each.order.not_before <= self.now()]
        # A wipe makes every other order moot, and none of them may stand in its way.
        for pending in sorted(due, key=lambda each: each.order.op != documents.WIPE):
            if pending.order.op == documents.WIPE:
                self._wipe(pending)
            elif pending.order.op == documents.LOCK:
                self._lock_hard(BY_ORDER, ask_share=False)
            else:
                self._unlock_by_order()
            self.papers.done(pending, "done")
            any_done = True
        return any_done

    def take_share(self) -> None:
        """Put back the share that the server has sent, when this device had asked for it."""
        sealed, self.papers.share = self.papers.share, None
        if sealed is None or not self._state.ask_share:
            return
        share = sealing.unseal(self.keys.seal, sealing.SHARE, sealed)
        vault.restore_share(self.profile, self._ring, share)
        self._set(stage=ACTIVE, locked_because="", ask_share=False)
        self.tell(Changes((), "lock"))

    def close(self) -> None:
        """Close the store and let the profile go."""
        if self._closed:
            return
        self._closed = True
        try:
            self._close_store()
        finally:
            self._worker.close()
            self._guarded.close()
            self._opener.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- inside

    def _on_store(self, work: Callable[[], T]) -> T:
        try:
            future = self._worker.run(work)
        except RuntimeError:
            # The session was closed meanwhile, and whoever asks hears what a closed store says.
            raise self.locked_error() from None
        return future.result()

    def _open_store(self) -> Store:
        """The store, opened when first needed; on the store's thread only."""
        if self.stage != ACTIVE or self._shut:
            raise self.locked_error()
        if self._store is None:
            with vault.open_key(self.profile, self._ring) as key:
                self._store = Store.open(self.profile, key, recovery=self.papers.held.root.recovery)
        return self._store

    def _while_open(self, args: tuple[object, ...]) -> tuple[object, ...]:
        if self._shut:
            raise self.locked_error()
        return args

    def _close_store(self) -> None:
        """Close the store for good, or until an unlock: work that waits for its thread must not open it again."""
        if self.stage == ACTIVE and not self._shut:
            # Who holds a draft saves it now, in this thread, while the store still takes it.
            self.tell(Changes((), CLOSING))

        def shut() -> int:
            self._shut = True
            if self._store is None:
                return self._state.unsent
            store, self._store = self._store, None
            try:
                return store.unsent()
            finally:
                store.close()

        unsent = self._worker.run(shut).result()
        if unsent != self._state.unsent:
            self._set(unsent=unsent)

    def _lock_hard(self, because: str, *, ask_share: bool) -> None:
        self._close_store()
        self._set(stage=LOCK_CRYPTO, locked_because=because, ask_share=ask_share)
        self._drop_share()
        _LOG.info("locked: %s", because)
        self.tell(Changes((), "lock"))

    def _drop_share(self) -> None:
        """Only a share that the server is known to hold may go: a lock must always be one that opens again."""
        if self._state.share_ack:
            vault.drop_share(self.profile, self._ring)

    def _unlock_by_order(self) -> None:
        if self.stage != LOCK_CRYPTO:
            return
        try:
            with vault.open_key(self.profile, self._ring):
                pass
        except Locked:
            self._set(ask_share=True)
            return
        self._set(stage=ACTIVE, locked_because="", ask_share=False)
        self.tell(Changes((), "lock"))

    def _wipe(self, pending: Pending) -> None:
        try:
            self.tell(Changes((), "wipe"))
            self._close_store()
        except Exception as problem:  # noqa: BLE001 - a draft, a full disk, a damaged store: nothing holds up a wipe
            _LOG.info("closing for the wipe: %s", problem)
        intent = intent_for(pending, self.card, self.papers.held.policy.version, self.now())
        intent = msgspec.structs.replace(intent, epoch=self._state.epoch)
        intent = msgspec.structs.replace(intent, mac=self._guarded.vouch(intent.said()))
        log.shut()
        with contextlib.suppress(OSError):
            # A disk that takes no file: the keys are gone all the same, and every start tries the rest again.
            wipe.begin(self.profile, self._ring, intent, self.wipe_step)
            wipe.destroy(self.profile, self._ring, self.now, self.wipe_step)
        self.tell(Changes((), "wiped"))
        raise wiped_error(intent.org_name, intent.reason)

    def _set(self, **fields: object) -> None:
        self._alter(lambda state: msgspec.structs.replace(state, **fields))

    def _alter(self, change: Change) -> None:
        """Change the guarded state, durably. The engine's thread and a person's take turns, each on what the
        other has left."""
        with self._turn:
            state = change(self._state)
            try:
                self._guarded.save(state)
            except KeyringUnreachable:
                self._take(state)  # the file holds it; only the keyring's copy of the numbers is behind
                raise
            self._take(state)

    def _take(self, state: State) -> None:
        if state.stage == ACTIVE and self._state.stage != ACTIVE:
            self._shut = False
        self._state = state

    def _raise_floor(self) -> None:
        floor = self._reading().floor
        if floor - self._state.t_floor >= FLOOR_STEP_MS:
            with contextlib.suppress(AppError):  # a full disk must not keep anybody from their customers
                self._set(t_floor=floor)

    def _reading(self) -> trusted_time.Reading:
        sample = trusted_time.system_clock()
        return trusted_time.read(
            self._state.anchor, self._state.t_floor, sample.wall_ms, sample.boottime_ns, sample.boot_id
        )

    def _verdict(self) -> guard.Verdict:
        reading = self._reading()
        return guard.judge(
            self.papers.held.policy,
            last_contact=self._state.last_contact,
            lease_until=self._state.lease_until,
            now=reading.now,
            anomaly=reading.anomaly,
        )


def open_session(profile: Profile, wipe_step: wipe.Step = wipe.no_step) -> Session:
    """Open a profile: finish what a crash has left, obey what waits, then judge.

    The session may be locked. Raises NotEnrolled, Busy, Wiped, StoreDamaged, KeyMissing, KeyringUnreachable.
    """
    refuse_wiped(profile, wipe_step)
    card = read_card(profile)
    opener = Opener(profile.one_opener)
    ring = SystemKeyring(card.org, card.device)
    guarded = StateFile(profile, ring)
    try:
        session = Session(profile, card, opener, ring, guarded, wipe_step)
    except BaseException:
        guarded.close()
        opener.close()
        raise
    try:
        session.obey()
        session.judge()
    except Locked:
        session.stay_locked()
        return session
    except BaseException:
        session.close()
        raise
    return session
