"""Gives unsent work back: opens what a device has handed in, and seals it anew to the device that is to have it.

The outbox is fetched, opened and handed over piece by piece, so that its size costs time and no memory. It is gone
through twice: once to see in which order its ops stand, once to hand them over in the order of their numbers.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sync.console import keyfile
from sync.console.desk import RECOVERY_KEY, Passphrase
from sync.console.ports import Office
from sync.protocol import codec, outbox_seal, sealing
from sync.protocol.desk import DeviceView, Outbox, Parcel, Work
from sync.protocol.errors import KnownError
from sync.protocol.ops import Op
from sync.protocol.texts import gettext as _

PARCEL_OPS: Final = 500
PARCEL_BYTES: Final = 2**20
AT_ONCE: Final = 8 * 2**20  # bytes of parcels in one message to the office
_BUFFER: Final = 2**20


def recover(
    office: Office, keys: Path, passphrase: Passphrase, source: DeviceView, target: DeviceView
) -> tuple[int, int]:
    """Open what a device had not sent and hand it to another one: (changes found, changes handed over now).

    The recovery key is used in this process alone. What the server has already is left out. Ended in the middle, it
    is run again: the same parcels are made, and those that were filed before are not filed twice. Raises KnownError.
    """
    work = office.work(source.enrolment, target.enrolment)
    key = keyfile.read(keys / RECOVERY_KEY, passphrase)
    found = fresh = 0
    with _Records(office, source.enrolment, work, key.opening) as records:
        waiting: list[Parcel] = []
        for parcel in _all_parcels(records, work):
            found += parcel.ops
            if waiting and sum(len(each.data) for each in waiting) + len(parcel.data) > AT_ONCE:
                fresh += office.hand_over(source.enrolment, target.enrolment, waiting)
                waiting = []
            waiting.append(parcel)
        if waiting:
            fresh += office.hand_over(source.enrolment, target.enrolment, waiting)
    return found, fresh


def parcels(public: bytes, device: bytes, incarnation: bytes, ops: Iterator[Op]) -> Iterator[Parcel]:
    """Ops in parcels of bounded size, each sealed to the device that is to have them."""
    batch: list[Op] = []
    size = 0
    for op in ops:
        length = len(codec.pack(op))
        if batch and (len(batch) >= PARCEL_OPS or size + length > PARCEL_BYTES):
            yield _parcel(public, device, incarnation, batch)
            batch, size = [], 0
        batch.append(op)
        size += length
    if batch:
        yield _parcel(public, device, incarnation, batch)


def _all_parcels(records: _Records, work: Work) -> Iterator[Parcel]:
    index = outbox_seal.Index()
    for place, part in records.parts():
        if part.device.hex() != work.source:
            raise KnownError(_("The sealed work is not of this device."))
        index.note(place, part)
    for device, incarnation in index.sources():
        acked = work.acked.get(incarnation.hex(), 0)
        ops = (op for op in index.in_order((device, incarnation), records.part) if op.n > acked)
        yield from parcels(work.sealing_key, device, incarnation, ops)


def _parcel(public: bytes, device: bytes, incarnation: bytes, ops: Sequence[Op]) -> Parcel:
    plain = codec.pack(outbox_seal.Part(device=device, incarnation=incarnation, ops=list(ops)))
    return Parcel(
        incarnation=incarnation.hex(),
        first=ops[0].n,
        last=ops[-1].n,
        ops=len(ops),
        data=sealing.seal(public, sealing.RECOVERED, plain),
    )


class _Records:
    """The sealed records of a device, fetched from the office as they are read.

    The place of a record is where it begins when all outboxes are laid end to end.
    """

    def __init__(self, office: Office, enrolment: str, work: Work, key: X25519PrivateKey) -> None:
        self._key = key
        self._begins = list(accumulate((each.length for each in work.outboxes), initial=0))
        self._files = [
            io.BufferedReader(_Fetched(office, enrolment, each), _BUFFER) for each in work.outboxes
        ]

    def __enter__(self) -> _Records:
        return self

    def __exit__(self, *_about: object) -> None:
        for file in self._files:
            file.close()

    def parts(self) -> Iterator[tuple[int, outbox_seal.Part]]:
        """Place and content of every record, from the first to the last. Raises KnownError, BadFrames."""
        for begins, file in zip(self._begins, self._files, strict=False):
            at = begins
            file.seek(0)
            for sealed in outbox_seal.split(file):
                yield at, outbox_seal.open_record(sealed, self._key)
                at += outbox_seal.LENGTH.size + len(sealed)

    def part(self, place: int) -> outbox_seal.Part:
        """The content of the record at this place."""
        which = max(at for at in range(len(self._files)) if self._begins[at] <= place)
        self._files[which].seek(place - self._begins[which])
        return outbox_seal.open_record(next(outbox_seal.split(self._files[which])), self._key)


class _Fetched(io.RawIOBase):
    """A sealed outbox on the server as a file."""

    def __init__(self, office: Office, enrolment: str, outbox: Outbox) -> None:
        self._office = office
        self._enrolment = enrolment
        self._outbox = outbox
        self._at = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """Anywhere in it."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go on at `offset`."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._outbox.length}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Where it goes on."""
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer with as much as one message brings. Raises KnownError."""
        data = self._office.sealed(self._enrolment, self._outbox.sha256, self._at)[: len(buffer)]
        if not data and self._at < self._outbox.length:
            raise KnownError(_("The server gave a part of the sealed work only."), _("Try again."))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
