"""The straight road of new rows lays exactly what the general road lays, whatever a server sends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store import examination, rows, straight
from app.store.schema import Stored
from app.store.store import Store
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Address
from sync.protocol.ids import new_record_id
from sync.protocol.kinds import KINDS, Kind
from tests.protocol.strategies import raw_values, tries
from tests.store.device import CUSTOMER, Device
from tests.store.exchanges import page, row

ODD: tuple[Any, ...] = (
    None, True, False, 5, -(2**63), 2**63, 2**64 - 1, 1.5, "text", "北京 Ünï", b"0123456789abcdef", [], ["a"],
    {"label": "work", "value": "+49 30 1234567"}, {"value": 5}, {"id": "x", "value": "y"}, {},
    {"minor": 2**63, "currency": "EUR"}, {"minor": 7, "currency": "EUR"}, {"at": 7, "zone": "UTC"},
)  # fmt: skip


def _odd_cells(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    """Cells of which a field may not be able to hold what stands in them, or which no field knows."""
    # What is no address is refused by the server, and no column tells it from one.
    names = [field.name for field in kind.fields if not isinstance(field.type, Address)]
    cell = st.sampled_from([*names, *(f"{name}/00112233aabbccdd" for name in names), "later", "later/one"])
    return st.dictionaries(cell, st.sampled_from(ODD), max_size=3)


@st.composite
def _cells(draw: st.DrawFn, kind: Kind) -> dict[str, Any]:
    try:
        values = kind.check(draw(raw_values(kind)), whole=True)
    except FieldProblem:
        values = {}
    return {**kind.cells(values), **(draw(_odd_cells(kind)) if draw(st.integers(0, 3)) == 3 else {})}


def _by_the_general_road(store: Store, kind: Kind, new: list[straight.New]) -> None:
    shape = store.shapes[kind.name]
    changes: list[rows.Change] = []
    for each in new:
        values, ext = shape.split(each.cells)
        after = Stored(
            each.id, each.ver, conflicts=each.conflicts, changed_ms=each.changed_ms,
            changed_by=each.changed_by, values=values, ext=ext,
        )  # fmt: skip
        changes.append((None, after))
    rows.write(store.db, shape, changes)


def _laid(store: Store, kind: Kind) -> tuple[Any, ...]:
    """All that the store holds of a kind, but for the numbers of its rows."""
    shape, db = store.shapes[kind.name], store.db
    table = sorted(db.all(shape.select), key=lambda each: each[1])
    ids = {each[0]: each[1] for each in table}
    said = {index: f"SELECT doc, term FROM {db.tokens(index)}" for index in shape.indexes}  # noqa: S608
    words = [{(ids[doc], term) for doc, term in db.all(asked)} for asked in said.values()]
    counted = [f'SELECT * FROM "{tally.table}"' for tally in shape.tallies]  # noqa: S608 - its own name
    totals = [sorted(db.all(asked)) for asked in counted]
    return [each[1:] for each in table], words, totals, store.counts()[kind.name]


def _draw_all(kind: Kind, laid: list[list[Mapping[str, Any]]]) -> None:
    @tries(30)
    @given(some=st.lists(_cells(kind), min_size=1, max_size=12))
    def draw(some: list[Mapping[str, Any]]) -> None:
        laid.append(some)

    draw()


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_both_roads_lay_the_same(tmp_path: Path, kind: Kind) -> None:
    drawn: list[list[Mapping[str, Any]]] = []
    _draw_all(kind, drawn)
    folders = [tmp_path / name for name in ("straight", "general")]
    for folder in folders:
        folder.mkdir()
    devices = [Device(folder) for folder in folders]
    by_road, in_general = (device.create() for device in devices)
    road, straight_ones = straight.Road(by_road.shapes[kind.name]), 0
    for at, cells in enumerate(drawn):
        new = [
            straight.New(bytes(new_record_id()), at + 1, at % 3, 1_000 + at, "lena@example.com", each)
            for each in cells
        ]
        turn = by_road.shapes[kind.name].turns
        with by_road.db.write() as db:
            others = straight.lay_in(db, road, new)
            _by_the_general_road(by_road, kind, others)
        assert by_road.shapes[kind.name].turns > turn
        straight_ones += len(new) - len(others)
        with in_general.db.write():
            _by_the_general_road(in_general, kind, new)
    assert _laid(by_road, kind) == _laid(in_general, kind)
    assert straight_ones > sum(map(len, drawn)) / 2
    assert examination.examine(by_road) == []
    for device in devices:
        device.close()


def test_a_page_of_new_rows_takes_the_straight_road(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    went: list[int] = []
    lay_in = straight.lay_in

    def counted(db: Any, road: straight.Road, new: Any) -> list[straight.New]:
        others = lay_in(db, road, new)
        went.append(len(new) - len(others))
        return others

    monkeypatch.setattr(straight, "lay_in", counted)
    ids = [bytes(new_record_id()) for _row in range(4)]
    page(store, row(ids[0], 1, name="Anna Ltd"), row(ids[1], 2, name="Bert Ltd", later=5), seq=2)
    assert went == [1]  # what this version does not know goes the general road
    page(store, row(ids[0], 3, name="Anna GmbH"), row(ids[2], 4, name="北京"), seq=4)
    assert went == [1, 1]
    assert store.counts()[CUSTOMER.name] == 3
    assert examination.examine(store) == []
