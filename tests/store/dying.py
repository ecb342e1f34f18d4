"""A process that does one long write and dies at a step of it: before its nth statement, sync or change of a name.

    forks.run("tests.store.dying:main", [FOLDER, RECOVERY, ACT, STEP])

It ends by signal 9, or with 0 when the act has fewer steps, and then says how many.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.keys.secret import SecretBytes
from app.paths import Profile
from app.services.exchange.apply import apply as bring_in
from app.services.exchange.book import book_of
from app.services.exchange.export import export
from app.services.exchange.plan import prepare
from app.store import anew, bulk, comparing, examination, indexing, merging, records
from app.store.db import Database
from app.store.pages import End, Pages
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.protocol.messages import Change, Cursor
from tests.store.device import CUSTOMER, PERSON, Device
from tests.store.exchanges import page, row

ROWS = 300
PIECE = 15
DEVICE = b"dying-device-id."


def apply(store: Store) -> None:
    """A page that takes work, brings rows, changes some and ends others."""
    last = store.here().next_n - 1
    new = [row(b"new %12d" % n, 100 + n, name=f"New {n}", notes="words " * 20) for n in range(ROWS)]
    page(store, *new, row(b"b" * 16, 1_000, gone="left"), acked_n=last - 1, durable_seq=50)


def checkpoint(store: Store) -> None:
    """A batch, then the log into the file, and the index merged."""
    with records.batch(store) as batch:
        for n in range(ROWS):
            batch.add(CUSTOMER, {"name": f"Batch {n}", "notes": "words " * 50})
    store.db.bring_in()
    while merging.step(store):
        pass
    store.db.checkpoint()


def act_on_all(store: Store) -> None:
    """A field set for every record, in pieces."""
    _in_pieces(store, bulk.Setting("stage", "former"))


def delete_all(store: Store) -> None:
    """Every record deleted, in pieces, and all of it taken back."""
    for span in reversed(_in_pieces(store, None)):
        left: bulk.Span | None = span
        while left is not None:
            _did, left = bulk.undo(store, left, PIECE)


def _in_pieces(store: Store, deed: bulk.Deed) -> list[bulk.Span]:
    rowids = [rowid for (rowid,) in store.db.all("SELECT _rowid FROM record_customer ORDER BY _rowid")]
    done = [bulk.do(store, CUSTOMER, rowids[at : at + PIECE], deed) for at in range(0, len(rowids), PIECE)]
    return [did.span for did in done if did.span is not None]


def import_rows(store: Store) -> None:
    """New records and changes of old ones out of a file: one batch."""
    lines = [f"Imported {n},Tea" for n in range(ROWS)] + ["Kept 3,Tea"]
    path = Path(store.db.folder or ".") / "rows.csv"
    path.write_text("name,industry\n" + "\n".join(lines) + "\n")
    held = book_of(store)
    bring_in(prepare([path], held, today=dt.date(2026, 11, 29), currency="EUR"), held)


def export_rows(store: Store) -> None:
    """Every customer into a file that a person chose, where one is already."""
    folder = Path(store.db.folder or ".")
    export(Profile(folder), CUSTOMER, book_of(store), folder / "out.csv")


def rebuild(store: Store) -> None:
    """All that is read off the rows made anew."""
    examination.repair(store)


def lay_in(store: Store) -> None:
    """Records that differed from the server's, and one that is not for this person."""
    changes = [row(b"a" * 16, 10, name="Mended"), row(b"b" * 16, 10, name="Mended")]
    new = [row(b"new %12d" % n, 5, name=f"New {n}", notes="words " * 20) for n in range(ROWS)]
    comparing.lay_in(store, [*changes, *new, Change(kind="", id=b"c" * 16, ver=0, gone="left")], [])


def in_pieces(store: Store) -> None:
    """Two pages, each in pieces that are committed together with its end."""
    pages = Pages(store)
    for at in (0, ROWS):
        for first in range(at, at + ROWS, ROWS // 3):
            some = [
                row(b"new %12d" % n, 100 + n, name=f"New {n}", notes="words " * 20)
                for n in range(first, first + ROWS // 3)
            ]
            pages.lay(some, 0)
        pages.commit(End(Cursor(epoch=b"e", seq=at + ROWS), 0, more=True))


def index(store: Store) -> None:
    """The words of an older file brought into its new index, a few rows at a time."""
    indexing.ROWS = 7  # type: ignore[misc]
    while indexing.step(store):
        pass


def send_again(store: Store) -> None:
    """A server was restored: what it lost waits once more."""
    StoreReplica(store).restart(100)


ACTS: dict[str, Callable[[Store], None]] = {
    "open": lambda _store: None,
    "apply": apply,
    "checkpoint": checkpoint,
    "act on all": act_on_all,
    "delete all": delete_all,
    "import": import_rows,
    "export": export_rows,
    "rebuild": rebuild,
    "lay in": lay_in,
    "pages in pieces": in_pieces,
    "anew": lambda _store: None,
    "index": index,
    "send again": send_again,
}


def main(words: list[str]) -> int:
    """Do it."""
    folder, recovery, act, step = words
    device = Device(Path(folder))
    device.recovery = X25519PrivateKey.from_private_bytes(bytes.fromhex(recovery))
    if act == "open":
        _die_at(int(step))
        device.open()
    elif act == "anew":
        _die_at(int(step))
        make_anew(device)
    else:
        store = device.open()
        _die_at(int(step))
        ACTS[act](store)
    sys.stdout.write(str(_TAKEN[0]))
    return 0


def make_anew(device: Device) -> anew.Anew:
    """A store in the place of one that does not hold."""
    return anew.make(
        device.profile, SecretBytes(device.key), device=DEVICE, incarnation=b"another.", person=PERSON
    )


_TAKEN = [0]  # steps so far


def _die_at(step: int) -> None:
    left = [step]

    def counted(work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            left[0] -= 1
            _TAKEN[0] += 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return work(*args, **named)

        return call

    for name in ("execute", "executemany", "all", "first"):
        setattr(Database, name, counted(getattr(Database, name)))
    os.fsync = counted(os.fsync)
    os.ftruncate = counted(os.ftruncate)
    Path.replace = counted(Path.replace)  # type: ignore[method-assign]
    Path.unlink = counted(Path.unlink)  # type: ignore[method-assign]
