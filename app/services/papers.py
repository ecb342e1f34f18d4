"""The book of orders: takes documents in through the rules of trust, keeps them, and says how the device stands.

An accepted order is written down first; then its digest and its number go into the guarded state, in one write. Only
an order whose digest stands there is ever obeyed, so that nobody can slip one into the file, and one that was
taken out of the file is taken in again when the server shows it again. An order that was obeyed is known by its
number for good: shown again it is reported again and no more. One that does not hold is reported as refused. Obeying
is left to the session, which owns store and keys.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final

import msgspec

from app.errors import AppError, not_written
from app.keys.state import Alarm, State
from app.keys.trusted_time import Anchor
from app.paths import Profile, remove, write_whole
from app.services.held import Held, coming_root, digest_of, policy_in_force
from app.services.kept_orders import KeptOrders, Pending, pending
from app.services.rotation import HandIn
from app.services.why_locked import pin_posture
from sync.client.ports import Standing
from sync.protocol import documents, signing, trust
from sync.protocol.documents import Lease, Order, Policy, Root
from sync.protocol.errors import Equivocation, Refused
from sync.protocol.ids import ID_BYTES
from sync.protocol.messages import Paper, Person
from sync.protocol.texts import gettext as _

_LOG = logging.getLogger("app.services.papers")
ACTIVE, LOCKED, WIPED = "active", "locked", "wiped"
DONE: Final = "done"
CANCELLED: Final = "cancelled"
REFUSED: Final = "refused:"
REPORTS_MAX: Final = 50  # refusals to be told: no server that shows rubbish fills the guarded state
WAITING_MAX: Final = 100  # orders that wait for their time; a wipe is taken in beyond it
ALARM_AGAIN_MS: Final = 3_600_000  # the same alarm is written down anew this often
_RANK: Final = {documents.CANCEL: 0, documents.WIPE: 1}
_SPURNED: Final = ("expired",)  # nothing is wrong with who shows it: no alarm

Change = Callable[[State], State]


class Papers:
    """The OrderBook of one device. `state` gives the guarded state, `alter` changes it durably, `note` does so where
    it matters."""

    def __init__(
        self,
        profile: Profile,
        held: Held,
        state: Callable[[], State],
        alter: Callable[[Change], None],
        note: Callable[[Change], None],
        now: Callable[[], int],
        sample: Callable[[int], Anchor],
    ) -> None:
        self._profile = profile
        self.held = held
        self._state = state
        self._alter = alter
        self._note = note
        self._now = now
        self._sample = sample
        self._orders = KeptOrders(profile)
        self._unkept: dict[str, bytes] = {}  # envelopes of orders that the disk would not take, by digest
        self.posture: Callable[[], dict[str, Any]] = dict  # what the server is told of this device
        self.share: bytes | None = None  # sealed, for the session to put back
        self.packets: dict[bytes, bytes] = {}  # recovered work, sealed, until the page loop is done
        self.person: Person | None = None
        # Share and reset key that the server is to hold, what it says of them, and of which epochs it holds the share.
        self.hand_in: Callable[[], HandIn | None] = lambda: None
        self.handed_in: Callable[[bytes], None] = lambda _digest: None
        self.shares_held: Callable[[list[int]], None] = lambda _epochs: None
        self.share_as: Callable[[], int] = lambda: 0
        self.store_shut = False  # the store cannot be opened: papers travel all the same, as while locked

    def standing(self) -> Standing:
        """How this device stands now."""
        state = self._state()
        left = max(0, state.lease_until - self._now())
        given, share_as = self.hand_in(), self.share_as()
        return Standing(
            state=ACTIVE if state.stage == ACTIVE and not self.store_shut else LOCKED,
            # While an order is missing, a fresh lease is asked for each time: it says whether one still is.
            lease_left_ms=0 if self.order_missing() else left,
            # By the floor: under a root that took its signer away, any policy of the new one is newer.
            policy_version=min(state.floors.policy.number, self.held.policy.version),
            root_version=self.held.root.version,
            order_head=_highest(state),
            obeyed=dict(state.obeyed),
            ask_share=state.ask_share and not self.store_shut,
            posture={**self.posture(), **pin_posture(state)},
            ask_reset=bool(state.pin_reset) and not self.store_shut,
            share=given.share if given is not None else b"",
            share_sealed=given.sealed if given is not None else b"",
            share_as=share_as,
            travelling=state.travelling,
            share_next=given.epoch if given is not None and given.epoch != share_as else 0,
        )

    def kept_share(self, digest: bytes) -> None:
        """The server says what it holds of share and reset key."""
        self.handed_in(digest)

    def order_missing(self) -> bool:
        """Whether an order is known of that is not here. Until it comes, nothing is unlocked.

        The last lease names one that never arrived, or one that was taken in, and waits, is gone from the file.
        """
        return self._never_came() or bool(self._torn_out())

    def take_papers(self, papers: list[Paper], nonce: str) -> None:
        """Verify and keep documents. A refused one is logged by its rule and changes nothing.

        Raises AppError, once all were gone through, when one could not be kept: the order behind it may be a wipe.
        """
        problem: AppError | None = None
        turned_away = leased = False
        for paper in papers:
            try:
                self._take(paper, nonce)
                leased = leased or paper.kind == Lease.TYPE
            except Refused as refusal:
                two = isinstance(refusal, Equivocation)
                said = "paper %s: two histories (%s)" if two else "paper %s refused by rule %s"
                _LOG.warning(said, paper.kind, refusal.rule)
                try:
                    self._refused(paper, refusal)
                except AppError as error:
                    problem = problem or error
                turned_away = turned_away or paper.kind == Order.TYPE
            except AppError as error:
                problem = problem or error
            except OSError as error:
                problem = problem or not_written(error)
        if turned_away and self._never_came():
            # It was shown and did not hold: that is told, and nothing is missing.
            self._alter(lambda state: msgspec.structs.replace(state, order_taken=state.order_head))
        if leased:
            self._forget_unless_shown(papers)
        if problem is not None:
            raise problem

    def policy_envelope(self) -> bytes:
        """The signed policy in force, as it came; b"" where its file is gone."""
        with contextlib.suppress(OSError, Refused):
            data = self._profile.policy.read_bytes()
            if digest_of(data, Policy.TYPE) == policy_in_force(self._state()):
                return data
        return b""

    def heard(self, server_time: int, obeyed: dict[str, str], person: Person) -> None:
        """Contact was made: trusted time is anchored anew, and these reports have arrived."""
        anchor = self._sample(server_time)
        self.person = person
        if not obeyed:
            self._note(
                lambda state: msgspec.structs.replace(
                    state, anchor=anchor, t_floor=server_time, last_contact=server_time
                )
            )
            return

        def after(state: State) -> State:
            left = {order: word for order, word in state.obeyed.items() if obeyed.get(order) != word}
            # The server's word is the only one that lowers a floor which a clock set forward has raised.
            return msgspec.structs.replace(
                state, anchor=anchor, t_floor=server_time, last_contact=server_time, obeyed=left
            )

        self._alter(after)

    def due(self) -> list[Pending]:
        """Verified orders to be obeyed now: first what cancels a wipe, then a wipe, since it makes every other moot; no
        unlock while an order is missing, which may be a later lock."""
        now, missing = self._now(), self.order_missing()
        found = [
            each
            for each in self.pending()
            if each.order.not_before <= now and not (missing and each.order.op == documents.UNLOCK)
        ]
        return sorted(found, key=lambda each: _RANK.get(each.order.op, len(_RANK)))

    def pending(self) -> list[Pending]:
        """Verified orders not obeyed yet, oldest first."""
        waiting = set(self._state().waiting.values())
        found = {digest: data for digest, data in self._orders.kept().items() if digest in waiting}
        found.update(self._unkept)
        return sorted(
            (pending(digest, data) for digest, data in found.items()), key=lambda each: each.order.seq
        )

    def done(self, pending: Pending, report: str) -> None:
        """This order was obeyed: it waits no more, and `report` goes to the server."""
        order_id = pending.order.order_id
        self._alter(
            lambda state: msgspec.structs.replace(
                state,
                obeyed={**state.obeyed, order_id: report},
                waiting={each: digest for each, digest in state.waiting.items() if each != order_id},
            )
        )
        self._unkept.pop(pending.digest, None)
        kept = self._orders.kept()
        if kept.pop(pending.digest, None) is not None:
            self._orders.keep(kept)

    # -- missing

    def _never_came(self) -> bool:
        state = self._state()
        return state.order_head > _highest(state)

    def _torn_out(self) -> set[str]:
        """Digests of orders that wait and that no file holds: they are not forgotten with their file."""
        waiting = set(self._state().waiting.values())
        return waiting - self._unkept.keys() - self._orders.kept().keys() if waiting else waiting

    def _forget_unless_shown(self, papers: list[Paper]) -> None:
        """The server shows every order until it was answered: what it does not show, it knows of no longer."""
        if not (gone := self._torn_out()):
            return
        for paper in papers:
            if paper.kind == Order.TYPE:
                with contextlib.suppress(Refused):
                    gone.discard(digest_of(paper.data, Order.TYPE))
        if gone:
            _LOG.warning("an order that waited here is known to nobody any more")
            self._alter(
                lambda state: msgspec.structs.replace(
                    state, waiting={each: at for each, at in state.waiting.items() if at not in gone}
                )
            )

    # -- one paper

    def _take(self, paper: Paper, nonce: str) -> None:
        if paper.kind == "root":
            self._take_root(paper.data)
        elif paper.kind == "policy":
            self._take_policy(paper.data)
        elif paper.kind == "lease":
            self._take_lease(paper.data, nonce)
        elif paper.kind == "order":
            self._take_order(paper.data)
        elif paper.kind == "share":
            self.share = paper.data
        elif paper.kind == "recovered":
            self.packets[paper.id] = paper.data
        else:
            _LOG.warning("a paper of an unknown kind was left alone")

    def _refused(self, paper: Paper, refusal: Refused) -> None:
        """Keep the alarm for people to see, and tell the server that this order will not be obeyed."""
        now, id_, order = self._now(), paper.id.hex(), paper.kind == Order.TYPE
        two = isinstance(refusal, Equivocation)
        odd = two or (order and refusal.rule not in _SPURNED)
        fresh = Alarm(rule=refusal.rule, at=now, two_histories=two) if odd else None

        def after(state: State) -> State:
            alarm, obeyed = state.alarm, state.obeyed
            if fresh is not None and not _same(alarm, fresh):
                alarm = fresh
            told = id_ in obeyed or id_ in state.waiting or len(obeyed) >= REPORTS_MAX
            if order and odd and len(paper.id) == ID_BYTES and not told:
                obeyed = {**obeyed, id_: REFUSED + refusal.rule}
            return msgspec.structs.replace(state, alarm=alarm, obeyed=obeyed)

        if after(self._state()) != self._state():
            self._alter(after)

    def _take_policy(self, data: bytes) -> None:
        digest = digest_of(data, Policy.TYPE)
        if digest == policy_in_force(self._state()):
            # Its signer may be gone by now; it is in force all the same, and its file may have been lost.
            policy = documents.parse(signing.open_envelope(data, Policy.TYPE).payload, Policy)
            if policy != self.held.policy:
                self._put_policy(data)
                self.held = Held(self.held.root, policy)
            return
        policy, floors = trust.policy(self.held.root, self._state().floors, data, self._now())
        # The document first: one that is newer than its floor holds, one that is older does not.
        self._put_policy(data)
        self._alter(lambda state: msgspec.structs.replace(state, floors=floors, policy_held=digest))
        self.held = Held(self.held.root, policy)

    def _put_policy(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._profile.policy.rmdir()  # a folder in its place would hold up every exchange
        write_whole(self._profile.policy, data)

    def _take_root(self, data: bytes) -> None:
        root = trust.next_root(self.held.root, data, self._now())
        if root is self.held.root:
            return
        # The floor names a root by its digest, so neither file nor floor may be the first to change: the new root
        # waits beside the old one until the floor names it.
        write_whole(coming_root(self._profile), data)
        before, mark = self.held.root, trust.Mark(root.version, digest_of(data, Root.TYPE))

        def under_it(state: State) -> State:
            floors = msgspec.structs.replace(trust.floors_after(before, root, state.floors), root=mark)
            return msgspec.structs.replace(state, floors=floors, policy_held=policy_in_force(state))

        self._alter(under_it)
        write_whole(self._profile.root, data)
        remove(coming_root(self._profile))
        self.held = Held(root, self.held.policy)

    def _take_lease(self, data: bytes, nonce: str) -> None:
        lease: Lease = trust.lease(
            self.held.root, self.held.policy, data, enrolment=self._state().enrolment, nonce=nonce
        )
        anchor = self._sample(lease.server_time)
        write_whole(self._profile.lease, data)
        self._alter(
            lambda state: msgspec.structs.replace(
                state,
                lease_until=lease.server_time + lease.valid_ms,
                order_head=lease.order_head,
                share_ack=lease.share_held,
                anchor=anchor,
                t_floor=lease.server_time,
            )
        )

    def _take_order(self, data: bytes) -> None:
        state = self._state()
        payload = signing.open_envelope(data, Order.TYPE).payload
        digest = documents.digest(payload)
        if digest in state.waiting.values():
            self._orders.add(digest, data)  # the file may have lost it
            return
        accepted = trust.order(self.held.root, state.floors, data, enrolment=state.enrolment, now=self._now())
        order_id, wipe = accepted.order.order_id, accepted.order.op == documents.WIPE
        if not accepted.new:
            # It was obeyed, for it waits no more. Who shows it has not heard so, or knows it no longer.
            self._alter(lambda state: msgspec.structs.replace(state, obeyed={order_id: DONE, **state.obeyed}))
            return
        if not wipe and order_id in state.waiting:
            # Whoever can only lock must not be able to push a wipe out that waits under the same name.
            raise Refused("order_id", _("An order without a proper id was refused."))
        if not wipe and len(state.waiting) >= WAITING_MAX:
            raise Refused("waiting", _("Too many orders wait already; this one was refused."))
        self._unkept[digest] = data
        self._orders.add(digest, data)
        self._alter(
            lambda state: msgspec.structs.replace(
                state,
                floors=accepted.floors,
                waiting={**state.waiting, order_id: digest},
                order_taken=max(state.order_taken, accepted.order.seq),
            )
        )
        del self._unkept[digest]


def _same(known: Alarm | None, fresh: Alarm) -> bool:
    return (
        known is not None
        and (known.rule, known.two_histories) == (fresh.rule, fresh.two_histories)
        and 0 <= fresh.at - known.at < ALARM_AGAIN_MS
    )


def _highest(state: State) -> int:
    """The highest order number ever taken in; the keyring may know of one that a file put back does not."""
    return max([state.order_taken, *(mark.number for mark in state.floors.orders.values())])
