"""How large the store is beside the plain file of the same content, and how large its search indexes are."""

from __future__ import annotations

from app.store.store import Store
from tests.benchmarks.measure import Act, Aim
from tests.benchmarks.million import Ground

MB = 2**20


def measure(ground: Ground) -> list[Act]:
    """Sizes on the disk; of the search indexes, what their blocks hold."""
    ours, plain = ground.profile.store.stat().st_size / MB, ground.plain.stat().st_size / MB
    with ground.store() as store:
        found = {shape.index: _index(store, shape.index) for shape in store.shapes.values()}
        columns = " + ".join(f'coalesce(length("{c}"), 0)' for c, _sql in store.shapes["customer"].columns)
        row = store.db.one(f"SELECT sum({columns}) / count(*) FROM record_customer WHERE _rowid <= 10000")[0]
    parts = ", ".join(f"{name} {size:.0f}" for name, size in found.items() if size >= 1)
    return [
        Act("size of the store", ours, plain, Aim(ratio=1.05), unit="MB"),
        Act("size of the search indexes", sum(found.values()), ours, Aim(ratio=0.1), unit="MB", note=parts),
        Act("a customer's row", row, None, unit="chars"),
    ]


def _index(store: Store, index: str) -> float:
    """Megabytes of an index; it lies in tables of its own, named after it."""
    blocks = store.db.one(f'SELECT coalesce(sum(length(block)), 0) FROM "{index}_data"')[0]
    sizes, rows = store.db.one(f'SELECT coalesce(sum(length(sz)), 0), count(*) FROM "{index}_docsize"')
    return float(blocks + sizes + 6 * rows) / MB
