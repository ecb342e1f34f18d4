"""What a device does when its server was restored: work that the server lost waits once more, ahead of the rest."""

from __future__ import annotations

import itertools
import signal
from pathlib import Path

import pytest

from app.keys.secret import SecretBytes
from app.store import anew, conflicts, examination, outbox, records, settled
from app.store.replica import StoreReplica
from app.store.restored import FIRST
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.errors import Outcome, Rejection
from sync.protocol.ids import new_record_id
from sync.protocol.merge import Conflict
from sync.protocol.messages import Cursor, OpResult
from sync.protocol.ops import Act, print_of
from tests import forks
from tests.store.device import CUSTOMER, Device
from tests.store.dying import DEVICE
from tests.store.exchanges import page, row
from tests.store.server import EPOCH

DAY = 86_400_000


def taken(store: Store, *vers: int, seq: int = 0, durable: int = 0) -> None:
    """The server takes what waits, under these numbers."""
    first = store.here().acked_n + 1
    results = [OpResult(n=first + at, outcome=Outcome.OK, ver=ver) for at, ver in enumerate(vers)]
    cursor = Cursor(epoch=EPOCH, seq=seq or max(vers))
    StoreReplica(store).apply(Answer(cursor, first + len(vers) - 1, durable, results=results))


def names(store: Store) -> list[str]:
    """What the taken ops that are kept say, the oldest first."""
    kept = store.db.all("SELECT op FROM op_archive ORDER BY n")
    return [outbox.op_of(data).set["name"] for (data,) in kept]


def archived(store: Store) -> int:
    return int(store.db.one("SELECT count(*) FROM op_archive")[0])


def test_what_came_after_the_backup_goes_ahead_of_what_waits(device: Device, store: Store) -> None:
    held = records.add(store, CUSTOMER, {"name": "In the backup"})
    records.edit(store, held.id, {"industry": "Tea"})
    lost = records.add(store, CUSTOMER, {"name": "After it"})
    taken(store, 10, 101, 102)
    prints = [
        print_of(outbox.op_of(data)) for (data,) in store.db.all("SELECT op FROM op_archive ORDER BY n")
    ]
    records.edit(store, lost.id, {"source": "Fair"})
    StoreReplica(store).restart(100)
    waiting = outbox.every(store.db)
    assert [(op.n, op.id, op.act, op.ver) for op in waiting] == [
        (1, held.id, Act.SET, 101), (2, lost.id, Act.ADD, 102), (3, lost.id, Act.SET, 0),
    ]  # fmt: skip
    assert [print_of(op) for op in waiting[:2]] == prints[1:]
    assert (archived(store), store.here().cursor, store.here().acked_n) == (
        1,
        Cursor(epoch=EPOCH, seq=100),
        0,
    )
    assert records.get(store, held.id).values["industry"] == "Tea"
    shown = records.get(store, lost.id).values
    assert (shown["name"], shown["source"]) == ("After it", "Fair")
    assert records.get(store, held.id).waiting
    device.assert_sealed(store)
    assert examination.examine(store) == []
    # The backup's own state comes, and what waits stays on top of it until the server has spoken.
    page(store, row(held.id, 10, name="In the backup"), seq=2**40)
    assert records.get(store, held.id).values["industry"] == "Tea"
    taken(store, 2**40 + 1, 2**40 + 2, 2**40 + 3)
    assert store.unsent() == 0
    assert archived(store) == 4
    assert examination.examine(store) == []
    device.assert_sealed(device.reopen())


def test_a_history_that_nobody_knows_has_everything_sent_and_no_number_told(store: Store) -> None:
    made = records.add(store, CUSTOMER, {"name": "One"})
    records.edit(store, made.id, {"industry": "Tea"})
    taken(store, 10, 11)
    StoreReplica(store).restart()
    assert [(op.n, op.ver) for op in outbox.every(store.db)] == [(1, 0), (2, 0)]


def test_a_delete_that_was_held_wins_over_nothing_the_second_time(store: Store) -> None:
    gone, held = (records.add(store, CUSTOMER, {"name": name}).id for name in ("Gone", "Held"))
    taken(store, 10, 11)
    for id_ in (gone, held):
        records.delete(store, id_)
    first = store.here().acked_n + 1
    results = [
        OpResult(n=first, outcome=Outcome.OK, ver=101),
        OpResult(
            n=first + 1, outcome=Outcome.CONFLICT, ver=102, row=row(held, 102, name="Held", industry="Tea")
        ),
    ]
    StoreReplica(store).apply(Answer(Cursor(epoch=EPOCH, seq=102), first + 1, 0, results=results))
    StoreReplica(store).restart(100)
    assert [(op.id, op.ver) for op in outbox.every(store.db)] == [(gone, 101), (held, 0)]


def test_rows_of_before_keep_their_numbers_and_others_take_the_next_word(store: Store) -> None:
    old, young = bytes(new_record_id()), bytes(new_record_id())
    page(store, row(old, 90, name="Old"), row(young, 105, name="Young"))
    StoreReplica(store).restart(100)
    numbers = dict(store.db.all("SELECT _id, _ver FROM record_customer"))
    assert numbers == {old: 90, young: FIRST}
    page(store, row(old, 90, name="Old"), row(young, 40, name="As it was in the backup"), seq=2**40)
    assert records.get(store, young).values["name"] == "As it was in the backup"


def test_conflicts_of_the_lost_history_go_and_those_of_before_stay(store: Store) -> None:
    id_ = bytes(new_record_id())
    page(store, row(id_, 90, name="Here"))
    found = [
        Conflict(id=bytes([at]) * 16, kind="customer", record=id_, cell="industry", kept=f"k{at}", ver=at)
        for at in (95, 105)
    ]
    StoreReplica(store).apply(Answer(Cursor(epoch=EPOCH, seq=110), 0, 0, conflicts=found))
    assert records.get(store, id_).conflicts == 2
    StoreReplica(store).restart(100)
    assert [each.conflict.ver for each in conflicts.open_conflicts(store)] == [95]
    assert records.get(store, id_).conflicts == 1
    assert examination.examine(store) == []


def test_what_a_conflict_alone_keeps_stands_under_the_number_of_the_conflict(store: Store) -> None:
    id_ = bytes(new_record_id())
    page(store, row(id_, 90, name="Here"))
    records.edit(store, id_, {"industry": "Mine"})
    met = Conflict(id=b"c" * 16, kind="customer", record=id_, cell="industry", kept="Mine", ver=105)
    result = OpResult(n=1, outcome=Outcome.CONFLICT, ver=90, conflicts=[met.id])
    StoreReplica(store).apply(Answer(Cursor(epoch=EPOCH, seq=105), 1, 0, results=[result], conflicts=[met]))
    StoreReplica(store).restart(100)
    # It did not stand: who wrote there since had not replaced it, whatever number their base is.
    assert [(op.set, op.ver) for op in outbox.every(store.db)] == [({"industry": "Mine"}, 0)]


def test_what_won_where_two_met_tells_its_number(store: Store) -> None:
    id_ = bytes(new_record_id())
    page(store, row(id_, 90, name="Here"))
    records.edit(store, id_, {"industry": "Mine"})
    met = Conflict(
        id=b"c" * 16, kind="customer", record=id_, cell="industry", shown="Mine", kept="Theirs", ver=105
    )
    result = OpResult(n=1, outcome=Outcome.CONFLICT, ver=105, conflicts=[met.id])
    StoreReplica(store).apply(Answer(Cursor(epoch=EPOCH, seq=105), 1, 0, results=[result], conflicts=[met]))
    StoreReplica(store).restart(100)
    assert [(op.set, op.ver) for op in outbox.every(store.db)] == [({"industry": "Mine"}, 105)]


def test_who_writes_beside_a_value_in_an_open_conflict_has_not_replaced_it(store: Store) -> None:
    id_ = bytes(new_record_id())
    page(store, row(id_, 90, name="Here"))
    met = Conflict(id=b"c" * 16, kind="customer", record=id_, cell="industry", kept="Theirs", ver=105)
    StoreReplica(store).apply(Answer(Cursor(epoch=EPOCH, seq=105), 0, 0, conflicts=[met]))
    page(store, row(id_, 106, name="Here", industry="Stands"))
    records.edit(store, id_, {"industry": "Mine"})
    records.edit(store, id_, {"source": "Fair"})
    StoreReplica(store).restart(100)
    assert [(op.set, op.base) for op in outbox.every(store.db)] == [
        ({"industry": "Mine"}, 100), ({"source": "Fair"}, 106),
    ]  # fmt: skip


def test_an_edit_that_came_before_its_record_is_sent_when_the_record_is_there(
    device: Device, store: Store
) -> None:
    id_ = bytes(new_record_id())
    page(store, row(id_, 101, name="Made by another"))
    records.edit(store, id_, {"industry": "Mine"})
    taken(store, 102)
    StoreReplica(store).restart(100)
    result = OpResult(n=1, outcome=Outcome.REJECTED, code=Rejection.GONE)
    StoreReplica(store).apply(Answer(Cursor(epoch=b"new", seq=2**40), 1, 0, results=[result]))
    assert (store.unsent(), conflicts.attention_count(store)) == (0, 1)
    assert records.get(store, id_).values["name"] == "Made by another"  # all that is left of it may be here
    page(store, row(id_, 2**40 + 1, name="Made by another"))
    assert conflicts.attention_count(store) == 0
    (again,) = outbox.every(store.db)
    assert (again.n, again.set, again.ver) == (2, {"industry": "Mine"}, 102)
    assert records.get(store, id_).values["industry"] == "Mine"
    device.assert_sealed(store)
    assert examination.examine(store) == []


@pytest.mark.parametrize("common", [0, 100])
@pytest.mark.parametrize("gone", ["", "deleted"])
def test_a_record_that_is_made_once_more_is_as_it_was_made(store: Store, common: int, gone: str) -> None:
    made = records.add(store, CUSTOMER, {"name": "Mine"})
    taken(store, 101)
    page(store, row(made.id, 102, gone, name="Mine", industry="By another"))
    StoreReplica(store).restart(common)
    taken(store, 2**40 + 1)
    there = records.get(store, made.id)
    # What others did to it in the lost history is not on the server until they send it again.
    assert (there.values["name"], there.values.get("industry"), there.deleted) == ("Mine", None, False)
    assert examination.examine(store) == []


def test_a_disk_put_back_that_reads_its_own_record_first_keeps_what_others_wrote_there(store: Store) -> None:
    made = records.add(store, CUSTOMER, {"name": "Mine"})
    page(store, row(made.id, 102, name="Mine", industry="By another"))
    taken(store, 101)
    assert records.get(store, made.id).values["industry"] == "By another"


def refuse(store: Store, code: Rejection, *ns: int) -> None:
    """The server takes none of these."""
    results = [OpResult(n=n, outcome=Outcome.REJECTED, code=code) for n in ns]
    StoreReplica(store).apply(Answer(store.here().cursor, max(ns), 0, results=results))


def test_what_was_refused_goes_behind_what_waits_since_the_server_may_have_lost_its_words(
    device: Device, store: Store
) -> None:
    id_ = bytes(new_record_id())
    page(store, row(id_, 90, name="Here"))
    records.edit(store, id_, {"industry": "Refused"})
    made = records.add(store, CUSTOMER, {"name": "Not to be made here"}).id
    refuse(store, Rejection.FORBIDDEN, 1, 2)
    records.edit(store, id_, {"source": "Fair"})
    assert (conflicts.attention_count(store), records.get(store, id_).values.get("industry")) == (2, None)
    StoreReplica(store).restart(80)
    waiting = outbox.every(store.db)
    assert [(op.n, op.first, op.id, op.ver) for op in waiting] == [
        (1, 1, id_, 0),
        (2, 2, id_, 0),
        (3, 3, made, 0),
    ]
    assert [op.set.get("industry") for op in waiting] == [None, "Refused", None]
    assert conflicts.attention_count(store) == 0
    # What waits is shown.
    shown = records.get(store, id_).values
    assert (shown["industry"], shown["source"], records.get(store, made).waiting) == ("Refused", "Fair", True)
    device.assert_sealed(store)
    assert examination.examine(store) == []
    # Refused once more, it stands before its author's eyes as before, and the record is what it was.
    taken(store, 2**40 + 1)
    refuse(store, Rejection.FORBIDDEN, 2, 3)
    assert (conflicts.attention_count(store), store.unsent()) == (2, 0)
    shown = records.get(store, id_).values
    assert (shown.get("industry"), shown["source"]) == (None, "Fair")
    assert examination.examine(store) == []


def test_what_was_refused_of_one_act_is_one_act_again(store: Store) -> None:
    one, other = (records.add(store, CUSTOMER, {"name": name}).id for name in ("One", "Other"))
    taken(store, 10, 11)
    with records.batch(store) as batch, batch.one_act():
        batch.edit(one, {"industry": "Tea"})
        batch.edit(other, {"industry": "Tea"})
        batch.delete(other)
    (first, _second, _third) = outbox.every(store.db)
    results = [OpResult(n=first.n, outcome=Outcome.OK, ver=12)]
    results += [OpResult(n=first.n + at, outcome=Outcome.REJECTED, code=Rejection.FORBIDDEN) for at in (1, 2)]
    StoreReplica(store).apply(Answer(store.here().cursor, first.n + 2, 0, results=results))
    StoreReplica(store).restart(12)
    assert [(op.n, op.first) for op in outbox.every(store.db)] == [(1, 1), (2, 1)]


def test_taken_ops_stay_until_a_backup_holds_them_and_not_for_ever(device: Device, store: Store) -> None:
    records.add(store, CUSTOMER, {"name": "One"})
    taken(store, 10, durable=5)
    device.ahead_ms = 40 * DAY
    page(store, seq=11, durable_seq=5)
    assert archived(store) == 1
    device.ahead_ms += settled.LOOK_MS
    page(store, seq=12, durable_seq=10)
    assert archived(store) == 0
    records.add(store, CUSTOMER, {"name": "Two"})
    taken(store, 20, durable=10)
    for day in range(settled.KEPT_MOST_DAYS):
        device.ahead_ms = (131 + day) * DAY
        page(store, seq=21, durable_seq=10)
        assert names(store)[0] == "Two"
        records.add(store, CUSTOMER, {"name": f"Day {day}"})
        taken(store, 22 + day, durable=10)
    device.ahead_ms += settled.LOOK_MS
    page(store, seq=60, durable_seq=10)
    assert names(store)[0] == "Day 0"


def test_a_clock_that_is_ahead_for_one_answer_lets_go_of_nothing(device: Device, store: Store) -> None:
    records.add(store, CUSTOMER, {"name": "One"})
    taken(store, 10, durable=0)
    device.ahead_ms = 400 * DAY
    page(store, seq=11)
    records.add(store, CUSTOMER, {"name": "Two"})
    taken(store, 12, durable=0)
    page(store, seq=13)
    StoreReplica(store).restart(0)
    assert store.unsent() == 2


def test_one_answer_that_calls_all_of_it_safe_does_not_hold_for_the_next(
    device: Device, store: Store
) -> None:
    records.add(store, CUSTOMER, {"name": "One"})
    taken(store, 1, durable=2**52)
    records.add(store, CUSTOMER, {"name": "Two"})
    taken(store, 2, durable=0)
    assert "Two" in [op.set["name"] for ops in device.sealed().values() for op in ops]


def test_what_was_safe_in_the_lost_history_says_nothing_of_the_new_one(store: Store) -> None:
    records.add(store, CUSTOMER, {"name": "One"})
    taken(store, 101, durable=110)
    StoreReplica(store).restart(100)
    assert store.here().durable_seq == 100


@pytest.mark.expected_warnings("made anew")
def test_a_store_made_anew_before_it_hears_of_the_restore_sends_what_was_lost(
    device: Device, store: Store
) -> None:
    records.add(store, CUSTOMER, {"name": "Taken, then lost"})
    taken(store, 10, seq=4, durable=5)  # its own number is ahead of what it has read
    (root,) = store.db.one("SELECT rootpage FROM sqlite_master WHERE name = 'record_customer'")
    store.db.checkpoint()
    device.close()
    data = bytearray(device.profile.store.read_bytes())
    data[(root - 1) * 4096 + 100] ^= 1
    device.profile.store.write_bytes(data)
    key = SecretBytes(device.key)
    made = anew.make(
        device.profile, key, device=device.id, incarnation=b"another.", person="lena@example.com"
    )
    assert made.carried
    store = device.open()
    # By this the restored server tells that it is not a new device's: it stands in the lost history, behind the backup.
    assert store.here().cursor == Cursor(epoch=EPOCH, seq=10)
    StoreReplica(store).restart(5)
    StoreReplica(store).apply(Answer(Cursor(epoch=b"new", seq=2**52, scopes=1), 0, 2**52))
    assert [op.set["name"] for op in outbox.every(store.db)] == ["Taken, then lost"]
    device.assert_sealed(store)


def test_the_newest_stay_where_they_would_fill_the_disk(store: Store) -> None:
    for number in range(10):
        records.add(store, CUSTOMER, {"name": f"No. {number}", "notes": "x" * 1_000})
        taken(store, 10 + number)
    with store.db.write():
        settled.keep_within(store, 0, 3_500)
    assert names(store) == ["No. 7", "No. 8", "No. 9"]


def test_killed_at_any_step_it_is_as_before_or_all_of_it_waits(tmp_path: Path) -> None:
    def ground(name: str) -> Device:
        (tmp_path / name).mkdir()
        device = Device(tmp_path / name)
        device.id = DEVICE  # type: ignore[assignment]
        store = device.create()
        for number in range(6):
            records.add(store, CUSTOMER, {"name": f"No. {number}"})
        taken(store, *range(98, 104), durable=90)
        records.add(store, CUSTOMER, {"name": "Waits"})
        device.close()
        return device

    def run(device: Device, step: int) -> forks.Answer:
        words = [
            str(device.profile.folder),
            device.recovery.private_bytes_raw().hex(),
            "send again",
            str(step),
        ]
        return forks.run("tests.store.dying:main", words)

    steps = int(run(ground("whole"), 10**9).out)
    assert steps > 10
    for step in itertools.islice(range(0, steps, max(1, steps // 25)), 40):
        device = ground(str(step))
        assert run(device, step).code == -signal.SIGKILL
        store = device.open()
        names = [op.set["name"] for op in outbox.every(store.db)]
        assert names in (["Waits"], ["No. 3", "No. 4", "No. 5", "Waits"])
        assert archived(store) + len(names) == 7
        device.assert_sealed(store)
        assert examination.examine(store) == []
        StoreReplica(store).restart(100)
        again = [op.set["name"] for op in outbox.every(store.db)]
        assert sorted(again) == ["No. 3", "No. 4", "No. 5", "Waits"]
        device.close()
