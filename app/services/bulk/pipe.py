"""What the window's process and its bulk process say to each other: msgpack in frames, over two pipes.

    frame = u32 big-endian length, msgpack of one message

The store's key goes over the same pipe once, as bare bytes behind `Open`, so that no message ever holds it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import IO, Final, TypeVar

import msgspec

from app import errors
from app.errors import AppError
from app.keys.secret import SecretBytes
from app.services.exchange.progress import Stage
from app.services.exchange.report import FileReport, Finding, Report, State
from app.services.many import Asked, Outcome, Piece
from app.store.db import KEY_BYTES
from app.store.pages import End
from sync.client.ports import Applied
from sync.protocol.errors import KnownError
from sync.protocol.kinds import KINDS
from sync.protocol.messages import Change

T = TypeVar("T")

FRAME_MAX: Final = 256 * 2**20  # a report names every row that did not come in as it stands
_LENGTH: Final = struct.Struct(">I")


class Message(msgspec.Struct, frozen=True, tag=True):
    """One message; each kind of it is a class of its own."""


# --- asked by the window's process ---------------------------------------------------------------------


class Open(Message, frozen=True, tag=True):
    """Open the store of this profile folder with the key that follows; speak this language from here on."""

    folder: bytes  # as the system writes it: names of files need not be texts
    recovery: bytes
    language: str


class Lay(Message, frozen=True, tag=True):
    """Lay these rows of the server in, in the transaction that is open or a new one, unless ops up to `acked_n` have to
    be settled before.
    """

    changes: list[Change]
    acked_n: int


class Commit(Message, frozen=True, tag=True):
    """Commit what was laid in, with the end of its page where that is given."""

    end: End | None


class Prepare(Message, frozen=True, tag=True):
    """Plan the import of these files, and keep the plan."""

    paths: list[bytes]
    today: str  # ISO
    currency: str


class Bring(Message, frozen=True, tag=True):
    """Bring in what was planned."""


class Act(Message, frozen=True, tag=True):
    """Begin this act on many records, or go on with it from what it has come to."""

    asked: Asked
    outcome: Outcome
    kept: bool


class Next(Message, frozen=True, tag=True):
    """Do the next piece of the act, of at most so many records."""

    most: int


class Finish(Message, frozen=True, tag=True):
    """The act has come to its end, or is left: half a file of it goes."""

    whole: bool


class Stop(Message, frozen=True, tag=True):
    """Leave off the import under way; it is answered as failed."""


class GoOn(Message, frozen=True, tag=True):
    """Nobody has stopped it: commit what was written."""


# --- answered by the bulk process ------------------------------------------------------------------------


class Ready(Message, frozen=True, tag=True):
    """The store is open, or what was asked is done and there is nothing to say of it."""


class Laid(Message, frozen=True, tag=True):
    """The rows will be in with the next commit, or `applied` is None. `turned` are kinds of which records came, went or
    are called otherwise.
    """

    applied: Applied | None
    turned: list[str]


class Committed(Message, frozen=True, tag=True):
    """What was laid in is there for all, and with it, where `ends`, the end of the page."""

    ends: bool


class Far(Message, frozen=True, tag=True):
    """So far the import is; another message follows. At its end, before it commits, it waits to be answered."""

    stage: Stage
    at: int
    total: int


class Filed(msgspec.Struct, frozen=True):
    """The report on one file, with its kind by name."""

    file: str
    state: State
    reason: str
    encoding: str
    delimiter: str
    kind: str | None
    rows: int
    added: int
    updated: int
    here: int
    skipped: int
    columns: tuple[tuple[str, str], ...]
    unmapped: tuple[str, ...]
    findings: tuple[Finding, ...]


class Told(Message, frozen=True, tag=True):
    """What the import would bring, or brought. `kinds` are those whose records the plan has looked at."""

    files: list[Filed]
    kinds: list[str]
    turned: list[str]

    def report(self, *, done: bool) -> Report:
        """As the other rooms know it."""
        files = (
            FileReport(**{**msgspec.structs.asdict(each), "kind": KINDS[each.kind] if each.kind else None})
            for each in self.files
        )
        return Report(tuple(files), done)


class Pieced(Message, frozen=True, tag=True):
    """The piece is done, None when there was none left; `turned` as in `Laid`."""

    piece: Piece | None
    turned: list[str]


class Failed(Message, frozen=True, tag=True):
    """It could not be done: an error for people, or `fault`, the type of one that is ours."""

    error: str
    title: str
    hint: str
    fault: str = ""


Request = Open | Lay | Commit | Prepare | Bring | Act | Next | Finish | Stop | GoOn
Reply = Ready | Laid | Committed | Far | Told | Pieced | Failed


_ENCODER: Final = msgspec.msgpack.Encoder()
_REQUEST: Final[msgspec.msgpack.Decoder[Request]] = msgspec.msgpack.Decoder(Request)
_REPLY: Final[msgspec.msgpack.Decoder[Reply]] = msgspec.msgpack.Decoder(Reply)


class Ended(Exception):
    """The other end is gone."""


def send(stream: IO[bytes], message: Request | Reply) -> None:
    """Write one message. Raises Ended."""
    frame = _ENCODER.encode(message)
    try:
        stream.write(_LENGTH.pack(len(frame)))
        stream.write(frame)
        stream.flush()
    except (OSError, ValueError):  # ValueError: our own end was closed meanwhile
        raise Ended from None


def request(stream: IO[bytes]) -> Request:
    """The next message of the window's process. Raises Ended."""
    return _next(stream, _REQUEST.decode)


def reply(stream: IO[bytes]) -> Reply:
    """The next message of the bulk process. Raises Ended."""
    return _next(stream, _REPLY.decode)


def send_key(stream: IO[bytes], key: SecretBytes) -> None:
    """Write the key, of which no copy stays here. Raises Ended."""
    try:
        stream.write(key.view)
        stream.flush()
    except (OSError, ValueError):
        raise Ended from None


def take_key(stream: IO[bytes]) -> SecretBytes:
    """The key. Raises Ended."""
    data = bytearray(KEY_BYTES)
    at = 0
    with memoryview(data) as view:
        while at < KEY_BYTES:
            taken = stream.readinto(view[at:])  # type: ignore[attr-defined]
            if not taken:
                raise Ended
            at += taken
    return SecretBytes(data)


def failure(problem: BaseException) -> Failed:
    """An error as it travels."""
    if isinstance(problem, KnownError):
        return Failed(type(problem).__name__, problem.title, problem.hint)
    return Failed("", "", "", type(problem).__name__)


def error(failed: Failed) -> KnownError:
    """The error that came, of its own class where that is one of ours and takes no more than its words."""
    known = getattr(errors, failed.error, None)
    if isinstance(known, type) and issubclass(known, AppError):
        return known(failed.title, failed.hint)
    return KnownError(failed.title, failed.hint)


def filed(report: FileReport) -> Filed:
    """The report on a file as it travels."""
    fields = {name: getattr(report, name) for name in Filed.__struct_fields__}
    name = report.file.encode("utf-8", "replace").decode("utf-8")  # a name of a file need not be a text
    kind = report.kind.name if report.kind is not None else None
    return Filed(**{**fields, "file": name, "kind": kind})


def _next(stream: IO[bytes], decode: Callable[[bytes], T]) -> T:
    head = _exactly(stream, _LENGTH.size)
    (length,) = _LENGTH.unpack(head)
    if length > FRAME_MAX:
        raise Ended
    try:
        return decode(_exactly(stream, length))
    except msgspec.MsgspecError:
        raise Ended from None


def _exactly(stream: IO[bytes], length: int) -> bytes:
    try:
        data = stream.read(length)
    except (OSError, ValueError):
        raise Ended from None
    if len(data) < length:
        raise Ended
    return data
