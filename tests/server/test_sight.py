"""Care classes: what needs more than somebody was granted reaches none of their devices, and none of them writes it."""

from __future__ import annotations

import os
from typing import Any

import msgspec
import pytest

from sync.console import recovery
from sync.protocol import digest
from sync.protocol.digest import Sums
from sync.protocol.errors import KnownError, Outcome, Rejection
from sync.protocol.fields import Care
from sync.server import feed
from tests.server.driver import Device
from tests.server.inside import Inside, nobody_asks
from tests.server.test_comparing import entries_of, held, records_of, sums_of

VALUES: dict[str, Any] = {
    "name": "Northwind", "industry": "Tea", "tax_number": "DE123456", "notes": "Likes it strong",
    "phones": [{"label": "work", "value": "+49 30 5550133"}, {"label": "desk", "value": "12"}],
    "emails": ["anna@northwind.example"], "address": {"city": "Hamburg", "country": "DE"},
    "revenue": {"minor": 500, "currency": "EUR"},
}  # fmt: skip


def grant(inside: Inside, email: str, care: str, role: str = "rep", team: str = "Sales") -> None:
    """Change up to which class somebody sees."""
    inside.office.add_person(email, role, team, "", care)


@pytest.fixture
def low(inside: Inside) -> Device:
    """The device of somebody of the same team who sees names and no tax numbers."""
    inside.office.add_person("low@example.com", "rep", "Sales", "", "confidential")
    return inside.device("low@example.com", "low")


def values(device: Device, id_: bytes) -> dict[str, Any]:
    """A row's cells, those of several values by field."""
    found: dict[str, Any] = {}
    for cell, value in device.cells(id_).items():
        name, slash, _element = cell.partition("/")
        if slash:
            found.setdefault(name, []).append(value["value"])
        else:
            found[name] = value
    return found


def test_each_class_goes_to_whom_it_is_granted(inside: Inside, ana: Device, low: Device) -> None:
    id_ = ana.add("customer", **VALUES)
    ana.sync()
    low.sync()
    assert "tax_number" not in low.cells(id_)
    assert values(low, id_)["name"] == "Northwind"
    grant(inside, "low@example.com", "internal")
    low.sync()
    assert values(low, id_) == {
        "name": "•••", "industry": "Tea", "notes": "•••", "address": {"country": "DE"},
        "phones": ["•••33", "•••"], "emails": ["•••@•••"],
    }  # fmt: skip
    assert low.cursor.care == Care.INTERNAL
    assert ana.cursor.care == Care.RESTRICTED


def test_the_masks_of_privacy_tell_not_even_digits(inside: Inside, ana: Device) -> None:
    id_ = ana.add("customer", **VALUES)
    ana.sync()
    privacy = inside.device(inside.person("privacy@example.com", role="privacy"), "privacy")
    privacy.sync()
    assert values(privacy, id_)["phones"] == ["•••", "•••"]
    assert privacy.cursor.care == Care.INTERNAL


def test_what_sets_a_hidden_field_is_refused_alone(inside: Inside, ana: Device, low: Device) -> None:
    id_ = ana.add("customer", **VALUES)
    ana.sync()
    low.sync()
    low.edit(id_, industry="Coffee")
    low.edit(id_, tax_number="DE9", source="Fair")
    low.edit(id_, language="de")
    low.add("customer", name="New", tax_number="DE8")
    reply = low.exchange()
    assert [each.outcome for each in reply.results] == [
        Outcome.OK, Outcome.REJECTED, Outcome.OK, Outcome.REJECTED
    ]  # fmt: skip
    assert {each.code for each in reply.results if each.outcome is Outcome.REJECTED} == {Rejection.FORBIDDEN}
    ana.sync()
    now = ana.cells(id_)
    assert (now["industry"], now["language"], now["tax_number"]) == ("Coffee", "de", "DE123456")
    assert "source" not in now
    assert len(ana.rows) == 1
    assert [each.rule for each in inside.office.refused(low.enrolment, sealed=False)] == ["forbidden"] * 2


def test_a_row_that_comes_with_a_result_is_split_too(ana: Device, low: Device) -> None:
    id_ = ana.add("customer", **VALUES)
    ana.sync()
    low.sync()
    ana.edit(id_, tax_number="DE777", industry="Rum")
    ana.sync()
    low.edit(id_, language="de")
    (result,) = low.exchange().results
    assert result.row is not None
    assert "tax_number" not in result.row.cells
    assert low.cells(id_)["industry"] == "Rum"


def test_no_conflict_about_a_hidden_field_is_told(
    inside: Inside, ana: Device, bo: Device, low: Device
) -> None:
    id_ = ana.add("customer", **VALUES)
    ana.sync()
    bo.sync()
    low.sync()
    ana.edit(id_, tax_number="DE1", industry="One")
    bo.edit(id_, tax_number="DE2", industry="Two")
    ana.sync()
    bo.sync()
    low.sync()
    assert {each.cell for each in bo.conflicts.values()} == {"tax_number", "industry"}
    assert {each.cell for each in low.conflicts.values()} == {"industry"}
    low.conflicts.clear()
    grant(inside, "low@example.com", "restricted")
    low.sync()
    assert {each.cell for each in low.conflicts.values()} == {"tax_number", "industry"}


def test_digests_are_of_what_the_person_sees(inside: Inside, ana: Device, low: Device) -> None:
    id_ = ana.add("customer", **VALUES)
    ana.add("deal", name="Hold", customer=id_, amount={"minor": 1, "currency": "EUR"})
    ana.sync()
    for care in ("confidential", "internal", "restricted"):
        grant(inside, "low@example.com", care)
        low.sync()
        assert entries_of(low) == held(low)
        sums = Sums()
        for of, (_ver, told) in held(low).items():
            sums.add(of, told)
        assert sums_of(low).differing(sums) == []
        (change,) = records_of(low, id_)
        assert change.cells == low.rows[id_].cells
    assert digest.BUCKETS > 0


def test_who_is_granted_less_goes_through_everything_and_says_so(
    inside: Inside, ana: Device, low: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "PAGE_ROWS", 3)
    ids = [ana.add("customer", **{**VALUES, "name": f"Customer {at}"}) for at in range(10)]
    ana.sync()
    low.sync()
    assert inside.view(low).confirmed
    grant(inside, "low@example.com", "internal")
    assert not inside.view(low).confirmed
    first = low.exchange()
    assert (first.head.more, low.cursor.scopes, low.cursor.care) == (True, -2, Care.INTERNAL)
    assert first.head.person.care == Care.INTERNAL
    low.exchange()
    assert not inside.view(low).confirmed
    low.sync()
    low.exchange()
    assert {values(low, id_)["name"] for id_ in ids} == {"•••"}
    assert inside.view(low).confirmed


def test_until_all_is_gone_through_masks_count_as_masks(
    inside: Inside, ana: Device, low: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is granted more is not shown the rows of before as if they were whole."""
    monkeypatch.setattr(feed, "PAGE_ROWS", 3)
    for at in range(10):
        ana.add("customer", **{**VALUES, "name": f"Customer {at}"})
    ana.sync()
    low.sync()
    grant(inside, "low@example.com", "restricted")
    while low.exchange().head.more:
        assert low.cursor.care == Care.CONFIDENTIAL
    assert low.cursor.care == Care.RESTRICTED
    assert all("tax_number" in low.cells(id_) for id_ in low.rows)


def test_a_class_that_changes_nothing_for_the_role_moves_nothing(inside: Inside) -> None:
    inside.office.add_person("p@example.com", "privacy", "Sales", "")
    inside.office.add_person("p@example.com", "privacy", "Sales", "", "confidential")
    device = inside.device("p@example.com", "p")
    device.sync()
    assert device.cursor.scopes == 1
    with pytest.raises(KnownError):
        inside.office.add_person("p@example.com", "privacy", "Sales", "", "secret")


def test_a_change_without_a_class_leaves_the_class(inside: Inside, low: Device) -> None:
    view = inside.office.add_person("low@example.com", "rep", "Elsewhere", "")
    assert view.care == "confidential"
    assert inside.office.add_person("low@example.com", "privacy", "Elsewhere", "").care == "internal"
    assert inside.office.add_person("low@example.com", "rep", "Elsewhere", "").care == "confidential"


def test_unsent_work_goes_to_nobody_who_sees_less(inside: Inside, ana: Device, low: Device) -> None:
    """It is sealed: nobody on the server can split it. It stays until somebody is named who may see it."""
    ana.sync()
    ana.add("customer", **VALUES)
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    low.sync()
    with pytest.raises(KnownError):
        recovery.recover(inside.office, inside.keys, nobody_asks, inside.view(ana), inside.view(low))
    again = inside.device("ana@example.com", "again")
    recovery.recover(inside.office, inside.keys, nobody_asks, inside.view(ana), inside.view(again))
    grant(inside, "ana@example.com", "internal")  # filed before, and not to be handed out any more
    assert not [paper for paper in again.exchange().papers if paper.kind == "recovered"]
    grant(inside, "ana@example.com", "restricted")
    assert [paper.kind for paper in again.exchange().papers if paper.kind == "recovered"] == ["recovered"]


def test_a_cell_of_a_later_version_needs_the_highest_class(inside: Inside, ana: Device, low: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    later = ana.waiting[-1]
    later.set["field_of_later"] = os.urandom(2).hex()
    ana.sync()
    low.sync()
    assert "field_of_later" in ana.cells(id_)
    assert "field_of_later" not in low.cells(id_)


def test_what_becomes_of_a_record_out_of_sight_is_not_told_to_who_sends_an_old_op_again(
    inside: Inside, ana: Device
) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    given = ana.edit(id_, owner="cy@example.com")
    cy = inside.device(inside.person("cy@example.com", team="Elsewhere"))
    ana.sync()
    cy.sync()
    told = []
    for number in range(2):
        cy.edit(id_, industry=f"Industry {number}")
        cy.sync()
        ana.n += 1
        anew = msgspec.structs.replace(given, n=ana.n, first=ana.n)
        for reply in (ana.ask([anew]), ana.ask([anew])):
            told += [(each.ver, each.row and (each.row.gone, each.row.ver)) for each in reply.results]
    assert set(told) == {(0, ("left", 0))}


def test_no_result_tells_privacy_who_wrote(inside: Inside, ana: Device, low: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    low.sync()
    low.edit(id_, industry="Gas")
    low.sync()
    op = ana.edit(id_, source="web")
    ana.exchange()
    inside.person("ana@example.com", role="privacy", team="")
    (result,) = ana.ask([op]).results
    assert result.row is not None
    assert (result.row.id, result.row.person) == (id_, "")


def test_a_device_from_which_nothing_can_have_left_is_not_waited_for(
    inside: Inside, ana: Device, low: Device
) -> None:
    """One that has had a single exchange has not said how far it read: it says so in the next one."""
    ana.add("customer", **VALUES)
    ana.sync()
    inside.person("new@example.com")
    fresh = inside.device("new@example.com")
    fresh.exchange()
    assert inside.view(fresh).confirmed
    grant(inside, "new@example.com", "internal")
    assert not inside.view(fresh).confirmed
