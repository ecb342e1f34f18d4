"""A process that does one long write and dies at a step of it: before its nth statement, sync or change of a name.

    forks.run("tests.store.dying:main", [FOLDER, RECOVERY, ACT, STEP])

It ends by signal 9, or with 0 when the act has fewer steps.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.store import indexing, merging, records
from app.store.db import Database
from app.store.store import Store
from tests.store.device import CUSTOMER, Device
from tests.store.exchanges import page, row

ROWS = 300


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


def index(store: Store) -> None:
    """The words of an older file brought into its new index, a few rows at a time."""
    indexing.ROWS = 7  # type: ignore[misc]
    while indexing.step(store):
        pass


ACTS: dict[str, Callable[[Store], None]] = {
    "open": lambda _store: None,
    "apply": apply,
    "checkpoint": checkpoint,
    "index": index,
}


def main(words: list[str]) -> int:
    """Do it."""
    folder, recovery, act, step = words
    device = Device(Path(folder))
    device.recovery = X25519PrivateKey.from_private_bytes(bytes.fromhex(recovery))
    if act == "open":
        _die_at(int(step))
        device.open()
    else:
        store = device.open()
        _die_at(int(step))
        ACTS[act](store)
    return 0


def _die_at(step: int) -> None:
    left = [step]

    def counted(work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            left[0] -= 1
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
