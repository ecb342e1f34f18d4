"""What the server does for the admin's desk: names people, gives out codes, files orders, hands over sealed work.

It holds no key of an admin. A lock or unlock it may sign itself, with the key that signs leases; a wipe it can
only file.
"""

from __future__ import annotations

import base64
import secrets
from collections import Counter
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import codes, documents, signing
from sync.protocol.consoles import ConsoleSite, Line, OrderKey
from sync.protocol.desk import (
    Backed,
    DeviceView,
    Draft,
    HoldsView,
    Left,
    LogProof,
    LostShare,
    OrderView,
    Outbox,
    Parcel,
    PersonView,
    RefusedView,
    SafetyView,
    TeamMoved,
    TerritoryMoved,
    TerritoryView,
    Work,
)
from sync.protocol.documents import LOCK, UNLOCK, Order, Policy, Root, Target
from sync.protocol.errors import KnownError
from sync.protocol.fields import clean_text
from sync.protocol.ids import ID_BYTES
from sync.protocol.joins import listed
from sync.protocol.kinds import KINDS
from sync.protocol.texts import gettext as _
from sync.protocol.trust import ORDER_LIFE_MS
from sync.server import (
    access,
    audit_log,
    belonging,
    console_keys,
    enrol,
    holdings,
    limits,
    policies,
    post,
    travel,
)
from sync.server.db.base import Store, Transaction
from sync.server.db.kept import AuditLine, Device, Durable, Packet
from sync.server.gate import StoreGate, sealing_key
from sync.server.service import system_now
from sync.server.views import device_view, order_view, person_view, refused_view

REASON_MAX = 500
AUDIT_MAX = 10_000  # lines of the audit table at a time


class StoreOffice:
    """The office over a store. `url` is the address that a new device will use, "" when there is none."""

    def __init__(
        self, store: Store, lease_key: Ed25519PrivateKey, url: str, now: Callable[[], int] = system_now
    ) -> None:
        self._store = store
        self._lease_key = lease_key
        self.url = url
        self._now = now
        self.gate = StoreGate(store, sealing_key(lease_key), now)
        self.console: ConsoleSite | None = None  # where the web console is, where there is one
        self.expected: Callable[[bytes], None] = lambda person: None  # a device of this person will come

    def add_person(self, email: str, role: str, team: str, territory: str, granted: str = "") -> PersonView:
        """Give somebody an account, or change it; what is "" of territory and class stays. Raises KnownError.

        `territory` is a line for each, an empty line for own records alone, or WHOLE_TEAM.
        """
        with self._store.write() as tx:
            return belonging.add_person(tx, email, role, team, territory, granted, self._now())

    def person_leaves(self, email: str, heir: str) -> Left:
        """Lock all devices of a person by the server's own key, then give the records to `heir` and close the account
        of the console. Raises KnownError for people who cannot leave or have records; then nothing was changed.
        """
        with self._store.write() as tx:
            person, to = belonging.leaver(tx, email, heir)
            tx.people.drop_codes(person.id)  # before any device is looked at: none comes in behind
        with self._store.read() as tx:
            mine = [each for each in tx.people.devices() if each.person == person.id and not each.wiped]
            opens = [each.enrolment for each in mine if post.may_open(post.standing(tx, each), self._now())]
        for enrolment in opens:
            self.sign_here(LOCK, enrolment, _("The person has left."))
        with self._store.write() as tx:
            records = belonging.hand_over(tx, person, to, self._now())
            if tx.consoles.account_of(person.id) is not None:
                console_keys.close(tx, person.email, self._now())
        names = {each.enrolment for each in mine}
        now = [each for each in self.devices() if each.enrolment in names]
        return Left(person=person.email, heir=to.email, records=records, devices=now)

    def move_team(self, team: str, to: str) -> TeamMoved:
        """Give a team another name or place, or merge it into another: everybody in it and below goes along, and the
        records with them, at once or not at all. Raises KnownError.
        """
        with self._store.write() as tx:
            return belonging.move_team(tx, team, to, self._now())

    def grant_territory(self, email: str, territory: str) -> PersonView:
        """Let a person see this territory of the team, and others of it no more than granted. Raises KnownError."""
        with self._store.write() as tx:
            return belonging.grant_territory(tx, email, territory, self._now(), take=False)

    def revoke_territory(self, email: str, territory: str) -> PersonView:
        """Take a territory from a person; without one left, own records alone are seen. Raises KnownError."""
        with self._store.write() as tx:
            return belonging.grant_territory(tx, email, territory, self._now(), take=True)

    def move_territory(self, territory: str, to: str) -> TerritoryMoved:
        """Give a territory another name, or merge it into another. Raises KnownError."""
        with self._store.write() as tx:
            return belonging.move_territory(tx, territory, to, self._now())

    def territories(self) -> list[TerritoryView]:
        """Every territory that people were granted or that customers lie in."""
        with self._store.read() as tx:
            return belonging.territories(tx)

    def holds(self, enrolment: str, kind: str, ids: bool) -> HoldsView:
        """What a device holds, of one kind unless it is ""; with `ids`, which records. Raises KnownError."""
        line = AuditLine(at=self._now(), actor="desk", verb="read what is held", object=enrolment)
        with self._store.write() as tx:
            device = _enrolled(tx, enrolment)
            tx.post.audit(line)
        with self._store.read() as tx:
            person = tx.people.person(device.person)
            if person is None or kind not in ("", *KINDS):
                raise KnownError(_("There is no such kind of record."), listed(KINDS))
            seen = travel.seen_from(device, person, post.root_and_policy(tx)[1])
            return holdings.held_by(tx, device, seen, kind=kind, ids=ids)

    def people(self) -> list[PersonView]:
        """Everyone with an account."""
        with self._store.read() as tx:
            living = Counter(device.person for device in tx.people.devices() if not device.wiped)
            return [person_view(person, living[person.id], "") for person in tx.people.persons()]

    def enrol_code(self, email: str) -> str:
        """A one-use code for this person's next device. Raises KnownError."""
        with self._store.write() as tx:
            person = belonging.person_at(tx, email)
            secret = enrol.give_code(tx, person, self._now())
            root = signing.open_envelope(tx.post.newest(Root.TYPE)[1], Root.TYPE)
        self.expected(person.id)
        return codes.write(codes.EnrolCode(self.url, documents.digest(root.payload), secret))

    def devices(self) -> list[DeviceView]:
        """Every enrolment ever."""
        with self._store.read() as tx:
            return [device_view(tx, device) for device in tx.people.devices()]

    def orders(self) -> list[OrderView]:
        """Every order, once per device."""
        now = self._now()
        with self._store.read() as tx:
            return [order_view(tx, order, now) for order in tx.post.orders()]

    def root(self) -> bytes:
        """The root envelope in force."""
        with self._store.read() as tx:
            return tx.post.newest(Root.TYPE)[1]

    def policy(self) -> bytes:
        """The policy envelope in force."""
        with self._store.read() as tx:
            return tx.post.newest(Policy.TYPE)[1]

    def file_policy(self, envelope: bytes) -> int:
        """File a signed policy; its number. Raises Refused."""
        with self._store.write() as tx:
            root, in_force = post.root_and_policy(tx)
            return policies.file(tx, root, in_force, envelope, self._now()).version

    def log_proof(self, since: int) -> LogProof:
        """A checkpoint of the audit table, with the proof that it only grew since that size. Raises KnownError."""
        with self._store.read() as tx:
            return audit_log.proven(tx, self._lease_key, since, self._now())

    def audit(self, most: int, word: str) -> list[Line]:
        """The newest lines of the audit table, the newest first."""
        return self.gate.lines(2**62, max(1, min(most, AUDIT_MAX)), word)

    def draft(self) -> Draft:
        """A number for an order that is about to be signed."""
        with self._store.write() as tx:
            root, _policy = post.root_and_policy(tx)
            return Draft(
                org=root.org, root_version=root.version, number=tx.post.next_order_number(), now=self._now()
            )

    def lost_share(self, enrolment: str) -> LostShare | None:
        """The sealed copy of a share that this server has lost, as its device has handed it in."""
        with self._store.read() as tx:
            found = tx.people.sealed_share(enrolment)
        return LostShare(*found) if found is not None else None

    def give_share(self, enrolment: str, epoch: int, share: bytes) -> None:
        """Hold a share again that was opened with the recovery key; a device takes no other than its own. Raises
        KnownError where none is lost."""
        with self._store.write() as tx:
            found = tx.people.sealed_share(enrolment)
            if found is None or found[0] != epoch or len(share) not in post.SHARE_LENGTHS:
                raise KnownError(_("The server has not lost this key part."))
            tx.people.put_share(enrolment, share, found[1], epoch)
            tx.post.audit(AuditLine(at=self._now(), actor="desk", verb="share given back", object=enrolment))

    def sign_here(self, op: str, enrolment: str, reason: str) -> list[OrderView]:
        """Sign and file a lock or unlock with the server's own key. Raises KnownError, Refused."""
        if op not in (LOCK, UNLOCK):
            raise KnownError(
                _("The server cannot sign this order."), _("Sign it with a key of your own: --keys DIR")
            )
        draft = self.draft()
        with self._store.read() as tx:
            device = tx.people.device(enrolment)
        name = device.name if device else ""
        order = Order(
            order_id=secrets.token_hex(ID_BYTES),
            seq=draft.number,
            op=op,
            org=draft.org,
            root_version=draft.root_version,
            devices=[Target(enrolment=enrolment, name=name)],
            reason=clean_text(reason)[:REASON_MAX],
            issued=draft.now,
            not_before=draft.now,
            expires=draft.now + ORDER_LIFE_MS,
        )
        return self.file(signing.sign(order, ("", self._lease_key)).to_bytes())

    def file(self, envelope: bytes) -> list[OrderView]:
        """File a signed order. Raises Refused."""
        now = self._now()
        with self._store.write() as tx:
            return [order_view(tx, order, now) for order in post.file_order(tx, envelope, now)]

    def put_root(self, envelope: bytes, credential: bytes, admin_id: str) -> None:
        """Take in the next root, which names a passkey for orders as one of this admin's. Raises KnownError."""
        with self._store.write() as tx:
            console_keys.put_root(tx, envelope, credential, admin_id, self._now())

    def console_invite(self, email: str) -> str:
        """An address at which this person sets up an account of the console. Raises KnownError."""
        code = self.gate.invite(email)
        return f"{self.console_site().url}/invite/{base64.urlsafe_b64encode(code).decode().rstrip('=')}"

    def console_keys(self) -> list[OrderKey]:
        """Passkeys for orders that were registered at the console, and not removed there."""
        with self._store.read() as tx:
            return console_keys.registered(tx)

    def console_revoke(self, email: str) -> None:
        """Close somebody's account of the console and end all visits of it. Raises KnownError."""
        with self._store.write() as tx:
            console_keys.close(tx, email, self._now())

    def console_site(self) -> ConsoleSite:
        """Where the console is. Raises KnownError where there is none."""
        if self.console is None:
            raise KnownError(
                _("This server has no console."),
                _("Start it with one: fieldkeep-server serve --console-port N"),
            )
        return self.console

    def work(self, source: str, target: str) -> Work:
        """What a device has handed in of its unsent work, for another device. Raises KnownError.

        With "" for the first: who gets what comes from files, as their own.
        """
        with self._store.read() as tx:
            living = _enrolled(tx, target)
            wiped = _enrolled(tx, source) if source else living
            outboxes = [each for each in tx.post.sealed(source) if each.whole]
            if source and not outboxes and tx.post.receipt(source) is None:
                raise KnownError(
                    _("“{name}” has not handed in its unsent work.").format(name=wiped.name),
                    _("Work comes with the receipt of a wipe; see: fieldkeep-admin devices"),
                )
            if living.wiped or post.standing(tx, living).state == "wiping":
                raise KnownError(_("“{name}” is wiped or about to be.").format(name=living.name))
            owner, heir = tx.people.person(wiped.person), tx.people.person(living.person)
            if owner is None or heir is None or not access.adds(heir.rights):
                raise KnownError(
                    _("Whoever has “{name}” may not hold customer data.").format(name=living.name)
                )
            if not post.sees_as_much(tx, heir, owner):
                raise KnownError(
                    _("What “{name}” has not sent may hold fields that are hidden from {heir}.").format(
                        name=wiped.name, heir=heir.email
                    ),
                    _("Hand it to a device of somebody who may see them; it stays on the server until then."),
                )
            return Work(
                source=wiped.device.hex() if source else "",
                source_person=owner.email,
                target=living.enrolment,
                target_person=heir.email,
                sealing_key=living.sealing_key,
                outboxes=[Outbox(sha256=each.sha256, length=each.length) for each in outboxes],
            )

    def sealed(self, source: str, sha256: str, at: int) -> bytes:
        """A piece of a sealed outbox that a device has handed in, from `at` on; b"" behind its end."""
        with self._store.read() as tx:
            return tx.post.sealed_bytes(source, sha256, at)

    def answered(self, prints: list[bytes]) -> list[bool | None]:
        """Of ops, by their prints: whether each was taken in; None where it was not answered."""
        with self._store.read() as tx:
            return [tx.records.answered(print_) for print_ in prints]

    def hand_over(self, source: str, target: str, parcels: list[Parcel]) -> int:
        """File parcels of recovered work for a device; how many ops of them were not filed before."""
        now, fresh = self._now(), 0
        with self._store.write() as tx:
            living = _enrolled(tx, target)
            wiped = _enrolled(tx, source) if source else living
            for parcel in parcels:
                if len(parcel.data) > limits.PARCEL_MAX:
                    raise KnownError(_("A message is too large to be sent."))
                id_ = post.packet_id(target, wiped.device, bytes.fromhex(parcel.batch))
                packet = Packet(
                    id=id_, target=target, source=wiped.device, data=parcel.data, ops=parcel.ops, filed=now
                )
                if tx.post.put_packet(packet):
                    fresh += parcel.ops
            whose = "recover" if wiped.person == living.person else "recover for another person"
            whose = whose if source else "recover files"
            line = AuditLine(
                at=now, actor="desk", verb=f"{whose} to {living.enrolment}", object=wiped.enrolment
            )
            tx.post.audit(line)
        return fresh

    def backed_up(self, backed: Backed) -> bool:
        """Note a verified backup, which devices are told of; False for one of another history."""
        with self._store.write() as tx:
            if backed.epoch != tx.epoch or not 0 <= backed.seq <= tx.records.head():
                return False
            known = tx.histories.durable()
            if known is not None and known.seq > backed.seq:
                return True  # two were made at once, and the later one was told of first
            tx.histories.put_durable(Durable(seq=backed.seq, made=backed.made))
            line = AuditLine(at=self._now(), actor="desk", verb="backup", object=f"seq {backed.seq}")
            tx.post.audit(line)
        return True

    def safety(self) -> SafetyView:
        """How much of the history a verified backup holds."""
        with self._store.read() as tx:
            head, durable = tx.records.head(), tx.histories.durable()
            seq = durable.seq if durable else 0
            made = durable.made if durable else 0
            return SafetyView(head=head, durable=seq, made=made, since=tx.histories.given_after(seq))

    def refused(self, enrolment: str, sealed: bool) -> list[RefusedView]:
        """Changes of a device, of all of them for "", that were not taken.

        What they say comes along only where it is asked for, and then sealed to the recovery key. Raises KnownError.
        """
        if sealed:
            line = AuditLine(
                at=self._now(), actor="desk", verb="read refused changes", object=enrolment or "all"
            )
            with self._store.write() as tx:
                tx.post.audit(line)
        with self._store.read() as tx:
            recovery = post.root_and_policy(tx)[0].recovery if sealed else b""
            of = _enrolled(tx, enrolment).device if enrolment else None
            return [refused_view(tx, each, recovery) for each in tx.records.refused(of)]


def _enrolled(tx: Transaction, enrolment: str) -> Device:
    device = tx.people.device(enrolment)
    if device is None:
        raise KnownError(_("There is no such device."), _("See: fieldkeep-admin devices"))
    return device
