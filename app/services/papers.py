"""The book of orders: takes documents in through the rules of trust, keeps them, and says how the device stands.

An accepted order is written down first; then its digest and its number go into the guarded state, in one write. Only
an order whose digest stands there is ever obeyed, so that nobody can slip one into the file, and one that was
taken out of the file is taken in again when the server shows it again. Obeying is left to the session, which owns
store and keys.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.errors import AppError, StoreDamaged, not_written
from app.keys.state import State
from app.keys.trusted_time import Anchor
from app.paths import Profile, remove, write_whole
from sync.client.ports import Standing
from sync.protocol import documents, signing, trust
from sync.protocol.documents import Lease, Order, Policy, Root
from sync.protocol.errors import Equivocation, Refused
from sync.protocol.messages import Paper, Person
from sync.protocol.texts import gettext as _

_LOG = logging.getLogger("app.services.papers")
ACTIVE, LOCKED, WIPED = "active", "locked", "wiped"

Change = Callable[[State], State]


@dataclass(frozen=True, slots=True)
class Pending:
    """A verified order that waits to be obeyed."""

    order: Order
    digest: str


@dataclass(frozen=True, slots=True)
class Held:
    """The documents in force."""

    root: Root
    policy: Policy


class Papers:
    """The OrderBook of one device. `state` gives the guarded state, `alter` changes it durably."""

    def __init__(
        self,
        profile: Profile,
        held: Held,
        state: Callable[[], State],
        alter: Callable[[Change], None],
        now: Callable[[], int],
        sample: Callable[[int], Anchor],
    ) -> None:
        self._profile = profile
        self.held = held
        self._state = state
        self._alter = alter
        self._now = now
        self._sample = sample
        self._unkept: dict[str, bytes] = {}  # orders that the disk would not take, by digest
        self.share: bytes | None = None  # sealed, for the session to put back
        self.packets: dict[bytes, bytes] = {}  # recovered work, sealed, until the page loop is done
        self.alarm: Equivocation | None = None
        self.person: Person | None = None
        self.store_shut = False  # the store cannot be opened: papers travel all the same, as while locked

    def standing(self) -> Standing:
        """How this device stands now."""
        state = self._state()
        return Standing(
            state=ACTIVE if state.stage == ACTIVE and not self.store_shut else LOCKED,
            lease_left_ms=max(0, state.lease_until - self._now()),
            policy_version=self.held.policy.version,
            root_version=self.held.root.version,
            order_head=max((mark.number for mark in state.floors.orders.values()), default=0),
            obeyed=dict(state.obeyed),
            ask_share=state.ask_share,
        )

    def take_papers(self, papers: list[Paper], nonce: str) -> None:
        """Verify and keep documents. A refused one is logged by its rule and changes nothing.

        Raises AppError, once all were gone through, when one could not be kept: the order behind it may be a wipe.
        """
        problem: AppError | None = None
        for paper in papers:
            try:
                self._take(paper, nonce)
            except Equivocation as alarm:
                self.alarm = alarm
                _LOG.warning("paper %s: two histories (%s)", paper.kind, alarm.rule)
            except Refused as refusal:
                _LOG.warning("paper %s refused by rule %s", paper.kind, refusal.rule)
            except AppError as error:
                problem = problem or error
            except OSError as error:
                problem = problem or not_written(error)
        if problem is not None:
            raise problem

    def heard(self, server_time: int, obeyed: dict[str, str], person: Person) -> None:
        """Contact was made: trusted time is anchored anew, and these reports have arrived."""
        anchor = self._sample(server_time)

        def after(state: State) -> State:
            left = {order: word for order, word in state.obeyed.items() if obeyed.get(order) != word}
            # The server's word is the only one that lowers a floor which a clock set forward has raised.
            return msgspec.structs.replace(
                state, anchor=anchor, t_floor=server_time, last_contact=server_time, obeyed=left
            )

        self._alter(after)
        self.person = person

    def pending(self) -> list[Pending]:
        """Verified orders not obeyed yet, oldest first."""
        waiting = set(self._state().waiting.values())
        found = {digest: data for digest, data in self._kept().items() if digest in waiting}
        found.update(self._unkept)
        orders = [Pending(documents.parse(data, Order), digest) for digest, data in found.items()]
        return sorted(orders, key=lambda each: each.order.seq)

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
        kept = self._kept()
        if kept.pop(pending.digest, None) is not None:
            self._keep(kept)

    # -- one paper

    def _take(self, paper: Paper, nonce: str) -> None:
        if paper.kind == "root":
            self._take_root(paper.data)
        elif paper.kind == "policy":
            policy, floors = trust.policy(self.held.root, self._state().floors, paper.data, self._now())
            # The document first: one that is newer than its floor holds, one that is older does not.
            write_whole(self._profile.policy, paper.data)
            self._alter(lambda state: msgspec.structs.replace(state, floors=floors))
            self.held = Held(self.held.root, policy)
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

    def _take_root(self, data: bytes) -> None:
        root = trust.next_root(self.held.root, data, self._now())
        if root is self.held.root:
            return
        # The floor names a root by its digest, so neither file nor floor may be the first to change: the new root
        # waits beside the old one until the floor names it.
        write_whole(_coming_root(self._profile), data)
        before, mark = self.held.root, trust.Mark(root.version, _digest(data, Root.TYPE))

        def under_it(state: State) -> State:
            floors = trust.floors_after(before, root, state.floors)
            return msgspec.structs.replace(state, floors=msgspec.structs.replace(floors, root=mark))

        self._alter(under_it)
        write_whole(self._profile.root, data)
        remove(_coming_root(self._profile))
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
            self._keep_order(digest, payload)  # the file may have lost it
            return
        accepted = trust.order(self.held.root, state.floors, data, enrolment=state.enrolment, now=self._now())
        order_id = accepted.order.order_id
        if order_id in state.obeyed:
            return
        self._unkept[digest] = payload
        self._keep_order(digest, payload)
        self._alter(
            lambda state: msgspec.structs.replace(
                state, floors=accepted.floors, waiting={**state.waiting, order_id: digest}
            )
        )
        del self._unkept[digest]

    def _keep_order(self, digest: str, payload: bytes) -> None:
        kept = self._kept()
        if digest not in kept:
            self._keep({**kept, digest: payload})

    def _kept(self) -> dict[str, bytes]:
        """The payloads of the orders on file, by digest. A damaged file holds none: the server shows them again."""
        try:
            payloads = msgspec.json.decode(self._profile.orders.read_bytes(), type=list[bytes])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            _LOG.warning("the list of waiting orders cannot be read")
            return {}
        return {documents.digest(payload): payload for payload in payloads}

    def _keep(self, payloads: dict[str, bytes]) -> None:
        try:
            write_whole(self._profile.orders, msgspec.json.encode(list(payloads.values())))
        except OSError as error:
            raise not_written(error) from None


def read_held(profile: Profile, state: State, now: int) -> Held:
    """Root and policy from the profile, verified anew: a file put back from yesterday is below the floor.

    Raises StoreDamaged.
    """
    try:
        root = _read_root(profile, state)
        policy, _floors = trust.policy(root, state.floors, profile.policy.read_bytes(), now)
    except (OSError, Refused):
        raise StoreDamaged(
            _("The signed documents on this device do not hold."),
            _("Nothing was changed. Ask IT; unsent work can be recovered."),
        ) from None
    return Held(root, policy)


def _read_root(profile: Profile, state: State) -> Root:
    """The root that the floor names; it stands beside the old one when a crash came between both writes."""
    wanted = state.floors.root.digest
    data = profile.root.read_bytes()
    if _digest(data, Root.TYPE) != wanted and _coming_root(profile).exists():
        data = _coming_root(profile).read_bytes()
        if _digest(data, Root.TYPE) == wanted:
            write_whole(profile.root, data)
    return trust.first_root(data, wanted, _issued(data))


def _coming_root(profile: Profile) -> Path:
    return profile.root.with_name("root.coming.json")


def _issued(data: bytes) -> int:
    """When a root of our own was made: it stays in force when it expires, and only new ones are measured by time."""
    envelope = signing.open_envelope(data, Root.TYPE)
    return documents.parse(envelope.payload, Root).issued


def _digest(data: bytes, type_: str) -> str:
    return documents.digest(signing.open_envelope(data, type_).payload)
