"""Says of what a page takes away how much the log knows why, without asking who may see what: a second pair of eyes.

A feed that went wrong would take away whatever it looks at. The log does not: a record that was deleted has the mark of
who did it, one that left has a change after which it belongs elsewhere, and rights that changed stand among the former
ones. What a device is told beyond that it holds back, where it is much (sync/client/holding_back.py).
"""

from __future__ import annotations

from collections.abc import Iterable

from sync.protocol.merge import WHOLE_RECORD
from sync.protocol.messages import Change
from sync.server.access import Rights
from sync.server.db.base import Transaction
from sync.server.db.kept import Trace


def accounted(
    tx: Transaction, rights: Rights, device: bytes, changes: Iterable[Change], start: int, *, anew: bool
) -> int:
    """How many of the records that these changes take away the log accounts for; with `anew`, the person's rights are
    others than those that the device has read under."""
    gone = [each for each in changes if each.gone]
    asked = [] if anew else [each.id for each in gone if each.gone != "deleted"]
    traces = tx.records.traces_of(asked, start)
    return sum(_knows(tx, rights, device, each, traces.get(each.id, []), anew=anew) for each in gone)


def _knows(
    tx: Transaction, rights: Rights, device: bytes, change: Change, traces: list[Trace], *, anew: bool
) -> bool:
    held = tx.records.held(change.id)
    if held is None:
        return False
    if change.gone == "deleted":
        return held.row.deleted and WHOLE_RECORD in held.row.marks
    if anew:
        return True
    gave_away = held.scope.person != rights.person
    return any(
        trace.before != held.scope if trace.before is not None else gave_away and trace.device == device
        for trace in traces
    )
