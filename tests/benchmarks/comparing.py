"""What it costs to hold a store against its server: `python -m tests.benchmarks.comparing [ROWS]`. It asserts no time.

Processor time of either side for the sums of all buckets, and for the records of one bucket; and by how much the
memory of the process grows meanwhile.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from app.store import comparing as ours
from app.store import rows
from app.store.store import Store
from sync.protocol import digest
from sync.protocol.merge import Row
from sync.protocol.messages import BucketHead, Cursor, DigestHead
from sync.server import access, comparing
from sync.server.db.kept import Held
from sync.server.db.sqlite import SqliteStore
from sync.server.feed import Reader
from tests.benchmarks.book import SEED, customers
from tests.benchmarks.names import Dice
from tests.store.device import CUSTOMER, Device

DEFAULT: Final = 100_000
_PIECE: Final = 5_000
_ME: Final = access.Rights(b"p" * 16, access.REP, "Sales")


def _measured(what: str, work: Callable[[], object]) -> None:
    began, before = time.process_time(), _peak_mib()
    work()
    took, grew = time.process_time() - began, _peak_mib() - before
    sys.stdout.write(f"{what:32} {took:8.2f} s of a processor   {grew:+6.1f} MiB\n")


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _fill(store: Store, server: SqliteStore, count: int) -> None:
    shape, drawn, ver = store.shapes["customer"], customers(Dice(SEED), count), 0
    while some := list(islice(drawn, _PIECE)):
        for stored in some:
            ver += 1
            stored.ver = ver
        with store.db.write(durable=False) as db:
            rows.write(db, shape, [(None, stored) for stored in some])
        with server.write() as tx:
            for stored in some:
                tx.records.next_seq()
                row = Row("customer", stored.id, stored.ver, shape.cells(stored), {}, deleted=False)
                scope = access.Scope(_ME.person, _ME.team)
                tx.records.put(Held(row, scope, "", b"", b"", b"", "", 0), None, 0)
    with server.read() as tx, store.db.write() as db:
        cursor = Cursor(epoch=tx.epoch, seq=ver, scopes=1, schema=1)
        db.execute("UPDATE here SET cursor = ?", (msgspec.msgpack.encode(cursor),))


def main(words: list[str]) -> int:
    """Print the figures."""
    count = int(words[0]) if words else DEFAULT
    with tempfile.TemporaryDirectory() as folder:
        device = Device(Path(folder))
        store = device.create()
        server = SqliteStore.create(Path(folder) / "server.db", bytearray(range(32)))
        _fill(store, server, count)
        sys.stdout.write(f"{CUSTOMER.name}s: {count:,}\n")
        reader = Reader(_ME, (), 1, b"", b"", 0)
        cursor = store.here().cursor
        found: dict[str, digest.Sums] = {}

        def sums() -> None:
            total, after, more = digest.Sums(), 0, True
            while more:
                with server.read() as tx:
                    reply = comparing.sums(tx, reader, DigestHead(cursor=cursor, after=after))
                total.add_packed(reply.sums)
                after, more = reply.upto, reply.more
            found["theirs"] = total

        def bucket() -> None:
            after, more = 0, True
            while more:
                with server.read() as tx:
                    asked = BucketHead(cursor=cursor, buckets=b"\x07", after=after)
                    reply = comparing.entries(tx, reader, asked)
                after, more = reply.upto, reply.more

        _measured("server, all sums", sums)
        _measured("server, one bucket", bucket)
        _measured("device, all sums", lambda: found.update(ours=ours.sums(store)))
        _measured("device, one bucket", lambda: ours.digests(store, frozenset([7])))
        assert found["ours"].differing(found["theirs"]) == []
        device.close()
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
