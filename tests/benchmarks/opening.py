"""Open to the first fifty rows, and the pages of every order that a list offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from app.store import lists
from app.store.schema import Shape
from app.store.store import Store
from app.viewmodels import reading
from sync.protocol.kinds import KINDS
from tests.benchmarks.measure import FRAME_MS, Act, Aim, by_turns, timed
from tests.benchmarks.million import Ground
from tests.benchmarks.plain import connect

ROWS = 50
OPENS = 10  # in one round


def measure(ground: Ground) -> list[Act]:
    """Opening, then lists over open stores."""
    return [_open(ground), *_lists(ground)]


def _open(ground: Ground) -> Act:
    """The files are in the system's cache; the key is at hand (start.py measures with the keyring)."""
    shape = Shape(KINDS["customer"])
    first = f"{shape.select} WHERE _deleted = 0 ORDER BY _key, _rowid LIMIT {ROWS}"

    def ours() -> None:
        with ground.store() as store:
            assert len(lists.page(store, shape.kind, limit=ROWS).records) == ROWS

    def twin() -> None:
        conn = connect(ground.plain)
        assert len([shape.stored(row) for row in conn.execute(first)]) == ROWS
        assert conn.execute("SELECT kept FROM counts WHERE kind = 'customer'").fetchone()
        conn.close()

    mine, other = by_turns(partial(_best, ours), partial(_best, twin))
    return Act("open to the first 50 rows", mine, other, Aim(ratio=3))


def _best(work: Callable[[], object]) -> float:
    return min(timed(work) for _time in range(OPENS))


def _lists(ground: Ground) -> list[Act]:
    """First pages, a page far down, and all ids; the twin runs the same code over the plain file."""
    acts = []
    with ground.store() as store, ground.twin() as twin:
        for kind in (KINDS["customer"], KINDS["deal"]):
            offered = reading.orders(kind)
            for order in offered:
                aim = Aim(most=FRAME_MS)
                page = partial(lists.page, kind=kind, order=order, limit=ROWS)
                acts.append(
                    _both(f"first page, {kind.name} by {order or kind.title}", page, store, twin, aim)
                )
            for order in offered:
                ids = partial(_ids, kind=kind.name, order=order)
                acts.append(
                    _both(f"ids of all, {kind.name} by {order or kind.title}", ids, store, twin, Aim())
                )
        kind = KINDS["customer"]
        half = _ids(store, kind="customer", order="")[ground.size // 2 : ground.size // 2 + ROWS]
        far = partial(lists.by_rowids, kind=kind, rowids=half)
        acts.append(_both("50 rows in the middle of a list", far, store, twin, Aim(most=FRAME_MS)))
        for field, text in (("owner", "rep07@demo.example"), ("stage", "lead"), ("address", "Berlin")):
            page = partial(lists.page, kind=kind, where={field: text}, limit=ROWS)
            acts.append(_both(f"first page, customer where {field}", page, store, twin, Aim(most=FRAME_MS)))
            count = partial(lists.count, kind=kind, where={field: text})
            acts.append(_both(f"count, customer where {field}", count, store, twin, Aim()))
    return acts


def _ids(store: Store, *, kind: str, order: str) -> Sequence[int]:
    return lists.ids(store, KINDS[kind], order=order)


def _both(act: str, work: Callable[..., object], store: Store, twin: Store, aim: Aim) -> Act:
    """One question asked of both, by turns."""
    first = timed(partial(work, store))
    timed(partial(work, twin))
    mine, other = by_turns(lambda: timed(partial(work, store)), lambda: timed(partial(work, twin)))
    return Act(act, mine, other, aim, note=f"first time {first:.0f} ms" if first > 2 * mine + 2 else "")
