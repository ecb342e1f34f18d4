"""kill -9 in the middle of work: row, outbox and sealed outbox agree at the next open, every time.

A child process writes without end and says on a pipe what was committed; it is killed at moments drawn from a
seed, also in the middle of a page and of a batch.
"""

from __future__ import annotations

import json
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.store import examination, outbox, records
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.protocol.ops import Act
from tests.store.device import CUSTOMER, Device

ROOT = Path(__file__).resolve().parents[2]

CHILD = """
import json, sys
from pathlib import Path
from app.store import records
from app.store.replica import StoreReplica
from sync.client.ports import Answer
from sync.protocol.messages import Cursor
from sync.protocol.ops import Act
from tests.store.device import CUSTOMER, Device
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

device = Device(Path(sys.argv[1]))
device.recovery = X25519PrivateKey.from_private_bytes(bytes.fromhex(sys.argv[2]))
store = device.open()
replica = StoreReplica(store)
print(json.dumps({"ready": True}), flush=True)
turn = 0
while True:
    turn += 1
    if turn % 7 == 0:
        with records.batch(store) as batch:
            ids = [batch.add(CUSTOMER, {"name": f"Batch {turn} {n}"}).id.hex() for n in range(40)]
    elif turn % 11 == 0:
        acked = replica.position().last_n - 5
        replica.apply(Answer(Cursor(epoch=b"e", seq=acked), acked, acked))
        ids = []
    else:
        made = records.add(store, CUSTOMER, {"name": f"Single {turn}", "notes": "n" * 500})
        records.edit(store, made.id, {"stage": "lead"})
        ids = [made.id.hex()]
    print(json.dumps({"ids": ids}), flush=True)
"""


def _agrees(device: Device, store: Store) -> None:
    """What must hold whenever the store is opened."""
    assert examination.examine(store) == []
    device.assert_sealed(store)
    waiting = outbox.every(store.db)
    numbers = [op.n for op in waiting]
    if numbers:
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert numbers[-1] == StoreReplica(store).position().last_n
    by_record: dict[bytes, int] = {}
    for op in waiting:
        by_record[op.id] = by_record.get(op.id, 0) + 1
    shape = store.shapes["customer"]
    rows = {row[1]: shape.stored(row) for row in store.db.all(shape.select)}
    assert {id_: stored.waiting for id_, stored in rows.items() if stored.waiting} == by_record
    for op in waiting:
        if op.act is Act.ADD:
            assert rows[op.id].values["name"] == op.set["name"]
    bases = {id_ for (id_,) in store.db.all("SELECT id FROM base")}
    assert bases == {id_ for id_ in by_record if rows[id_].ver > 0}


def _run(device: Device, draw: random.Random) -> list[bytes]:
    """One life of the child, ended at a moment nobody chose; the records it was sure of."""
    command = [
        sys.executable,
        "-c",
        CHILD,
        str(device.profile.folder),
        device.recovery.private_bytes_raw().hex(),
    ]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    sure: list[bytes] = []
    try:
        assert json.loads(child.stdout.readline()) == {"ready": True}
        until = time.monotonic() + draw.uniform(0.0, 0.25)
        while (left := until - time.monotonic()) > 0:
            readable, _, _ = select.select([child.stdout], [], [], left)
            if readable:
                sure += [bytes.fromhex(id_) for id_ in json.loads(child.stdout.readline())["ids"]]
    finally:
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read()
        child.wait(10)
        child.stdout.close()
    for line in rest.splitlines():
        if line.endswith("}"):
            sure += [bytes.fromhex(id_) for id_ in json.loads(line)["ids"]]
    return sure


def _lives(tmp_path: Path, times: int, seed: int) -> None:
    device, draw = Device(tmp_path), random.Random(seed)
    device.create()
    device.close()
    known: set[bytes] = set()
    for _life in range(times):
        known.update(_run(device, draw))
        store = device.open()
        _agrees(device, store)
        there = {id_ for (id_,) in store.db.all('SELECT _id FROM "record_customer"')}
        assert known <= there  # what was said to be saved is saved
        records.add(store, CUSTOMER, {"name": "After the crash"})
        device.assert_sealed(store)
        device.close()
    assert len(known) > times


def test_a_killed_process_leaves_row_outbox_and_seal_in_agreement(tmp_path: Path) -> None:
    _lives(tmp_path, 8, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_a_process_killed_many_times(tmp_path: Path, seed: int) -> None:
    _lives(tmp_path, 40, seed)
