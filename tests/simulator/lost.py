"""Backups of the run's server, what is lost when one of them is put back, and what it forgets by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.compose import backing
from sync.protocol.desk import Backed
from sync.protocol.ops import Act
from sync.server import forgetting
from sync.server.db import copies
from tests.simulator.said import Value, deletes_by, kept_by, looked_at, parts_of

if TYPE_CHECKING:
    from tests.simulator.world import World


def back_up(world: World) -> None:
    """A verified backup of the server."""
    if not world.in_a_file:  # of the file alone
        return
    file = world.folder / f"backup-{len(world.backups)}"
    held = copies.take(world.folders.store, bytearray(world.ground.store_key), file)
    assert copies.look(file, bytearray(world.ground.store_key)) == held
    assert world.office.backed_up(Backed(epoch=held.epoch, seq=held.seq, made=world.now()))
    world.backups.append((file, set(world.done)))


def restore(world: World, back: int) -> None:
    """The server is put back from one of its backups; nothing where there is none."""
    if not world.backups:
        return
    world.restores += 1
    world.quiet.clear()  # no line outlives its server
    # A refused change that the server alone keeps goes with it, and a disk that was put back sends nothing again.
    world.refused_once |= world.refused
    here = set[Value]().union(*(kept_by(each) | looked_at(each) for each in world.laptops.values()))
    world.gone |= world.missed - here
    world.server.close()
    file, done = world.backups[-1 - back % len(world.backups)]
    if back % len(world.backups):
        # A newer one held what devices let go of since: that its record left is reason enough then.
        kept = set[Value]().union(*map(kept_by, world.laptops.values()))
        said = {(*at, repr(each.value)) for at, some in world.written.items() for each in some}
        world.at_risk |= said - kept
        deleted = {id_ for id_, acts in world.acts.items() if any(act is Act.DELETE for act, _told in acts)}
        world.deletes_gone |= deleted - set[bytes]().union(*map(deletes_by, world.laptops.values()))
    world.done = set(done)
    world.answered.clear()
    backing.restore(world.folders, file, replace=True)
    world.serve()


def forget(world: World) -> None:
    """The server forgets all that it would some day; what went with it is noted."""
    world.forgets += 1
    with world.server.read() as tx:
        ids = [each.id for each in tx.records.after(0) if each.deleted]
        rows = [held.row for held in map(tx.records.held, ids) if held is not None]
    for _step in forgetting.forget(world.server, world.now() + 2 * forgetting.KEPT_DAYS * forgetting.DAY_MS):
        pass
    for row in rows:
        for cell, value in row.cells.items() if not forgetting.hollow(row) else ():
            world.forgotten.setdefault((row.id, cell), set()).update(parts_of(value))
