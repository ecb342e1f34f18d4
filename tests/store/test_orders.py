"""Orders: walks in pieces, and a planner that answers every offered order from its index, without sort or rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from app.store import lists, narrowing, orders
from app.store.filters import Asks, Condition, Filter
from app.store.schema import orders_of
from app.store.store import Store
from sync.protocol.kinds import KINDS, Kind
from tests.store.device import CONTACT, CUSTOMER, DEAL
from tests.store.shelf import shelf

__all__ = ["shelf"]  # the fixture


def test_a_walk_in_pieces_is_a_walk_in_one_go(shelf: Store) -> None:
    for kind in KINDS.values():
        shape = shelf.shapes[kind.name]
        for order in orders_of(kind):
            for sign in ("", "-"):
                sort = orders.sort_of(shelf, shape, sign + order)
                whole, end = orders.walk(shelf, shape, sort)
                assert end is None
                for limit in (1, 7):
                    pieces, after = orders.walk(shelf, shape, sort, None, limit)
                    while after is not None:
                        piece, after = orders.walk(shelf, shape, sort, after, limit)
                        pieces.extend(piece)
                    assert pieces == whole
                known = orders.keys(shelf, shape, sort, whole)
                pairs = [(known[rowid], rowid) for rowid in whole]
                assert all(sort.precedes(one, two) for one, two in itertools.pairwise(pairs))


def plans(store: Store, run: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How SQLite answers every question that `run` asks."""
    asked: list[tuple[str, Any]] = []
    real = store.db.all

    def noted(sql: str, values: Any = ()) -> Any:
        asked.append((sql, values))
        return real(sql, values)

    with monkeypatch.context() as patch:
        patch.setattr(store.db, "all", noted)
        run()
    return [
        f"{line[-1]} <- {sql}" for sql, values in asked for line in real(f"EXPLAIN QUERY PLAN {sql}", values)
    ]


def reads_rows(store: Store, table: str, sql: str, values: Any) -> bool:
    """Whether the compiled question takes any column from the table itself, and not from an index alone."""
    root = store.db.one("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,))[0]
    steps = [line[1:5] for line in store.db.all(f"EXPLAIN {sql}", values)]
    cursors = {at for step, at, page, _p3 in steps if step == "OpenRead" and page == root}
    return any(step == "Column" and at in cursors for step, at, _p2, _p3 in steps)


def test_no_offered_order_sorts_or_reads_the_table(shelf: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in KINDS.values():
        shape = shelf.shapes[kind.name]
        for order in orders_of(kind):
            for sign in ("", "-"):
                sort = orders.sort_of(shelf, shape, sign + order)
                for after in (
                    None,
                    ("a" if not order else 1, 5),
                    *([(None, 3)] if sort.may_be_empty else []),
                ):
                    for stretch in orders.stretches(sort, after):
                        select = f'SELECT _rowid FROM "{shape.table}" INDEXED BY "{sort.index}"'  # noqa: S608
                        sql = orders.statement(select, sort, stretch, "_deleted = 0")
                        assert not reads_rows(shelf, shape.table, sql, (*stretch[1], 9)), sql
                    walked = plans(shelf, lambda: orders.walk(shelf, shape, sort, after), monkeypatch)  # noqa: B023
                    paged = plans(
                        shelf,
                        lambda: lists.page(shelf, kind, order=sign + order, after=after),  # noqa: B023
                        monkeypatch,
                    )
                    for line in (*walked, *paged):
                        one_row = "INTEGER PRIMARY KEY" in line and "_rowid IN" in line
                        assert f"INDEX {sort.index}" in line or one_row, line
                        assert "TEMP B-TREE" not in line, line


@pytest.mark.parametrize(
    ("kind", "condition", "index"),
    [
        (CUSTOMER, Condition("owner", Asks.MINE), "record_customer_owner"),
        (CUSTOMER, Condition("stage", Asks.ONE_OF, ("lead",)), "record_customer_by_stage"),
        (DEAL, Condition("stage", Asks.IS, ("won",)), "record_deal_stage"),
        (CONTACT, Condition("customer", Asks.IS, (b"x" * 16,)), "record_contact_customer"),
        (KINDS["task"], Condition("done", Asks.IS, (True,)), "record_task_done"),
    ],
)
def test_common_filters_are_answered_by_an_index(
    shelf: Store, monkeypatch: pytest.MonkeyPatch, kind: Kind, condition: Condition, index: str
) -> None:
    shape = shelf.shapes[kind.name]
    lines = plans(shelf, lambda: narrowing.scan(shelf, shape, Filter((condition,)), 1, 20_000), monkeypatch)
    assert any(f"INDEX {index} " in line for line in lines), lines
