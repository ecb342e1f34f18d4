"""The server's side of the web console: accounts, visits, the audit table, and devices as IT looks at them.

Second factors lie sealed in the store, under a key that is drawn from one in the secrets folder.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync.protocol.consoles import (
    ROLES,
    Account,
    Dossier,
    FleetRow,
    Line,
    Passkey,
    PolicyDraft,
    Proof,
    Visit,
)
from sync.protocol.desk import OrderView
from sync.protocol.documents import WIPE, Policy
from sync.protocol.errors import KnownError
from sync.protocol.facts import POLICY_NUMBER
from sync.protocol.ids import id_text
from sync.protocol.texts import gettext as _
from sync.protocol.trust import DAY_MS
from sync.server import belonging, holdings, naming, policies, post, travel
from sync.server.db.base import Store, Transaction
from sync.server.db.kept import CONSOLE_INVITE, AuditLine, Device
from sync.server.lease import HOUR_MS
from sync.server.service import system_now
from sync.server.views import held_back, order_view, posture_of, receipt_of, wipe_since, with_names

INVITE_MS: Final = DAY_MS
ALARM_MS: Final = 3 * DAY_MS
DRAFTS_MAX: Final = 50
_NONCE: Final = 12
_LINES: Final = 1_000  # of policies, among which the one in force is looked for
_HIGHEST: Final = 2**62


def sealing_key(lease_key: Ed25519PrivateKey) -> bytes:
    """What seals second factors: drawn from the lease key, so that a store alone gives none of them away."""
    drawn = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"fieldkeep/console/v1")
    return drawn.derive(lease_key.private_bytes_raw())


class StoreGate:
    """The gate over a store; a port of sync.console."""

    def __init__(self, store: Store, key: bytes, now: Callable[[], int] = system_now) -> None:
        self._store = store
        self._key = key
        self._now = now

    def now(self) -> int:
        """UTC milliseconds."""
        return self._now()

    def derived(self, about: bytes) -> bytes:
        """Twenty bytes that only this server can draw again, for the second factor of an invitation."""
        return hashlib.blake2b(about, key=self._key, digest_size=20).digest()

    # -- accounts

    def account(self, id_: bytes) -> Account | None:
        """The account of that id."""
        with self._store.read() as tx:
            return self._opened(tx.consoles.account(id_))

    def account_by_email(self, email: str) -> Account | None:
        """The account of that address, however it is written."""
        with self._store.read() as tx:
            person = tx.people.by_email(email)
            return self._opened(tx.consoles.account_of(person.id)) if person else None

    def invited(self, code: bytes) -> Account | None:
        """The account that this code invites, until it ends."""
        with self._store.read() as tx:
            found = self._opened(tx.consoles.account_invited(hashlib.sha256(code).digest()))
        return found if found and found.invite_ends > self._now() else None

    def accounts(self) -> list[Account]:
        """Every account."""
        with self._store.read() as tx:
            return [each for row in tx.consoles.accounts() if (each := self._opened(row))]

    def put_account(self, account: Account) -> None:
        """Keep an account."""
        with self._store.write() as tx:
            self._put(tx, account)

    def used(self, account: Account) -> bool:
        """Keep that a number was used; False where somebody was quicker with it, or the account has changed."""
        with self._store.write() as tx:
            now = tx.consoles.account(account.id)
            if now is None or now.totp_last >= account.totp_last or now.password != account.password:
                return False
            self._put(tx, account)
        return True

    def refused(self, id_: bytes) -> None:
        """Count a number that did not fit, behind a password that did."""
        with self._store.write() as tx:
            if (now := tx.consoles.account(id_)) is not None:
                tx.consoles.put_account(msgspec.structs.replace(now, failed=now.failed + 1))

    def renewed(self, account: Account) -> None:
        """Keep an account whose secrets are new: whoever came in with the old ones is out, and so are its passkeys."""
        with self._store.write() as tx:
            for visit in tx.consoles.visits(account.id):
                tx.consoles.drop_visit(visit.digest)
            for passkey in tx.consoles.passkeys(account.id):
                tx.consoles.drop_passkey(passkey.id)
            self._put(tx, account)

    def invite(self, email: str) -> bytes:
        """A one-use code for this person's account, which is made where there is none. Raises KnownError."""
        code, now = secrets.token_bytes(16), self._now()
        with self._store.write() as tx:
            person = belonging.present(tx, email)
            if person.role not in ROLES:
                raise KnownError(
                    _("The console is for the roles it and privacy."),
                    _("Give the person one of them: fieldkeep-admin person add EMAIL --role it --team NAME"),
                )
            known = tx.consoles.account_of(person.id) or Account(id=secrets.token_bytes(16), person=person.id)
            fresh = msgspec.structs.replace(
                known, invite=hashlib.sha256(code).digest(), invite_ends=now + INVITE_MS
            )
            tx.consoles.put_account(fresh)
            tx.post.audit(AuditLine(at=now, actor="desk", verb=CONSOLE_INVITE, object=person.id.hex()))
        return code

    def _put(self, tx: Transaction, account: Account) -> None:
        sealed = account.totp and self._seal(account)
        tx.consoles.put_account(msgspec.structs.replace(account, totp=sealed))

    def _seal(self, account: Account) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self._key).encrypt(nonce, account.totp, account.id)

    def _opened(self, account: Account | None) -> Account | None:
        if account is None or not account.totp:
            return account
        nonce, sealed = account.totp[:_NONCE], account.totp[_NONCE:]
        try:
            secret = AESGCM(self._key).decrypt(nonce, sealed, account.id)
        except InvalidTag:
            secret = b""  # of another lease key: a new invitation mends it
        return msgspec.structs.replace(account, totp=secret)

    # -- passkeys and visits

    def passkey(self, id_: bytes) -> Passkey | None:
        """The passkey of that credential id."""
        with self._store.read() as tx:
            return tx.consoles.passkey(id_)

    def passkeys(self, account: bytes) -> list[Passkey]:
        """The passkeys of an account."""
        with self._store.read() as tx:
            return tx.consoles.passkeys(account)

    def put_passkey(self, passkey: Passkey) -> None:
        """Keep a passkey. Raises KnownError where somebody else has it."""
        with self._store.write() as tx:
            known = tx.consoles.passkey(passkey.id)
            if known is not None and (known.account, known.purpose) != (passkey.account, passkey.purpose):
                raise KnownError(_("This passkey is in use already."), _("Take another one."))
            tx.consoles.put_passkey(passkey)

    def drop_passkey(self, id_: bytes) -> None:
        """Forget a passkey."""
        with self._store.write() as tx:
            tx.consoles.drop_passkey(id_)

    def visit(self, digest: bytes) -> Visit | None:
        """The visit of that cookie."""
        with self._store.read() as tx:
            return tx.consoles.visit(digest)

    def visits(self, account: bytes) -> list[Visit]:
        """The visits of an account."""
        with self._store.read() as tx:
            return tx.consoles.visits(account)

    def put_visit(self, visit: Visit) -> None:
        """Keep a visit."""
        with self._store.write() as tx:
            tx.consoles.put_visit(visit)

    def drop_visit(self, digest: bytes) -> None:
        """End a visit."""
        with self._store.write() as tx:
            tx.consoles.drop_visit(digest)

    def forget_visits(self, seen_before: int, begun_before: int) -> None:
        """Forget visits that have ended by time."""
        with self._store.write() as tx:
            tx.consoles.drop_visits(seen_before, begun_before)

    # -- what was done

    def note(self, actor: str, verb: str, object_: str) -> None:
        """Append a line to the audit table."""
        with self._store.write() as tx:
            tx.post.audit(AuditLine(at=self._now(), actor=actor, verb=verb, object=object_))

    def lines(self, before: int, most: int, word: str) -> list[Line]:
        """A page of the audit table, the newest first."""
        with self._store.read() as tx:
            return naming.lines(tx, tx.consoles.audit_before(before, most, word))

    def alarms(self) -> list[OrderView]:
        """Wipes that were ordered in the last three days, for every admin to see."""
        now = self._now()
        with self._store.read() as tx:
            late = [each for each in tx.post.orders() if each.op == WIPE and each.filed > now - ALARM_MS]
            names = naming.admins(tx) if late else {}
            return [naming.signed(order_view(tx, each, now), names) for each in reversed(late)]

    # -- devices

    def put_aside(self, enrolment: str, *, aside: bool) -> None:
        """Put a device aside, or take it back."""
        with self._store.write() as tx:
            tx.consoles.put_aside(enrolment, self._now() if aside else 0)

    def policy(self) -> bytes:
        """The policy envelope in force."""
        with self._store.read() as tx:
            return tx.post.newest(Policy.TYPE)[1]

    def policy_filed(self, number: int) -> Line | None:
        """Who filed this policy, and when; None for one that no line tells of."""
        wanted = (policies.VERB, str(number))
        with self._store.read() as tx:
            found = tx.consoles.audit_before(_HIGHEST, _LINES, policies.VERB)
            told = [(n, line) for n, line in found if (line.verb, line.object) == wanted][:1]
            return next(iter(naming.lines(tx, told)), None) if told else None

    def file_policy(self, envelope: bytes, actor: str) -> int:
        """File a signed policy in this name; its number. Raises Refused."""
        with self._store.write() as tx:
            root, in_force = post.root_and_policy(tx)
            return policies.file(tx, root, in_force, envelope, self._now(), actor).version

    def drafts(self) -> list[PolicyDraft]:
        """Every policy that is worked on, the last changed first."""
        with self._store.read() as tx:
            return [with_names(tx, draft) for draft in tx.consoles.drafts()]

    def policy_draft(self, id_: str) -> PolicyDraft | None:
        """The draft of that id."""
        with self._store.read() as tx:
            found = tx.consoles.draft(id_)
            return with_names(tx, found) if found else None

    def put_draft(self, draft: PolicyDraft) -> bool:
        """Keep a draft; False where it was changed or gone meanwhile. Raises KnownError where there are too many."""
        with self._store.write() as tx:
            known = tx.consoles.draft(draft.id)
            if draft.rev != (known.rev + 1 if known else 1):
                return False
            if known is None and len(tx.consoles.drafts()) >= DRAFTS_MAX:
                raise KnownError(
                    _("There are {n} drafts of policies already.").format(n=DRAFTS_MAX),
                    _("Throw one away first."),
                )
            tx.consoles.put_draft(draft)
        return True

    def drop_draft(self, id_: str) -> None:
        """Forget a draft."""
        with self._store.write() as tx:
            tx.consoles.drop_draft(id_)

    def fleet(self) -> list[FleetRow]:
        """Every enrolment ever, the newest first."""
        with self._store.read() as tx:
            tx.post.orders()  # at once, and not device by device
            aside, now = tx.consoles.aside(), self._now()
            _root, policy = post.root_and_policy(tx)
            return [_row(tx, device, policy, aside, now) for device in reversed(tx.people.devices())]

    def dossier(self, enrolment: str) -> Dossier | None:
        """One device."""
        now = self._now()
        with self._store.read() as tx:
            device = tx.people.device(enrolment)
            if device is None:
                return None
            _root, policy = post.root_and_policy(tx)
            sealed = [each for each in tx.post.sealed(enrolment) if each.whole]
            names = naming.admins(tx)
            return Dossier(
                row=_row(tx, device, policy, tx.consoles.aside(), now),
                orders=[
                    naming.signed(order_view(tx, each, now), names)
                    for each in reversed(tx.post.orders_for(enrolment))
                ],
                sealed_records=sum(each.records for each in sealed),
                refused=len(tx.records.refused(device.device)),
                proof=_proof(tx, enrolment),
                read_seq=device.read_seq,
                head=tx.records.head(),
                lay=holdings.kept(tx, enrolment),
            )


def _row(tx: Transaction, device: Device, policy: Policy, aside: dict[str, int], now: int) -> FleetRow:
    person = travel.reader(tx, device, policy)
    stands, said = post.standing(tx, device), posture_of(device)
    there = _number(said.pop(POLICY_NUMBER, 0))
    life = policy.offline.lock_h * HOUR_MS
    return FleetRow(
        enrolment=device.enrolment,
        id=id_text(device.device),
        name=device.name,
        person=person.email if person else "",
        team=person.team if person else "",
        state=stands.state,
        pending=stands.pending,
        last_seen=device.last_seen,
        unsent=device.unsent,
        platform=device.platform,
        app_version=device.app_version,
        enrolled=device.enrolled,
        wiped=device.wiped,
        aside=aside.get(device.enrolment, 0),
        policy=there,
        behind=0 < there < policy.version,
        lease_left=max(device.last_seen, device.enrolled) + life - now,
        confirmed=holdings.confirmed(device, person),
        held_back=held_back(device),
        posture=said,
        proven=not device.wiped or receipt_of(tx, device) is not None,
        wiping_for=now - wipe_since(tx, device, now) if stands.state == "wiping" else 0,
    )


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _proof(tx: Transaction, enrolment: str) -> Proof | None:
    stored, device = tx.post.receipt(enrolment), tx.people.device(enrolment)
    receipt = receipt_of(tx, device) if device is not None else None
    if stored is None or receipt is None:
        return None
    return Proof(
        received=stored.received,
        finished=receipt.finished,
        keys=len(receipt.keys),
        # What was looked for afterwards and is not there; not every device had each of them.
        keys_gone=sum(key.verified_absent for key in receipt.keys),
        files=receipt.files.removed,
        files_failed=len(receipt.files.failed),
        records=stored.outbox_records,
        because=receipt.because,
    )
