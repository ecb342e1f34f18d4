"""Who is asking: a session signed with the device's key, then a mac and a counter on every request within it."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sync.protocol import documents, messages, signing, version
from sync.protocol.documents import SessionOpen
from sync.protocol.errors import Problem
from sync.protocol.ids import INCARNATION_BYTES
from sync.protocol.messages import ExchangeHead, ReplyHead, SessionReply
from sync.protocol.texts import gettext as _
from sync.server import post
from sync.server.db.base import Transaction
from sync.server.db.kept import Device, Numbering
from sync.server.errors import RequestProblem

FRESH_MS: Final = 120_000
LIFE_MS: Final = 12 * 3_600_000
SESSIONS_MAX: Final = 10_000
OF_ONE: Final = 16  # sessions of one enrolment: a device needs one or two
_COUNTER_MAX: Final = 2**53
_NONCES_MAX: Final = 50_000


@dataclass(frozen=True, slots=True)
class Rest:
    """An exchange after which neither side had anything to say: what both said then, and when."""

    head: ExchangeHead
    reply: ReplyHead
    at: int


@dataclass(slots=True)
class Session:
    """One session; `seen` is a bit for each of the last COUNTER_WINDOW counters, the highest lowest."""

    id: bytes
    key: bytes = field(repr=False)
    enrolment: str
    incarnation: bytes
    ends: int
    highest: int = 0
    seen: int = 0
    rest: Rest | None = field(default=None, repr=False)

    def count(self, counter: int) -> bool:
        """Whether this counter is new and recent; it is used up then."""
        if counter > self.highest:
            kept = (1 << messages.COUNTER_WINDOW) - 1
            shift = min(counter - self.highest, messages.COUNTER_WINDOW)
            self.seen = ((self.seen << shift) | 1) & kept
            self.highest = counter
            return True
        bit = self.highest - counter
        if bit >= messages.COUNTER_WINDOW or self.seen >> bit & 1:
            return False
        self.seen |= 1 << bit
        return True


class Sessions:
    """The running sessions, in memory: after a restart every device signs in anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[bytes, Session] = OrderedDict()
        self._nonces: OrderedDict[tuple[str, str], int] = OrderedDict()

    def add(self, enrolment: str, incarnation: bytes, now: int) -> Session:
        """A new session; the oldest go when there are too many, of this enrolment first."""
        session = Session(
            id=secrets.token_bytes(16),
            key=secrets.token_bytes(32),
            enrolment=enrolment,
            incarnation=incarnation,
            ends=now + LIFE_MS,
        )
        with self._lock:
            for id_ in self._of(enrolment)[: 1 - OF_ONE]:
                del self._open[id_]
            self._open[session.id] = session
            while len(self._open) > SESSIONS_MAX:
                self._open.popitem(last=False)
        return session

    def drop(self, enrolment: str) -> None:
        """End the sessions of a device."""
        with self._lock:
            for id_ in self._of(enrolment):
                del self._open[id_]

    def _of(self, enrolment: str) -> list[bytes]:
        """The sessions of a device, the oldest first; the lock is held."""
        return [id_ for id_, session in self._open.items() if session.enrolment == enrolment]

    def runs(self, session: Session, now: int) -> bool:
        """Whether this session has not ended."""
        with self._lock:
            return session.ends > now and self._open.get(session.id) is session

    def fresh_nonce(self, keyid: str, nonce: str, now: int) -> bool:
        """Whether a signature with this nonce is new; remembered while its time is fresh."""
        with self._lock:
            while self._nonces and (
                next(iter(self._nonces.values())) < now or len(self._nonces) > _NONCES_MAX
            ):
                self._nonces.popitem(last=False)
            if (keyid, nonce) in self._nonces:
                return False
            self._nonces[keyid, nonce] = now + 2 * FRESH_MS
            return True

    def authenticate(
        self, headers: Mapping[str, str], method: str, target: str, body: bytes, now: int
    ) -> Session:
        """The session a request belongs to. Raises RequestProblem when anything of it does not hold."""
        try:
            id_ = bytes.fromhex(headers.get(messages.SESSION_HEADER, ""))
            counter = int(headers.get(messages.COUNTER_HEADER, ""))
        except ValueError:
            raise unsigned("no session") from None
        with self._lock:
            session = self._open.get(id_)
            if session is None or session.ends <= now or not 0 < counter < _COUNTER_MAX:
                raise unsigned("no session")
        wanted = messages.request_mac(session.key, method, target, body, counter)
        given = headers.get(messages.MAC_HEADER, "")
        if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
            raise unsigned("mac")
        with self._lock:
            # Counted after the mac holds, so that nobody uses up another's counters.
            if not session.count(counter):
                raise unsigned("replayed")
        return session


def unsigned(why: str, server_time: int = 0) -> RequestProblem:
    """The refusal of a request that nobody has signed."""
    return RequestProblem(Problem.UNSIGNED, why=why, server_time=server_time)


def open_session(tx: Transaction, sessions: Sessions, body: bytes, now: int) -> SessionReply:
    """A session for the device that signed this. Raises RequestProblem, Refused."""
    envelope = signing.open_envelope(body, SessionOpen.TYPE)
    device = _device(tx, envelope)
    if not signing.verifies(envelope, device.spki):
        raise unsigned("signature")
    asked = documents.parse(envelope.payload, SessionOpen)
    if (asked.enrolment, asked.device) != (device.enrolment, device.device.hex()):
        raise unsigned("another device")
    if abs(asked.at - now) > FRESH_MS:
        # The device's clock is wrong; with our time it may sign again.
        raise unsigned("not fresh", server_time=now)
    if device.wiped:
        raise RequestProblem(
            Problem.UNKNOWN_DEVICE,
            _("This device was wiped and is not enrolled any more."),
            _("Ask IT for a new enrolment code."),
            why="wiped",
        )
    root, _policy = post.root_and_policy(tx)
    if asked.org != root.org:
        raise unsigned("another organisation")
    if not set(asked.protocols) & set(range(version.OLDEST_PROTOCOL, version.PROTOCOL + 1)):
        raise RequestProblem(
            Problem.UPGRADE,
            _("The server needs another version of Fieldkeep."),
            _("Update Fieldkeep. Your changes are safe on this device."),
        )
    if not 0 < len(asked.nonce) <= 64 or not sessions.fresh_nonce(device.keyid, asked.nonce, now):
        raise unsigned("replayed")
    try:
        incarnation = bytes.fromhex(asked.incarnation)
    except ValueError:
        incarnation = b""
    if len(incarnation) != INCARNATION_BYTES:
        raise RequestProblem(Problem.BAD_REQUEST, why="incarnation")
    numbering = tx.records.numbering(device.device, incarnation) or Numbering()
    session = sessions.add(device.enrolment, incarnation, now)
    return SessionReply(
        session=session.id,
        key=session.key,
        epoch=tx.epoch,
        acked_n=numbering.acked_n,
        server_time=now,
        rollback=numbering.retired or numbering.acked_n > asked.last_n,
    )


def _device(tx: Transaction, envelope: signing.Envelope) -> Device:
    """The device whose key the envelope names; the payload is not read for this."""
    for signature in envelope.signatures:
        if (device := tx.people.device_by_key(signature.keyid)) is not None:
            return device
    raise RequestProblem(
        Problem.UNKNOWN_DEVICE,
        _("The server does not know this device."),
        _("Ask IT for a new enrolment code."),
        why="unknown key",
    )
