"""Lets a new device in: a code that was given to a person, used once, and a wish signed with the device's own key."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Final

import msgspec

from sync.protocol import documents, messages, sealing, signing
from sync.protocol.codes import SECRET_BYTES
from sync.protocol.documents import Enrolment, Root
from sync.protocol.errors import Problem, Refused
from sync.protocol.fields import clean_text
from sync.protocol.ids import ID_BYTES
from sync.protocol.texts import gettext as _
from sync.server import post
from sync.server.db.base import Transaction
from sync.server.db.kept import AuditLine, Code, Device, Person
from sync.server.errors import RequestProblem

CODE_LIFE_MS: Final = 24 * 3_600_000
NAME_MAX: Final = 60
_DEVICE: Final = re.compile(rf"[0-9a-f]{{{2 * ID_BYTES}}}")
_TEXT_MAX: Final = 200


def digest_of(secret: bytes) -> bytes:
    """What the server keeps of a code."""
    return hashlib.sha256(b"fieldkeep-code/v1" + secret).digest()


def give_code(tx: Transaction, person: Person, now: int) -> bytes:
    """A new code's secret for this person; only its digest is kept."""
    secret = secrets.token_bytes(SECRET_BYTES)
    code = Code(digest=digest_of(secret), person=person.id, issued=now, expires=now + CODE_LIFE_MS)
    tx.people.put_code(code)
    tx.post.audit(AuditLine(at=now, actor="desk", verb="code", object=person.id.hex()))
    return secret


def read_wish(body: bytes) -> Enrolment:
    """A wish to be enrolled, signed with the very key it names. Raises Refused, RequestProblem."""
    envelope = signing.open_envelope(body, Enrolment.TYPE)
    # The key stands in the payload itself, so this one document is parsed before its signature is checked.
    wish = documents.parse(envelope.payload, Enrolment)
    signing.safe_ed25519(wish.spki)
    if not signing.verifies(envelope, wish.spki):
        raise Refused("signature", _("The enrolment is not signed with the device's own key."))
    sizes = (
        _DEVICE.fullmatch(wish.device) is not None,
        _seals(wish.sealing_key),
        len(wish.share) == post.SHARE_BYTES,
        0 < len(wish.share_sealed) <= post.SEALED_MAX,
        0 < len(wish.nonce) <= 64,
        0 < len(wish.name) <= NAME_MAX and clean_text(wish.name) == wish.name,
        len(wish.platform) <= _TEXT_MAX and len(wish.app_version) <= _TEXT_MAX,
    )
    if not all(sizes):
        raise RequestProblem(
            Problem.BAD_REQUEST,
            _("The enrolment could not be read."),
            _("Choose a short name for the device and try again."),
            why="enrolment fields",
        )
    return wish


def _seals(public: bytes) -> bool:
    """Whether something can be sealed to this key: some points give every secret away."""
    try:
        sealing.seal(public, sealing.SHARE, b"")
    except ValueError:
        return False
    return True


def let_in(tx: Transaction, wish: Enrolment, now: int) -> tuple[Device, Person]:
    """The device and its person, once the code holds.

    A device whose answer was lost asks again, with the same keys and under the same code or a fresh one of its person,
    and is let through again; anything else about a used code or a known key is refused. Raises RequestProblem.
    """
    code = _code(tx, wish, now)
    person = tx.people.person(code.person)
    if person is None:
        raise _bad_code("no person")
    if person.gone:
        raise _bad_code("person left")
    device_id, keyid = bytes.fromhex(wish.device), signing.keyid(wish.spki)
    known = tx.people.device_by_key(keyid)
    same = known is not None and known.device == device_id and not known.wiped
    if code.enrolment:
        if known is None or not same or not hmac.compare_digest(known.enrolment, code.enrolment):
            raise _bad_code("used")
    elif known is None:
        if tx.people.device_by_id(device_id) is not None:
            raise _known_before()
    elif not (same and known.person == person.id and _never_heard(known)):
        raise _known_before()
    if any(
        each.name.casefold() == wish.name.casefold() and not each.wiped and each.keyid != keyid
        for each in tx.people.devices()
    ):
        raise RequestProblem(
            Problem.BAD_REQUEST,
            _("Another device has this name."),
            _("Choose another name; the code stays valid."),
            why="name taken",
        )
    if known is not None:
        known = msgspec.structs.replace(known, name=wish.name)
        tx.people.put_device(known)
        tx.people.put_code(msgspec.structs.replace(code, enrolment=known.enrolment))
        return known, person
    device = Device(
        enrolment=secrets.token_hex(ID_BYTES),
        device=device_id,
        name=wish.name,
        keyid=keyid,
        spki=wish.spki,
        sealing_key=wish.sealing_key,
        person=person.id,
        platform=wish.platform,
        enrolled=now,
        app_version=wish.app_version,
        last_seen=now,
    )
    tx.people.put_device(device)
    tx.people.put_share(device.enrolment, wish.share, wish.share_sealed)
    tx.people.put_code(msgspec.structs.replace(code, enrolment=device.enrolment))
    tx.post.audit(AuditLine(at=now, actor=person.id.hex(), verb="enrol", object=device.enrolment))
    return device, person


def _never_heard(device: Device) -> bool:
    """Whether nothing came from this device since it was let in: its first exchange says so at once."""
    return device.last_seen == device.enrolled


def _known_before() -> RequestProblem:
    return RequestProblem(
        Problem.BAD_REQUEST,
        _("This device has been enrolled before."),
        _("Start with an empty profile folder; keys are never used twice."),
        why="device known",
    )


def _code(tx: Transaction, wish: Enrolment, now: int) -> Code:
    try:
        secret = bytes.fromhex(wish.code)
    except ValueError:
        raise _bad_code("form") from None
    code = tx.people.code(digest_of(secret))
    if code is None or code.expires <= now:
        raise _bad_code("unknown" if code is None else "expired")
    return code


def _bad_code(why: str) -> RequestProblem:
    return RequestProblem(
        Problem.BAD_CODE,
        _("This enrolment code is not valid any more."),
        _("Ask IT for a new one; a code works once and for 24 hours."),
        why=f"code {why}",
    )


def reply(tx: Transaction, device: Device, person: Person, lease: bytes, now: int) -> messages.EnrolReply:
    """What the new device gets."""
    root, _policy = post.root_and_policy(tx)
    return messages.EnrolReply(
        enrolment=device.enrolment,
        person=wire_person(person),
        org_name=root.org_name,
        root=tx.post.newest(Root.TYPE)[1],
        policy=tx.post.newest(documents.Policy.TYPE)[1],
        lease=lease,
        server_time=now,
    )


def wire_person(person: Person) -> messages.Person:
    """A person as devices see it."""
    return messages.Person(
        id=person.id,
        email=person.email,
        role=person.rights.role,
        team=person.team,
        territory=", ".join(person.territories),
        care=person.rights.care,
    )
