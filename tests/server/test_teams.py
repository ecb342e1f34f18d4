"""Teams move and merge: everybody in one goes along, with all records, at once; and IT sees who holds what left."""

from __future__ import annotations

import pytest

from sync.protocol import messages
from sync.protocol.desk import HoldsView
from sync.protocol.errors import KnownError
from sync.protocol.ids import id_text
from sync.protocol.ops import Act
from sync.server import feed
from tests.server.driver import Device
from tests.server.inside import Inside


@pytest.fixture
def east(inside: Inside) -> Device:
    """The device of a rep of Sales/East."""
    return inside.device(inside.person("east@example.com", team="Sales/East"), "east")


@pytest.fixture
def north(inside: Inside) -> Device:
    """The device of a rep of a team below Sales/East."""
    return inside.device(inside.person("north@example.com", team="Sales/East/North"), "north")


@pytest.fixture
def west(inside: Inside) -> Device:
    """The device of a rep of Sales/West."""
    return inside.device(inside.person("west@example.com", team="Sales/West"), "west")


@pytest.fixture
def head(inside: Inside) -> Device:
    """The device of the manager of Sales/East."""
    return inside.device(inside.person("head@example.com", role="manager", team="Sales/East"), "head")


def settle(*devices: Device) -> None:
    """Everybody hears of everything, and says so."""
    for _each in range(2):
        for device in devices:
            device.sync()
            device.exchange()


def holds(inside: Inside, device: Device, *, kind: str = "", ids: bool = True) -> HoldsView:
    """What IT is told that a device holds."""
    inside.skew += 60_000  # a contact that brings nothing is noted half a minute apart
    return inside.office.holds(device.enrolment, kind, ids)


def test_a_team_goes_with_all_below_it(
    inside: Inside, east: Device, north: Device, west: Device, head: Device
) -> None:
    one, two, three = (each.add("customer", name=each.name) for each in (east, north, west))
    settle(east, north, west, head)
    assert set(head.rows) == {one, two}
    moved = inside.office.move_team("Sales / East", "Field/East")
    assert (moved.people, moved.records) == (3, 2)
    teams = {each.email: each.team for each in inside.office.people()}
    assert teams == {
        "east@example.com": "Field/East", "north@example.com": "Field/East/North",
        "west@example.com": "Sales/West", "head@example.com": "Field/East", "it@example.com": "",
    }  # fmt: skip
    settle(east, north, west, head)
    assert [set(each.rows) for each in (east, north, west, head)] == [{one}, {two}, {three}, {one, two}]
    with inside.store.read() as tx:
        line = tx.post.audit_lines()[-1]
    assert (line.verb, line.object) == ("team moved to Field/East", "Sales/East")


def test_two_teams_become_one(inside: Inside, east: Device, west: Device) -> None:
    one, two = east.add("customer", name="One"), west.add("customer", name="Two")
    settle(east, west)
    inside.office.move_team("Sales/West", "Sales/East")
    settle(east, west)
    assert set(east.rows) == set(west.rows) == {one, two}


@pytest.mark.parametrize(
    ("team", "to"),
    [
        ("Sales", "Sales/East"), ("Sales/East", "Sales/East"), ("Nowhere", "Sales"), ("", "Sales"), ("Sales", ""),
    ],
)  # fmt: skip
def test_what_would_lose_a_team_is_refused(inside: Inside, east: Device, team: str, to: str) -> None:
    before = inside.office.people()
    with pytest.raises(KnownError):
        inside.office.move_team(team, to)
    assert inside.office.people() == before


def test_it_is_told_what_a_device_holds(inside: Inside, east: Device, west: Device) -> None:
    one = east.add("customer", name="One", tax_number="DE1", phones=["+49 30 1"])
    two = east.add("customer", name="Two")
    east.add("product", name="Tea", code="T1")
    settle(east, west)
    view = holds(inside, east)
    east.exchange()
    view = holds(inside, east)
    assert (view.confirmed, view.exact, view.read, view.care) == (True, True, view.head, "restricted")
    customers, products = view.kinds
    assert set(customers.ids) == {id_text(one), id_text(two)}
    assert customers.classes["restricted"] == 1
    assert customers.classes["confidential"] == 2
    assert (products.records, products.classes["public"]) == (1, 1)
    assert "Tea" not in str(view)
    assert [each.kind for each in holds(inside, west).kinds] == ["product"]
    assert [each.kind for each in holds(inside, east, kind="product", ids=False).kinds] == ["product"]
    with pytest.raises(KnownError):
        holds(inside, east, kind="nothing")


def test_what_is_to_leave_counts_until_the_device_says_that_it_has(
    inside: Inside, east: Device, west: Device
) -> None:
    one = east.add("customer", name="One")
    settle(east, west)
    holds(inside, east)
    east.exchange()
    east.edit(one, owner="west@example.com")
    east.waiting, moved = [], east.waiting
    west.sync()
    assert not west.rows
    east.waiting = moved
    reply = east.ask(east.waiting)
    (customer,) = holds(inside, east, kind="customer").kinds
    assert (customer.records, customer.leaving) == (1, 1)
    (coming,) = holds(inside, west, kind="customer").kinds
    assert (coming.records, coming.coming) == (0, 1)
    east.take(reply)
    holds(inside, east)
    east.exchange()
    holds(inside, east)
    east.exchange()
    assert holds(inside, east, kind="customer").kinds == []


def test_a_device_under_way_may_hold_whatever_its_person_could_see(
    inside: Inside, east: Device, west: Device
) -> None:
    """After a change of team, until it has said that everything was gone through."""
    west.add("customer", name="Two")
    one = east.add("customer", name="One")
    settle(east, west)
    inside.person("west@example.com", team="Sales/East")
    view = holds(inside, west)
    assert (view.confirmed, view.exact) == (False, True)
    assert [(each.records, each.coming) for each in view.kinds] == [(1, 2)]  # its own moved along
    settle(west)
    view = holds(inside, west)
    west.exchange()
    view = holds(inside, west)
    assert view.confirmed
    assert id_text(one) in view.kinds[0].ids


def test_a_new_device_holds_nothing_and_is_not_waited_for(inside: Inside, east: Device, west: Device) -> None:
    east.add("customer", name="One")
    settle(east)
    inside.person("west@example.com", team="Sales/East")
    view = holds(inside, west)
    assert (view.confirmed, [each.records for each in view.kinds]) == (True, [])


@pytest.mark.parametrize("rows", [messages.PAGE_ROWS, 1])
def test_what_waited_on_a_record_that_left_and_came_back_brings_it_along(
    inside: Inside, east: Device, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last to write there was the device itself: as its own, the record would not be sent back to it."""
    monkeypatch.setattr(feed, "PAGE_ROWS", rows)
    other = inside.device(inside.person("colleague@example.com", team="Sales/East"), "colleague")
    id_ = other.add("customer", name="Northwind", stage="lead")
    settle(other, east)
    other.edit(id_, stage="customer")
    east.edit(id_, stage="former")
    settle(other, east)
    seen, kept = east.rows[id_].ver, set(east.conflicts)
    inside.person("colleague@example.com", team="Sales/West")
    settle(east)
    assert id_ not in east.rows
    east.conflicts.clear()  # they go with their record
    inside.person("colleague@example.com", team="Sales/East")
    more = [other.add("customer", name=f"More {number}") for number in range(3)]
    other.sync()
    east.op("customer", id_, Act.SET, {"industry": "Tea"}, base=seen)  # it had waited all the time
    settle(east)
    assert (east.cells(id_)["name"], east.cells(id_)["industry"]) == ("Northwind", "Tea")
    assert (set(east.conflicts), set(east.rows)) == (kept, {id_, *more})
    assert len(kept) == 1
