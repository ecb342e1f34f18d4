"""What laptop and desk do in the story of a large outbox: run by tests/forks.py, and killed there.

Each act takes one JSON document and prints one, with the seconds it took and the memory it needed at most, in MiB.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from app import compose
from app.paths import Profile
from app.services.opening import open_session
from app.services.syncing import Syncing
from app.store import outbox, records
from app.store.store import Store, Writing
from sync.compose import admin, office_socket
from sync.protocol.codec import pack
from sync.protocol.kinds import KINDS
from sync.protocol.ops import Op
from tests.acts import Deadly, obey

ACTIVITY = KINDS["activity"]
AT_ONCE = 40  # ops in one act of the person


def fill(words: list[str]) -> int:
    """So many unsent ops: records, and edits of them, forty to a transaction."""
    asked = json.loads(words[0])
    began = _start()
    with open_session(Profile(Path(asked["profile"]))) as session:
        for at in range(asked["from"], asked["from"] + asked["count"], AT_ONCE):
            session.call(_act, at)
    return _done(began)


def _act(store: Store, at: int) -> None:
    """Half of the acts make records, the other half write on what was just made."""
    with records.batch(store) as batch:
        made = []
        for n in range(at, at + AT_ONCE // 2):
            values = {
                "subject": f"Visit {n} at 王芳 & Sønner",
                "about": f"Said {n}. " * 12,
                "minutes": n % 90,
            }
            made.append(batch.add(ACTIVITY, values))
        for n, record in enumerate(made, at):
            batch.edit(record.id, {"outcome": f"Ordered {n}" * 3, "about": f"Said {n} at last. " * 14})


def told(words: list[str]) -> int:
    """Every waiting op of a laptop: number and digest, and the digest of its rows."""
    asked = json.loads(words[0])
    began = _start()
    with open_session(Profile(Path(asked["profile"]))) as session:
        ops = session.call(lambda store: {op.n: digest(op) for op in outbox.every(store.db)})
        here, shown = session.call(Store.here), session.call(rows)
    return _done(began, ops=ops, rows=shown, device=here.device.hex(), incarnation=here.incarnation.hex())


def rows(store: Store) -> str:
    """The digest of all activities as they are shown."""
    shape, shown = store.shapes[ACTIVITY.name], hashlib.sha256()
    for row in store.db.all(f"{shape.select} ORDER BY _id"):
        stored = shape.stored(row)
        shown.update(pack((row[1], stored.deleted, sorted(shape.cells(stored).items()))))
    return shown.hexdigest()


def digest(op: Op) -> str:
    """What tells an op from any other, whatever its number on this device."""
    said = (op.kind, op.id, op.act, op.hlc, op.base, op.set, op.was)
    return hashlib.sha256(pack(said)).hexdigest()


def wipe(words: list[str]) -> int:
    """Obey the order, or go on with it; dies at the nth step."""
    asked = json.loads(words[0])
    began = _start()
    deadly = Deadly(asked["at"])
    problem = obey(Profile(Path(asked["profile"])), deadly)
    return _done(began, steps=deadly.seen, problem=problem)


def desk(words: list[str]) -> int:
    """`fieldkeep-admin`, dying before or after it hands over for the nth time."""
    asked = json.loads(words[0])
    began = _start()
    deadly = Deadly(asked["at"])
    office_socket.RemoteOffice.hand_over = deadly.around("hand_over", office_socket.RemoteOffice.hand_over)  # type: ignore[method-assign]
    code = admin.main(asked["words"])
    sys.stderr.write(json.dumps(_figures(began)))
    return code


def take(words: list[str]) -> int:
    """Sync, and note each op that comes back in the file `into`; dies at the nth `step`, if one is named.

    A packet is noted when it is laid in and not committed yet, so that a kill cannot hide one.
    """
    asked = json.loads(words[0])
    began = _start()
    put = Writing.put
    into = Path(asked["into"]).open("a", encoding="utf-8")  # noqa: SIM115 - as long as the process lives

    def noted(self: Any, op: Op) -> Op:
        if op.origin is not None:
            into.write(f"{op.origin[0].hex()} {op.origin[1].hex()} {op.origin[2]} {digest(op)}\n")
            into.flush()
        return put(self, op)

    Writing.put = noted  # type: ignore[method-assign]
    deadly = Deadly(asked.get("nth"), str(asked.get("step", "")))
    with open_session(Profile(Path(asked["profile"]))) as session:
        syncing = Syncing(session)
        done = syncing.round(deadly)
        syncing.close()
        figures = _figures(began)
        here, shown = session.call(Store.here), session.call(rows)
        unsent = session.call(Store.unsent)
    found = {"recovered": done.recovered, "given": here.next_n - 1, "acked": here.acked_n}
    sys.stdout.write(json.dumps({**found, **figures, "unsent": unsent, "rows": shown}))
    return 0


def _start() -> tuple[float, float]:
    compose.prepare()
    return time.monotonic(), memory(os.getpid())["VmRSS"]


def _done(began: tuple[float, float], **found: Any) -> int:
    sys.stdout.write(json.dumps({**found, **_figures(began)}))
    return 0


def _figures(began: tuple[float, float]) -> dict[str, float]:
    grown = memory(os.getpid())["VmHWM"] - began[1]
    return {"seconds": round(time.monotonic() - began[0], 1), "mib": round(grown, 1)}


def memory(pid: int) -> dict[str, float]:
    """What a process holds now (VmRSS) and held at most (VmHWM), in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    pairs = (line.split() for line in lines if line.startswith("Vm"))
    return {name.rstrip(":"): int(value) / 1024 for name, value, *_unit in pairs}


KILLED = -signal.SIGKILL
