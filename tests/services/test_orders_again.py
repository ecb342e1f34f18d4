"""Orders shown again, stripped, renamed or withheld: what was obeyed is not obeyed twice, what is missing unlocks
nothing, and every way leads out."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from app.errors import Locked
from app.keys.ring import SystemKeyring
from app.paths import write_whole
from app.services import records
from app.services.opening import open_session
from app.services.papers import REPORTS_MAX, WAITING_MAX
from app.services.session import LOCK_CRYPTO, LOCK_UI, OVERTAKEN, Session
from app.services.syncing import Syncing
from sync.client.line import Line
from sync.protocol import codec, messages, signing
from sync.protocol.documents import Lease, Order
from sync.protocol.ids import id_text
from sync.protocol.kinds import KINDS
from sync.protocol.messages import Paper
from tests.road import DAY_MS, Laptop, Town, now_ms
from tests.services.desk import Desk

Expect = Callable[[str], None]


def _acknowledge(session: Session) -> None:
    """The server has heard every report."""
    session.papers.heard(now_ms(), dict(session.state.obeyed), session.card.person)
    assert session.state.obeyed == {}


def _obeyed(session: Session, desk: Desk, op: str, seq: int, signer: str = "order_key") -> Order:
    order = desk.order(op, seq)
    desk.give(order, getattr(desk, signer))
    assert session.obey() is True
    _acknowledge(session)
    return order


# --- shown again


@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("signer", ["order_key", "lease_key", "policy_key"])
def test_an_unlock_that_was_obeyed_lifts_no_later_lock(
    town: Town, desk: Desk, laptop: Laptop, session: Session, signer: str, restart: bool
) -> None:
    """The later lock has another signer, so the unlock is still the last that its own signer gave."""
    _obeyed(session, desk, "lock", 5, "lease_key")
    unlock = _obeyed(session, desk, "unlock", 6, signer)
    other = "lease_key" if signer != "lease_key" else "order_key"
    _obeyed(session, desk, "lock", 7, other)
    if restart:
        session.close()
        session = open_session(laptop.profile)
        desk.session = session
    desk.give(unlock, getattr(desk, signer))
    assert (session.papers.pending(), session.obey(), session.stage) == ([], False, LOCK_CRYPTO)
    assert session.state.obeyed == {unlock.order_id: "done"}  # said again, since somebody asks
    assert session.ruling.alarm() is None
    session.close()


def test_a_lock_that_was_obeyed_locks_no_second_time(desk: Desk, session: Session, laptop: Laptop) -> None:
    lock = _obeyed(session, desk, "lock", 5)
    _obeyed(session, desk, "unlock", 6, "lease_key")
    desk.give(lock, desk.order_key)
    assert session.obey() is False
    session.close()
    with open_session(laptop.profile) as again:
        desk.session = again
        desk.give(lock, desk.order_key)
        assert again.obey() is False
        assert again.stage != LOCK_CRYPTO or again.state.ask_share  # as the unlock left it


@pytest.mark.expected_warnings("refused by rule order_number")
def test_an_older_order_is_refused_and_told_so(desk: Desk, session: Session) -> None:
    lock = _obeyed(session, desk, "lock", 5)
    _obeyed(session, desk, "unlock", 6)
    data = signing.sign(lock, desk.order_key).to_bytes()
    session.papers.take_papers([Paper(kind="order", data=data, id=bytes.fromhex(lock.order_id))], "n")
    assert session.obey() is False
    assert session.state.obeyed == {lock.order_id: "refused:order_number"}


def test_a_signature_taken_off_makes_no_new_order(desk: Desk, session: Session) -> None:
    """Signed by two, obeyed once; shown with the weaker signature alone it is the same order."""
    order = desk.order("unlock", 5)
    desk.give(order, desk.order_key, desk.policy_key)
    assert session.obey() is True
    _acknowledge(session)
    _obeyed(session, desk, "lock", 6, "lease_key")
    desk.give(order, desk.policy_key)
    assert (session.papers.pending(), session.obey(), session.stage) == ([], False, LOCK_CRYPTO)


@pytest.mark.expected_warnings("refused by rule order_id")
def test_no_lock_pushes_a_wipe_out_that_waits_under_its_name(desk: Desk, session: Session) -> None:
    wipe = desk.order("wipe", 5, not_before=now_ms() + DAY_MS // 2)
    desk.give(wipe, desk.order_key)
    desk.give(desk.order("lock", 6, order_id=wipe.order_id), desk.lease_key)
    assert [each.order.op for each in session.papers.pending()] == ["wipe"]


@pytest.mark.expected_warnings("refused by rule waiting")
def test_a_crowd_of_locks_shuts_out_no_wipe(desk: Desk, session: Session, laptop: Laptop) -> None:
    """A stolen server key can sign as many as it likes; the guarded state stays small enough to be read."""
    later = now_ms() + DAY_MS // 2
    for seq in range(WAITING_MAX + 3):
        desk.give(desk.order("lock", 5 + seq, not_before=later), desk.lease_key)
    assert len(session.papers.pending()) == WAITING_MAX
    desk.give(desk.order("wipe", 1_000, not_before=later), desk.order_key)
    assert session.papers.pending()[-1].order.op == "wipe"
    session.close()
    assert laptop.state() == "active"


@pytest.mark.expected_warnings("refused by rule envelope")
def test_rubbish_without_end_fills_nothing(session: Session) -> None:
    for number in range(REPORTS_MAX + 20):
        paper = Paper(kind="order", data=b"{}", id=number.to_bytes(16, "big"))
        session.papers.take_papers([paper], "n")
    assert len(session.state.obeyed) == REPORTS_MAX


def test_an_unlock_from_before_a_lock_does_not_undo_it_later(desk: Desk, session: Session) -> None:
    unlock = desk.order("unlock", 5, not_before=now_ms() + DAY_MS // 2)
    desk.give(unlock, desk.order_key)
    desk.give(desk.order("lock", 6), desk.order_key)
    assert session.obey() is True
    assert session.papers.pending() == []
    assert session.state.obeyed[unlock.order_id] == OVERTAKEN


# --- missing


def _lease(desk: Desk, head: int) -> Lease:
    return desk.lease("n", order_head=head)


def test_while_an_order_is_missing_nothing_is_unlocked(desk: Desk, session: Session) -> None:
    _obeyed(session, desk, "lock", 5)
    desk.give(desk.order("unlock", 6), desk.order_key)
    desk.give(_lease(desk, 7), desk.lease_key)
    assert session.papers.order_missing()
    assert (session.obey(), session.stage) == (False, LOCK_CRYPTO)
    standing = session.papers.standing()
    assert (standing.order_head, standing.lease_left_ms) == (6, 0)  # it says how far it is, and asks again
    assert session.state.ask_share is False
    desk.give(desk.order("unlock", 7), desk.order_key)
    assert session.obey() is True
    assert session.state.ask_share is True  # the share comes with the next exchange


def test_a_missing_order_closes_the_window_until_it_came(
    town: Town, desk: Desk, laptop: Laptop, session: Session
) -> None:
    record = id_text(records.add(session, KINDS["customer"], {"name": "Behind a gap"}).id)
    desk.give(_lease(desk, 9), desk.lease_key)
    with pytest.raises(Locked) as caught:
        session.judge()
    assert caught.value.title == "An order from Example has not reached this device."
    assert session.stage == LOCK_UI
    with pytest.raises(Locked):
        session.unlock()
    session.close()
    assert "share.1" in laptop.entries()
    assert laptop.json("status")["state"] == "locked"
    assert laptop.ask("unlock").code == 3
    checks = {each["name"]: each for each in laptop.ask("doctor", "--json").json["checks"]}
    assert checks["Orders"]["ok"] is False
    # The server knows of no such order: its next lease says so, and the device is not shut for ever.
    assert laptop.ask("sync").code == 0
    assert laptop.json("status")["state"] == "active"
    assert record in laptop.holds()


def test_a_lock_of_a_person_outlives_a_gap(desk: Desk, laptop: Laptop, session: Session) -> None:
    session.lock()
    desk.give(_lease(desk, 9), desk.lease_key)
    with pytest.raises(Locked):
        session.unlock()
    session.close()
    assert laptop.ask("sync").code == 3
    assert laptop.json("unlock")["state"] == "active"


def test_a_lock_that_the_server_withholds_locks_nothing_open(
    town: Town, laptop: Laptop, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is held back on the way, the lease is not: the window closes; once it is let through, it is obeyed."""
    town.order("lock", laptop)
    withheld = _withhold(monkeypatch)
    syncing = Syncing(session)
    _ask_for_a_lease(session)
    with pytest.raises(Locked) as caught:
        syncing.round()
    assert caught.value.title == "An order from Example has not reached this device."
    assert (session.stage, len(withheld) > 1) == (LOCK_UI, True)
    monkeypatch.undo()
    with pytest.raises(Locked):
        syncing.round()
    assert session.stage == LOCK_CRYPTO
    syncing.close()


def _ask_for_a_lease(session: Session) -> None:
    """As after half of its life: the next answer brings one."""
    session.papers._alter(lambda state: msgspec.structs.replace(state, lease_until=now_ms() + DAY_MS))


def _withhold(patch: pytest.MonkeyPatch) -> list[bytes]:
    """Take every order out of the server's answers on this line; what was taken out."""
    taken: list[bytes] = []
    post = Line.post

    def lossy(line: Line, path: str, body: bytes) -> bytes:
        kept = []
        for tag, raw in codec.decode(post(line, path, body)):
            if tag == messages.PAPER and codec.read(raw, Paper).kind == "order":
                taken.append(bytes(raw))
            else:
                kept.append((tag, raw))
        return codec.encode(kept)

    patch.setattr(Line, "post", lossy)
    return taken


def test_a_device_set_back_to_before_a_lock_hears_it_again(town: Town, laptop: Laptop) -> None:
    """State and keyring of yesterday: the server sends what was obeyed since, since the device says where it is."""
    kept = laptop.profile.state.read_bytes()
    numbers = laptop.entries()
    town.order("lock", laptop)
    assert laptop.ask("sync").code == 3
    write_whole(laptop.profile.state, kept)
    ring = SystemKeyring(laptop.card().org, laptop.card().device)
    for name in ("hw", "share.1"):
        ring.set(name, numbers[name])
    assert laptop.json("status")["state"] == "active"
    assert laptop.ask("sync").code == 3
    assert laptop.json("status")["state"] == "locked"
    assert "share.1" not in laptop.entries()
