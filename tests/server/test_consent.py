"""A consent has no owner of its own: it is seen by those who see the customer, wherever that goes."""

from __future__ import annotations

from sync.protocol.ids import new_record_id
from tests.server.driver import Device
from tests.server.inside import Inside


def test_a_consent_is_seen_by_those_who_see_the_customer(inside: Inside, ana: Device, bo: Device) -> None:
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    customer = cora.add("customer", name="Northwind", owner="ana@example.com")
    given = cora.add("consent", purpose="news", customer=customer, status="given")
    cora.sync()
    assert (customer in cora.rows, given in cora.rows) == (False, False)
    for device in (ana, bo):
        device.sync()
        assert device.cells(given)["status"] == "given"
    bo.edit(given, status="withdrawn")
    bo.sync()
    ana.sync()
    assert ana.cells(given)["status"] == "withdrawn"


def test_a_consent_goes_where_its_customer_goes(inside: Inside, ana: Device, bo: Device) -> None:
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    customer = ana.add("customer", name="Northwind")
    contact = ana.add("contact", name="Zoe", customer=customer)
    of_customer = ana.add("consent", purpose="news", customer=customer, status="given")
    of_contact = ana.add("consent", purpose="offers", contact=contact, status="given")
    for device in (ana, bo, cora):
        device.sync()
    assert {of_customer, of_contact} <= bo.rows.keys()
    assert not cora.rows
    ana.edit(customer, owner="cora@example.com")
    for device in (ana, bo, cora):
        device.sync()
    assert {customer, of_customer} == cora.rows.keys()
    for device in (ana, bo):
        assert {contact, of_contact} == device.rows.keys()
    # About whom it is may change too.
    cora.edit(of_customer, customer=None, contact=contact)
    for device in (cora, ana, bo):
        device.sync()
    assert of_customer not in cora.rows
    assert {of_customer, of_contact} <= ana.rows.keys() & bo.rows.keys()


def test_a_consent_that_comes_before_its_customer_finds_it(inside: Inside, ana: Device, bo: Device) -> None:
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    customer = new_record_id()
    given = ana.add("consent", purpose="news", customer=customer, status="given")
    ana.sync()
    bo.sync()
    assert given in bo.rows
    ana.add("customer", id_=customer, name="Northwind", owner="cora@example.com")
    for device in (ana, bo, cora):
        device.sync()
    assert {customer, given} == cora.rows.keys()
    assert not ana.rows
    assert not bo.rows


def test_a_consent_follows_a_customer_whose_owner_gets_an_account_or_moves(
    inside: Inside, ana: Device, bo: Device
) -> None:
    customer = ana.add("customer", name="Imported", owner="zed@example.com")
    given = ana.add("consent", purpose="news", customer=customer, status="given")
    ana.sync()
    zed = inside.device(inside.person("zed@example.com", team="Elsewhere"))
    zed.sync()
    assert {customer, given} == zed.rows.keys()
    ana.sync()
    assert not ana.rows
    inside.person("zed@example.com", team="Sales")
    bo.sync()
    assert {customer, given} == bo.rows.keys()


def test_nothing_is_laid_beside_a_customer_that_was_never_seen(inside: Inside, ana: Device) -> None:
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    hidden = cora.add("customer", name="Northwind")
    cora.sync()
    given = [
        ana.add("consent", purpose="news", customer=customer, status="given")
        for customer in (hidden, new_record_id())
    ]
    # One that is hidden and one that never was are the same to who made it, then and later.
    one, other = ana.exchange().results
    assert (one.outcome, one.code, one.row) == (other.outcome, other.code, other.row)
    cora.edit(hidden, industry="Gas")
    cora.sync()
    ana.sync()
    assert (set(cora.rows), set(given) <= ana.rows.keys()) == ({hidden}, True)
    # Once it is in sight, the consent joins it with its next change.
    cora.edit(hidden, owner="ana@example.com")
    cora.sync()
    ana.sync()
    ana.edit(given[0], status="withdrawn")
    ana.edit(hidden, owner="cora@example.com")
    ana.sync()
    cora.sync()
    assert cora.rows.keys() == {hidden, given[0]}


def test_whoever_was_moved_meanwhile_had_the_customer_in_sight(
    inside: Inside, ana: Device, bo: Device
) -> None:
    customer = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    given = bo.add("consent", purpose="news", customer=customer, status="given")
    inside.person("bo@example.com", team="Elsewhere")
    bo.sync()
    ana.sync()
    assert (set(bo.rows), set(ana.rows)) == (set(), {customer, given})
