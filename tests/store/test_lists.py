"""Lists: filters, orders both ways, keyset pages that neither skip nor repeat, windows by rowid."""

from __future__ import annotations

import random
from typing import Any

import pytest

from app.store import lists, records
from app.store.store import Store
from sync.protocol.errors import FieldProblem
from sync.protocol.ids import id_text
from sync.protocol.kinds import KINDS
from tests.store.device import CONTACT, CUSTOMER, DEAL

ORDERS = [f.name for f in CUSTOMER.fields] + ["", "changed"]


@pytest.fixture
def book(store: Store) -> list[records.Record]:
    """100 customers with gaps in every field."""
    draw = random.Random(5)
    made: list[records.Record] = []
    with records.batch(store) as batch:
        for n in range(100):
            values: dict[str, Any] = {
                "name": draw.choice(("anna", "Anna", "Älva", "北京", "zeta"))
                + draw.choice(("", f" {n % 7}")),
                "stage": draw.choice(("lead", "prospect", "former", None)),
                "industry": draw.choice(("Retail", "retail", "Ärger", None)),
                "employees": draw.choice((0, 3, 10**6, None)),
                "revenue": draw.choice(
                    ({"minor": 5, "currency": "EUR"}, {"minor": -7, "currency": "USD"}, None)
                ),
                "phones": draw.choice((["1", "2"], ["2"], None)),
                "address": draw.choice(({"city": "Köln"}, {"street": "No town"}, None)),
                "tags": draw.choice((["a", "b"], ["b"], None)),
                "parent": draw.choice((made[0].id, made[1].id, None)) if n > 1 else None,
                "do_not_contact": draw.choice((True, False, None)),
            }
            made.append(batch.add(CUSTOMER, values))
        for record in made[::10]:
            batch.delete(record.id)
    return [record for at, record in enumerate(made) if at % 10]


def walk(store: Store, order: str, limit: int, **where: str) -> list[records.Record]:
    """Every page in turn."""
    found: list[records.Record] = []
    after = None
    while True:
        page = lists.page(store, CUSTOMER, order=order, after=after, limit=limit, where=where)
        assert len(page.records) <= limit
        found += page.records
        after = page.next
        if after is None:
            return found


def test_pages_hold_every_record_once_and_agree_with_the_window(
    store: Store, book: list[records.Record]
) -> None:
    for order in [*ORDERS, *(f"-{order}" for order in ORDERS)]:
        for limit in (1, 7, 60, 1_000):
            pages = walk(store, order, limit)
            assert sorted(record.id for record in pages) == sorted(record.id for record in book), order
            window = lists.by_rowids(store, CUSTOMER, lists.ids(store, CUSTOMER, order=order))
            assert [record.id for record in window] == [record.id for record in pages], order


@pytest.mark.parametrize(
    ("order", "key"),
    [
        ("employees", lambda v: v["employees"]),
        ("revenue", lambda v: v["revenue"]["minor"]),
        ("stage", lambda v: ("lead", "prospect", "customer", "former").index(v["stage"])),
        ("do_not_contact", lambda v: v["do_not_contact"]),
        ("phones", lambda v: v["phones"][0]["value"]),
        ("tags", lambda v: v["tags"][0]),
    ],
)
def test_orders_are_by_value_and_empty_ones_come_last(
    store: Store, book: list[records.Record], order: str, key: Any
) -> None:
    for sign in ("", "-"):
        values = [record.values for record in walk(store, sign + order, 50)]
        there = [key(each) for each in values if each.get(order) is not None]
        assert there == sorted(there, reverse=bool(sign))
        assert all(each.get(order) is None for each in values[len(there) :])
        assert len(set(map(str, there))) > 1


def test_titles_are_ordered_without_case_and_accents(store: Store) -> None:
    for name in ("öl", "Zoo", "Ola", "ol", "Abc"):
        records.add(store, CUSTOMER, {"name": name})
    assert [record.title for record in walk(store, "", 2)] == ["Abc", "öl", "ol", "Ola", "Zoo"]
    assert [record.title for record in walk(store, "-name", 2)] == ["Zoo", "Ola", "ol", "öl", "Abc"]


@pytest.mark.parametrize(
    ("where", "test"),
    [
        ({"stage": "lead"}, lambda v: v.get("stage") == "lead"),
        ({"stage": "Former customer"}, lambda v: v.get("stage") == "former"),
        ({"stage": ""}, lambda v: v.get("stage") is None),
        ({"industry": "RETAIL"}, lambda v: str(v.get("industry")).lower() == "retail"),
        ({"employees": "1,000,000"}, lambda v: v.get("employees") == 10**6),
        ({"revenue": "0.05 EUR"}, lambda v: v.get("revenue") == {"minor": 5, "currency": "EUR"}),
        ({"phone": "2"}, lambda v: "2" in [each["value"] for each in v.get("phones", [])]),
        ({"tags": "A"}, lambda v: "a" in v.get("tags", [])),
        ({"address": "köln"}, lambda v: (v.get("address") or {}).get("city") == "Köln"),
        ({"do_not_contact": "yes"}, lambda v: v.get("do_not_contact") is True),
        ({"name": "ALVA"}, lambda v: v["name"] == "Älva"),
        ({"stage": "lead", "tags": "b"}, lambda v: v.get("stage") == "lead" and "b" in v.get("tags", [])),
        ({"stage": "customer"}, lambda v: False),
    ],
)
def test_filters(store: Store, book: list[records.Record], where: dict[str, str], test: Any) -> None:
    wanted = {record.id for record in book if test(record.values)}
    assert {record.id for record in walk(store, "industry", 20, **where)} == wanted
    assert lists.count(store, CUSTOMER, where) == len(wanted)
    assert len(lists.ids(store, CUSTOMER, where)) == len(wanted)


def test_references_are_asked_by_id_or_title_and_ordered_by_title(store: Store) -> None:
    anna = records.add(store, CUSTOMER, {"name": "Anna Ltd"})
    bert = records.add(store, CUSTOMER, {"name": "bert ag"})
    two = records.add(store, CONTACT, {"name": "Two", "customer": bert.id})
    one = records.add(store, CONTACT, {"name": "One", "customer": anna.id})
    none = records.add(store, CONTACT, {"name": "None"})
    assert lists.page(store, CONTACT, where={"customer": id_text(anna.id)}).records == [one]
    assert lists.page(store, CONTACT, where={"customer": "BERT  AG"}).records == [two]
    assert lists.page(store, CONTACT, where={"customer": ""}).records == [none]
    assert lists.page(store, CONTACT, order="customer").records == [one, two, none]
    assert lists.page(store, CONTACT, order="-customer").records == [two, one, none]


@pytest.mark.parametrize(
    "where", [{"wings": "2"}, {"stage": "dreaming"}, {"employees": "many"}, {"_id": "x"}]
)
def test_what_the_kind_does_not_have_is_told(store: Store, where: dict[str, str]) -> None:
    with pytest.raises(FieldProblem):
        lists.page(store, CUSTOMER, where=where)


@pytest.mark.parametrize("order", ["wings", "_id", "name; DROP TABLE here", "--name"])
def test_an_order_that_is_no_field_is_told(store: Store, order: str) -> None:
    with pytest.raises(FieldProblem):
        lists.page(store, CUSTOMER, order=order)


def test_pages_go_on_where_they_stopped_while_records_come_and_go(
    store: Store, book: list[records.Record]
) -> None:
    first = lists.page(store, CUSTOMER, order="employees", limit=30)
    gone = first.records[-1]
    records.delete(store, gone.id)
    came = records.add(store, CUSTOMER, {"name": "Came in between", "employees": 0})
    seen = {record.id for record in first.records}
    after = first.next
    while after is not None:
        page = lists.page(store, CUSTOMER, order="employees", after=after, limit=30)
        assert not seen & {record.id for record in page.records}
        seen |= {record.id for record in page.records}
        after = page.next
    assert seen - {came.id} == {record.id for record in book}


def test_titles_for_other_rooms(store: Store) -> None:
    anna = records.add(store, CUSTOMER, {"name": "Anna Ltd", "number": "C-1"})
    bert = records.add(store, CUSTOMER, {"name": "bert"})
    gone = records.add(store, CUSTOMER, {"name": "Gone"})
    records.delete(store, gone.id)
    contact = records.add(store, CONTACT, {"name": "Carla"})
    consent = records.add(store, KINDS["consent"], {"purpose": "news"})
    assert list(lists.titles(store, CUSTOMER)) == [(anna.id, "Anna Ltd", "C-1"), (bert.id, "bert", None)]
    assert list(lists.titles(store, CONTACT)) == [(contact.id, "Carla", None)]
    assert lists.title_of(store, contact.id) == "Carla"
    assert lists.title_of(store, gone.id) == "Gone"
    assert lists.title_of(store, consent.id) == "Product news"
    assert lists.title_of(store, b"x" * 16) is None
    assert lists.rowid_of(store, CONTACT, contact.id) == lists.ids(store, CONTACT)[0]
    assert lists.by_rowids(store, DEAL, [5, 6]) == []


@pytest.mark.parametrize("order", ["", "-changed", "stage"])
@pytest.mark.parametrize("industry", ["Tea", "Rare"])
def test_pages_under_a_filter_are_those_of_a_plain_reading(store: Store, order: str, industry: str) -> None:
    """Of one half that is met along the order, and of a few that are not."""
    with records.batch(store) as batch:
        for n in range(2 * lists.LOOKED + 100):
            kept = "Rare" if n % 1_700 == 1_699 else "Tea" if n % 2 else "Other"
            batch.add(
                CUSTOMER,
                {"name": f"Firm {n:05}", "industry": kept, "stage": ("lead", "prospect", "customer")[n % 3]},
            )
    paged: list[bytes] = []
    after = None
    while True:
        page = lists.page(store, CUSTOMER, where={"industry": industry}, order=order, after=after, limit=70)
        paged += [record.id for record in page.records]
        if (after := page.next) is None:
            break
    every = lists.by_rowids(store, CUSTOMER, lists.ids(store, CUSTOMER, order=order))
    assert paged == [record.id for record in every if record.values["industry"] == industry]
