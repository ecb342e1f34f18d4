"""The server takes no record that is part of itself, whatever a device lets through."""

from __future__ import annotations

from sync.protocol.errors import Outcome, Rejection
from sync.protocol.ids import new_record_id
from sync.protocol.ops import Act
from tests.server.driver import Device


def test_a_record_that_is_part_of_itself_is_refused(ana: Device) -> None:
    itself = new_record_id()
    ana.op("customer", itself, Act.ADD, {"name": "Ouroboros", "parent": itself})
    known = ana.add("customer", name="Known")
    ana.op("customer", known, Act.SET, {"parent": known})
    results = ana.exchange().results
    assert [(each.outcome, each.code) for each in results] == [
        (Outcome.REJECTED, Rejection.INVALID),
        (Outcome.OK, None),
        (Outcome.REJECTED, Rejection.INVALID),
    ]
    assert "part of itself" in results[0].hint


def test_two_links_made_apart_that_would_close_a_circle_do_not_both_stand(ana: Device, bo: Device) -> None:
    one, two = ana.add("customer", name="One"), ana.add("customer", name="Two")
    ana.sync()
    bo.sync()
    ana.edit(one, parent=two)
    bo.edit(two, parent=one, name="Second")
    ana.sync()
    (result,) = bo.exchange().results
    assert result.outcome is Outcome.CONFLICT
    bo.sync()
    assert bo.cells(two) == {**bo.cells(two), "name": "Second"}
    assert "parent" not in bo.cells(two)
    assert bo.cells(one)["parent"] == two
    ana.sync()
    (conflict,) = ana.conflicts.values()
    assert (conflict.record, conflict.cell, conflict.shown, conflict.kept) == (two, "parent", None, one)
