"""Filters: what a narrowed and sorted list holds is what a plain reading of all records gives."""

from __future__ import annotations

import datetime as dt
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store import lists, narrowing, records
from app.store.filters import Asks, Condition, Filter, asks_of, checked, typed
from app.store.records import Record
from app.store.schema import orders_of
from app.store.store import Store
from app.store.words import fold, fold_key, matched_fields, query
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Choice, Field, Instant, Money, Person, Ref, Several, Text
from sync.protocol.kinds import KINDS, Kind
from tests.protocol.strategies import tries
from tests.store.device import CUSTOMER, DEAL, PERSON
from tests.store.scanned import scan_fields
from tests.store.shelf import ACTIVITY, DAYS, NAMES, OWNERS, shelf

__all__ = ["shelf"]  # the fixture

# --- the plain reading -------------------------------------------------------------------------------


def all_of(store: Store, kind: Kind) -> list[tuple[int, Record]]:
    """Every kept record with its rowid, by rowid."""
    shape = store.shapes[kind.name]
    rows = store.db.all(f"{shape.select} WHERE _deleted = 0 ORDER BY _rowid")
    return [(row[0], records.record_of(shape, shape.stored(row))) for row in rows]


def texts(field: Field, value: Any) -> list[str]:
    if isinstance(field.type, Several):
        return [each["value"] for each in value]
    if isinstance(value, dict):
        return [str(part) for part in value.values()]
    return list(value) if isinstance(value, list) else [value]


def day_of(value: Any) -> str:
    return dt.datetime.fromtimestamp(value["at"] / 1000).astimezone().date().isoformat()


def same(store: Store, kind: Kind, field: Field, value: Any, wanted: Any) -> bool:
    if isinstance(field.type, Ref):
        title = records.get(store, value).title
        return bool(value == wanted) if isinstance(wanted, bytes) else fold_key(title) == fold_key(wanted)
    if isinstance(field.type, Instant) and isinstance(wanted, str):
        return day_of(value) == wanted
    if field.name == kind.title:
        return fold_key(value) == fold_key(wanted)
    if isinstance(field.type, Person):
        return bool(value.lower() == wanted.lower())
    if isinstance(field.type, (Choice, Money)) or not isinstance(wanted, str) or field.type.editor == "date":
        return bool(value == wanted)
    return any(fold(text) == fold(wanted) for text in texts(field, value))


def rank(field: Field, value: Any) -> Any:
    if isinstance(field.type, Money):
        return value["minor"]
    return day_of(value) if isinstance(field.type, Instant) else value


def plainly(store: Store, kind: Kind, condition: Condition, record: Record) -> bool:
    """The rule of a condition, said in Python."""
    field = kind.by_name[condition.field]
    value, test, wanted = record.values.get(field.name), condition.test, condition.values
    if test in (Asks.EMPTY, Asks.NOT_EMPTY):
        return (value is None) is (test is Asks.EMPTY)
    if value is None:
        return test is Asks.IS_NOT
    if test is Asks.MINE:
        return bool(value.lower() == PERSON.lower())
    if test is Asks.CONTAINS:
        clean = fold_key if field.name == kind.title else fold
        return any(clean(wanted[0]) in clean(text) for text in texts(field, value))
    if test is Asks.HAS:
        return scan_fields([field], {field.name: value}, wanted[0])
    if test in (Asks.IS, Asks.ONE_OF, Asks.IS_NOT):
        found = any(same(store, kind, field, value, each) for each in wanted)
        return found is not (test is Asks.IS_NOT)
    if test is Asks.CURRENCY:
        return bool(value["currency"] == wanted[0].upper())
    if isinstance(field.type, Money) and value["currency"] != wanted[0]["currency"]:
        return False
    ends = [each if isinstance(each, str) else rank(field, each) for each in wanted]
    here = rank(field, value)
    if test is Asks.BETWEEN:
        return bool(ends[0] <= here <= ends[1])
    return bool(here < ends[0]) if test is Asks.BEFORE else bool(here > ends[0])


def sorted_plainly(store: Store, kind: Kind, found: list[tuple[int, Record]], order: str) -> list[int]:
    down, name = order.startswith("-"), order.removeprefix("-")

    def key(record: Record) -> Any:
        if name == "changed":
            return record.changed_ms
        value = record.values.get(name or kind.title)
        field = kind.by_name[name or kind.title]
        if field.name == kind.title:
            return fold_key(str(value))
        if value is None:
            return None
        if isinstance(field.type, Choice):
            return field.type.values.index(value)
        return value["at"] if isinstance(field.type, Instant) else rank(field, value)

    there = [(key(record), rowid) for rowid, record in found]
    filled = sorted((pair for pair in there if pair[0] is not None), reverse=down)
    empty = sorted((rowid for value, rowid in there if value is None), reverse=down)
    return [rowid for _value, rowid in filled] + empty


# --- what is drawn -----------------------------------------------------------------------------------

VALUES: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("customer", "name"): st.sampled_from((*NAMES, "zürich präzision  3", "华泰", "%", "_", "nobody")),
    ("customer", "stage"): st.sampled_from(("lead", "prospect", "customer", "former")),
    ("customer", "industry"): st.sampled_from(("RETAIL", "arger", "电", "none")),
    ("customer", "employees"): st.sampled_from((0, 1, 7, 10**6)),
    ("customer", "revenue"): st.builds(
        lambda minor, currency: {"minor": minor, "currency": currency},
        st.integers(-8, 8), st.sampled_from(("EUR", "USD", "JPY")),
    ),
    ("customer", "phones"): st.sampled_from(("138 0013 5678", "99", "0013")),
    ("customer", "emails"): st.sampled_from(("ANNA@example.com", "example", "exa ann")),
    ("customer", "address"): st.sampled_from(("koln", "上", "ring 3", "rin kol", "海市", "5", "50", "%")),
    ("customer", "owner"): st.sampled_from((*OWNERS, "example")),
    ("customer", "tags"): st.sampled_from(("vip", "A", "北")),
    ("customer", "do_not_contact"): st.booleans(),
    ("customer", "notes"): st.sampled_from(("zurich again", "北京", "x")),
    ("deal", "amount"): st.builds(
        lambda minor, currency: {"minor": minor, "currency": currency},
        st.integers(0, 4), st.sampled_from(("EUR", "USD")),
    ),
    ("deal", "close_on"): st.sampled_from((*DAYS, "2026-02-01")),
    ("deal", "probability"): st.sampled_from((0, 50, 99, 100)),
    ("activity", "at"): st.sampled_from((*DAYS, "2026-02-01")),
}  # fmt: skip


@st.composite
def conditions(draw: st.DrawFn, kind: Kind) -> Condition:
    name = draw(st.sampled_from([field for where, field in VALUES if where == kind.name]))
    test = draw(st.sampled_from(asks_of(kind.by_name[name])))
    value = VALUES[kind.name, name]
    if test in (Asks.MINE, Asks.EMPTY, Asks.NOT_EMPTY):
        return Condition(name, test)
    if test is Asks.ONE_OF:
        return Condition(name, test, tuple(draw(st.lists(value, min_size=1, max_size=3))))
    if test is Asks.BETWEEN:
        one, other = draw(value), draw(value)
        if isinstance(one, dict):
            other = {**other, "currency": one["currency"]}
        return Condition(name, test, (one, other))
    if test is Asks.CURRENCY:
        return Condition(name, test, (draw(st.sampled_from(("EUR", "usd", "CHF"))),))
    return Condition(name, test, (draw(value),))


@st.composite
def questions(draw: st.DrawFn) -> tuple[Kind, Filter, str]:
    kind = draw(st.sampled_from((CUSTOMER, DEAL, ACTIVITY)))
    asked = tuple(draw(st.lists(conditions(kind), max_size=3)))
    words = draw(st.sampled_from(("", "", "zurich", "北京", "1380", "138-0013", "fair met", "北京华", "!")))
    order = draw(st.sampled_from(("", "-"))) + draw(st.sampled_from(orders_of(kind)))
    return kind, Filter(asked, words), order


@given(questions(), st.integers(1, 40))
@tries(200)
def test_a_filtered_sorted_list_is_what_a_plain_reading_gives(
    shelf: Store, question: tuple[Kind, Filter, str], limit: int
) -> None:
    kind, filter_, order = question
    words = query(filter_.words)
    wanted = [
        (rowid, record)
        for rowid, record in all_of(shelf, kind)
        if all(plainly(shelf, kind, each, record) for each in filter_.conditions)
        and (not filter_.words or (not words.empty and matched_fields(kind, record.values, words)))
    ]
    in_order = sorted_plainly(shelf, kind, wanted, order)
    assert list(lists.ids(shelf, kind, filter_, order)) == in_order
    assert lists.count(shelf, kind, filter_) == len(in_order)
    shape = shelf.shapes[kind.name]
    assert narrowing.keep(shelf, shape, filter_, in_order) == array("q", in_order)
    pages: list[bytes] = []
    after = None
    while True:
        page = lists.page(shelf, kind, where=filter_, order=order, after=after, limit=limit)
        assert len(page.records) <= limit
        pages += [record.id for record in page.records]
        after = page.next
        if after is None:
            break
    assert pages == [record.id for record in lists.by_rowids(shelf, kind, in_order)]


# --- what cannot be asked ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "condition",
    [
        Condition("wings", Asks.EMPTY),
        Condition("_id", Asks.EMPTY),
        Condition("stage", Asks.CONTAINS, ("a",)),
        Condition("name", Asks.MINE),
        Condition("employees", Asks.BETWEEN, (1,)),
        Condition("employees", Asks.IS, ("many",)),
        Condition("stage", Asks.ONE_OF, ()),
        Condition("stage", Asks.IS, ("dreaming",)),
        Condition("name", Asks.IS, ("  ",)),
        Condition("name", Asks.CONTAINS, (7,)),
        Condition("revenue", Asks.CURRENCY, ("money",)),
        Condition("employees", Asks.CURRENCY, ("EUR",)),
    ],
)
def test_what_a_field_cannot_be_asked_is_told(condition: Condition) -> None:
    with pytest.raises(FieldProblem):
        checked(CUSTOMER, condition)


def test_every_field_of_every_kind_takes_its_tests(shelf: Store) -> None:
    for kind in KINDS.values():
        for field in kind.fields:
            asked = set(asks_of(field))
            plain = set() if field in kind.contents else {Asks.IS, Asks.IS_NOT}  # nobody types a file
            assert plain | {Asks.EMPTY, Asks.NOT_EMPTY} <= asked
            assert (Asks.MINE in asked) is isinstance(field.type, Person)
            for test in (Asks.EMPTY, Asks.NOT_EMPTY):
                lists.count(shelf, kind, Filter((Condition(field.name, test),)))
            if isinstance(field.type, Text):
                assert lists.count(shelf, kind, Filter((Condition(field.name, Asks.CONTAINS, ("%",)),))) >= 0


def test_words_of_a_field_are_asked_of_the_index_and_no_row_is_scanned(shelf: Store) -> None:
    shape = shelf.shapes["customer"]
    for condition in (
        Condition("address", Asks.HAS, ("koln",)),
        Condition("address", Asks.IS, ("Köln",)),
        Condition("notes", Asks.CONTAINS, ("北京",)),
        Condition("phones", Asks.HAS, ("0013",)),
    ):
        asked, values = narrowing.said(shelf, shape, Filter((condition,)))
        sql = f'EXPLAIN QUERY PLAN SELECT count(*) FROM "{shape.table}" WHERE {asked}'  # noqa: S608
        plan = shelf.db.all(sql, values)
        assert any(line[-1].startswith(f"SEARCH {shape.table}") for line in plan), (asked, plan)
        assert not any(line[-1].startswith(f"SCAN {shape.table}") for line in plan), (asked, plan)


def test_pairs_as_they_are_written_become_conditions() -> None:
    found = typed(CUSTOMER, {"stage": "Former customer", "tag": " vip ", "notes": "", "employees": "1,000"})
    assert found.conditions == (
        Condition("stage", Asks.IS, ("former",)),
        Condition("tags", Asks.IS, ("vip",)),
        Condition("notes", Asks.EMPTY),
        Condition("employees", Asks.IS, (1000,)),
    )
    assert not Filter()
    assert Filter(words="x")
    assert "vip" not in repr(found)
