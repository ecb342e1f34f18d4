"""What waits for a person's eye: edits that met, and edits that the server did not take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from app.store import lists, outbox
from app.store.store import Store
from sync.protocol.merge import Conflict
from sync.protocol.ops import Op


@dataclass(frozen=True, slots=True, repr=False)
class OpenConflict:
    """A conflict that nobody has settled, with the record's title ("" when the record is not here)."""

    conflict: Conflict
    title: str


@dataclass(frozen=True, slots=True, repr=False)
class Attention:
    """An op that the server refused: why, when (UTC ms), and the op; None when the record has left this device."""

    n: int
    incarnation: bytes
    kind: str
    id: bytes
    code: str
    hint: str
    at_ms: int
    op: Op | None
    title: str


def open_conflicts(store: Store, *, record: bytes | None = None) -> list[OpenConflict]:
    """Open conflicts, the oldest first; those of one record when it is named."""
    only = " WHERE record = ?" if record is not None else ""
    rows = store.db.all(
        f"SELECT body FROM conflict{only} ORDER BY ver, id",
        () if record is None else (record,),
    )
    found = [msgspec.msgpack.decode(body, type=Conflict) for (body,) in rows]
    return [OpenConflict(each, lists.title_of(store, each.record) or "") for each in found]


def open_count(store: Store) -> int:
    """How many open conflicts there are."""
    return int(store.db.one("SELECT count(*) FROM conflict")[0])


def attention(store: Store) -> list[Attention]:
    """Refused ops, the oldest first."""
    rows = store.db.all(
        "SELECT n, incarnation, kind, id, code, hint, at_ms, op FROM attention ORDER BY at_ms, n"
    )
    return [_attention(store, row) for row in rows]


def attention_count(store: Store) -> int:
    """How many refused ops there are."""
    return int(store.db.one("SELECT count(*) FROM attention")[0])


def _attention(store: Store, row: tuple[Any, ...]) -> Attention:
    n, incarnation, kind, id_, code, hint, at_ms, data = row
    op = outbox.op_of(data) if data is not None else None
    title = lists.title_of(store, id_)
    if title is None and op is not None and kind in store.shapes:
        shape = store.shapes[kind]
        title = shape.title(shape.split(op.set)[0])
    return Attention(n, incarnation, kind, id_, code, hint, at_ms, op, title or "")
