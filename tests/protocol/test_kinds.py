"""The table of kinds: values become cells and cells values, on both ends alike, for every kind."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sync.protocol import codec
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Choice, Date, Flag, Integer, Merge, Money, Person, Ref, Text
from sync.protocol.kinds import KINDS, Kind, kind_of
from sync.protocol.ops import Act, Op, lay
from tests.protocol.strategies import raw_values, tries

CUSTOMER = KINDS["customer"]
COUNTED = (Choice, Date, Flag, Integer, Person, Ref, Text)  # a value is one column
KEY = "00000000000000aa"
EVERY = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def _checked(kind: Kind, given_: dict[str, Any]) -> dict[str, Any]:
    try:
        return kind.check(given_, whole=True)
    except FieldProblem:
        assume(False)
        raise


def _full(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


@EVERY
def test_totals_are_of_fields_that_can_be_counted_and_summed(kind: Kind) -> None:
    for totals in kind.totals:
        assert all(isinstance(kind.by_name[f].type, COUNTED) for f in totals.by)
        assert all(isinstance(kind.by_name[f].type, (Integer, Money)) for f in totals.sums)


@EVERY
def test_values_survive_cells_and_the_wire(kind: Kind) -> None:
    @tries(40)
    @given(raw_values(kind))
    def survive(given_: dict[str, Any]) -> None:
        checked = _checked(kind, given_)
        assert kind.check(checked, whole=True) == checked
        cells = codec.unpack(codec.pack(kind.cells(checked)))
        assert kind.check_cells(cells) == kind.cells(checked)
        assert kind.values(cells) == _full(checked)

    survive()


@EVERY
def test_values_survive_the_columns_of_a_store(kind: Kind) -> None:
    @tries(30)
    @given(raw_values(kind))
    def survive(given_: dict[str, Any]) -> None:
        for name, value in _checked(kind, given_).items():
            type_ = kind.by_name[name].type
            columns = type_.to_columns(value)
            assert len(columns) == len(type_.sql)
            assert type_.from_columns(columns) == value

    survive()


def _sorted(values: dict[str, Any]) -> dict[str, Any]:
    """Elements without their order, which edits do not keep."""
    return {
        name: sorted(value, key=repr) if isinstance(value, list) else value for name, value in values.items()
    }


@EVERY
def test_changes_turn_one_record_into_the_other(kind: Kind) -> None:
    @tries(40)
    @given(raw_values(kind), raw_values(kind))
    def turn(first: dict[str, Any], second: dict[str, Any]) -> None:
        before, after = kind.cells(_checked(kind, first)), _checked(kind, second)
        changed = kind.changes(before, after)
        op = Op(n=1, kind=kind.name, id=b"r" * 16, act=Act.SET, hlc=1, set=changed)
        laid, _deleted = lay(before, False, [op])
        assert _sorted(kind.values(laid)) == _sorted(_full({**kind.values(before), **after}))
        assert kind.check_cells(changed) == changed
        assert kind.changes(laid, after) == {}

    turn()


@EVERY
def test_every_field_names_types_and_rules_that_exist(kind: Kind) -> None:
    names = [field.name for field in kind.fields]
    assert len(set(names)) == len(names)
    assert {kind.title, *kind.subtitle, kind.side} - {""} <= set(names)
    for field in kind.fields:
        assert isinstance(field.rule, Merge)
        assert field.rule is not Merge.UNION or field.type.several
        assert not isinstance(field.type, Ref) or field.type.to in KINDS
        if field.default is not None:
            assert field.type.check(field.name, field.default) == field.default


def test_money_of_a_deal_stage_and_owner_are_held_and_consent_is_stricter() -> None:
    """The rules that decisions name; a change of one is a decision."""
    deal, consent = KINDS["deal"], KINDS["consent"]
    assert {deal.rule(cell) for cell in ("amount", "stage", "owner")} == {Merge.HOLD}
    assert {consent.rule(cell) for cell in ("status", "ends_on")} == {Merge.STRICTER}
    assert {KINDS[name].rule("do_not_contact") for name in ("customer", "contact")} == {Merge.STRICTER}
    assert CUSTOMER.rule("notes") is Merge.NOTES
    assert CUSTOMER.rule(f"phones/{KEY}") is Merge.LATEST
    assert CUSTOMER.rule("from_a_newer_version") is Merge.LATEST


@pytest.mark.parametrize(
    "cells",
    [
        {"name/x": "second name"},
        {"stage/x": "lead"},
        {"stage/x": None},
        {"phones": [{"value": "5"}]},
        {"phones": None},
        {"phones/": {"value": "5"}},
        {"phones/zz": {"value": "5"}},
        {f"phones/{KEY}": "5"},
        {f"phones/{KEY}": {"value": ""}},
        {f"phones/{KEY}": {"value": "5", "extra": 1}},
        {"tags": True},
        {"tags/": True},
        {"tags/ a": True},
        {"tags/a\nb": True},
        {"tags/a": 1},
        {"tags/a": "x"},
        {"tags/" + "x" * 61: True},
        {"": "x"},
        {"/": "x"},
        {"Name": "x"},
        {"na me": "x"},
        {"n" * 41: "x"},
        {"x/" + "y" * 81: "x"},
        {5: "x"},
        {b"name": "x"},
        {"name": None},
        {"name": ""},
        {"name": 5},
        {"stage": "unheard"},
        {"revenue": 5},
        {"parent": b"short"},
    ],
    ids=lambda each: repr(each)[:40],
)
def test_cells_that_no_honest_device_sends_are_refused(cells: dict[Any, Any]) -> None:
    with pytest.raises(FieldProblem):
        CUSTOMER.check_cells(cells)


def test_cells_of_a_newer_version_are_carried() -> None:
    cells = {"loyalty": {"points": 5}, "badges/gold": True, "loyalty_since": None}
    assert CUSTOMER.check_cells(cells) == cells
    assert CUSTOMER.values(cells) == {}


def test_text_in_cells_is_made_exact() -> None:
    assert CUSTOMER.check_cells({"name": " A\x00 B\n"}) == {"name": "A B"}


def test_a_kind_is_found_by_name_plural_and_sloppy_writing() -> None:
    assert kind_of("customer") is kind_of("Customers") is kind_of(" CUSTOMERS ") is CUSTOMER
    with pytest.raises(FieldProblem) as caught:
        kind_of("x" * 1000)
    assert len(str(caught.value)) < 300


def test_a_field_is_found_by_its_alias() -> None:
    assert CUSTOMER.field("phone") is CUSTOMER.by_name["phones"]
    for name in ("", "nothing"):
        with pytest.raises(FieldProblem):
            CUSTOMER.field(name)


def test_a_required_field_cannot_be_missing_or_emptied() -> None:
    with pytest.raises(FieldProblem):
        CUSTOMER.check({"type": "company"}, whole=True)
    with pytest.raises(FieldProblem):
        CUSTOMER.check({"name": " "})
    assert CUSTOMER.check({"type": "company"}) == {"type": "company"}


@tries(100)
@given(
    st.dictionaries(
        st.text(max_size=12) | st.sampled_from(["name", "phones/" + KEY, "tags/a", "stage"]),
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=5)
        | st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
        max_size=5,
    )
)  # fmt: skip
def test_any_cells_are_made_exact_or_refused(cells: dict[str, Any]) -> None:
    try:
        exact = CUSTOMER.check_cells(cells)
    except FieldProblem:
        return
    assert CUSTOMER.check_cells(exact) == exact
