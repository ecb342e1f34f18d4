"""How edits meet, rule by rule: who was first, who had seen what, what stands and what is kept."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sync.protocol import merge
from sync.protocol.errors import Outcome, Rejection
from sync.protocol.ids import DeviceId, Incarnation, OpId
from sync.protocol.kinds import KINDS
from sync.protocol.merge import DELETED, WHOLE_RECORD
from sync.protocol.ops import Act
from tests.protocol.merging import RECORD, Device, Server, pair

TEN, TWENTY = {"minor": 1000, "currency": "USD"}, {"minor": 2000, "currency": "USD"}
PHONE_A, PHONE_B = {"label": "work", "value": "1"}, {"label": "home", "value": "2"}

# Kind, cell, one value, the other, and what stands when the first to arrive carries the first value:
# its stamp is the earlier one, then the later one. Consent and opt-out do not ask who was first.
MEETINGS = [
    ("customer", "industry", "Steel", "Paper", "Paper", "Steel"),  # latest
    ("customer", "phones__00000000000000aa", PHONE_A, PHONE_B, PHONE_B, PHONE_A),
    ("customer", "from_tomorrow", "x", "y", "y", "x"),  # a field this version does not know
    ("customer", "stage", "prospect", "former", "prospect", "prospect"),  # hold
    ("deal", "amount", TEN, TWENTY, TEN, TEN),
    ("deal", "owner", "ann@x", "bob@x", "ann@x", "ann@x"),
    ("customer", "do_not_contact", True, False, True, True),  # stricter
    ("customer", "do_not_contact", False, True, True, True),
    ("consent", "status", "withdrawn", "given", "withdrawn", "withdrawn"),
    ("consent", "status", "given", "refused", "refused", "refused"),
    ("consent", "ends_on", "2027-01-01", "2028-01-01", "2027-01-01", "2027-01-01"),
    ("consent", "ends_on", "2028-01-01", "2027-01-01", "2027-01-01", "2027-01-01"),
    ("consent", "ends_on", None, "2027-01-01", "2027-01-01", "2027-01-01"),
    ("customer", "industry", None, "Paper", "Paper", None),  # an emptied field meets an edited one
    ("customer", "industry", "Steel", None, None, "Steel"),
]


def _started(kind: str, cell: str) -> tuple[Server, Device, Device]:
    """A record in which both devices have seen a value of the cell."""
    started = {
        "do_not_contact": None,
        "ends_on": "2030-01-01",
        "status": "given",
        "stage": "lead",
        "amount": None,
    }
    return pair(kind, **{"name": "Acme", cell: started.get(cell, "before")})


@pytest.mark.parametrize("later", [False, True], ids=["first-is-earlier", "first-is-later"])
@pytest.mark.parametrize(("kind", "cell", "first", "second", "stands", "stands_later"), MEETINGS)
def test_two_edits_of_one_cell_meet(
    kind: str, cell: str, first: Any, second: Any, stands: Any, stands_later: Any, later: bool
) -> None:
    server, ann, bob = _started(kind, cell)
    name = cell.replace("__", "/")
    ann.set(at=3_000 if later else 2_000, **{cell: first})
    bob.set(at=2_500, **{cell: second})
    [one], [other] = ann.sync(), bob.sync()
    expected = stands_later if later else stands
    assert server.cells.get(name) == expected
    if one.outcome is Outcome.OK and not one.changed:
        # The first said what stood there already: then nobody has met anybody.
        assert not server.conflicts
        return
    assert (one.outcome, one.conflicts) == (Outcome.OK, ())
    assert (other.outcome, other.differs) == (Outcome.CONFLICT, True)
    [conflict] = server.conflicts
    assert (conflict.cell, conflict.shown, conflict.base) == (
        name,
        expected,
        bob.server.log[0][0].set.get(name),
    )
    assert conflict.kept == (second if expected == first else first)
    assert (conflict.shown_by, conflict.kept_by) == (
        ("bob@x", "ann@x") if expected == second and expected != first else ("ann@x", "bob@x")
    )


@pytest.mark.parametrize(("kind", "cell", "first", "second", "_stands", "_later"), MEETINGS)
def test_an_edit_by_one_who_had_seen_the_other_is_taken(
    kind: str, cell: str, first: Any, second: Any, _stands: Any, _later: Any
) -> None:
    server, ann, bob = _started(kind, cell)
    ann.set(at=9_000, **{cell: first})
    ann.sync()
    bob.pull()
    bob.set(at=1, **{cell: second})
    [merged] = bob.sync()
    assert (merged.outcome, merged.differs) == (Outcome.OK, False)
    assert server.cells.get(cell.replace("__", "/")) == second
    assert not server.conflicts


@pytest.mark.parametrize(("kind", "cell", "first", "_second", "_stands", "_later"), MEETINGS)
def test_equal_edits_make_no_conflict(
    kind: str, cell: str, first: Any, _second: Any, _stands: Any, _later: Any
) -> None:
    server, ann, bob = _started(kind, cell)
    for device in (ann, bob):
        device.set(**{cell: copy.deepcopy(first)})
    ann.sync()
    [merged] = bob.sync()
    assert merged.outcome in (Outcome.OK, Outcome.MERGED)
    assert not merged.changed
    assert not server.conflicts


def test_edits_of_different_cells_both_stay() -> None:
    server, ann, bob = pair(name="Acme", industry="Steel")
    ann.set(industry="Paper", stage="prospect")
    bob.set(source="Fair", tags__vip=True)
    ann.sync()
    [merged] = bob.sync()
    assert (merged.outcome, merged.differs) == (Outcome.MERGED, True)
    assert server.cells == {
        "name": "Acme", "industry": "Paper", "stage": "prospect", "source": "Fair", "tags/vip": True,
    }  # fmt: skip
    assert not server.conflicts


def test_two_phones_and_two_tags_added_at_once_all_stay() -> None:
    server, ann, bob = pair()
    ann.set(phones__00000000000000aa=PHONE_A, tags__vip=True)
    bob.set(phones__00000000000000bb=PHONE_B, tags__new=True)
    ann.sync()
    bob.sync()
    assert KINDS["customer"].values(server.cells)["tags"] == ["new", "vip"]
    assert len(KINDS["customer"].values(server.cells)["phones"]) == 2
    assert not server.conflicts


def test_one_record_made_twice_is_one_record() -> None:
    server, ann, bob = Server(), *pair()[1:]
    for device in (ann, bob):
        device.server, device.row = server, None
        device.add(name="Acme")
    ann.sync()
    [merged] = bob.sync()
    assert merged.outcome is Outcome.MERGED
    assert not server.conflicts


@pytest.mark.parametrize("act", [Act.SET, Act.DELETE, Act.UNDELETE])
def test_an_edit_of_a_record_that_never_was_is_refused(act: Act) -> None:
    server, ann, _bob = pair()
    server.row = None
    edits: dict[str, Any] = {"name": "x"} if act is Act.SET else {}
    ann.do(act, **edits)
    [merged] = ann.push()
    assert (merged.outcome, merged.code, merged.row) == (Outcome.REJECTED, Rejection.GONE, None)


def test_an_edit_under_another_kind_is_refused() -> None:
    server, ann, _bob = pair()
    server.kind = "contact"
    ann.set(name="x")
    [merged] = ann.push()
    assert (merged.outcome, merged.code) == (Outcome.REJECTED, Rejection.INVALID)
    assert server.cells == {"name": "Acme"}


def test_an_op_of_a_kind_from_tomorrow_merges_by_the_clock() -> None:
    server, ann, bob = pair("shipment", weight=1)
    ann.set(weight=2)
    bob.set(weight=3)
    ann.sync()
    bob.sync()
    assert server.cells == {"weight": 3}
    assert [conflict.kept for conflict in server.conflicts] == [2]


# --- deletes ----------------------------------------------------------------------------------


def test_a_delete_stays_and_its_cells_can_come_back() -> None:
    server, ann, _bob = pair()
    ann.do(Act.DELETE)
    [merged] = ann.sync()
    assert merged.outcome is Outcome.OK
    assert server.deleted is True
    ann.do(Act.UNDELETE)
    ann.sync()
    assert server.row is not None
    assert server.row.deleted is False
    assert server.cells == {"name": "Acme"}


def test_made_deleted_and_taken_back_before_the_first_sync() -> None:
    server = Server()
    ann = Device("ann", server, [0])
    ann.add(name="Acme")
    ann.do(Act.DELETE)
    ann.do(Act.UNDELETE)
    ann.do(Act.DELETE)
    assert {merged.outcome for merged in ann.sync()} == {Outcome.OK}
    assert server.deleted
    assert not server.conflicts


def test_deleted_twice_is_deleted() -> None:
    server, ann, bob = pair()
    for device in (ann, bob):
        device.do(Act.DELETE)
    ann.sync()
    [merged] = bob.sync()
    assert (merged.outcome, merged.changed, server.conflicts) == (Outcome.OK, False, [])


def test_an_edit_of_a_deleted_record_does_not_bring_it_back_and_is_kept() -> None:
    server, ann, bob = pair(name="Acme", industry="Steel")
    ann.do(Act.DELETE)
    bob.set(industry="Paper", name="Acme")
    ann.sync()
    [merged] = bob.sync()
    assert (merged.outcome, merged.changed, merged.differs) == (Outcome.CONFLICT, False, True)
    assert server.deleted
    [conflict] = server.conflicts
    assert (conflict.cell, conflict.kept, conflict.kept_by, conflict.shown_by) == (
        "industry", "Paper", "bob@x", "ann@x",
    )  # fmt: skip


@pytest.mark.parametrize("edits", [{"industry": "Paper"}, {"tags__vip": True}, {"notes": "x"}])
def test_a_delete_that_had_not_seen_an_edit_is_held(edits: dict[str, Any]) -> None:
    server, ann, bob = pair(name="Acme", industry="Steel")
    ann.set(**edits)
    bob.do(Act.DELETE)
    ann.sync()
    [merged] = bob.sync()
    assert (merged.outcome, merged.changed, merged.differs) == (Outcome.CONFLICT, False, True)
    assert not server.deleted
    [conflict] = server.conflicts
    assert (conflict.cell, conflict.kept, conflict.kept_by, conflict.shown_by) == (
        WHOLE_RECORD, DELETED, "bob@x", "ann@x",
    )  # fmt: skip


def test_a_delete_that_had_seen_the_edit_deletes() -> None:
    server, ann, bob = pair()
    ann.set(industry="Paper")
    ann.sync()
    bob.pull()
    bob.do(Act.DELETE)
    bob.sync()
    assert server.deleted
    assert not server.conflicts


def test_an_undelete_that_had_not_seen_the_last_delete_brings_back_and_tells() -> None:
    server, ann, bob = pair()
    ann.do(Act.DELETE)
    ann.sync()
    bob.pull()
    ann.do(Act.UNDELETE)
    ann.sync()
    ann.do(Act.DELETE)
    ann.sync()
    bob.do(Act.UNDELETE)
    [merged] = bob.sync()
    assert not server.deleted
    assert merged.outcome is Outcome.CONFLICT
    [conflict] = server.conflicts
    assert (conflict.cell, conflict.kept, conflict.kept_by) == (WHOLE_RECORD, DELETED, "ann@x")


def test_undelete_of_a_kept_record_changes_nothing() -> None:
    server, ann, _bob = pair()
    ann.do(Act.UNDELETE)
    [merged] = ann.sync()
    assert (merged.outcome, merged.changed, server.seq) == (Outcome.OK, False, 1)


def test_undelete_with_edits_brings_both() -> None:
    server, ann, _bob = pair()
    ann.do(Act.DELETE)
    ann.do(Act.UNDELETE, industry="Paper")
    ann.sync()
    assert server.cells == {"name": "Acme", "industry": "Paper"}


# --- conflicts --------------------------------------------------------------------------------


def test_the_same_op_meets_the_same_cell_once() -> None:
    _server, ann, _bob = pair()
    op_id = ann.op_id(ann.set(name="x"))
    assert merge.conflict_id(op_id, "name") == merge.conflict_id(op_id, "name")
    others = [
        merge.conflict_id(op_id, "stage"),
        merge.conflict_id(op_id._replace(n=9), "name"),
        merge.conflict_id(op_id._replace(incarnation=b"incarn.9"), "name"),  # type: ignore[arg-type]
        merge.conflict_id(op_id._replace(device=b"d" * 16), "name"),  # type: ignore[arg-type]
    ]
    assert len({merge.conflict_id(op_id, "name"), *others}) == 5


def test_merging_gives_the_same_each_time_and_changes_nothing_it_was_given() -> None:
    server, ann, bob = pair(name="Acme", stage="lead", notes="n")
    ann.set(stage="prospect", notes="n\na", industry="A")
    ann.sync()
    op = bob.set(stage="former", notes="n\nb", industry="B")
    row, before = server.row, copy.deepcopy(server.row)
    assert row is not None
    results = [merge.apply(row, op, bob.op_id(op), seq=9, person="bob@x") for _ in range(2)]
    assert results[0] == results[1]
    assert row == before
    assert results[0].row is not None
    assert results[0].row.id == RECORD


def test_a_link_that_would_close_a_circle_is_kept_and_not_taken() -> None:
    server, ann, _bob = pair("customer", name="Acme", parent=b"p" * 16)
    ann.set(parent=b"q" * 16, name="Acme Ltd")
    (op,) = ann.waiting
    merged = merge.apply(
        server.row,
        op,
        OpId(DeviceId(b"d" * 16), Incarnation(b"i" * 8), 9),
        seq=9,
        person="ann@x",
        closing=["parent"],
    )
    assert merged.row is not None
    assert merged.row.cells == {"name": "Acme Ltd", "parent": b"p" * 16}
    (conflict,) = merged.conflicts
    assert (conflict.cell, conflict.shown, conflict.kept) == ("parent", b"p" * 16, b"q" * 16)
    assert (merged.outcome, merged.differs) == (Outcome.CONFLICT, True)
