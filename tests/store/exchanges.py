"""What a server says to a replica, in one call each."""

from __future__ import annotations

import msgspec

from app.store import records
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.codec import Raw, pack
from sync.protocol.messages import Change, Cursor
from sync.protocol.ops import Act, Op
from tests.store.device import CUSTOMER, Device
from tests.store.server import EPOCH, Server

BIG = (1_000, 2**22)


def send(server: Server, device: Device, store: Store, *, refuse: bytes | None = None) -> Answer:
    """One exchange in full: everything waiting goes up, the answer is laid in."""
    replica = StoreReplica(store)
    if refuse is not None:
        server.refuses.add(refuse)
    results = server.push(device.id, store.incarnation, replica.take(*BIG))
    page = server.page(device.id, store.incarnation, store.here().cursor.seq)
    answer = msgspec.structs.replace(page, results=results)
    replica.apply(answer)
    return answer


def meet(server: Server, device: Device, store: Store) -> bytes:
    """A record of which "former" stands, from elsewhere, and "customer" is kept, which was written here."""
    made = records.add(store, CUSTOMER, {"name": "Anna Ltd", "stage": "lead"})
    send(server, device, store)
    server.write(foreign("customer", Act.SET, made.id, base=1, stage="former"))
    records.edit(store, made.id, {"stage": "customer"})
    send(server, device, store)
    return made.id


def foreign(kind: str, act: Act, id_: bytes, base: int = 0, **cells: object) -> Op:
    """An edit that somebody else makes."""
    return Op(n=1, kind=kind, id=id_, act=act, hlc=1, base=base, set=cells)


def row(id_: bytes, ver: int, gone: str = "", kind: str = "customer", **cells: object) -> Change:
    """A row as a page brings it."""
    return Change(kind=kind, id=id_, ver=ver, gone=gone, cells={c: Raw(pack(v)) for c, v in cells.items()})


def page(store: Store, *changes: Change, seq: int = 0, acked_n: int = 0, durable_seq: int = 0) -> None:
    """Lay in one page of these rows."""
    seq = seq or max((each.ver for each in changes), default=0)
    StoreReplica(store).apply(
        Answer(Cursor(epoch=EPOCH, seq=seq), acked_n, durable_seq, changes=list(changes))
    )
