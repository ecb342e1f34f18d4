"""The straight road of rows lays exactly what the general road lays, whatever a server sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store import examination, records, straight
from app.store.db import Database
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol import clock
from sync.protocol.codec import Raw, pack
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Address
from sync.protocol.ids import new_record_id
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.messages import Change, Cursor
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


def _laid(store: Store, kind: Kind) -> tuple[Any, ...]:
    """All that the store holds of a kind, but for the numbers of its rows."""
    shape, db = store.shapes[kind.name], store.db
    table = sorted(db.all(shape.select), key=lambda each: each[1])
    ids = {each[0]: each[1] for each in table}
    asked = f"SELECT doc, term FROM {db.tokens(shape.index)}"  # noqa: S608 - its own name
    words = {(ids[doc], term) for doc, term in db.all(asked)}
    counted = [f'SELECT * FROM "{tally.table}"' for tally in shape.tallies]  # noqa: S608 - its own name
    totals = [sorted(db.all(asked)) for asked in counted]
    return [each[1:] for each in table], words, totals, store.counts()[kind.name]


def _drawn(kind: Kind) -> list[list[Mapping[str, Any]]]:
    found: list[list[Mapping[str, Any]]] = []

    @tries(30)
    @given(some=st.lists(_cells(kind), min_size=1, max_size=12))
    def draw(some: list[Mapping[str, Any]]) -> None:
        found.append(some)

    draw()
    return found


def _pages(kind: Kind) -> list[list[Change]]:
    """New rows, the same rows with what others had, one field of each changed, and a word that came twice."""
    drawn, pages = _drawn(kind), []
    ids = [[bytes(new_record_id()) for _cells in some] for some in drawn]
    ver = 0
    for turn in (0, 1, 2, 2):
        for at, own in enumerate(ids):
            changes = []
            for place, id_ in enumerate(own):
                source = drawn[(at + min(turn, 1)) % len(drawn)]
                cells = dict(source[place % len(source)])
                if turn == 2:
                    cells |= {kind.title: cells.get(kind.title), "later": 1 if place % 5 == 4 else None}
                    cells |= {f"tags/turn {place}": True} if "tags" in kind.by_name else {}
                ver += 1
                packed = {cell: Raw(pack(value)) for cell, value in reversed(cells.items())}
                hlc = clock.stamp(0, 1_700_000_000_000 + ver) if place % 4 else 0
                changes.append(
                    Change(kind=kind.name, id=id_, ver=ver, cells=packed, hlc=hlc, person="lena@example.com")
                )
            pages.append(changes)
    return pages


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_both_roads_lay_the_same(tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [tmp_path / name for name in ("straight", "general")]
    for folder in folders:
        folder.mkdir()
    devices = [Device(folder) for folder in folders]
    by_road, in_general = (device.create() for device in devices)
    went, lay_in = [0], straight.lay_in

    def counted(db: Database, road: straight.Road, some: Sequence[straight.New]) -> Any:
        different, others = lay_in(db, road, some)
        went[0] += len(some) - len(others)
        return different, others

    monkeypatch.setattr(straight, "lay_in", counted)
    pages, every = _pages(kind), 0
    for seq, changes in enumerate(pages, 1):
        every += len(changes)
        answer = Answer(Cursor(epoch=b"e", seq=seq), 0, 0, changes=changes)
        turns = [store.shapes[kind.name].turns for store in (by_road, in_general)]
        told = StoreReplica(by_road).apply(answer)
        with monkeypatch.context() as patch:
            patch.setattr(straight, "takes", lambda _raw: False)
            told_in_general = StoreReplica(in_general).apply(answer)
        assert sorted(told.records) == sorted(told_in_general.records)
        assert told.received == told_in_general.received
        turned = [store.shapes[kind.name].turns for store in (by_road, in_general)]
        assert turned[0] - turns[0] == turned[1] - turns[1]
    assert _laid(by_road, kind) == _laid(in_general, kind)
    assert every > went[0] > every / 4
    assert examination.examine(by_road) == []
    for device in devices:
        device.close()


def test_what_waits_or_is_not_known_goes_the_general_road(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    went: list[bytes] = []
    lay_in = straight.lay_in

    def noted(db: Database, road: straight.Road, some: Sequence[straight.New]) -> Any:
        different, others = lay_in(db, road, some)
        went.extend(each.id for each in some if each not in others)
        return different, others

    monkeypatch.setattr(straight, "lay_in", noted)
    ids = [bytes(new_record_id()) for _row in range(3)]
    page(store, row(ids[0], 1, name="Anna Ltd"), row(ids[1], 2, name="Bert Ltd", later=5), seq=2)
    assert went == [ids[0]]
    page(
        store,
        row(ids[0], 3, name="Anna GmbH"),
        row(ids[1], 4, name="Bert"),
        row(ids[2], 5, name="北京"),
        seq=5,
    )
    assert went == [ids[0], ids[0], ids[2]]
    records.edit(store, ids[0], {"stage": "lead"})
    page(store, row(ids[0], 6, name="Anna AG"), seq=6)
    assert went == [ids[0], ids[0], ids[2]]
    assert records.get(store, ids[0]).values == {"name": "Anna AG", "stage": "lead"}
    assert store.counts()[CUSTOMER.name] == 3
    assert examination.examine(store) == []
