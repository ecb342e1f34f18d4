"""Notes that meet stay both, and an author has only seen what was on the own screen."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sync.protocol.errors import Outcome
from sync.protocol.fields import NOTES_MAX
from sync.protocol.merge import DELETED
from sync.protocol.ops import Act, Op
from sync.protocol.rules import join_notes
from tests.protocol.merging import Device, pair


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "joined"),
    [
        ("start", "start\na", "start\nb", "start\na\nb"),
        (None, "a", "b", "a\n\nb"),
        ("start", "a", "b", "a\n\nb"),
        ("start", "start\na", "b", "start\na\n\nb"),
        ("start", "other\nstart", "start\nb", "other\nstart\nb"),
        ("Call", "Call Monday", "Calls a lot", "Call Monday\n\nCalls a lot"),
        (None, "I know him", "no", "I know him\n\nno"),
        (None, "yes\nno", "no", "yes\nno"),
        (None, "no", "yes\nno", "yes\nno"),
        ("start", None, "start\nb", "start\nb"),
        ("start", "start\na", None, "start\na"),
        ("a", "a", "a", "a"),
    ],
)
def test_two_notes_become_one(base: Any, theirs: Any, mine: Any, joined: str) -> None:
    assert join_notes(base, theirs, mine) == joined


def test_notes_that_met_make_no_conflict_and_go_back_to_both() -> None:
    server, ann, bob = pair(name="Acme", notes="start")
    ann.set(notes="start\na")
    bob.set(notes="start\nb")
    ann.sync()
    [merged] = bob.sync()
    assert (merged.outcome, merged.differs, server.conflicts) == (Outcome.MERGED, True, [])
    assert server.cells["notes"] == "start\na\nb"


def test_a_second_note_written_before_the_answer_came_does_not_take_the_others_away() -> None:
    server, ann, bob = pair(name="Acme", notes="start")
    ann.set(notes="start\na")
    ann.sync()
    bob.set(notes="start\nb")
    bob.set(notes="start\nb\nb2")
    bob.push()
    assert server.cells["notes"] == "start\na\nb\nb2"
    # Nor does the first writer, who has not seen what they became together.
    ann.set(notes="start\na\na2")
    ann.sync()
    assert server.cells["notes"] == "start\na\nb\nb2\na2"
    ann.set(notes="all said")
    ann.sync()
    assert server.cells["notes"] == "all said"
    assert not server.conflicts


def test_notes_that_would_become_too_long_are_kept_apart() -> None:
    server, ann, bob = pair(name="Acme")
    long_a, long_b = "a" * (NOTES_MAX - 1), "b" * (NOTES_MAX - 1)
    ann.set(notes=long_a)
    bob.set(notes=long_b)
    ann.sync()
    [merged] = bob.sync()
    assert merged.outcome is Outcome.CONFLICT
    assert server.cells["notes"] == long_a
    assert [conflict.kept for conflict in server.conflicts] == [long_b]


# --- who has seen what ------------------------------------------------------------------------


def test_edits_that_follow_one_another_on_one_device_do_not_meet() -> None:
    server, ann, bob = pair()
    bob.set(industry="A")
    bob.set(industry="B")
    bob.set(industry="C")
    assert {merged.outcome for merged in bob.sync()} == {Outcome.OK}
    assert server.cells["industry"] == "C"
    ann.pull()


@pytest.mark.parametrize(("cell", "stands"), [("industry", "B"), ("stage", "former")])
def test_who_takes_an_own_edit_back_unheard_has_written_nothing(cell: str, stands: str) -> None:
    """Ann's value stands after it by `latest`, Bob's by `hold`: either way his is what is left in the end."""
    theirs, mine, later = ("B", "A", "A2") if cell == "industry" else ("former", "lead", "customer")
    server, ann, bob = pair(name="Acme", industry="prospect", stage="prospect")

    def put(device: Device, value: Any) -> None:
        device.do(Act.SET, **{cell: value})

    put(bob, theirs)
    put(ann, mine)
    put(ann, later)
    bob.push()
    ann.push()
    assert server.open
    put(ann, mine)
    put(ann, "prospect")
    ann.sync()
    assert (server.cells[cell], server.open) == (stands, [])
    assert ann.shown == (server.cells, False)
    put(bob, "prospect")  # from the very screen on which he wrote it
    bob.sync()
    assert (server.cells[cell], server.open) == ("prospect", [])


def test_who_had_seen_both_values_chooses_and_takes_nothing_back() -> None:
    server, ann, bob = pair(name="Acme", stage="lead")
    bob.set(stage="former")
    ann.set(stage="customer")
    bob.push()
    ann.sync()
    ann.set(stage="lead")
    ann.sync()
    assert (server.cells["stage"], [each.kept for each in server.open]) == ("lead", ["customer"])


def test_a_delete_that_was_taken_back_unheard_is_not_kept() -> None:
    server, ann, bob = pair()
    bob.set(industry="Tea")
    ann.do(Act.DELETE)
    bob.push()
    ann.push()
    assert [each.kept for each in server.open] == [DELETED]
    ann.do(Act.UNDELETE)
    ann.sync()
    assert (server.deleted, server.open, ann.shown[0]["industry"]) == (False, [], "Tea")


def test_another_device_of_the_same_person_takes_nothing_back() -> None:
    server, ann, bob = pair(name="Acme", stage="lead")
    second = Device("ann", server, ann.ticks, row=ann.row, incarnation=b"incarn.2")
    bob.set(industry="A")
    ann.set(industry="B")
    bob.push()
    ann.push()
    second.set(industry="B")
    second.set(industry=None)
    second.sync()
    assert [each.kept for each in server.open] == ["A", "B"]


def test_what_lay_under_waiting_work_was_not_seen() -> None:
    """A page arrives while an edit waits: its value is covered, so the next edit must not overwrite it unseen."""
    server, ann, bob = pair(name="Acme", stage="lead")
    bob.set(stage="former")
    ann.set(stage="prospect")
    ann.sync()
    bob.pull()
    bob.set(stage="customer")
    bob.push()
    assert server.cells["stage"] == "prospect"
    assert [conflict.kept for conflict in server.conflicts] == ["former", "customer"]


def test_a_copy_put_back_from_yesterday_does_not_undo_today() -> None:
    server, ann, _bob = pair(name="Acme", stage="lead", industry="Steel")
    backup = ann.copied()
    ann.set(stage="customer", industry="Paper")
    ann.sync()
    ann.restore(backup, b"incarn.2")
    ann.set(stage="prospect", industry="Glass")
    [merged] = ann.sync()
    assert merged.outcome is Outcome.CONFLICT
    assert (server.cells["stage"], server.cells["industry"]) == ("customer", "Glass")
    assert {(conflict.cell, conflict.kept) for conflict in server.conflicts} == {
        ("stage", "prospect"), ("industry", "Paper"),
    }  # fmt: skip


def _again(device: Device, op: Op) -> Op:
    """It was refused, and is sent again behind what was written since."""
    device.n += 1
    return msgspec.structs.replace(op, n=device.n, first=device.n)


def test_what_was_refused_and_comes_later_does_not_undo_what_was_written_after_it() -> None:
    server, ann, _bob = pair(name="Acme")
    refused = ann.set(industry="Tea")
    ann.waiting.clear()
    ann.set(industry="Coffee")
    ann.waiting.append(_again(ann, refused))
    assert [merged.outcome for merged in ann.push()] == [Outcome.OK, Outcome.CONFLICT]
    assert server.cells["industry"] == "Coffee"
    assert [(each.cell, each.kept) for each in server.conflicts] == [("industry", "Tea")]


def test_a_delete_that_was_refused_and_comes_later_does_not_take_what_was_written_after_it() -> None:
    server, ann, _bob = pair(name="Acme")
    refused = ann.do(Act.DELETE)
    ann.waiting.clear()
    ann.set(industry="Coffee")
    ann.waiting.append(_again(ann, refused))
    assert [merged.outcome for merged in ann.push()] == [Outcome.OK, Outcome.CONFLICT]
    assert not server.deleted
    assert [each.kept for each in server.conflicts] == [DELETED]


def _recovered(op: Op, n: int, source: Device) -> Op:
    return msgspec.structs.replace(op, n=n, first=n, origin=(*source.op_id(op)[:2], op.n))


def test_recovered_work_follows_what_its_own_device_had_sent() -> None:
    server, ann, fresh = pair(name="Acme", stage="lead")
    ann.set(stage="prospect")
    ann.push()
    lost = [ann.set(stage="customer"), ann.set(stage="former")]
    fresh.waiting = [_recovered(op, n, ann) for n, op in enumerate(lost, 1)]
    assert {merged.outcome for merged in fresh.sync()} == {Outcome.OK}
    assert server.cells["stage"] == "former"
    assert not server.conflicts


def test_recovered_work_does_not_undo_what_the_new_device_did_since() -> None:
    server, ann, fresh = pair(name="Acme", stage="lead")
    lost = ann.set(stage="prospect")
    fresh.set(stage="customer")
    fresh.sync()
    fresh.waiting = [_recovered(lost, 2, ann)]
    [merged] = fresh.push()
    assert merged.outcome is Outcome.CONFLICT
    assert server.cells["stage"] == "customer"
    assert [conflict.kept for conflict in server.conflicts] == ["prospect"]


def test_an_edit_on_top_of_recovered_work_follows_it() -> None:
    server, ann, fresh = pair(name="Acme", stage="lead")
    fresh.waiting = [_recovered(ann.set(stage="prospect"), 1, ann)]
    fresh.n = 1
    fresh.set(stage="former")
    assert [merged.outcome for merged in fresh.push()] == [Outcome.OK, Outcome.OK]
    assert server.cells["stage"] == "former"


def test_a_join_that_two_have_said_is_not_taken_back_by_one_who_knows_of_one() -> None:
    cell = "joined/" + "0" * 32
    server, ann, bob = pair(name="Acme")
    ann.set(**{cell: True})
    ann.sync()
    bob.sync()
    bob.set(**{cell: True})
    bob.sync()
    ann.set(**{cell: None})
    ann.sync()
    [met] = server.conflicts
    assert {met.shown, met.kept} == {None, True}
