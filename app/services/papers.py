"""The book of orders: takes documents in through the rules of trust, keeps them, and says how the device stands.

An accepted order is written down before its number is: a crash in between fetches it again and finds it here.
Obeying is left to the session, which owns store and keys.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from app.errors import StoreDamaged
from app.keys.state import State
from app.keys.trusted_time import Anchor
from app.paths import Profile, write_whole
from sync.client.ports import Standing
from sync.protocol import documents, signing, trust
from sync.protocol.documents import Lease, Policy, Root
from sync.protocol.errors import Equivocation, Refused
from sync.protocol.messages import Paper, Person
from sync.protocol.texts import gettext as _

_LOG = logging.getLogger("app.services.papers")
ACTIVE, LOCKED, WIPED = "active", "locked", "wiped"


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A verified order that waits to be obeyed."""

    order: documents.Order
    digest: str
    authority: str


@dataclass(frozen=True, slots=True)
class Held:
    """The documents in force."""

    root: Root
    policy: Policy


class Papers:
    """The OrderBook of one device. `state` and `keep` read and durably write the guarded state."""

    def __init__(
        self,
        profile: Profile,
        held: Held,
        state: Callable[[], State],
        keep: Callable[[State], None],
        now: Callable[[], int],
        sample: Callable[[int], Anchor],
    ) -> None:
        self._profile = profile
        self.held = held
        self._state = state
        self._keep = keep
        self._now = now
        self._sample = sample
        self.share: bytes | None = None  # sealed, for the session to put back
        self.packets: dict[bytes, bytes] = {}  # recovered work, sealed, until the page loop is done
        self.alarm: Equivocation | None = None
        self.person: Person | None = None

    def standing(self) -> Standing:
        """How this device stands now."""
        state = self._state()
        return Standing(
            state=ACTIVE if state.stage == ACTIVE else LOCKED,
            lease_left_ms=max(0, state.lease_until - self._now()),
            policy_version=self.held.policy.version,
            root_version=self.held.root.version,
            order_head=max((mark.number for mark in state.floors.orders.values()), default=0),
            obeyed=dict(state.obeyed),
            ask_share=state.ask_share,
        )

    def take_papers(self, papers: list[Paper], nonce: str) -> None:
        """Verify and keep documents. A refused one is logged by its rule and changes nothing."""
        for paper in papers:
            try:
                self._take(paper, nonce)
            except Equivocation as alarm:
                self.alarm = alarm
                _LOG.warning("paper %s: two histories (%s)", paper.kind, alarm.rule)
            except Refused as refusal:
                _LOG.warning("paper %s refused by rule %s", paper.kind, refusal.rule)

    def heard(self, server_time: int, obeyed: dict[str, str], person: Person) -> None:
        """Contact was made: trusted time is anchored anew, and these reports have arrived."""
        state = self._state()
        left = {order: word for order, word in state.obeyed.items() if obeyed.get(order) != word}
        self._keep(
            msgspec.structs.replace(
                state,
                anchor=self._sample(server_time),
                t_floor=max(state.t_floor, server_time),
                last_contact=server_time,
                obeyed=left,
            )
        )
        self.person = person

    def pending(self) -> list[Pending]:
        """Verified orders not obeyed yet, oldest first. Raises StoreDamaged."""
        try:
            found = msgspec.json.decode(self._profile.orders.read_bytes(), type=list[Pending])
        except FileNotFoundError:
            return []
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise StoreDamaged(
                _("The list of orders on this device is damaged."),
                _("Exchange with the server to get it again."),
            ) from None
        return sorted(found, key=lambda each: each.order.seq)

    def done(self, order_id: str) -> None:
        """This order was obeyed and that is written in the state: it waits no more."""
        self._write_pending([each for each in self.pending() if each.order.order_id != order_id])

    def _take(self, paper: Paper, nonce: str) -> None:
        state, now = self._state(), self._now()
        if paper.kind == "root":
            root = trust.next_root(self.held.root, paper.data, now)
            if root is not self.held.root:
                write_whole(self._profile.root, paper.data)
                mark = trust.Mark(root.version, _digest(paper.data, Root.TYPE))
                self._keep(_with_floors(state, msgspec.structs.replace(state.floors, root=mark)))
                self.held = Held(root, self.held.policy)
        elif paper.kind == "policy":
            policy, floors = trust.policy(self.held.root, state.floors, paper.data, now)
            write_whole(self._profile.policy, paper.data)
            self._keep(_with_floors(state, floors))
            self.held = Held(self.held.root, policy)
        elif paper.kind == "lease":
            self._take_lease(
                paper.data,
                trust.lease(
                    self.held.root, self.held.policy, paper.data, enrolment=state.enrolment, nonce=nonce
                ),
            )
        elif paper.kind == "order":
            self._take_order(paper, state, now)
        elif paper.kind == "share":
            self.share = paper.data
        elif paper.kind == "recovered":
            self.packets[paper.id] = paper.data
        else:
            _LOG.warning("a paper of an unknown kind was left alone")

    def _take_lease(self, data: bytes, lease: Lease) -> None:
        write_whole(self._profile.lease, data)
        self._keep(
            msgspec.structs.replace(
                self._state(),
                lease_until=lease.server_time + lease.valid_ms,
                order_head=lease.order_head,
                share_ack=lease.share_held,
                anchor=self._sample(lease.server_time),
                t_floor=max(self._state().t_floor, lease.server_time),
            )
        )

    def _take_order(self, paper: Paper, state: State, now: int) -> None:
        accepted = trust.order(self.held.root, state.floors, paper.data, enrolment=state.enrolment, now=now)
        known = self.pending()
        order_id = accepted.order.order_id
        if accepted.new and order_id not in {each.order.order_id for each in known}:
            fresh = Pending(order=accepted.order, digest=accepted.digest, authority=accepted.authority)
            self._write_pending([*known, fresh])
        self._keep(_with_floors(self._state(), accepted.floors))

    def _write_pending(self, orders: list[Pending]) -> None:
        write_whole(self._profile.orders, msgspec.json.encode(orders))


def read_held(profile: Profile, state: State, now: int) -> Held:
    """Root and policy from the profile, verified anew: a file put back from yesterday is below the floor.

    Raises StoreDamaged.
    """
    try:
        root_data, policy_data = profile.root.read_bytes(), profile.policy.read_bytes()
        root = trust.first_root(root_data, state.floors.root.digest, _issued(root_data))
        policy, _floors = trust.policy(root, state.floors, policy_data, now)
    except (OSError, Refused):
        raise StoreDamaged(
            _("The signed documents on this device do not hold."),
            _("Nothing was changed. Ask IT; unsent work can be recovered."),
        ) from None
    return Held(root, policy)


def _issued(data: bytes) -> int:
    """When a root of our own was made: it stays in force when it expires, and only new ones are measured by time."""
    envelope = signing.open_envelope(data, Root.TYPE)
    return documents.parse(envelope.payload, Root).issued


def _digest(data: bytes, type_: str) -> str:
    return documents.digest(signing.open_envelope(data, type_).payload)


def _with_floors(state: State, floors: trust.Floors) -> State:
    return msgspec.structs.replace(state, floors=floors)
