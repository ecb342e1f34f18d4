"""The admin socket: the office of a running server, for the same user on the same machine.

One message is a length and msgpack, both ways. The socket stands in the data folder, which is its owner's alone;
who connects is asked of the kernel besides.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from sync.console.ports import Office
from sync.protocol.consoles import AccountView, ConsoleSite, Line, OrderKey
from sync.protocol.desk import (
    WORK_MAX,
    Backed,
    DeviceView,
    Draft,
    HoldsView,
    Left,
    LogProof,
    LostShare,
    OrderView,
    Parcel,
    PersonView,
    RefusedView,
    SafetyView,
    TeamMoved,
    TerritoryMoved,
    TerritoryView,
    Work,
)
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _
from sync.server import logs

_LENGTH: Final = struct.Struct(">I")
_PATH_MAX: Final = 100  # bytes of an address of this kind of socket, less a little
_WAIT_S: Final = 60.0

# What may be asked: the types of the arguments and of the answer.
_VERBS: Final[dict[str, tuple[Any, Any]]] = {
    "add_person": (tuple[str, str, str, str, str], PersonView),
    "person_leaves": (tuple[str, str], Left),
    "move_team": (tuple[str, str], TeamMoved),
    "grant_territory": (tuple[str, str], PersonView),
    "revoke_territory": (tuple[str, str], PersonView),
    "move_territory": (tuple[str, str], TerritoryMoved),
    "territories": (tuple[()], list[TerritoryView]),
    "holds": (tuple[str, str, bool], HoldsView),
    "people": (tuple[()], list[PersonView]),
    "enrol_code": (tuple[str], str),
    "devices": (tuple[()], list[DeviceView]),
    "orders": (tuple[()], list[OrderView]),
    "root": (tuple[()], bytes),
    "policy": (tuple[()], bytes),
    "file_policy": (tuple[bytes], int),
    "log_proof": (tuple[int], LogProof),
    "audit": (tuple[int, str], list[Line]),
    "draft": (tuple[()], Draft),
    "sign_here": (tuple[str, str, str], list[OrderView]),
    "lost_share": (tuple[str], LostShare | None),
    "give_share": (tuple[str, int, bytes], None),
    "file": (tuple[bytes], list[OrderView]),
    "put_root": (tuple[bytes, bytes, str], None),
    "console_invite": (tuple[str], str),
    "console_accounts": (tuple[()], list[AccountView]),
    "console_keys": (tuple[()], list[OrderKey]),
    "console_revoke": (tuple[str], None),
    "console_site": (tuple[()], ConsoleSite),
    "work": (tuple[str, str], Work),
    "sealed": (tuple[str, str, int], bytes),
    "answered": (tuple[list[bytes]], list[bool | None]),
    "hand_over": (tuple[str, str, list[Parcel]], int),
    "refused": (tuple[str, bool], list[RefusedView]),
    "backed_up": (tuple[Backed], bool),
    "safety": (tuple[()], SafetyView),
}


class Unreachable(KnownError):
    """No server answers at its socket."""


class Ask(msgspec.Struct, frozen=True):
    """One question."""

    verb: str
    args: msgspec.Raw


class Told(msgspec.Struct, frozen=True):
    """Its answer, or why there is none."""

    value: msgspec.Raw = msgspec.Raw(b"\xc0")
    title: str = ""
    hint: str = ""


async def serve(path: Path, office: Office) -> asyncio.Server:
    """Answer at this path until the server is closed."""
    listening = _bound(path)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if _same_user(writer):
                while (question := await _receive(reader)) is not None:
                    answer = await asyncio.to_thread(_answer, office, question)
                    writer.write(_LENGTH.pack(len(answer)) + answer)
                    await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return  # the other end has gone
        finally:
            writer.close()

    return await asyncio.start_unix_server(talk, sock=listening)


class RemoteOffice:
    """The office behind the socket; a port of sync.console."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def add_person(self, email: str, role: str, team: str, territory: str, granted: str = "") -> PersonView:
        """Give somebody an account, or change it."""
        return self._ask("add_person", email, role, team, territory, granted)  # type: ignore[no-any-return]

    def person_leaves(self, email: str, heir: str) -> Left:
        """Lock a person's devices and hand the records over."""
        return self._ask("person_leaves", email, heir)  # type: ignore[no-any-return]

    def move_team(self, team: str, to: str) -> TeamMoved:
        """Move a team."""
        return self._ask("move_team", team, to)  # type: ignore[no-any-return]

    def grant_territory(self, email: str, territory: str) -> PersonView:
        """Let a person see this territory."""
        return self._ask("grant_territory", email, territory)  # type: ignore[no-any-return]

    def revoke_territory(self, email: str, territory: str) -> PersonView:
        """Take a territory from a person."""
        return self._ask("revoke_territory", email, territory)  # type: ignore[no-any-return]

    def move_territory(self, territory: str, to: str) -> TerritoryMoved:
        """Rename or merge a territory."""
        return self._ask("move_territory", territory, to)  # type: ignore[no-any-return]

    def territories(self) -> list[TerritoryView]:
        """Every territory."""
        return self._ask("territories")  # type: ignore[no-any-return]

    def holds(self, enrolment: str, kind: str, ids: bool) -> HoldsView:
        """What a device holds."""
        return self._ask("holds", enrolment, kind, ids)  # type: ignore[no-any-return]

    def people(self) -> list[PersonView]:
        """Everyone with an account."""
        return self._ask("people")  # type: ignore[no-any-return]

    def enrol_code(self, email: str) -> str:
        """A one-use code."""
        return self._ask("enrol_code", email)  # type: ignore[no-any-return]

    def devices(self) -> list[DeviceView]:
        """Every enrolment ever."""
        return self._ask("devices")  # type: ignore[no-any-return]

    def orders(self) -> list[OrderView]:
        """Every order."""
        return self._ask("orders")  # type: ignore[no-any-return]

    def root(self) -> bytes:
        """The root envelope in force."""
        return self._ask("root")  # type: ignore[no-any-return]

    def policy(self) -> bytes:
        """The policy envelope in force."""
        return self._ask("policy")  # type: ignore[no-any-return]

    def file_policy(self, envelope: bytes) -> int:
        """File a signed policy."""
        return self._ask("file_policy", envelope)  # type: ignore[no-any-return]

    def log_proof(self, since: int) -> LogProof:
        """A checkpoint with its proof."""
        return self._ask("log_proof", since)  # type: ignore[no-any-return]

    def audit(self, most: int, word: str) -> list[Line]:
        """The newest lines of the audit table."""
        return self._ask("audit", most, word)  # type: ignore[no-any-return]

    def draft(self) -> Draft:
        """A number for an order."""
        return self._ask("draft")  # type: ignore[no-any-return]

    def sign_here(self, op: str, enrolment: str, reason: str) -> list[OrderView]:
        """Have a lock or unlock signed and filed."""
        return self._ask("sign_here", op, enrolment, reason)  # type: ignore[no-any-return]

    def lost_share(self, enrolment: str) -> LostShare | None:
        """The sealed copy of a share that is lost."""
        return self._ask("lost_share", enrolment)  # type: ignore[no-any-return]

    def give_share(self, enrolment: str, epoch: int, share: bytes) -> None:
        """Have that share held again."""
        self._ask("give_share", enrolment, epoch, share)

    def file(self, envelope: bytes) -> list[OrderView]:
        """File a signed order."""
        return self._ask("file", envelope)  # type: ignore[no-any-return]

    def put_root(self, envelope: bytes, credential: bytes, admin_id: str) -> None:
        """Take in the next root."""
        self._ask("put_root", envelope, credential, admin_id)

    def console_invite(self, email: str) -> str:
        """An address to set up an account of the console."""
        return self._ask("console_invite", email)  # type: ignore[no-any-return]

    def console_accounts(self) -> list[AccountView]:
        """Who may sign in at the console."""
        return self._ask("console_accounts")  # type: ignore[no-any-return]

    def console_keys(self) -> list[OrderKey]:
        """Passkeys for orders."""
        return self._ask("console_keys")  # type: ignore[no-any-return]

    def console_revoke(self, email: str) -> None:
        """Close an account of the console."""
        self._ask("console_revoke", email)

    def console_site(self) -> ConsoleSite:
        """Where the console is."""
        return self._ask("console_site")  # type: ignore[no-any-return]

    def work(self, source: str, target: str) -> Work:
        """What a device has handed in of its unsent work."""
        return self._ask("work", source, target)  # type: ignore[no-any-return]

    def sealed(self, source: str, sha256: str, at: int) -> bytes:
        """A piece of it."""
        return self._ask("sealed", source, sha256, at)  # type: ignore[no-any-return]

    def answered(self, prints: list[bytes]) -> list[bool | None]:
        """What became of these ops."""
        return self._ask("answered", prints)  # type: ignore[no-any-return]

    def hand_over(self, source: str, target: str, parcels: list[Parcel]) -> int:
        """File parcels of recovered work."""
        return self._ask("hand_over", source, target, parcels)  # type: ignore[no-any-return]

    def refused(self, enrolment: str, sealed: bool) -> list[RefusedView]:
        """Changes that were not taken."""
        return self._ask("refused", enrolment, sealed)  # type: ignore[no-any-return]

    def backed_up(self, backed: Backed) -> bool:
        """Note a verified backup."""
        return self._ask("backed_up", backed)  # type: ignore[no-any-return]

    def safety(self) -> SafetyView:
        """How much of the history a verified backup holds."""
        return self._ask("safety")  # type: ignore[no-any-return]

    def _ask(self, verb: str, *args: Any) -> Any:
        question = msgspec.msgpack.encode(Ask(verb, msgspec.Raw(msgspec.msgpack.encode(args))))
        try:
            self._connection.sendall(_LENGTH.pack(len(question)) + question)
            (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
            told = msgspec.msgpack.decode(self._exactly(length), type=Told)
            if told.title:
                raise KnownError(told.title, told.hint)
            return msgspec.msgpack.decode(told.value, type=_VERBS[verb][1])
        except (OSError, msgspec.MsgspecError):
            raise _unreachable() from None

    def _exactly(self, length: int) -> bytes:
        if length > WORK_MAX:
            raise OSError("answer too large")
        data = bytearray()
        while len(data) < length:
            piece = self._connection.recv(min(length - len(data), 2**20))
            if not piece:
                raise OSError("answer cut off")
            data += piece
        return bytes(data)


@contextlib.contextmanager
def connect(path: Path) -> Iterator[RemoteOffice]:
    """The office of the server that runs on this data folder. Raises Unreachable."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(_WAIT_S)
    try:
        with _address(path) as address:
            try:
                connection.connect(address)
            except OSError:
                raise _unreachable() from None
        yield RemoteOffice(connection)
    finally:
        connection.close()


@contextlib.contextmanager
def _address(path: Path) -> Iterator[str]:
    """The path as an address; a long one goes by way of its open folder, since addresses are short."""
    if len(os.fsencode(path)) <= _PATH_MAX:
        yield str(path)
        return
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        raise _unreachable() from None
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _bound(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)  # ours: whoever serves here holds the lock of the store
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _address(path) as address:
        listening.bind(address)
    path.chmod(0o600)
    return listening


def _same_user(writer: asyncio.StreamWriter) -> bool:
    """Whether the kernel says that the other end runs as our user, or as root."""
    peer = writer.get_extra_info("socket")
    pid_uid_gid = struct.Struct("3i")
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True  # a system without this question: the folder's rights decide
    _pid, uid, _gid = pid_uid_gid.unpack(peer.getsockopt(socket.SOL_SOCKET, option, pid_uid_gid.size))
    return uid in (os.geteuid(), 0)


async def _receive(reader: asyncio.StreamReader) -> bytes | None:
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    except asyncio.IncompleteReadError:
        return None
    if length > WORK_MAX:
        return None
    return await reader.readexactly(length)


def _answer(office: Office, question: bytes) -> bytes:
    try:
        ask = msgspec.msgpack.decode(question, type=Ask)
        arguments, _result = _VERBS[ask.verb]
        args = msgspec.msgpack.decode(ask.args, type=arguments)
        value = getattr(office, ask.verb)(*args)
        logs.note("desk", verb=ask.verb)
        told = Told(value=msgspec.Raw(msgspec.msgpack.encode(value)))
    except KnownError as error:
        told = Told(title=error.title, hint=error.hint)
    except (msgspec.MsgspecError, KeyError):
        told = Told(
            title=_("The running server does not know this request."), hint=_("Restart it after an update.")
        )
    except Exception as error:  # noqa: BLE001 - a fault of ours ends here, so that the server goes on
        logs.fault("fault", error)
        told = Told(title=_("The server could not do this."), hint=_("Its log says where it went wrong."))
    return msgspec.msgpack.encode(told)


def _unreachable() -> Unreachable:
    return Unreachable(
        _("The running server does not answer."), _("See whether it runs; its log says what it does.")
    )
