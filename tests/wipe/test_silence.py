"""The policy's own rule for silence: what wipes by itself, what never does, and that nothing is lost by it.

Real SQLCipher, the real keyring, a real server that is stopped; only the clocks are turned.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import StoreDamaged, Wiped
from app.keys import trusted_time
from app.keys.ring import SystemKeyring, ring_name
from app.keys.trusted_time import Anchor, Reading, Sample, Witness, read, witnessed
from app.services import wipe, wiped
from app.services.guard import may_wipe
from app.services.opening import open_session
from app.services.syncing import Syncing
from sync.client.errors import ServerRefused
from sync.protocol.documents import Offline, Policy
from sync.protocol.errors import Problem
from sync.protocol.messages import Trouble
from tests.keyring_of_tests import device_entries
from tests.road import ANNA, DAY_MS, Laptop, Town
from tests.wipe.test_every_crash import LEFT, recover, sealed_records, wanted, write
from tests.wipe.test_every_crash import Doomed as Lost

HOUR_MS = 3_600_000
NS = 1_000_000
POLICY = Policy(version=1, org="00", issued=0, expires=1)  # long expired: it rules on
T0 = 1_800_000_000_000
OUT: dict[str, Any] = {"wall_ms": 61 * DAY_MS, "boot_ms": 61 * DAY_MS}  # asleep all the time, in one boot


@contextlib.contextmanager
def unreachable(town: Town) -> Iterator[None]:
    """Nobody answers meanwhile."""
    assert town.server.stop() == 0
    try:
        yield
    finally:
        town.server.start()


@pytest.fixture
def lost(town: Town) -> Lost:
    """A laptop with unsent work that nobody will hear of for a while."""
    laptop = town.laptop(ANNA)
    laptop.add("customer", name="Sent long ago")
    laptop.sync()
    write(laptop, 3)
    return Lost(town, laptop, laptop.card(), sealed_records(laptop))


def boot(name: str, days: float, on: float) -> dict[str, Any]:
    """Another boot, so many days after now by the wall clock, that has lasted so many."""
    return {"boot_id": name, "wall_ms": int(days * DAY_MS), "boot_ms": int(on * DAY_MS)}


def _ends_wiped(lost: Lost) -> None:
    """The server is there again: receipt and work reach it, and nothing is left."""
    laptop, town = lost.laptop, lost.town
    for _start in range(3):
        if laptop.files() == LEFT:
            break
        assert laptop.ask("sync").code == 4
    assert laptop.files() == LEFT
    assert device_entries(lost.card.device) == {}
    seen = town.device(laptop)
    assert (seen["state"], seen["receipt"], seen["wiped_by"]) == ("wiped", "verified", "silence")
    assert seen["outbox_records"] == lost.unsent
    assert [each for each in town.admin("orders") if each["enrolment"] == lost.card.enrolment] == []
    assert laptop.ask("list", "customer").code == 4
    assert "wiped itself" in laptop.ask("sync").err


# --- what the ladder of silence does, through the real services


def test_an_honest_rep_away_for_two_weeks_never_loses_a_minute(town: Town) -> None:
    """Every day another start, each third one another boot; the clock is right, and there is no network."""
    laptop = town.laptop(ANNA)
    laptop.sync()
    made = []
    with unreachable(town):
        for day in range(1, 15):
            clock = boot(f"boot {day // 3}", day - 0.01, (day % 3) + 0.2) if day >= 3 else {
                "wall_ms": day * DAY_MS, "boot_ms": day * DAY_MS,
            }  # fmt: skip
            done = laptop.later("add", "customer", f"name=Day {day}", "--json", **clock)
            assert done.code == 0, done.err
            made.append(json.loads(done.out)["id"])
            assert json.loads(laptop.later("status", "--json", **clock).out)["warning"] is None
        assert laptop.later("sync", **boot("boot 4", 14, 2.3)).code == 5
    assert laptop.sync()["sent"] == 14
    assert set(made) <= laptop.holds().keys()


def test_silence_warns_then_locks_and_then_wipes_itself(lost: Lost, town: Town) -> None:
    laptop = lost.laptop
    with unreachable(town):
        on: dict[str, Any] = {"wall_ms": 15 * DAY_MS, "boot_ms": 15 * DAY_MS}
        assert json.loads(laptop.later("status", "--json", **on).out)["warning"] == "silence"
        on = {"wall_ms": 22 * DAY_MS, "boot_ms": 22 * DAY_MS}
        assert laptop.later("list", "customer", **on).code == 3
        assert "share.1" not in laptop.entries()
        on = {"wall_ms": 59 * DAY_MS, "boot_ms": 59 * DAY_MS}
        assert laptop.later("sync", **on).code == 5
        assert laptop.profile.store.exists()
        assert laptop.later("list", "customer", **OUT).code == 3  # the server is looked for first
        assert laptop.profile.store.exists()
        done = laptop.later("sync", **OUT)
        assert done.code == 4
        assert "60 days" in done.err
        assert not laptop.profile.store.exists()
        assert laptop.profile.sealed_outbox.exists()
        assert set(laptop.entries()) == {"dev", "trust", "wiping"}
    _ends_wiped(lost)
    assert recover(town, lost, town.laptop(ANNA)) == wanted(lost)


def test_contact_in_time_ends_the_silence(lost: Lost) -> None:
    laptop = lost.laptop
    assert laptop.later("list", "customer", **OUT).code == 3
    done = laptop.later("sync", "--json", **OUT)  # the server answers: nobody is silent
    assert (done.code, json.loads(done.out)["sent"]) == (0, 3)


def test_a_machine_that_was_off_in_between_locks_at_once_and_wipes_once_it_has_run_in_silence(
    lost: Lost, town: Town
) -> None:
    laptop = lost.laptop
    with unreachable(town):
        assert laptop.later("list", "customer", **boot("second", 61, 0)).code == 3
        assert "share.1" not in laptop.entries()  # dark from here on
        assert laptop.later("sync", **boot("second", 71, 10)).code == 5
        assert laptop.later("sync", **boot("third", 76, 5)).code == 5
        assert laptop.profile.store.exists()
        assert laptop.later("sync", **boot("third", 83, 12)).code == 4
    _ends_wiped(lost)


def test_a_clock_set_forward_alone_never_wipes(lost: Lost, town: Town) -> None:
    """Years ahead, boot after boot; what the machine ran in silence is a day. Contact opens it, with all its work."""
    laptop = lost.laptop
    with unreachable(town):
        for year in range(1, 5):
            clock = boot(f"year {year}", 365 * year, 0.2)
            assert laptop.later("list", "customer", **clock).code == 3
            assert laptop.later("sync", **clock).code == 5
        assert laptop.later("sync", **boot("year 4", 0, 0.3)).code == 5  # put back: odd, and no wipe either
        assert laptop.profile.store.exists()
    done = laptop.later("sync", "--json", **boot("year 4", 0, 0.4))
    assert (done.code, json.loads(done.out)["sent"]) == (0, 3)


def test_a_clock_set_forward_in_the_boot_of_the_contact_changes_nothing(lost: Lost, town: Town) -> None:
    with unreachable(town):
        assert lost.laptop.later("list", "customer", wall_ms=365 * DAY_MS).code == 0


def test_what_our_own_server_answers_wipes_nothing(lost: Lost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused, or answered with an error: the server is there, and no silence ends in a wipe before its eyes."""
    laptop = lost.laptop
    assert laptop.later("list", "customer", **OUT).code == 3
    here = trusted_time.system_clock()
    late = Sample(here.wall_ms + OUT["wall_ms"], here.boottime_ns + OUT["boot_ms"] * NS, here.boot_id)
    monkeypatch.setattr(trusted_time, "system_clock", lambda: late)
    for problem in (Problem.BAD_REQUEST, Problem.BUSY, Problem.UPGRADE):
        with open_session(laptop.profile) as session:
            assert session.ruling.silent_out(session.card) is not None  # it is due
            syncing = Syncing(session)
            monkeypatch.setattr(syncing, "_exchanged", _refusing(problem))
            with pytest.raises(ServerRefused):
                syncing.round()
            syncing.close()
    assert laptop.profile.store.exists()


def _refusing(problem: Problem) -> Any:
    def refused(*_arguments: object) -> Any:
        raise ServerRefused(Trouble(problem=problem), "no")

    return refused


def test_a_clock_set_back_locks_and_holds_up_the_wipe_until_it_is_right(lost: Lost, town: Town) -> None:
    laptop = lost.laptop
    with unreachable(town):
        assert laptop.later("sync", boot_ms=59 * DAY_MS, wall_ms=59 * DAY_MS).code == 5
        assert laptop.later("sync", boot_ms=61 * DAY_MS, wall_ms=0).code == 5
        assert laptop.profile.store.exists()
        assert laptop.later("sync", **OUT).code == 4


# --- killed


@pytest.mark.parametrize("at", range(5))
def test_killed_at_each_step_it_goes_on_and_the_work_is_with_it(lost: Lost, town: Town, at: int) -> None:
    with unreachable(town):
        assert lost.laptop.act("wipe", at=at, clock=OUT).code == -9
        lost._hold_what_was_promised()
        assert lost.laptop.ask("list", "customer").code == 4
    _ends_wiped(lost)
    if at in (1, 4):
        assert recover(town, lost, town.laptop(ANNA)) == wanted(lost)


@pytest.mark.parametrize("at", range(3, 12, 2))
def test_killed_while_it_is_handed_in(lost: Lost, town: Town, at: int) -> None:
    with unreachable(town):
        assert lost.laptop.later("sync", **OUT).code == 4
    answer = lost.laptop.act("wipe", at=at)
    assert answer.code in (-9, 4)
    _ends_wiped(lost)


# --- nothing but the rule


def _laid(laptop: Laptop) -> wipe.Intent:
    """An intent of silence as somebody would write it who has the folder and not the keyring."""
    with open_session(laptop.profile) as session:
        card, policy, digest = session.card, session.ruling.policy, session.state.floors.policy.digest
        root, epoch = session.state.floors.root.digest, session.state.epoch
    return wiped.intent_of_silence(
        card, policy, digest, T0, since=T0 - 90 * DAY_MS, root=root, epoch=epoch, envelope=b"",
        vouch=lambda _data: "00" * 32,
    )  # fmt: skip


def test_a_laid_intent_of_silence_wipes_nothing(lost: Lost) -> None:
    laptop = lost.laptop
    laptop.profile.wipe_intent.write_bytes(msgspec.json.encode(_laid(laptop)))
    assert laptop.ask("sync").code == 1
    assert laptop.profile.store.exists()
    assert {"ring.1", "share.1", "dev", "enc"} <= set(laptop.entries())
    laptop.profile.wipe_intent.unlink()
    assert laptop.sync()["sent"] == 3


def test_where_the_ring_key_is_gone_the_keyring_has_to_vouch_for_the_intent(lost: Lost) -> None:
    laptop, intent = lost.laptop, _laid(lost.laptop)
    ring = SystemKeyring(lost.card.org, lost.card.device)
    ring.delete(ring_name(1))
    laptop.profile.wipe_intent.write_bytes(msgspec.json.encode(intent))
    with pytest.raises(StoreDamaged):
        wiped.refuse_wiped(laptop.profile)
    assert laptop.profile.store.exists()
    ring.set("wiping", intent.check)
    with pytest.raises(Wiped):
        wiped.refuse_wiped(laptop.profile)
    assert not laptop.profile.store.exists()


def test_the_intent_of_an_order_reads_as_earlier_versions_wrote_it() -> None:
    """Mac and check of one under way hold after an update: what came later is no part of them."""
    before = wipe.Intent(
        order_id="1", order_sha256="2", reason="3", org="4", org_name="5", device="6", enrolment="7",
        server_url="8", policy_version=9, started=10, mac="11", order=b"12", root="13",
    )  # fmt: skip
    said = json.loads(before.said())
    assert not {"because", "silent_since", "order", "root", "check"} & said.keys()
    assert "because" in json.loads(msgspec.structs.replace(before, because="silence").said())
    assert before.checked().is_sound()


# --- the rule by itself


def _due(reading: Reading, witnessed_d: float, *, locked_in: str = "before", boot_id: str = "now") -> bool:
    return may_wipe(
        POLICY,
        reading,
        last_contact=T0,
        witnessed_ms=int(witnessed_d * DAY_MS),
        locked_in=locked_in,
        boot_id=boot_id,
    )


@pytest.mark.parametrize(
    ("silent_d", "witnessed_d", "anomaly", "locked_in", "due"),
    [
        (60, 60, "", "", True),  # by the clock since boot alone
        (60, 59.9, "", "now", False),  # off for a moment: locked in this boot only now
        (60, 59.9, "", "before", True),
        (60, 21, "", "before", True),
        (60, 20.9, "", "before", False),
        (59.9, 59.9, "", "before", False),
        (10_000, 0, "", "before", False),
        (10_000, 20, "", "before", False),
        (60, 60, "clock_forward", "before", False),
        (60, 60, "clock_back", "before", False),
        (60, 30, "", "", False),
    ],
)
def test_when_the_rule_is_due(
    silent_d: float, witnessed_d: float, anomaly: str, locked_in: str, due: bool
) -> None:
    at = T0 + int(silent_d * DAY_MS)
    assert _due(Reading(at, at, anomaly), witnessed_d, locked_in=locked_in) is due


def test_where_boots_have_no_name_the_wall_clock_alone_never_wipes() -> None:
    at = T0 + 1_000 * DAY_MS
    assert not _due(Reading(at, at), 30, boot_id="")


def test_a_policy_with_other_times_is_taken_at_its_word() -> None:
    strict = msgspec.structs.replace(POLICY, offline=Offline(warn_h=24, lock_h=48, wipe_d=14))
    at = T0 + 14 * DAY_MS
    asked: dict[str, Any] = {"last_contact": T0, "locked_in": "before", "boot_id": "now"}
    assert not may_wipe(
        strict, Reading(at, at), witnessed_ms=2 * DAY_MS, **asked
    )  # a week at least is witnessed
    assert may_wipe(strict, Reading(at, at), witnessed_ms=7 * DAY_MS, **asked)


LOOK = st.tuples(
    st.integers(-400, 4_000),  # days by which somebody has set the wall clock wrong
    st.floats(0, 3),  # days that the machine is on until this look
    st.booleans(),  # whether it was started anew before
)


@given(looks=st.lists(LOOK, max_size=30))
def test_no_setting_of_the_clock_wipes_what_has_not_run_in_silence(
    looks: list[tuple[int, float, bool]],
) -> None:
    """Whatever the wall clock says and however often it is started: 21 days have to pass with the machine on."""
    anchor = Anchor(server_time=T0, boottime_ns=0, boot_id="0", wall=T0)
    witness: Witness | None = None
    floor, boots, on_ms, boottime, locked_in = T0, 0, 0.0, 0.0, ""
    for wrong_d, on_d, anew in looks:
        if anew:
            boots, boottime = boots + 1, 0.0
        boottime += on_d * DAY_MS
        on_ms += on_d * DAY_MS
        sample = Sample(T0 + int(on_ms) + wrong_d * DAY_MS, int(boottime) * NS, str(boots))
        witness = witnessed(anchor, witness, T0, sample)
        found = read(anchor, floor, sample.wall_ms, sample.boottime_ns, sample.boot_id)
        floor = found.floor
        assert witness.counted_ms <= on_ms + 1
        due = may_wipe(
            POLICY,
            found,
            last_contact=T0,
            witnessed_ms=witness.counted_ms,
            locked_in=locked_in,
            boot_id=str(boots),
        )
        if due:
            assert on_ms >= 21 * DAY_MS
        if found.now - T0 >= 21 * DAY_MS:
            locked_in = locked_in or str(boots)


def test_what_was_witnessed_ends_with_a_contact_and_counts_over_boots() -> None:
    anchor = trusted_time.anchored(T0, Sample(T0, 5 * HOUR_MS * NS, "a"))
    one = witnessed(anchor, None, T0, Sample(T0, 8 * HOUR_MS * NS, "a"))
    assert one.counted_ms == 3 * HOUR_MS
    two = witnessed(anchor, one, T0, Sample(T0, 2 * HOUR_MS * NS, "b"))
    assert two.counted_ms == 5 * HOUR_MS
    assert (
        witnessed(anchor, two, T0, Sample(T0, HOUR_MS * NS, "b")).counted_ms == 5 * HOUR_MS
    )  # set back: nothing
    assert witnessed(anchor, two, T0, Sample(T0, 99 * HOUR_MS * NS, "")) == two
    again = trusted_time.anchored(T0 + 1, Sample(T0 + 1, 2 * HOUR_MS * NS, "b"))
    assert witnessed(again, two, T0 + 1, Sample(T0 + 1, 3 * HOUR_MS * NS, "b")).counted_ms == HOUR_MS
