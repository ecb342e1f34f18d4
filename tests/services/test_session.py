"""Lock and unlock, by people, by orders, by silence and by clocks; and two threads on one guarded state."""

from __future__ import annotations

import threading
from itertools import permutations
from typing import Any

import pytest

from app.changes import Changes
from app.errors import Busy, Locked, StoreDamaged
from app.keys import vault
from app.services import records
from app.services.opening import open_session
from app.services.session import LOCK_CRYPTO, LOCK_UI, Session
from app.services.syncing import Keeping
from app.store import lists
from sync.client.status import Phase, SyncStatus
from sync.protocol import sealing
from sync.protocol.kinds import KINDS
from sync.protocol.messages import PAGE_ROWS
from tests import forks
from tests.road import ANNA, DAY_MS, Laptop, Town, now_ms
from tests.services.desk import Desk

HOUR_MS = 3_600_000
CUSTOMER = KINDS["customer"]


# --- silence and clocks


def test_three_weeks_of_silence_lock_and_contact_opens_again(town: Town) -> None:
    laptop = town.laptop(ANNA)
    record = laptop.add("customer", name="Waits for contact")
    late: dict[str, Any] = {"wall_ms": 22 * DAY_MS, "boot_ms": 22 * DAY_MS}
    done = laptop.later("list", "customer", **late)
    assert (done.code, done.err.splitlines()[0]) == (
        3, "This device has been without contact to the server for too long.",
    )  # fmt: skip
    assert "share.1" not in laptop.entries()  # no key on this laptop opens the store now
    assert laptop.later("unlock", **late).code == 3
    assert laptop.later("sync", **late).code == 0
    assert "share.1" in laptop.entries()
    assert laptop.later("show", record, **late).code == 0


def test_a_clock_set_back_across_a_reboot_locks_until_contact(town: Town) -> None:
    laptop = town.laptop(ANNA)
    assert laptop.later("list", "customer", boot_id="second", wall_ms=5 * DAY_MS).code == 0
    done = laptop.later("list", "customer", boot_id="third", wall_ms=4 * DAY_MS)
    assert (done.code, done.err.splitlines()[0]) == (3, "The clock of this device was set back.")
    assert laptop.ask("sync").code == 0
    assert laptop.ask("list", "customer").code == 0


def test_a_clock_set_back_while_running_locks(town: Town) -> None:
    laptop = town.laptop(ANNA)
    assert laptop.later("list", "customer", wall_ms=-HOUR_MS).code == 3
    assert laptop.ask("sync").code == 0


def test_a_year_ahead_and_back_costs_an_exchange_and_no_work(town: Town) -> None:
    laptop = town.laptop(ANNA)
    record = laptop.add("customer", name="Through a wrong year")
    assert laptop.later("list", "customer", boot_id="second", wall_ms=365 * DAY_MS).code == 3
    assert laptop.later("list", "customer", boot_id="third").code == 3
    assert laptop.later("sync", boot_id="third").code == 0
    assert laptop.later("show", record, boot_id="third").code == 0


@pytest.mark.parametrize("hours", [-8, -1, 8])
def test_a_clock_that_is_wrong_all_along_is_nothing_odd(town: Town, hours: int) -> None:
    """A laptop with a clock in the wrong zone works, across starts and boots; turned back it locks all the same."""
    laptop = town.laptop()
    wrong = hours * HOUR_MS
    code = town.code(ANNA)
    assert laptop.later("enrol", "--name", laptop.name, stdin=code, wall_ms=wrong).code == 0
    assert laptop.later("add", "customer", "name=X", wall_ms=wrong).code == 0
    assert laptop.later("sync", wall_ms=wrong).code == 0
    assert laptop.later("list", "customer", wall_ms=wrong, boot_id="next").code == 0
    assert laptop.later("list", "customer", wall_ms=wrong - HOUR_MS, boot_id="next").code == 3


def test_a_crash_between_a_silent_lock_and_its_share_is_made_good(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = town.laptop(ANNA)
    with open_session(laptop.profile) as session:
        with monkeypatch.context() as patch:
            patch.setattr(vault, "drop_share", lambda *_arguments: None)  # the process ends just before
            session._lock_hard("silence", ask_share=True)
        assert "share.1" in laptop.entries()
    assert laptop.ask("list", "customer").code == 3
    assert "share.1" not in laptop.entries()
    assert laptop.ask("sync").code == 0


def test_killed_once_the_floor_is_written_the_clock_set_back_is_found_again(town: Town) -> None:
    """What is odd is not written down: each start finds it anew, by the floor that was written before."""
    laptop = town.laptop(ANNA)
    back: dict[str, Any] = {"wall_ms": -HOUR_MS}
    assert laptop.act("look_at_clock", clock={"wall_ms": DAY_MS, "boot_ms": DAY_MS}).code == -9
    for _again in range(2):
        assert laptop.act("look_at_clock", clock=back).code == -9
    done = laptop.later("list", "customer", **back)
    assert (done.code, done.err.splitlines()[0]) == (3, "The clock of this device was set back.")
    assert laptop.ask("sync").code == 0


# --- orders and people


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(steps, id="-".join(steps), marks=pytest.mark.slow if steps[0] == "unlock" else ())
        for steps in permutations(("person", "lock", "unlock"))
    ],
)
def test_person_and_order_in_every_order(town: Town, steps: tuple[str, ...]) -> None:
    """What IT locked only IT opens, whatever a person did before; the store is whole after all of it."""
    laptop = town.laptop(ANNA)
    record = laptop.add("customer", name="In every order")
    locked_by_it = False
    for step in steps:
        if step == "person":
            assert laptop.ask("lock").code == 0
        else:
            town.order(step, laptop)
            laptop.ask("sync")
            locked_by_it = step == "lock"
        assert laptop.ask("unlock").code == (3 if locked_by_it else 0)
        assert ("share.1" in laptop.entries()) is not locked_by_it
    town.order("unlock", laptop)
    laptop.ask("sync")
    laptop.ask("unlock")
    assert laptop.show(record)["name"] == "In every order"
    assert town.device(laptop)["state"] == "active"


def test_a_lock_and_its_unlock_in_one_exchange(town: Town) -> None:
    laptop = town.laptop(ANNA)
    town.order("lock", laptop)
    town.order("unlock", laptop)
    assert laptop.ask("sync").code == 0
    assert laptop.ask("list", "customer").code == 0
    assert [each["state"] for each in town.admin("orders")][-2:] == ["done", "done"]


def test_an_order_is_obeyed_at_its_time_and_not_before(town: Town) -> None:
    laptop = town.laptop(ANNA)
    with open_session(laptop.profile) as session:
        desk = Desk(town, session)
        desk.give(
            desk.order("wipe", 5, not_before=now_ms() + DAY_MS, expires=now_ms() + 9 * DAY_MS), desk.order_key
        )
        assert session.obey() is False
    assert laptop.ask("list", "customer").code == 0
    assert laptop.later("list", "customer", wall_ms=2 * DAY_MS, boot_ms=2 * DAY_MS).code == 4
    assert "store.db" not in laptop.files()


def test_a_share_that_the_server_does_not_hold_is_not_dropped(town: Town) -> None:
    """A lock must always be one that opens again."""
    laptop = town.laptop(ANNA)
    with open_session(laptop.profile) as session:
        desk = Desk(town, session)
        desk.give(desk.lease("n", share_held=False), desk.lease_key)
        desk.give(desk.order("lock", 5), desk.order_key)
        session.obey()
        assert session.stage == LOCK_CRYPTO
        assert "share.1" in laptop.entries()
        with pytest.raises(Locked):
            session.unlock()
        desk.give(desk.order("unlock", 6), desk.order_key)
        session.obey()
        assert session.stage == "active"


def test_a_share_of_another_store_is_refused(town: Town) -> None:
    laptop = town.laptop(ANNA)
    with open_session(laptop.profile) as session:
        session._lock_hard("silence", ask_share=True)
        session.papers.share = sealing.seal(sealing.public_bytes(session.keys.seal), sealing.SHARE, b"x" * 32)
        with pytest.raises(StoreDamaged):
            session.take_share()
        assert session.stage == LOCK_CRYPTO
    assert laptop.ask("sync").code == 0  # the right one opens it


# --- threads


def test_a_lock_is_not_lost_to_an_exchange_that_ends_beside_it(town: Town) -> None:
    laptop = town.laptop(ANNA)
    with open_session(laptop.profile) as session:
        begun, over = threading.Event(), threading.Event()

        def exchanging() -> None:
            while not over.is_set():
                session.papers.heard(now_ms(), {}, session.card.person)
                begun.set()

        engine = threading.Thread(target=exchanging)
        engine.start()
        try:
            assert begun.wait(10)
            for _again in range(15):
                session.lock()
                assert session.stage == LOCK_UI
                session.unlock()
                assert session.stage == "active"
            session.lock()
        finally:
            over.set()
            engine.join()
        assert session.stage == LOCK_UI
    assert laptop.ask("list", "customer").code == 3


def test_work_that_waits_for_a_store_hears_that_it_is_locked(town: Town) -> None:
    laptop = town.laptop(ANNA)
    with open_session(laptop.profile) as session:
        replica = session.replica()
        assert replica is not None
        session.lock()
        with pytest.raises(Locked):
            session.run_replica(replica.position)
        with pytest.raises(Locked):
            session.call(lists.count, CUSTOMER, {})
        assert session.replica() is None


def test_an_open_window_obeys_at_its_next_exchange(town: Town) -> None:
    """What the desktop does: edits go out by themselves, a lock arrives, an unlock arrives."""
    laptop = town.laptop(ANNA)
    told: list[SyncStatus] = []
    heard: list[Changes] = []
    with open_session(laptop.profile) as session:
        keeping = Keeping(session, told.append)
        session.bus.subscribe(heard.append)
        keeping.start()
        try:
            made = records.add(session, CUSTOMER, {"name": "Typed in a window"})
            _wait(lambda: any(each.waiting == 0 and each.phase.value == "idle" for each in told[2:]), session)
            town.order("lock", laptop)
            keeping.wanted()
            _wait(lambda: session.stage == LOCK_CRYPTO, session)
            town.order("unlock", laptop)
            _wait(lambda: _again(keeping, session), session)
        finally:
            keeping.stop()
        assert {each.origin for each in heard} >= {"here", "lock"}
        assert records.get(session, made.id).waiting is False


def test_a_new_device_says_how_much_of_its_first_download_is_here(town: Town) -> None:
    first = town.laptop(ANNA)
    first.json("add", "customer", "-", stdin=[{"name": f"Fetched {n}"} for n in range(PAGE_ROWS + 250)])
    first.sync()
    told: list[SyncStatus] = []
    with open_session(town.laptop(ANNA).profile) as session:
        keeping = Keeping(session, told.append)
        keeping.start()
        try:
            _wait(lambda: any(each.phase is Phase.IDLE for each in told), session)
        finally:
            keeping.stop()
    came = [each for each in told if each.fetched]
    assert came
    assert all(each.first and each.phase is Phase.SENDING for each in came)
    # A short first page, a full one, and the rest.
    assert PAGE_ROWS + 150 <= came[-1].fetched <= PAGE_ROWS + 250
    far = [each.percent for each in came]
    assert far == sorted(far)
    assert 50 < far[-1] < 100
    assert told[0].first
    idle = next(each for each in told if each.phase is Phase.IDLE)
    assert (idle.first, idle.fetched, idle.percent) == (False, 0, 0)


def _again(keeping: Keeping, session: Session) -> bool:
    keeping.wanted()
    return session.stage == "active"


def _wait(held: object, session: Session) -> None:
    assert callable(held)
    forks.wait_until(held, f"the session stays {session.stage}")


def test_two_openings_at_once_are_two_messages(town: Town) -> None:
    laptop: Laptop = town.laptop(ANNA)
    with open_session(laptop.profile), pytest.raises(Busy):
        open_session(laptop.profile)
    with open_session(laptop.profile) as again:
        assert again.stage == "active"
        again.close()
        again.close()  # a second time does nothing
