"""A line to the server: signs in with the device key, then gives every request its mac and counter."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from sync.client.errors import ServerRefused, Unreachable
from sync.client.ports import Position, Transport
from sync.protocol import codec, messages, version
from sync.protocol.documents import Document, SessionOpen
from sync.protocol.errors import BadFrames, Problem
from sync.protocol.messages import ExchangeHead, Person, SessionReply
from sync.protocol.signing import Envelope
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from sync.client.ahead import Asked

T = TypeVar("T")

JSON = "application/json"
# A whole exchange says what these mean, and mends it.
_ANEW: Final = (Problem.UNSIGNED, Problem.EPOCH, Problem.ROLLBACK)


class Identity(msgspec.Struct, frozen=True):
    """Who signs in, and how it signs; the key itself stays where it is kept."""

    org: str
    enrolment: str
    device: str
    sign: Callable[[Document], Envelope]


class Rest(msgspec.Struct, frozen=True):
    """What this device said in an exchange after which neither side had anything to say, and whose device it was."""

    head: ExchangeHead
    person: Person


class Line:
    """One device's way to the server; opens a session when it has none and again when the server forgot it.

    One thread exchanges; another one may sign requests of its own within the session that this one has opened.
    """

    def __init__(self, transport: Transport, identity: Identity, now_ms: Callable[[], int]) -> None:
        self._transport = transport
        self._identity = identity
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._session: SessionReply | None = None
        self._counter = 0
        self.rest: Rest | None = None  # of the running session
        self.ahead: Asked | None = None  # the request of the next exchange, where it went out already
        self._brief = True  # the server knows short requests

    def open(self, position: Position, state: str) -> SessionReply:
        """The running session, or a new one. Raises ExchangeError."""
        if self._session is None:
            try:
                fresh = self._sign_in(position, state, self._now_ms())
            except ServerRefused as refusal:
                if refusal.problem is not Problem.UNSIGNED or not refusal.trouble.server_time:
                    raise
                # Our clock is wrong; the server has told its own.
                fresh = self._sign_in(position, state, refusal.trouble.server_time)
            with self._lock:
                self._session, self._counter = fresh, 0
            self.rest = None
            return fresh
        return self._session

    def post(self, path: str, body: bytes) -> bytes:
        """The body of the answer to a request within the session. Raises ExchangeError."""
        return self.begin(path, body)()

    def begin(self, path: str, body: bytes) -> Callable[[], bytes]:
        """Send a request within the session; what gives the body of its answer, and raises ExchangeError."""
        headers = self.signed("POST", path, body)
        if headers is None:
            raise RuntimeError("a session is opened before the first request")
        answer = self._transport.begin(path, body, headers, codec.MEDIA_TYPE)
        return lambda: self._answered(answer)

    def _answered(self, answer: Callable[[], bytes]) -> bytes:
        try:
            return answer()
        except ServerRefused as refusal:
            if refusal.problem in (*_ANEW, Problem.UNKNOWN_DEVICE):
                self.forget()
            raise

    def still(self) -> tuple[int, int] | None:
        """(number, server time) where the server, too, has nothing to say but that: up to this number there is nothing
        for this device. None where it has, or does not say. Raises ExchangeError.
        """
        self.rest = None
        if not self._brief:
            return None
        try:
            return messages.read_still(self.post(messages.STILL_PATH, b""))
        except ServerRefused as refusal:
            if refusal.problem not in (Problem.NOT_HERE, *_ANEW):
                raise
            self._brief = refusal.problem is not Problem.NOT_HERE
            return None

    def signed(self, method: str, path: str, body: bytes = b"") -> dict[str, str] | None:
        """What signs a request within the session; None while there is none."""
        with self._lock:
            session = self._session
            if session is None:
                return None
            self._counter += 1
            counter = self._counter
        return {
            messages.SESSION_HEADER: session.session.hex(),
            messages.COUNTER_HEADER: str(counter),
            messages.MAC_HEADER: messages.request_mac(session.key, method, path, body, counter),
        }

    @property
    def session(self) -> str:
        """The id of the running session, hex; "" while there is none."""
        session = self._session
        return session.session.hex() if session is not None else ""

    def forget(self, session: str = "") -> None:
        """Sign in anew before the next request; where a session is named, only if it is still that one."""
        with self._lock:
            if self._session is not None and session in ("", self._session.session.hex()):
                self._session = None

    def _sign_in(self, position: Position, state: str, at: int) -> SessionReply:
        document = SessionOpen(
            org=self._identity.org,
            enrolment=self._identity.enrolment,
            device=self._identity.device,
            incarnation=position.incarnation.hex(),
            last_n=position.last_n,
            protocols=list(range(version.OLDEST_PROTOCOL, version.PROTOCOL + 1)),
            schema=version.SCHEMA,
            state=state,
            nonce=secrets.token_hex(16),
            at=at,
        )
        body = self._identity.sign(document).to_bytes()
        return head(whole(self._transport.post(messages.SESSION_PATH, body, {}, JSON)), SessionReply)


def whole(body: bytes) -> list[tuple[str, codec.Raw]]:
    """The frames of an answer that begins with its head.

    Raises Unreachable when it is damaged: the same thing is asked for again later.
    """
    try:
        frames = codec.decode(body)
    except BadFrames as damage:
        raise Unreachable(damage.title, damage.hint) from None
    if not frames or frames[0][0] != messages.HEAD:
        raise _damaged()
    return frames


def head(frames: list[tuple[str, codec.Raw]], type_: type[T]) -> T:
    """The head of a whole answer as the struct it must be. Raises Unreachable."""
    try:
        return codec.read(frames[0][1], type_)
    except BadFrames:
        raise _damaged() from None


def _damaged() -> Unreachable:
    return Unreachable(
        _("A message arrived damaged and was not used."), _("It is asked for again at the next exchange.")
    )
