"""A long list read in steps and mended record by record holds what reading it in one go holds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.store import lists, records
from app.store.filters import ALL, Asks, Condition, Filter
from app.store.rows import CHUNK
from app.store.schema import orders_of
from app.store.store import Store
from app.viewmodels import loading
from app.viewmodels.loading import FIRST, Load, Order
from app.viewmodels.places import Places
from sync.protocol.kinds import KINDS
from tests.store.device import Device

CUSTOMER, DEAL = KINDS["customer"], KINDS["deal"]
FILTERS = (
    ALL,
    Filter((Condition("owner", Asks.MINE),)),
    Filter((Condition("stage", Asks.IS_NOT, ("lead",)), Condition("employees", Asks.AFTER, (3,)))),
    Filter(words="blue"),
    Filter((Condition("name", Asks.IS, ("nobody has this name",)),)),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    device = Device(tmp_path)
    yield device.create()
    device.close()


def values(draw: random.Random) -> dict[str, Any]:
    return {
        "name": draw.choice(("blue", "red", "蓝", "Äpfel", "blue")) + f" {draw.randint(0, 30)}",
        "stage": draw.choice(("lead", "customer", None)),
        "employees": draw.choice((0, 5, None)),
        "owner": draw.choice(("lena@example.com", "rep@example.com")),
    }


def filled(store: Store, draw: random.Random, count: int) -> list[bytes]:
    with records.batch(store) as batch:
        return [batch.add(CUSTOMER, values(draw)).id for _n in range(count)]


def read(store: Store, asked: Order) -> Places:
    load = Load(asked)
    while not load.step(store, range(0), (), 0):
        pass
    return load.places


def every() -> list[tuple[Filter, str]]:
    return [(f, sign + o) for f in FILTERS for o in orders_of(CUSTOMER) for sign in ("", "-")]


@pytest.mark.parametrize("sparse", [True, False])
def test_reading_in_steps_gives_what_one_reading_gives(
    store: Store, monkeypatch: pytest.MonkeyPatch, sparse: bool
) -> None:
    monkeypatch.setattr(loading, "PATIENCE_S", 0.0)
    monkeypatch.setattr(loading, "_SPARSE", 0 if sparse else 10**9)
    monkeypatch.setattr("app.store.narrowing.SPAN", 17)
    monkeypatch.setattr(loading, "_KEYS", 11)
    filled(store, random.Random(3), 150)
    for filter_, order in every():
        places = read(store, (CUSTOMER, filter_, order))
        wanted = list(lists.ids(store, CUSTOMER, filter_, order))
        assert list(places.span(0, len(places))) == wanted


def test_the_first_rows_come_with_what_is_known_of_the_rest(store: Store) -> None:
    filled(store, random.Random(4), 3 * FIRST)
    whole = loading.first(store, (CUSTOMER, ALL, ""), 0)
    assert len(whole.places) == FIRST == len(whole.rows)
    assert whole.total == 3 * FIRST
    assert list(whole.places.span(0, FIRST)) == list(lists.ids(store, CUSTOMER))[:FIRST]
    mine = loading.first(store, (CUSTOMER, FILTERS[1], ""), 0)
    assert list(mine.places.span(0, FIRST)) == list(lists.ids(store, CUSTOMER, FILTERS[1]))[:FIRST]
    none = loading.first(store, (CUSTOMER, FILTERS[-1], ""), 0)
    assert (len(none.places), none.total) == (0, 0)


@pytest.mark.parametrize("seed", range(6))
def test_a_mended_list_is_the_list_read_anew(store: Store, seed: int) -> None:
    draw = random.Random(seed)
    ids = filled(store, draw, 120)
    lists_shown = {asked: read(store, (CUSTOMER, *asked)) for asked in _some(draw)}
    for _round in range(8):
        touched: list[bytes] = []
        for _act in range(draw.randint(1, 12)):
            one = draw.choice(ids)
            act = draw.random()
            if act < 0.2:
                one = records.add(store, CUSTOMER, values(draw)).id
                ids.append(one)
            elif act < 0.4:
                records.delete(store, one)
            elif act < 0.6:
                records.undelete(store, one)
            elif not records.get(store, one).deleted:
                records.edit(store, one, values(draw))
            touched.append(one)
        touched = list(dict.fromkeys(touched))
        for (filter_, order), places in lists_shown.items():
            found = loading.patch(store, (CUSTOMER, filter_, order), places, touched, (), 0)
            assert found is not None
            places.change(found.gone, found.placed)
            wanted = list(lists.ids(store, CUSTOMER, filter_, order))
            assert list(places.span(0, len(places))) == wanted, (filter_.conditions, order)


def _some(draw: random.Random) -> list[tuple[Filter, str]]:
    return draw.sample(every(), 8)


def test_records_that_left_ask_for_a_new_reading(store: Store) -> None:
    ids = filled(store, random.Random(1), 5)
    asked: Order = (CUSTOMER, ALL, "")
    places = read(store, asked)
    assert loading.patch(store, asked, places, [*ids, b"x" * 16], (), 0) is None
    assert loading.patch(store, (CUSTOMER, ALL, "industry"), places, ids, (), 0) is None
    assert loading.patch(store, asked, places, ids, (), 0) is not None


def test_a_piece_longer_than_one_question_is_put_together(store: Store) -> None:
    ids = filled(store, random.Random(2), CHUNK + 20)
    asked: Order = (CUSTOMER, FILTERS[1], "-changed")
    places = Places()
    found = loading.patch(store, asked, places, ids, (), 0)
    assert found is not None
    places.change(found.gone, found.placed)
    assert list(places.span(0, len(places))) == list(lists.ids(store, CUSTOMER, FILTERS[1], "-changed"))
