"""What the server takes as it was sent is settled without a look at it, and comes to the same as the general road."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from app.store import as_sent, outbox, records, settled
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.errors import Outcome, Rejection
from sync.protocol.fields import Care
from sync.protocol.kinds import KINDS
from sync.protocol.messages import Cursor, OpResult
from tests.store.device import Device

CUSTOMER = KINDS["customer"]
EPOCH = b"first"


def _answer(
    store: Store, acked: int, seq: int, results: list[OpResult], care: int = Care.RESTRICTED
) -> Answer:
    return Answer(Cursor(epoch=EPOCH, seq=seq, scopes=1, care=care), acked, 0, results=results)


def _held(store: Store, names: dict[bytes, int]) -> list[tuple[Any, ...]]:
    """Rows and what is below them; by names that two stores share, and without when they were changed."""
    rows = store.db.all('SELECT * FROM "record_customer" ORDER BY _rowid')
    for row in rows:
        names.setdefault(row[1], len(names))
    told = [(names[row[1]], *row[2:6], *row[7:]) for row in rows]
    return told + [
        (names[id_], *rest) for id_, *rest in store.db.all("SELECT id, ver, deleted, cells FROM base")
    ]


def _worked(store: Store, draw: random.Random) -> None:
    """Some acts: new records, edits of them and of taken ones, some deleted."""
    for _each in range(12):
        ids = [id_ for (id_,) in store.db.all('SELECT _id FROM "record_customer" WHERE _deleted = 0')]
        act = draw.randrange(6)
        if act < 2 or not ids:
            records.add(store, CUSTOMER, {"name": f"No. {draw.randrange(999)}", "industry": "Tea"})
        elif act < 5:
            name, value = draw.choice(
                [
                    ("industry", f"Trade {draw.randrange(9)}"),
                    ("notes", "x" * draw.randrange(1, 9)),
                    ("tags", ["key"]),
                ]
            )
            records.edit(store, draw.choice(ids), {name: value})
        else:
            records.delete(store, draw.choice(ids))


@pytest.mark.parametrize("seed", range(12))
def test_both_roads_come_to_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    ends: list[list[Any]] = []
    plain = 0
    for folder, straight in (("one", True), ("other", False)):
        draw = random.Random(seed)
        device = Device(tmp_path / folder)
        store = device.create()
        ends.append([])
        names: dict[bytes, int] = {}
        for turn in range(4):
            _worked(store, draw)
            waiting = outbox.every(store.db)
            # The server takes most as they are, refuses some, and answers some of them only.
            acked = waiting[: draw.randrange(1, len(waiting) + 1)]
            results = [
                OpResult(n=op.n, outcome=Outcome.REJECTED, code=Rejection.INVALID)
                if draw.random() < 0.1
                else OpResult(n=op.n, outcome=Outcome.OK, ver=100 * turn + number + 1)
                for number, op in enumerate(acked)
            ]
            answer = _answer(store, acked[-1].n, 100 * (turn + 1), results)
            if straight:
                plain += len(as_sent.found(store, acked, answer, {each.n: each for each in results}))
            else:
                monkeypatch.setattr(as_sent, "found", lambda *words: {})
            StoreReplica(store).apply(answer)
            ends[-1].append(sorted(_held(store, names), key=repr))
        store.close()
    assert ends[0] == ends[1]
    assert plain > 1


def test_nothing_is_settled_so_of_which_something_else_is_said(store: Store) -> None:
    id_ = records.add(store, CUSTOMER, {"name": "One", "revenue": None}).id
    waiting = outbox.every(store.db)
    n = waiting[0].n

    def plain(*results: OpResult, care: int = Care.RESTRICTED) -> bool:
        said = {each.n: each for each in results}
        return id_ in as_sent.found(
            store, outbox.every(store.db)[:1], _answer(store, n, 9, [*results], care), said
        )

    assert plain()
    assert plain(OpResult(n=n, outcome=Outcome.OK, ver=3))
    assert not plain(OpResult(n=n, outcome=Outcome.MERGED, ver=3))
    assert not plain(OpResult(n=n, outcome=Outcome.REJECTED))
    assert not plain(OpResult(n=n, outcome=Outcome.OK, ver=3, conflicts=[b"c" * 16]))
    records.edit(store, id_, {"industry": "Tea"})  # something waits behind
    assert not plain(OpResult(n=n, outcome=Outcome.OK, ver=3))


def test_taken_ops_are_looked_through_once_an_hour(
    device: Device, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    whole = store.db.execute

    def listening(sql: str, *words: Any) -> Any:
        asked.append(sql)
        return whole(sql, *words)

    monkeypatch.setattr(store.db, "execute", listening)

    def looked() -> int:
        asked.clear()
        with store.db.write():
            settled.forget_old(store, 5)
        return sum("acked_ms" in sql for sql in asked)

    assert [looked(), looked()] == [1, 0]
    device.ahead_ms += settled.LOOK_MS
    assert [looked(), looked()] == [1, 0]
