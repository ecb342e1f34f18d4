"""Territories: a rep sees own records and, of the team's, those of some; what is about a customer lies with it."""

from __future__ import annotations

import pytest

from sync.protocol.desk import WHOLE_TEAM
from sync.protocol.errors import KnownError, Outcome, Rejection
from sync.protocol.ids import id_text, new_record_id
from sync.server import feed
from sync.server.access import Scope
from sync.server.db.kept import Trace
from tests.server.driver import Device
from tests.server.inside import Inside
from tests.server.store_contract import TEAM
from tests.server.store_contract import held as stored
from tests.server.test_comparing import entries_of, held

ON_BOTH_STORES = True


def settle(*devices: Device) -> None:
    """Everybody hears of everything, and says so."""
    for _each in range(2):
        for device in devices:
            device.sync()
            device.exchange()


@pytest.fixture
def north(inside: Inside) -> Device:
    """The device of a rep of the team Sales who sees the territory North alone."""
    device = inside.device(inside.person("north@example.com"), "north")
    inside.office.grant_territory("north@example.com", "North")
    return device


@pytest.fixture
def head(inside: Inside) -> Device:
    """The device of the manager of Sales."""
    return inside.device(inside.person("head@example.com", role="manager"), "head")


def test_a_rep_sees_own_records_and_those_of_the_territory(
    inside: Inside, ana: Device, north: Device, head: Device
) -> None:
    there = ana.add("customer", name="There", territory="north ")
    elsewhere = ana.add("customer", name="Elsewhere", territory="South")
    nowhere = ana.add("customer", name="Nowhere")
    own = north.add("customer", name="Own", territory="South")
    product = ana.add("product", name="Tea", code="T1")
    office = inside.device(inside.person("office@example.com", role="office"), "office")
    settle(ana, north, head, office)
    assert set(north.rows) == {there, own, product}
    for whole in (ana, head, office):
        assert set(whole.rows) == {there, elsewhere, nowhere, own, product}
    assert entries_of(north) == held(north)


def test_what_is_about_a_customer_lies_where_it_lies(inside: Inside, ana: Device, north: Device) -> None:
    customer = ana.add("customer", name="Northwind", territory="South")
    contact = ana.add("contact", name="Zoe", customer=customer)
    deal = ana.add("deal", name="Tea", customer=customer)
    visit = ana.add("activity", subject="By way of the contact", contact=contact)
    task = ana.add("task", subject="By way of the deal", deal=deal)
    consent = ana.add("consent", purpose="news", status="given", contact=contact)
    alone = ana.add("task", subject="About nobody")
    settle(ana, north)
    assert not north.rows
    ana.edit(customer, territory="North")
    settle(ana, north)
    assert set(north.rows) == {customer, contact, deal, visit, task, consent}
    assert alone not in north.rows
    ana.edit(customer, territory="South")
    settle(ana, north)
    assert not north.rows
    ana.edit(deal, customer=None)
    ana.edit(customer, territory="North")
    settle(ana, north)
    assert set(north.rows) == {customer, contact, visit, consent}


def test_what_comes_before_its_customer_finds_it(inside: Inside, ana: Device, north: Device) -> None:
    customer = new_record_id()
    deal = ana.add("deal", name="Tea", customer=customer)
    task = ana.add("task", subject="Call", deal=deal)
    settle(ana, north)
    assert not north.rows
    ana.add("customer", id_=customer, name="Northwind", territory="North")
    settle(ana, north)
    assert set(north.rows) == {customer, deal, task}


def test_own_records_stay_wherever_their_customer_goes(inside: Inside, ana: Device, north: Device) -> None:
    customer = ana.add("customer", name="Northwind", territory="North")
    settle(ana, north)
    deal = north.add("deal", name="Mine", customer=customer)
    settle(north, ana)
    ana.edit(customer, territory="South")
    settle(ana, north)
    assert set(north.rows) == {deal}


def test_an_edit_of_what_lies_elsewhere_is_refused(inside: Inside, ana: Device, north: Device) -> None:
    customer = ana.add("customer", name="Northwind", territory="North")
    settle(ana, north)
    ana.edit(customer, territory="South")
    ana.sync()
    north.edit(customer, industry="Tea")
    (result,) = north.exchange().results
    assert (result.outcome, result.code) == (Outcome.REJECTED, Rejection.FORBIDDEN)
    assert customer not in north.rows
    kept = inside.office.refused(north.enrolment, sealed=False)
    assert [each.record for each in kept] == [id_text(customer)]


def test_grant_revoke_and_the_whole_team_again(inside: Inside, ana: Device, north: Device) -> None:
    ids = {name: ana.add("customer", name=name, territory=name) for name in ("North", "South", "West")}
    own = north.add("customer", name="Own")
    settle(ana, north)
    inside.office.grant_territory("north@example.com", "SOUTH")
    assert not inside.view(north).confirmed
    settle(north)
    assert set(north.rows) == {ids["North"], ids["South"], own}
    assert inside.view(north).confirmed
    inside.office.revoke_territory("north@example.com", "North")
    settle(north)
    assert set(north.rows) == {ids["South"], own}
    view = inside.office.revoke_territory("north@example.com", "south")
    assert (view.own_alone, view.territories) == (True, [])
    settle(north)
    assert set(north.rows) == {own}
    inside.office.add_person("north@example.com", "rep", "Sales", "")
    settle(north)
    assert set(north.rows) == {own}
    inside.office.add_person("north@example.com", "rep", "Sales", WHOLE_TEAM)
    settle(north)
    assert set(north.rows) == {*ids.values(), own}


def test_a_rep_of_own_records_alone(inside: Inside, ana: Device) -> None:
    inside.office.add_person("own@example.com", "rep", "Sales", "\n")
    device = inside.device("own@example.com", "own")
    ana.add("customer", name="Ana's")
    product = ana.add("product", name="Tea", code="T1")
    given = ana.add("customer", name="Given", owner="own@example.com")
    settle(ana, device)
    assert set(device.rows) == {product, given}


def test_a_territory_is_renamed_and_merged_whole(
    inside: Inside, ana: Device, north: Device, head: Device
) -> None:
    inside.office.grant_territory("north@example.com", "West")
    one = ana.add("customer", name="One", territory="North")
    two = ana.add("customer", name="Two", territory="South")
    deal = ana.add("deal", name="Tea", customer=one)
    gone = ana.add("customer", name="Gone", territory="North")
    settle(ana, north, head)
    ana.delete(gone)
    settle(ana, north, head)
    moved = inside.office.move_territory("north", "Far North")
    assert (moved.people, moved.customers, moved.records) == (1, 2, 3)
    settle(ana, north, head)
    assert {device.cells(one)["territory"] for device in (ana, north, head)} == {"Far North"}
    assert set(north.rows) == {one, deal}
    moved = inside.office.move_territory("South", "West")
    settle(ana, north, head)
    assert set(north.rows) == {one, two, deal}
    moved = inside.office.move_territory("West", "FAR NORTH")
    assert (moved.people, moved.customers) == (1, 1)
    settle(ana, north, head)
    assert set(north.rows) == {one, two, deal}
    (view,) = [each for each in inside.office.people() if each.email == "north@example.com"]
    assert view.territories == ["FAR NORTH"]
    assert [(each.territory, each.people, each.customers) for each in inside.office.territories()] == [
        ("FAR NORTH", ["north@example.com"], 3)
    ]
    with inside.store.read() as tx:
        line = tx.post.audit_lines()[-1]
    assert (line.verb, line.object) == ("territory moved to FAR NORTH", "West")


def test_an_edit_that_met_a_renaming_is_kept(inside: Inside, ana: Device, head: Device) -> None:
    """Who had not heard of it yet writes another territory: both are kept, as between two people."""
    one = ana.add("customer", name="One", territory="North")
    settle(ana, head)
    head.edit(one, territory="South")
    inside.office.move_territory("North", "Far North")
    (result,) = head.exchange().results
    assert result.outcome is Outcome.CONFLICT
    (conflict,) = head.conflicts.values()
    assert {conflict.shown, conflict.kept} == {"Far North", "South"}


def test_all_is_gone_through_in_pages_whatever_changes_meanwhile(
    inside: Inside, ana: Device, north: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "PAGE_ROWS", 3)
    ids = [ana.add("customer", name=f"Customer {at}", territory="North") for at in range(10)]
    settle(ana, north)
    inside.office.grant_territory("north@example.com", "South")
    assert north.exchange().head.more
    for id_ in ids[::2]:
        ana.edit(id_, territory="West")
    for id_ in ids[1::2]:
        ana.edit(id_, territory="South")
    ana.sync()
    settle(north)
    assert set(north.rows) == set(ids[1::2])


@pytest.mark.parametrize(
    ("territory", "to"), [("", "North"), ("North", " "), ("Nowhere", "North"), ("North", "N" * 121)]
)
def test_what_would_lose_a_territory_is_refused(
    inside: Inside, north: Device, territory: str, to: str
) -> None:
    before = inside.office.people()
    with pytest.raises(KnownError):
        inside.office.move_territory(territory, to)
    with pytest.raises(KnownError):
        inside.office.revoke_territory("north@example.com", "South")
    with pytest.raises(KnownError):
        inside.office.grant_territory("nobody@example.com", "South")
    assert inside.office.people() == before


def test_a_territory_changes_nothing_for_other_roles(inside: Inside, head: Device) -> None:
    settle(head)
    view = inside.office.grant_territory("head@example.com", "North")
    assert (view.territories, head.cursor.scopes) == (["North"], 1)
    settle(head)
    assert head.cursor.scopes == 1


def test_it_is_told_what_leaves(inside: Inside, ana: Device, north: Device) -> None:
    one = ana.add("customer", name="One", territory="North")
    settle(ana, north)
    ana.edit(one, territory="South")
    ana.sync()
    inside.skew += 60_000
    (kind,) = inside.office.holds(north.enrolment, "customer", True).kinds
    assert (kind.records, kind.leaving, kind.ids) == (1, 1, [id_text(one)])
    settle(north)
    inside.skew += 60_000
    settle(north)
    view = inside.office.holds(north.enrolment, "customer", True)
    assert (view.kinds, view.confirmed, view.territories) == ([], True, ["North"])


def test_records_are_found_by_where_they_lie(inside: Inside) -> None:
    north, south = (Scope(TEAM.person, TEAM.team, name) for name in ("north", "south"))
    with inside.store.write() as tx:
        tx.records.put(stored(b"1" * 16, tx.records.next_seq(), scope=north), None, 1)
        about = stored(b"2" * 16, tx.records.next_seq(), subject=b"1" * 16, scope=north)
        tx.records.put(about, None, 1)
        tx.records.put(stored(b"3" * 16, tx.records.next_seq()), None, 1)
        assert tx.records.of_territory("north") == [b"1" * 16]
        assert tx.records.territories() == [("north", 1)]
        assert [tx.records.territory(each * 16) for each in (b"2", b"3", b"4")] == ["north", "", ""]
        tx.records.put(stored(b"1" * 16, tx.records.next_seq(), scope=south), north, 1)
        assert tx.records.traces(b"1" * 16, 1) == [Trace(4, north, stored(b"1" * 16, 1).device)]
        assert tx.records.passed_on(0, 1, b"another device..") == []
        tx.records.put(stored(b"1" * 16, tx.records.next_seq(), scope=south), south, 1)
        assert tx.records.passed_on(1, 4, b"another device..") == [b"1" * 16]
        assert (tx.records.unplaced(0, 9), tx.records.is_placed(b"1" * 16)) == ([], True)


def test_territories_are_listed_as_customers_write_them(inside: Inside, ana: Device) -> None:
    ana.add("customer", name="One", territory="Große Hafen")
    ana.sync()
    assert [each.territory for each in inside.office.territories()] == ["Große Hafen"]
