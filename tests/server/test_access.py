"""Who sees what: the table of roles, case by case."""

from __future__ import annotations

import pytest

from sync.protocol.fields import Care
from sync.protocol.kinds import KINDS
from sync.server import access, masks
from sync.server.access import Rights, Scope

ME, OTHER = b"m" * 16, b"o" * 16


@pytest.mark.parametrize(
    ("role", "team", "owner", "owners_team", "kind", "expected"),
    [
        ("rep", "Sales", ME, "Sales", "customer", True),
        ("rep", "Sales", OTHER, "Sales", "customer", True),
        ("rep", "Sales", OTHER, "Sales/East", "customer", False),
        ("rep", "Sales/East", OTHER, "Sales", "customer", False),
        ("rep", "Sales", ME, "", "customer", True),
        ("rep", "", OTHER, "", "customer", False),
        ("rep", "Sales", OTHER, "Elsewhere", "product", True),
        ("office", "Sales", OTHER, "Sales", "deal", True),
        ("office", "Sales", OTHER, "Sales/East", "deal", False),
        ("manager", "Sales", OTHER, "Sales", "deal", True),
        ("manager", "Sales", OTHER, "Sales/East/North", "deal", True),
        ("manager", "Sales", OTHER, "Salesmen", "deal", False),
        ("manager", "Sales/East", OTHER, "Sales", "deal", False),
        ("manager", "", OTHER, "Sales", "deal", False),
        ("it", "Sales", ME, "Sales", "customer", False),
        ("it", "Sales", OTHER, "Sales", "product", False),
        ("privacy", "", OTHER, "Sales", "customer", True),
        ("nobody", "Sales", ME, "Sales", "customer", False),
        ("rep", "Sales", OTHER, "Elsewhere", "kind_of_later", False),
    ],
)
def test_who_sees(role: str, team: str, owner: bytes, owners_team: str, kind: str, *, expected: bool) -> None:
    rights, scope = Rights(ME, role, team), Scope(owner, owners_team)
    assert access.sees(rights, kind, scope) is expected
    assert access.edits(rights, kind, scope) is (expected and role != "privacy")


@pytest.mark.parametrize(
    ("role", "granted", "expected"),
    [
        ("rep", "", Care.RESTRICTED),
        ("office", "confidential", Care.CONFIDENTIAL),
        ("manager", "internal", Care.INTERNAL),
        ("privacy", "", Care.INTERNAL),
        ("privacy", "restricted", Care.INTERNAL),
        ("it", "restricted", Care.PUBLIC),
        ("rep", "class of later", Care.RESTRICTED),
    ],
)
def test_a_grant_takes_away_and_never_adds(role: str, granted: str, expected: Care) -> None:
    rights = Rights(ME, role, "Sales", granted)
    assert rights.care == expected
    assert access.sees_cell(rights, "customer", "industry") is (expected >= Care.INTERNAL)
    assert access.sees_cell(rights, "customer", "phones/0011223344556677") is (expected >= Care.CONFIDENTIAL)
    for cell in ("tax_number", "field_of_later"):
        assert access.sees_cell(rights, "customer", cell) is (expected == Care.RESTRICTED)
    assert access.sees_cell(rights, "kind_of_later", "name") is (expected == Care.RESTRICTED)


def test_owner_is_read_only_where_the_kind_has_one() -> None:
    assert access.owner_of("customer", {"owner": " Ana@Example.com "}) == "ana@example.com"
    assert access.owner_of("consent", {"owner": "ana@example.com"}) == ""
    assert access.owner_of("customer", {"owner": 7}) == ""
    assert access.owner_of("kind_of_later", {"owner": "ana@example.com"}) == ""


def test_what_has_no_owner_field_belongs_where_its_subject_belongs() -> None:
    one, other = b"1" * 16, b"2" * 16
    assert access.subject_of("consent", {"contact": other, "customer": one}) == one
    assert access.subject_of("consent", {"contact": other}) == other
    assert access.subject_of("consent", {"customer": "no id", "contact": b"short"}) == b""
    assert (
        access.subject_of("contact", {"customer": one}) == one
    )  # whose it is it says itself, and not where it lies
    assert access.subject_of("customer", {"parent": one}) == b""
    assert access.subject_of("task", {"deal": other, "contact": one}) == one
    assert access.subject_of("kind_of_later", {"customer": one}) == b""
    without = [kind.name for kind in KINDS.values() if not (kind.shared or access.has_owner(kind.name))]
    assert [name for name in without if not any(f.type.editor == "ref" for f in KINDS[name].fields)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_masks_hold_for_every_field_of_the_table(kind: str) -> None:
    """Whatever is above Care.INTERNAL shows nothing of its value; all that stays fits its field."""
    secret = "Quite-Unique-9876"
    cells: dict[str, object] = {}
    for field in KINDS[kind].fields:
        value: object = {
            "several": {"label": "", "value": f"{secret}@x"},
            "address": {"street": secret},
            "money": {"minor": 9876, "currency": "USD"},
            "number": 9876,
        }.get(field.type.editor, secret)
        cells[f"{field.name}/0011223344556677" if field.type.editor == "several" else field.name] = value
    cells["field_of_later"] = secret
    shown = masks.seen(Rights(ME, "privacy", ""), kind, cells)
    public = {field.name for field in KINDS[kind].fields if field.care <= 1}
    for cell, value in shown.items():
        if cell.partition("/")[0] not in public:
            assert "9876" not in str(value)
            if "/" not in cell:
                KINDS[kind].by_name[cell].type.check(cell, value)
            else:
                KINDS[kind].check_cells({cell: value})
    assert "field_of_later" not in shown
    assert all(field.name in shown for field in KINDS[kind].fields if field.required)
