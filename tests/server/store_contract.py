"""What every server store must do, whatever it keeps its tables in: a test class to be run on each."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from sync.protocol.errors import Outcome
from sync.protocol.ids import DeviceId, Incarnation, OpId
from sync.protocol.merge import SETTLED, Conflict, Mark, Row
from sync.server.access import Rights, Scope
from sync.server.db.base import Store, Transaction
from sync.server.db.kept import (
    Code,
    Durable,
    FiledOrder,
    Held,
    Numbering,
    Person,
    Result,
    Trace,
)
from sync.server.db.news import News
from tests.server.post_contract import DEVICE, INCARNATION, PostContract, device

OPEN = Callable[[], Store]
TEAM = Scope(b"p" * 16, "Sales")


def held(id_: bytes, ver: int, **other: Any) -> Held:
    mark = Mark(ver, 5, DEVICE, "ana@example.com")
    row = Row("customer", id_, ver, {"name": "Größe 王芳 \U0001f600", "n": 2**62}, {"name": mark, "n": mark})
    fields: dict[str, Any] = {
        "row": row, "scope": TEAM, "owner": "", "creator": b"p" * 16, "device": DEVICE,
        "incarnation": INCARNATION, "person": "ana@example.com", "hlc": 7,
    }  # fmt: skip
    return Held(**{**fields, **other})


class StoreContract(PostContract):
    """A subclass gives the fixture `again`, which closes and opens the same store."""

    @pytest.fixture
    def store(self, again: OPEN) -> Store:
        """The store."""
        return again()

    def test_what_was_written_is_there_after_a_start(self, store: Store, again: OPEN) -> None:
        with store.write() as tx:
            epoch = tx.epoch
            tx.records.put(held(b"1" * 16, tx.records.next_seq()), None, 1)
        store = again()
        with store.read() as tx:
            assert (tx.epoch, tx.records.head()) == (epoch, 1)
            assert tx.records.held(b"1" * 16) == held(b"1" * 16, 1)
            assert tx.records.held(b"2" * 16) is None

    def test_a_transaction_that_raises_leaves_nothing(self, store: Store) -> None:
        with pytest.raises(RuntimeError, match="in the midst"), store.write() as tx:
            tx.records.put(held(b"1" * 16, tx.records.next_seq()), None, 1)
            tx.people.put_device(device())
            raise RuntimeError("in the midst")
        with store.read() as tx:
            assert (tx.records.head(), tx.people.devices()) == (0, [])

    def test_a_reader_sees_one_moment(self, store: Store) -> None:
        with store.read() as before:
            assert before.records.head() == 0
            with store.write() as tx:
                tx.records.put(held(b"1" * 16, tx.records.next_seq()), None, 1)
            assert before.records.held(b"1" * 16) is None
        with store.read() as after:
            assert after.records.head() == 1

    def test_numbers_are_given_in_the_order_in_which_they_become_visible(self, store: Store) -> None:
        """A reader that sees number n has seen, or sees, every number below it."""
        seen: list[list[int]] = []
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                with store.read() as tx:
                    seen.append([entry.ver for entry in tx.records.after(0)])

        def write(prefix: int) -> None:
            for number in range(25):
                with store.write() as tx:
                    tx.records.put(held(bytes([prefix, number]) * 8, tx.records.next_seq()), None, 1)

        reader = threading.Thread(target=read)
        reader.start()
        writers = [threading.Thread(target=write, args=(prefix,)) for prefix in range(4)]
        for thread in writers:
            thread.start()
        for thread in writers:
            thread.join()
        done.set()
        reader.join()
        for versions in seen:
            assert versions == list(range(1, len(versions) + 1))

    def test_records_come_once_in_their_newest_state(self, store: Store) -> None:
        with store.write() as tx:
            for id_ in (b"1" * 16, b"2" * 16, b"1" * 16):
                before = tx.records.held(id_)
                tx.records.put(held(id_, tx.records.next_seq()), before.scope if before else None, 1)
        with store.read() as tx:
            assert [(entry.id, entry.ver) for entry in tx.records.after(0)] == [
                (b"2" * 16, 2),
                (b"1" * 16, 3),
            ]
            assert [entry.ver for entry in tx.records.after(2)] == [3]
            assert tx.records.traces(b"1" * 16, 0) == [Trace(1, None, DEVICE), Trace(3, TEAM, DEVICE)]
            assert tx.records.traces(b"1" * 16, 1) == [Trace(3, TEAM, DEVICE)]
            ids = [bytes([number]) * 16 for number in range(120)]
            assert tx.records.traces_of(ids, 1)[b"1" * 16] == [Trace(3, TEAM, DEVICE)]
            assert b"\0" * 16 not in tx.records.traces_of(ids, 0)
            assert tx.records.passed_on(0, 2, DEVICE) == [b"1" * 16]
            assert tx.records.passed_on(1, 2, DEVICE) == tx.records.passed_on(0, 3, DEVICE) == []
            assert tx.records.passed_on(0, 2, b"another device..") == []
            assert tx.records.returned(0, 3, DEVICE) == []

    def test_what_had_gone_elsewhere_and_was_written_last_by_a_device_is_found(self, store: Store) -> None:
        id_, away = b"1" * 16, Scope(b"q" * 16, "Elsewhere")
        with store.write() as tx:
            for scope, before, device in (
                (TEAM, None, DEVICE),
                (away, TEAM, b""),
                (TEAM, away, b""),
                (TEAM, TEAM, DEVICE),
            ):
                tx.records.put(held(id_, tx.records.next_seq(), scope=scope, device=device), before, 1)
        with store.read() as tx:
            found = [tx.records.returned(after, 4, DEVICE) for after in range(4)]
            assert found == [[id_], [id_], [id_], []]
            assert tx.records.returned(0, 3, DEVICE) == tx.records.returned(0, 4, b"another device..") == []

    def test_records_are_found_by_owner_and_by_person(self, store: Store) -> None:
        with store.write() as tx:
            tx.records.put(held(b"1" * 16, tx.records.next_seq(), owner="zed@example.com"), None, 1)
            tx.records.put(held(b"2" * 16, tx.records.next_seq(), scope=Scope(b"q" * 16, "")), None, 1)
            assert tx.records.owned_by("zed@example.com") == [b"1" * 16]
            assert tx.records.owned_by("") == []
            assert tx.records.of_person(b"q" * 16) == [b"2" * 16]

    def test_records_are_found_by_what_they_are_about(self, store: Store) -> None:
        with store.write() as tx:
            tx.records.put(held(b"1" * 16, tx.records.next_seq()), None, 1)
            about = held(b"2" * 16, tx.records.next_seq(), subject=b"1" * 16)
            tx.records.put(about, None, 1)
            assert tx.records.about(b"1" * 16) == [(b"2" * 16, "customer")]
            assert tx.records.about(b"") == []
            assert tx.records.held(b"2" * 16) == about

    def test_a_refused_op_is_kept_once(self, store: Store) -> None:
        first, second = (OpId(DeviceId(DEVICE), Incarnation(b"i" * 8), n) for n in (1, 2))
        with store.write() as tx:
            for _twice in range(2):
                tx.records.keep_refused(first, b"p" * 16, "gone", b"one", 7)
            tx.records.keep_refused(second, b"p" * 16, "forbidden", b"two", 8)
        with store.read() as tx:
            assert [(each.n, each.code, each.op, each.at) for each in tx.records.refused(DEVICE)] == [
                (1, "gone", b"one", 7),
                (2, "forbidden", b"two", 8),
            ]
            assert tx.records.refused() == tx.records.refused(DEVICE)
            assert tx.records.refused(b"x" * 16) == []
            for numbers, code in (((1, 3), "gone"), ((2, 3), "forbidden"), ((3, 9), None)):
                assert tx.records.refused_within(DEVICE, b"i" * 8, *numbers) == code

    def test_a_conflict_is_kept_once(self, store: Store) -> None:
        conflict = Conflict(
            id=b"c" * 16, kind="customer", record=b"1" * 16, cell="stage", shown={"a": 1}, ver=4
        )
        with store.write() as tx:
            tx.records.put_conflict(conflict)
            tx.records.put_conflict(msgspec.structs.replace(conflict, shown="other"))
        with store.read() as tx:
            assert tx.records.conflicts([b"c" * 16, b"d" * 16]) == [conflict]
            assert tx.records.conflicts_of(b"1" * 16) == [conflict]
            assert tx.records.conflicts_of(b"1" * 16, upto=4) == [conflict]
            assert tx.records.conflicts_of(b"1" * 16, upto=3) == []
            size = len(msgspec.msgpack.encode(conflict))
            assert tx.records.disputed(b"1" * 16) == (1, size)
            assert tx.records.disputed(b"2" * 16) == (0, 0)
            assert tx.records.weigh(None, [b"c" * 16, b"d" * 16]) == size
            assert tx.records.weigh(b"1" * 16, []) == 0  # there is no such record
            assert list(tx.records.conflicts_after(3)) == [conflict]
            assert list(tx.records.conflicts_after(4)) == []
        over = msgspec.structs.replace(conflict, state=SETTLED, ver=9)
        with store.write() as tx:
            tx.records.settle_conflict(over)
        with store.read() as tx:
            assert tx.records.conflicts_of(b"1" * 16) == []
            assert tx.records.disputed(b"1" * 16) == (0, 0)
            assert list(tx.records.conflicts_after(8)) == [over]  # whoever holds it hears of it

    def test_results_and_numbers_of_ops(self, store: Store) -> None:
        op = OpId(DeviceId(DEVICE), Incarnation(INCARNATION), 1)
        result = Result(outcome=Outcome.MERGED, print=b"p", ver=3, conflicts=[b"c" * 16], differs=True)
        with store.write() as tx:
            assert tx.records.numbering(DEVICE, INCARNATION) is None
            tx.records.put_result(op, result)
            tx.records.put_numbering(DEVICE, INCARNATION, Numbering(acked_n=1))
            tx.records.put_numbering(DEVICE, INCARNATION, Numbering(acked_n=2, echo_from=5, retired=True))
            assert tx.records.answered(b"p" * 16) is None
            for taken in (False, True, False):
                tx.records.put_answered(b"p" * 16, taken)
            tx.records.put_answered(b"q" * 16, False)
        with store.read() as tx:
            assert tx.records.result(op) == result
            assert tx.records.result(op._replace(n=2)) is None
            assert tx.records.numbering(DEVICE, INCARNATION) == Numbering(
                acked_n=2, echo_from=5, retired=True
            )
            assert tx.records.answered(b"p" * 16) is True
            assert tx.records.answered(b"q" * 16) is False

    def test_persons_and_their_former_rights(self, store: Store) -> None:
        ana = Person(id=b"p" * 16, email="Ana@Example.com", role="rep", team="Sales")
        moved = msgspec.structs.replace(
            ana, team="East", scopes=2, granted="confidential", territory="North\n South "
        )
        alone = msgspec.structs.replace(moved, scopes=3, territory="\n")
        with store.write() as tx:
            tx.people.put_person(ana)
            tx.people.put_person(ana)
            tx.people.put_person(moved)
        with store.read() as tx:
            assert tx.people.by_email(" ana@EXAMPLE.com") == tx.people.person(ana.id) == moved
            assert tx.people.persons() == [moved]
            assert tx.people.former_rights(ana.id) == [Rights(ana.id, "rep", "Sales")]
            both = Rights(ana.id, "rep", "East", "confidential", frozenset({"north", "south"}))
            assert moved.rights == both
            assert tx.people.former_rights(ana.id, 2) == []
            assert tx.people.by_email("nobody@example.com") is None
        with store.write() as tx:
            tx.people.put_person(alone)
            assert tx.people.former_rights(ana.id, 2) == [both]
            assert (alone.rights.territories, alone.own_alone) == (frozenset(), True)

    def test_devices_and_shares(self, store: Store) -> None:
        with store.write() as tx:
            tx.people.put_device(device())
            tx.people.put_share("e1", b"share", b"sealed")
            said = {"read_seq": 7, "read_scopes": -2, "read_care": 1}
            tx.people.put_device(device(last_seen=9, unsent=2, locked=True, posture=b"p", **said))
        with store.write() as tx:
            known = device(last_seen=9, unsent=2, locked=True, posture=b"p", **said)
            assert (
                tx.people.device("e1")
                == tx.people.device_by_key("k1")
                == tx.people.device_by_id(DEVICE)
                == known
            )
            assert tx.people.devices() == [known]
            assert tx.people.share("e1") == b"share"
            tx.people.put_share("e1", b"", b"sealed 2", 2)
            tx.people.put_share("e1", b"share 3", b"sealed 3", 3)
            assert tx.people.shares("e1") == [0, 3]
            assert (tx.people.count_shares("e1"), tx.people.count_shares("e2")) == (3, 0)
            assert tx.people.sealed_share("e1") == (2, b"sealed 2")
            tx.people.put_share("e1", b"share 2", b"sealed 2", 2)
            assert tx.people.sealed_share("e1") is None
            tx.people.drop_share("e1", but=3)
            assert (tx.people.share("e1"), tx.people.share("e1", 3)) == (None, b"share 3")
            tx.people.drop_share("e1")
            assert tx.people.shares("e1") == []
            assert tx.people.share("e2") is None
            assert tx.people.device("e2") is None

    def test_codes(self, store: Store) -> None:
        code = Code(digest=b"h" * 32, person=b"p" * 16, issued=1, expires=2)
        used = msgspec.structs.replace(code, enrolment="e1")
        with store.write() as tx:
            tx.people.put_code(code)
            assert tx.people.code(code.digest) == code
            tx.people.put_code(used)
            assert tx.people.code(code.digest) == used
            assert tx.people.code(b"x") is None

    def test_addresses_come_in_the_order_of_their_characters_whatever_the_language(
        self, store: Store
    ) -> None:
        emails = ["Z@x", "a@x", "_b@x", "\xe9@x", "a-b@x", "ab@x", "\U0001f600@x", "\uff41@x", "\u738b@x"]
        with store.write() as tx:
            for at, email in enumerate(emails):
                tx.people.put_person(Person(id=bytes([at]) * 16, email=email, role="rep", team="T"))
        with store.read() as tx:
            assert [each.email for each in tx.people.persons()] == sorted(emails, key=str.casefold)

    def test_what_has_one_number_comes_whole_however_much_it_is(self, store: Store) -> None:
        def conflict(at: int, ver: int) -> Conflict:
            return Conflict(id=at.to_bytes(16), kind="customer", record=b"1" * 16, cell="notes", ver=ver)

        with store.write() as tx:
            for at in range(450):
                tx.records.put(held(at.to_bytes(16), tx.records.next_seq()), None, 1)
            for at in range(700):  # a number of their own, 500 under one, and again one each
                tx.records.put_conflict(conflict(at, at if at < 100 else max(100, at - 499)))
        with store.read() as tx:
            assert [entry.ver for entry in tx.records.after(20)] == list(range(21, 451))
            found = [each.ver for each in tx.records.conflicts_after(50)]
            assert (found, len(found)) == (sorted(found), 649)
            walk = tx.records.after(0)
            assert next(walk).ver == 1  # who stops here has not asked for the others

    def test_news_are_told_once_they_are_kept_and_never_of_what_was_undone(self, store: Store) -> None:
        told: list[tuple[set[str], int]] = []

        def hear(news: News) -> None:
            with store.read() as tx:
                told.append((news.ordered, len(tx.post.orders())))

        store.heard = hear
        order = FiledOrder(
            seq=1, order_id="o1", op="lock", digest="d", envelope=b"e", enrolment="e1", reason="lost",
            signers=["a"], filed=1, not_before=1, expires=9,
        )  # fmt: skip
        with pytest.raises(RuntimeError, match="undone"), store.write() as tx:
            tx.post.put_order(order)
            raise RuntimeError("undone")
        with store.write() as tx:
            tx.post.put_order(order)
        with store.write() as tx:
            tx.people.device("e1")  # nothing that anybody waits for
        assert told == [({"e1"}, 1)]

    def test_a_new_history_goes_on_behind_the_former_one_and_backups_are_known(
        self, store: Store, again: OPEN
    ) -> None:
        with store.write() as tx:
            former = tx.epoch
            assert (tx.histories.durable(), tx.histories.newest_common()) == (None, None)
            for at in range(3):
                tx.records.put(held(os.urandom(16), tx.records.next_seq()), None, 1)
                tx.histories.put_durable(Durable(seq=at, made=5 + at))
            assert tx.histories.given_after(2) == 1
        with store.write() as tx:
            tx.histories.begin(b"another epoch id", 2**40, 5_000)
        store = again()
        with store.write() as tx:
            assert (tx.epoch, tx.records.head()) == (b"another epoch id", 2**40)
            assert (tx.records.next_seq(), tx.post.next_order_number()) == (2**40 + 1, 5_001)
            assert (tx.histories.common(former), tx.histories.common(b"never heard of")) == (3, 0)
            assert (tx.histories.newest_common(), tx.histories.ends()) == (3, [3])
            assert tx.histories.durable() == Durable(seq=2, made=7)

    def test_it_knows_how_much_room_is_left(self, store: Store) -> None:
        assert store.room() > 0


__all__ = ["OPEN", "StoreContract", "Transaction", "device", "held"]
