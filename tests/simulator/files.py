"""Attached files in a run: taken in, brought, fetched, and lied about by who sends wrong bytes."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from app.errors import AppError
from app.paths import Profile
from app.store import attached, records
from app.store.blobs import Blobs
from app.store.replica import StoreReplica
from sync.client import blobs as wire
from sync.client.errors import ExchangeError, ServerRefused
from sync.client.line import Identity
from sync.protocol import codec, messages
from sync.protocol.documents import BlobPiece
from sync.protocol.errors import KnownError, Problem
from sync.protocol.kinds import KINDS
from sync.protocol.messages import PieceHead
from sync.server import access
from sync.server.access import Rights
from sync.server.db.kept import Held
from tests.simulator import said, steps
from tests.simulator.laptop import Laptop, Power

if TYPE_CHECKING:
    from tests.simulator.world import World

PIECE: Final = 100  # bytes at once, so that a file takes some requests
ATTACHMENT: Final = KINDS["attachment"]
TO: Final = ("customer", "deal")


@dataclass
class Files:
    """What was attached, by the id of its record."""

    plain: dict[bytes, bytes] = field(default_factory=dict)

    def play(self, world: World, laptop: Laptop, step: steps.Filed) -> None:
        """One step; whatever comes of it is judged at the end."""
        with contextlib.suppress(AppError, KnownError):
            if isinstance(step, steps.Attach):
                self._attach(world, laptop, step)
            elif isinstance(step, steps.Bring):
                bring(laptop, step.fate)
            elif isinstance(step, steps.Junk):
                _send_junk(laptop, step.pick)
            else:
                self._open(laptop, step.pick)
            sweep(laptop)

    def _attach(self, world: World, laptop: Laptop, step: steps.Attach) -> None:
        here = sorted((name, id_) for name in TO for id_ in said.ids(laptop.store, name))
        if not here:
            return
        world.counter += 1
        kind, about = here[step.pick % len(here)]
        plain = f"file {world.counter}".encode() * 40
        values = {kind: about, "content": _blobs(laptop).take_in(io.BytesIO(plain))}
        if step.fate == "killed":
            return  # before its record was written
        values["name"] = f"f{world.counter}"
        self.plain[records.add(laptop.store, ATTACHMENT, values).id] = plain

    def _open(self, laptop: Laptop, pick: int) -> None:
        here = sorted(said.ids(laptop.store, "attachment"))
        if here:
            fetch(laptop, here[pick % len(here)])


def bring(laptop: Laptop, fate: str = "") -> None:
    """Bring up what waits; "cut" ends it after some pieces, as a kill would. Raises ExchangeError."""
    for path in _blobs(laptop).unsent():
        with path.open("rb") as source:
            climb = wire.climb(laptop.wire, _identity(laptop), path.name, source)
            for _each in range(3 if fate == "cut" else 1_000):
                if climb.step(PIECE):
                    _blobs(laptop).sent(bytes.fromhex(path.name))
                    break


def fetch(laptop: Laptop, record: bytes, sha256: bytes = b"") -> bytes:
    """The file of a record, from the server where it is not here. Raises AppError, ExchangeError."""
    content = None if sha256 else records.get(laptop.store, record).values["content"]
    blobs, digest = _blobs(laptop), sha256 or bytes(content["sha256"] if content else b"")
    if not blobs.is_here(digest):
        position = StoreReplica(laptop.store).position()
        wire.fetch(laptop.line, position, record, digest, blobs.place_to_fetch(digest))
        blobs.fetched(digest)
    return b"".join(blobs.opened(content)) if content else b""


def sweep(laptop: Laptop) -> None:
    """What no record names leaves this laptop."""
    _blobs(laptop).sweep(attached.named(laptop.store))


def judge(world: World, held: dict[bytes, Held], persons: dict[str, Rights]) -> Iterator[str]:
    """A file is there with its very bytes for everybody who sees its record, and nowhere for those who do not."""
    for who, laptop in sorted(world.laptops.items()):
        try:
            bring(laptop)
        except (ExchangeError, Power) as problem:
            yield f"laptop {who}: a file never goes up ({problem})"
    for who, laptop in sorted(world.laptops.items()):
        sweep(laptop)
        rights = persons[laptop.card.person]
        for record, plain in sorted(world.files.plain.items()):
            there = held.get(record)
            if there is None:
                continue  # refused; the other laws say what becomes of it
            content = there.row.cells.get("content")
            sees = not there.row.deleted and access.sees(rights, "attachment", there.scope)
            if sees and access.sees_cell(rights, "attachment", "content"):
                yield from _shown(who, laptop, record, plain)
            elif content is not None:
                yield from _hidden(who, laptop, record, content["sha256"])


def _shown(who: int, laptop: Laptop, record: bytes, plain: bytes) -> Iterator[str]:
    try:
        if fetch(laptop, record) != plain:
            yield f"laptop {who}: a file has other bytes"
    except (AppError, KnownError) as problem:
        yield f"laptop {who}: a file is not to be had ({problem})"


def _hidden(who: int, laptop: Laptop, record: bytes, sha256: bytes) -> Iterator[str]:
    if _blobs(laptop).is_here(sha256):
        yield f"laptop {who}: a file is here whose record is not"
        return
    try:
        fetch(laptop, record, sha256)
    except ServerRefused as refusal:
        if refusal.problem is not Problem.NOT_HERE:
            yield f"laptop {who}: is told of a file that it may not see ({refusal.problem.value})"
    else:
        yield f"laptop {who}: gets a file that it may not see"


def _send_junk(laptop: Laptop, pick: int) -> None:
    """Wrong bytes under the name of somebody's file, stated longer than it is or not. Raises ExchangeError."""
    # Who lies about what it brings itself stands in its own way.
    names = sorted(each for each in attached.named(laptop.store) if not _blobs(laptop).waits(each))
    if not names:
        return
    data, card = b"x" * (PIECE // 2), laptop.card
    piece = BlobPiece(
        org=card.org,
        enrolment=card.enrolment,
        device=card.device.hex(),
        blob=names[pick % len(names)].hex(),
        of=PIECE // 2 + pick % 2,
        offset=0,
        length=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    head = (messages.HEAD, PieceHead(piece=card.sign(piece).to_bytes()))
    laptop.wire.post(
        messages.BLOB_PUT_PATH, codec.encode([head, (messages.PART, data)]), {}, codec.MEDIA_TYPE
    )


def _identity(laptop: Laptop) -> Identity:
    card = laptop.card
    return Identity(card.org, card.enrolment, card.device.hex(), card.sign)


def _blobs(laptop: Laptop) -> Blobs:
    return Blobs(Profile(laptop.folder))
