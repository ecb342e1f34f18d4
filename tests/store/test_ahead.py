"""What lies ahead of somebody is what a look at every record would say, along the index alone."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from app.store import ahead, lists, records
from app.store.ahead import COUNTED_MAX
from app.store.schema import ahead_index
from app.store.store import Store
from sync.protocol.fields import Choice, Value
from sync.protocol.kinds import KINDS
from sync.protocol.kinds.table import Kind
from tests.store.device import DEAL, PERSON, TASK

ACTIVITY = KINDS["activity"]
OWNERS = (PERSON, PERSON.upper(), "omar@example.com", "无名", None)
FIRST = dt.date(2026, 11, 1)


def _when(kind: Kind, days: int) -> Value:
    day = FIRST + dt.timedelta(days=days)
    if kind is not ACTIVITY:
        return day.isoformat()
    return {
        "at": int(dt.datetime(day.year, day.month, day.day, 9, tzinfo=dt.UTC).timestamp() * 1000),
        "zone": "UTC",
    }


def _bound(kind: Kind, days: int) -> Value:
    when = _when(kind, days)
    return when["at"] if isinstance(when, dict) else when


def _fill(store: Store, kind: Kind) -> None:
    dice = random.Random(7)
    assert kind.ahead is not None
    name = kind.ahead.over[0]
    type_ = kind.by_name[name].type
    held = (*type_.values, None) if isinstance(type_, Choice) else (True, False, None)
    made = []
    with records.batch(store) as batch:
        for number in range(160):
            when = None if number % 9 == 0 else _when(kind, dice.randrange(30))
            values = {kind.title: f"{number:03}", name: dice.choice(held), kind.ahead.when: when}
            made.append((batch.add(kind, values).id, dice.choice(OWNERS)))
        for id_, owner in made:
            batch.edit(id_, {kind.ahead.whose: owner})
        for id_, _owner in made[::11]:
            batch.delete(id_)


def _plainly(store: Store, kind: Kind, whose: set[str] | None, first: Value, last: Value) -> set[str]:
    """The titles of what lies ahead, by a look at every record."""
    assert kind.ahead is not None
    name, over = kind.ahead.over
    found = set()
    for record in lists.page(store, kind, limit=1000).records:
        when, owner = record.values.get(kind.ahead.when), record.values.get(kind.ahead.whose)
        at = when["at"] if isinstance(when, dict) else when
        if at is None or record.values.get(name) in over or not first <= at < last:
            continue
        if whose is None or owner is None or owner.lower() in whose:
            found.add(record.title)
    return found


@pytest.mark.parametrize("kind", [TASK, DEAL, ACTIVITY], ids=lambda kind: kind.name)
def test_what_lies_ahead_is_what_a_look_at_every_record_says(store: Store, kind: Kind) -> None:
    _fill(store, kind)
    for first, last in ((0, 30), (5, 6), (12, 20), (40, 50)):
        span = (_bound(kind, first), _bound(kind, last))
        mine = ahead.found(store, kind, [PERSON], span, 500)
        assert {record.title for record in mine.records} == _plainly(store, kind, {PERSON}, *span)
        assert mine.count == len(mine.records) == ahead.count(store, kind, [PERSON], span)
        everybody = ahead.people(store, kind)
        assert [name.lower() for name in everybody] == [PERSON, "omar@example.com", "无名"]
        whole = ahead.found(store, kind, everybody, span, 500)
        assert {record.title for record in whole.records} == _plainly(store, kind, None, *span)
        whens = [record.values[kind.ahead.when] for record in whole.records] if kind.ahead else []
        days = [when["at"] if isinstance(when, dict) else when for when in whens]
        assert days == sorted(days)


def test_the_nearest_are_told_where_there_are_more_and_all_are_counted(store: Store) -> None:
    with records.batch(store) as batch:
        for number in range(30):
            values = {"subject": f"{number:02}", "due": (FIRST + dt.timedelta(days=number)).isoformat()}
            batch.add(TASK, values)
        unowned = batch.add(TASK, {"subject": "nobody's", "due": "2026-11-03"})
        batch.edit(unowned.id, {"owner": None})
    span = ("2026-11-01", "2026-12-01")
    first = ahead.found(store, TASK, [PERSON], span, 4)
    assert [record.title for record in first.records] == ["00", "01", "02", "nobody's"]
    assert (first.count, first.nobodys) == (31, True)
    last = ahead.found(store, TASK, [PERSON], span, 3, latest=True)
    assert [record.title for record in last.records] == ["27", "28", "29"]
    nobody = ahead.found(store, TASK, [], span, 3)
    assert ([record.title for record in nobody.records], nobody.count) == (["nobody's"], 1)


def test_no_more_is_counted_than_anybody_needs_to_know(store: Store) -> None:
    with records.batch(store) as batch:
        for number in range(COUNTED_MAX + 20):
            batch.add(TASK, {"subject": f"{number}", "due": "2026-11-01"})
    assert ahead.count(store, TASK, [PERSON], ("2026-11-01", "2026-11-02")) == COUNTED_MAX


def test_a_record_that_is_done_or_given_away_is_ahead_no_more(store: Store) -> None:
    made = records.add(store, TASK, {"subject": "Call", "due": "2026-11-02"})
    span = ("2026-11-01", "2026-11-30")
    assert ahead.count(store, TASK, [PERSON], span) == 1
    records.edit(store, made.id, {"done": True})
    assert ahead.count(store, TASK, [PERSON], span) == 0
    records.edit(store, made.id, {"done": None})
    records.edit(store, made.id, {"owner": "omar@example.com"})
    assert ahead.count(store, TASK, [PERSON], span) == 0
    assert ahead.count(store, TASK, ["OMAR@example.com"], span) == 1
    with pytest.raises(ValueError, match="nothing lies ahead"):
        ahead.people(store, KINDS["customer"])


@pytest.mark.parametrize("kind", [TASK, DEAL, ACTIVITY], ids=lambda kind: kind.name)
def test_every_walk_reads_its_index_and_no_row(
    store: Store, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(store, kind)
    asked: list[tuple[str, tuple[Value, ...]]] = []
    real = store.db.all

    def all_(sql: str, values: tuple[Value, ...] = ()) -> list[tuple[Value, ...]]:
        asked.append((sql, tuple(values)))
        return real(sql, values)

    monkeypatch.setattr(store.db, "all", all_)
    ahead.found(store, kind, [PERSON], (_bound(kind, 0), _bound(kind, 30)), 5)
    walks = [each for each in asked if "INDEXED BY" in each[0]]
    assert len(walks) == 2
    for sql, values in walks:
        (plan,) = [row[-1] for row in real(f"EXPLAIN QUERY PLAN {sql}", values)]
        assert f"USING COVERING INDEX {ahead_index(store.shapes[kind.name])}" in str(plan)
