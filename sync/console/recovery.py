"""Gives unsent work back: opens what a device has handed in, and seals it anew to the device that is to have it.

The outbox is fetched, opened and handed over piece by piece, so that its size costs time and little memory. It is gone
through twice: once to see in which order its ops stand, once to hand them over. An op is known by its print: one that
the server has answered, or that stands there twice, is left out; two copies of a device that gave the same number to
different ops each have theirs handed over. What comes from several files or incarnations is handed over in the order in
which it was done, so that nothing comes before what it stands on.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from sync.console import keyfile, refusals
from sync.console.desk import RECOVERY_KEY, Passphrase
from sync.console.ports import Office
from sync.console.sealed_records import Files, Records
from sync.protocol import codec, outbox_seal, sealing
from sync.protocol.desk import DeviceView, Parcel
from sync.protocol.ops import Op, print_of

PARCEL_OPS: Final = 500
PARCEL_BYTES: Final = 2**20
AT_ONCE: Final = 8 * 2**20  # bytes of parcels in one message to the office

Wanted = Callable[[list[bytes]], list[bool]]  # which ops of these prints are to be handed over


def recover(
    office: Office,
    keys: Path,
    passphrase: Passphrase,
    source: DeviceView,
    target: DeviceView,
    *,
    refused: bool = False,
) -> tuple[int, int]:
    """Open what a device had not sent and hand it to another one: (changes found, changes handed over now).

    The recovery key is used in this process alone. What the server has answered is left out; with `refused`, what it
    has answered with no is handed over too, to be judged anew. Ended in the middle, it is run again: the same batches
    are made, and parcels that were filed before and not taken in yet are not filed twice. Raises KnownError, also when
    everything that can be read was handed over and something could not be read.
    """
    work = office.work(source.enrolment, target.enrolment)
    key = keyfile.read(keys / RECOVERY_KEY, passphrase)
    said_no = refusals.ops(office, key, source.enrolment) if refused else []
    home = [each.sha256 for each in work.outboxes] if source.id == target.id else []

    def wanted(prints: list[bytes]) -> list[bool]:
        return [said is None or (refused and not said) for said in office.answered(prints)]

    with Records(office, source.enrolment, work, key.opening) as records:
        ops = _in_time([*_streams(records), *([said_no] if said_no else [])])
        made = parcels(work.sealing_key, bytes.fromhex(work.source), ops, wanted, home)
        told = _hand_over(office, source.enrolment, target.enrolment, made)
        records.complain()
    return told


def give_share_back(office: Office, keys: Path, passphrase: Passphrase, device: DeviceView) -> bool:
    """Open the sealed copy of a share that a restored server has lost, and have it held again; False where none is
    lost. Raises KnownError."""
    lost = office.lost_share(device.enrolment)
    if lost is None:
        return False
    key = keyfile.read(keys / RECOVERY_KEY, passphrase)
    office.give_share(device.enrolment, lost.epoch, sealing.unseal(key.opening, sealing.SHARE, lost.sealed))
    return True


def recover_files(
    office: Office, keys: Path, passphrase: Passphrase, paths: Sequence[Path], target: DeviceView
) -> tuple[int, int]:
    """The same of a device's own sealed files, where the server does not know the device: it was enrolled after the
    backup that the server was restored from. What the files hold is one device's, which their records name.
    """
    files = Files(paths)
    work = msgspec.structs.replace(office.work("", target.enrolment), outboxes=files.outboxes)
    key = keyfile.read(keys / RECOVERY_KEY, passphrase)

    def wanted(prints: list[bytes]) -> list[bool]:
        return [said is None for said in office.answered(prints)]

    with Records(files, "", work, key.opening) as records:
        ops = _in_time(_streams(records))
        made = parcels(work.sealing_key, bytes.fromhex(records.source), ops, wanted)
        told = _hand_over(office, "", target.enrolment, made)
        records.complain()
    return told


def _hand_over(office: Office, source: str, target: str, made: Iterable[Parcel]) -> tuple[int, int]:
    """Some parcels in one message: (changes found, changes handed over now)."""
    found = fresh = 0
    waiting: list[Parcel] = []
    for parcel in made:
        found += parcel.ops
        if waiting and sum(len(each.data) for each in waiting) + len(parcel.data) > AT_ONCE:
            fresh += office.hand_over(source, target, waiting)
            waiting = []
        waiting.append(parcel)
    if waiting:
        fresh += office.hand_over(source, target, waiting)
    return found, fresh


def parcels(
    public: bytes,
    device: bytes,
    ops: Iterable[Op],
    wanted: Wanted = lambda prints: [True] * len(prints),
    outboxes: Sequence[str] = (),
) -> Iterator[Parcel]:
    """The wanted ones of these ops in parcels of bounded size, each sealed to the device that is to have them.

    Each op says where it comes from (`origin`). `outboxes`: the digests of what was opened, for its own device.
    """
    for batch in _batches(ops):
        prints = [print_of(op) for op in batch]
        chosen = [op for op, want in zip(batch, wanted(prints), strict=True) if want]
        if chosen:
            part = outbox_seal.Part(device=device, incarnation=b"", ops=chosen, outboxes=list(outboxes))
            yield Parcel(
                batch=hashlib.sha256(b"".join(prints)).hexdigest(),
                ops=len(chosen),
                data=sealing.seal(public, sealing.RECOVERED, codec.pack(part)),
            )


def _batches(ops: Iterable[Op]) -> Iterator[list[Op]]:
    """Cut alike whatever of them is wanted, so that a parcel that was filed before is known again."""
    batch: list[Op] = []
    size = 0
    for op in ops:
        length = len(codec.pack(op))
        if batch and (len(batch) >= PARCEL_OPS or size + length > PARCEL_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(op)
        size += length
    if batch:
        yield batch


def _streams(records: Records) -> list[Iterable[Op]]:
    """The ops of each file and incarnation, by number."""
    index = outbox_seal.Index()
    for file, place, part in records.parts():
        index.note(file, place, part)
    return [
        _from(source, records.fitting(index.in_order(source, records.part))) for source in index.sources()
    ]


def _from(source: outbox_seal.Source, ops: Iterable[Op]) -> Iterator[Op]:
    """The ops with where they come from; one that was given to this device before says so already."""
    device, incarnation, _file = source
    for op in ops:
        yield op if op.origin else msgspec.structs.replace(op, origin=(device, incarnation, op.n))


def _in_time(streams: Sequence[Iterable[Op]]) -> Iterator[Op]:
    """The ops of all streams as they were done, each once, numbered from 1; acts stay known as acts."""

    def placed(at: int, stream: Iterable[Op]) -> Iterator[tuple[int, Op]]:
        return ((at, op) for op in stream)

    merged = heapq.merge(
        *(placed(at, stream) for at, stream in enumerate(streams)), key=lambda each: each[1].hlc
    )
    told = set[bytes]()  # of several streams: a queue that was numbered anew, the beginning of a longer file
    # By stream: the first number of its act under way, as it was and as it is now.
    acts: dict[int, tuple[int, int]] = {}
    n = 0
    for at, op in merged:
        if len(streams) > 1:
            if (print_ := print_of(op)) in told:
                continue
            told.add(print_)
        n += 1
        was, begins = acts.get(at, (0, 0))
        if not op.first or op.first != was:
            begins = n
        acts[at] = op.first, begins
        yield msgspec.structs.replace(op, n=n, first=begins)
