"""Ops that a restored server lost come once more, in any order: what their authors had seen of each other stands."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from sync.protocol import histories, merge
from sync.protocol.errors import Outcome
from sync.protocol.ids import DeviceId, Incarnation, OpId
from sync.protocol.merge import Conflict, Row
from sync.protocol.ops import Act, Op

RECORD = b"r" * 16
NEW = 2**52  # where a restored server may go on after 100
ANNA, BEN = b"anna", b"ben."


def once_more(
    who: bytes, ver: int, base: int, hlc: int, act: Act = Act.SET, **cells: Any
) -> tuple[bytes, Op]:
    return who, Op(n=1, kind="customer", id=RECORD, act=act, hlc=hlc, base=base, set=cells, ver=ver)


def after_restore(*ops: tuple[bytes, Op]) -> tuple[Row, list[Conflict], list[Outcome]]:
    """The record of the backup with these laid on it."""
    old = merge.apply(
        None, Op(n=1, kind="customer", id=RECORD, act=Act.ADD, hlc=1, set={"name": "Old", "industry": "Old"}),
        OpId(DeviceId(b"d" * 16), Incarnation(b"i" * 8), 1), seq=90, person="old@example.com",
    ).row  # fmt: skip
    row = old
    found: list[Conflict] = []
    outcomes: list[Outcome] = []
    for at, (who, op) in enumerate(ops, 1):
        op_id = OpId(DeviceId(who * 4), Incarnation(who * 2), at)
        merged = merge.apply(row, op, op_id, seq=NEW + at, person=f"{who.decode()}@example.com", met=found)
        row = merged.row
        found += merged.conflicts
        outcomes.append(merged.outcome)
    assert row is not None
    return row, found, outcomes


def test_what_somebody_replaced_knowingly_does_not_come_back() -> None:
    chain = [
        once_more(ANNA, 101, 90, 10, industry="Tea"),
        once_more(BEN, 102, 101, 11, industry="Coffee"),
        once_more(ANNA, 103, 102, 12, industry="Cocoa"),
    ]
    for order in itertools.permutations(chain):
        row, found, outcomes = after_restore(*order)
        assert row.cells["industry"] == "Cocoa"
        # That they were replaced knowingly is their devices' word: they stay to be looked up, and nobody is asked.
        assert all(each.state == merge.KEPT and each.shown != each.kept for each in found)
        assert Outcome.CONFLICT not in outcomes


def test_what_nobody_had_seen_is_in_a_conflict_as_it_was() -> None:
    pair = [once_more(ANNA, 101, 90, 10, industry="Tea"), once_more(BEN, 102, 90, 11, industry="Coffee")]
    for order in itertools.permutations(pair):
        row, found, _outcomes = after_restore(*order)
        assert row.cells["industry"] == "Coffee"
        assert {(each.shown, each.kept) for each in found} == {("Coffee", "Tea")}


@pytest.mark.parametrize("base", [90, 101])
def test_a_delete_holds_whatever_comes_first(base: int) -> None:
    """The edit was there before the delete, which had seen it or not; or it came after the delete and was kept."""
    edit = once_more(ANNA, 101, 90, 10, industry="Tea")
    row, found, _outcomes = after_restore(edit, once_more(BEN, 102, 101, 11, Act.DELETE))
    assert (row.deleted, found) == (True, [])
    row, found, _outcomes = after_restore(once_more(BEN, 102, 101, 11, Act.DELETE), edit)
    assert (row.deleted, found, row.cells["industry"]) == (True, [], "Tea")
    row, found, _outcomes = after_restore(
        once_more(ANNA, 103, 90, 12, industry="Late"), once_more(BEN, 102, base, 11, Act.DELETE)
    )
    assert row.deleted
    assert [each.kept for each in found] == ["Late"]


def test_what_comes_once_more_to_a_deleted_record_that_is_forgotten_does_not_fill_it_again() -> None:
    row, _found, _outcomes = after_restore(once_more(BEN, 102, 101, 11, Act.DELETE))
    marks = {merge.WHOLE_RECORD: row.marks[merge.WHOLE_RECORD]}
    forgotten = replace(row, cells={}, marks=marks)
    _who, edit = once_more(ANNA, 101, 90, 10, industry="Tea", name="Older")
    op_id = OpId(DeviceId(b"a" * 16), Incarnation(b"a" * 8), 1)
    merged = merge.apply(forgotten, edit, op_id, seq=NEW + 2, person="anna@example.com")
    # A part of it would pass for the whole, and could be brought back.
    assert merged.row == forgotten
    assert {(each.cell, each.kept, each.state) for each in merged.conflicts} == {
        ("industry", "Tea", merge.KEPT), ("name", "Older", merge.KEPT),
    }  # fmt: skip


def test_a_delete_that_was_taken_back_stays_so() -> None:
    pair = [once_more(ANNA, 101, 90, 10, Act.DELETE), once_more(BEN, 102, 101, 11, Act.UNDELETE)]
    for order in itertools.permutations(pair):
        row, found, _outcomes = after_restore(*order)
        assert (row.deleted, found) == (False, [])


def test_what_a_conflict_alone_had_kept_is_not_replaced_by_what_its_author_wrote_beside_it() -> None:
    """It comes without a number, and the later one of the same device says that it was not there."""
    beside = (
        ANNA,
        Op(n=1, kind="customer", id=RECORD, act=Act.SET, hlc=10, base=90, set={"industry": "Beside"}),
    )
    stood = once_more(ANNA, 102, 90, 11, industry="Stood")[1]
    row, found, _outcomes = after_restore(
        beside, (ANNA, msgspec.structs.replace(stood, was={"industry": "Old"}))
    )
    assert row.cells["industry"] == "Stood"
    assert [(each.kept, each.state) for each in found] == [("Beside", merge.OPEN)]
    after = msgspec.structs.replace(stood, was={"industry": "Beside"})
    row, found, _outcomes = after_restore(beside, (ANNA, after))
    assert (row.cells["industry"], found) == ("Stood", [])


def test_who_wrote_on_top_of_own_waiting_work_has_not_replaced_what_stood_below() -> None:
    """The page that said that it had changed there, or gone, was read meanwhile; on the screen lay their own value."""

    def anna(base: int, hlc: int, was: str, industry: str) -> tuple[bytes, Op]:
        return ANNA, msgspec.structs.replace(
            once_more(ANNA, 0, base, hlc, industry=industry)[1], was={"industry": was}
        )

    ben = once_more(BEN, 101, 90, 10, industry="Tea")
    row, found, _outcomes = after_restore(anna(90, 11, "Old", "Cocoa"), anna(102, 12, "Cocoa", "Coffee"), ben)
    assert row.cells["industry"] == "Coffee"
    assert [(each.kept, each.state) for each in found] == [("Tea", merge.OPEN)]
    # Whoever had it before their eyes has.
    row, found, _outcomes = after_restore(anna(90, 11, "Old", "Cocoa"), anna(102, 12, "Tea", "Coffee"), ben)
    assert row.cells["industry"] == "Coffee"
    assert [each.state for each in found if each.kept == "Tea"] == [merge.KEPT]


def test_who_works_on_the_restored_record_is_not_overruled() -> None:
    """What was written in the new history had not seen what comes back: both are kept."""
    fresh = BEN, Op(n=1, kind="customer", id=RECORD, act=Act.SET, hlc=50, base=NEW, set={"industry": "Fresh"})
    row, found, _outcomes = after_restore(fresh, once_more(ANNA, 101, 90, 10, industry="Tea"))
    assert row.cells["industry"] == "Fresh"
    assert [each.kept for each in found] == ["Tea"]
    row, found, _outcomes = after_restore(fresh, once_more(ANNA, 101, 90, 10, Act.DELETE))
    assert not row.deleted
    assert [each.kept for each in found] == [merge.DELETED]


BY_HOURS = 490_000 << 32  # as earlier servers began a history


@pytest.mark.parametrize("head", [0, 1_000, BY_HOURS + 7])
def test_numbers_of_histories_rise_and_never_meet(head: int) -> None:
    """Restores that know nothing of each other draw apart, whatever the hour."""
    drawn = {histories.next_head(head) for _restore in range(20)}
    assert len(drawn) >= 19
    for first in drawn:
        assert head < first < histories.next_head(first + 5) < 2**53
        assert not histories.same(head, first)
        assert histories.same(first, first + 2**28 - 1)
    assert histories.next_order(7, now=1_764_000_000_000) > 7


def test_many_restores_in_a_row_come_to_no_end() -> None:
    head = 0
    for _restore in range(300):
        before, head = head, histories.next_head(head + 1_000)
        assert before < head < 2**53 - 2**28


def test_histories_begun_by_the_hour_are_still_told_apart() -> None:
    assert histories.same(BY_HOURS, BY_HOURS + 2**31)
    assert not histories.same(BY_HOURS, BY_HOURS + 2**32)
    assert histories.covers(BY_HOURS + 2**31, BY_HOURS + 1)
    assert not histories.covers(BY_HOURS + 2**32, BY_HOURS + 1)


@pytest.mark.parametrize(
    ("base", "ends", "reach"),
    [
        (NEW + 5, [100], NEW + 5),  # its own history: all of it
        (90, [100], 90),  # the beginning, which both have
        (120, [100], 100),  # the part that is lost says nothing of what came instead
        (BY_HOURS + 9, [100], 0),  # a history that is not this one's
        (BY_HOURS + 9, [100, BY_HOURS + 3], BY_HOURS + 3),
        (0, [100], 0),
    ],
)
def test_a_base_reaches_as_far_as_its_own_history(base: int, ends: list[int], reach: int) -> None:
    assert histories.reach(base, NEW + 1_000, ends) == reach


def test_a_base_of_a_history_that_is_not_this_ones_has_seen_nothing_here() -> None:
    """The wrong backup was put back, and then the right one: what others had written in it stands."""
    old = merge.apply(
        None, Op(n=1, kind="customer", id=RECORD, act=Act.ADD, hlc=1, set={"name": "Old"}),
        OpId(DeviceId(b"d" * 16), Incarnation(b"i" * 8), 1), seq=90, person="old@example.com",
    ).row  # fmt: skip
    op = Op(n=1, kind="customer", id=RECORD, act=Act.DELETE, hlc=9, base=BY_HOURS)
    op_id = OpId(DeviceId(b"e" * 16), Incarnation(b"j" * 8), 1)
    there = merge.apply(old, op, op_id, seq=NEW, person="ana@example.com", reach=0)
    assert (there.outcome, there.row and there.row.deleted) == (Outcome.CONFLICT, False)
    assert merge.apply(old, op, op_id, seq=NEW, person="ana@example.com", reach=90).outcome is Outcome.OK
