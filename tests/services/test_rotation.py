"""The keys of a laptop changed at contact: new names, brought to the server first, the old ones gone, nothing lost."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from app.errors import KeyMissing, Locked
from app.keys import vault
from app.keys.ring import SystemKeyring
from app.keys.secret import SecretBytes
from app.services import records
from app.services.opening import open_damaged, open_session
from app.services.session import ACTIVE, LOCK_CRYPTO, Session
from app.services.syncing import Syncing
from sync.protocol.kinds import KINDS
from sync.protocol.policy_parts import KeyRule
from tests import forks
from tests.forks import Answer
from tests.road import DAY_MS, Laptop, Town
from tests.services.desk import Desk
from tests.services.test_pin import OTHER, PIN, names

CUSTOMER = KINDS["customer"]
ROUNDS = 2


def exchange(session: Session, rounds: int = 1) -> None:
    syncing = Syncing(session)
    try:
        for _round in range(rounds):
            with contextlib.suppress(Locked):
                syncing.round()
    finally:
        syncing.close()


def keys_of(laptop: Laptop) -> set[str]:
    return {name for name in laptop.entries() if name.partition(".")[0] in ("ring", "share")}


def test_the_keys_are_changed_and_the_old_ones_are_gone(laptop: Laptop) -> None:
    laptop.add("customer", name="Before")
    old = laptop.profile.header.read_bytes()
    with open_session(laptop.profile) as session:
        session.want_other_keys()
        records.add(session, CUSTOMER, {"name": "Not sent"})
        exchange(session, ROUNDS)
        assert session.stage == ACTIVE
        assert (session.state.epoch, session.state.share_as, session.state.keys_before) == (2, 2, 0)
        records.add(session, CUSTOMER, {"name": "Behind new keys"})
    assert keys_of(laptop) == {"ring.2", "share.2"}
    assert not laptop.profile.header_next.exists()
    with open_session(laptop.profile) as session:
        assert {"Before", "Not sent", "Behind new keys"} <= names(session)
    laptop.profile.header.write_bytes(old)
    with pytest.raises(KeyMissing):
        vault.open_key(laptop.profile, SystemKeyring(laptop.card().org, laptop.card().device))
    with open_damaged(laptop.profile) as session:
        assert session.damage is not None


def test_a_lock_by_order_takes_the_new_share_and_the_server_gives_it_back(town: Town, laptop: Laptop) -> None:
    laptop.add("customer", name="Here still")
    with open_session(laptop.profile) as session:
        session.want_other_keys()
        exchange(session, ROUNDS)
        assert session.state.epoch == 2
    town.order("lock", laptop)
    assert laptop.ask("sync").code == 3
    assert keys_of(laptop) == {"ring.2"}
    town.order("unlock", laptop)
    assert laptop.ask("sync").code == 0
    assert keys_of(laptop) == {"ring.2", "share.2"}
    assert "Here still" in {each["name"] for each in laptop.json("list", "customer")}


def test_a_person_asks_for_it(laptop: Laptop) -> None:
    before = laptop.json("keys")
    assert (before["age_days"], before["rotate_days"], before["waits_for"]) == (0, 0, "")
    assert before["made"] > 0
    assert laptop.ask("keys", "rotate").out.strip() == "The keys are changed."
    assert keys_of(laptop) == {"ring.2", "share.2"}
    assert laptop.json("keys")["waits_for"] == ""
    assert "0 days old" in laptop.ask("doctor").out


def test_without_the_server_they_wait_for_it(town: Town, laptop: Laptop) -> None:
    town.server.stop()
    assert laptop.ask("keys", "rotate").code == 5
    assert laptop.json("keys")["waits_for"] == "contact"
    town.server.start()
    laptop.sync()
    assert keys_of(laptop) == {"ring.2", "share.2"}


def test_policy_asks_for_it_by_their_age(town: Town, laptop: Laptop) -> None:
    with open_session(laptop.profile) as session:
        exchange(session)
        desk = Desk(town, session)
        version = session.papers.held.policy.version + 1
        desk.give(desk.policy(version, keys=KeyRule(rotate_days=30)), desk.policy_key)
        assert not session.rotation.wanted()
        session._memory.set(keys_made=session.now() - 30 * DAY_MS)
        exchange(session, ROUNDS)
        assert session.state.epoch == 2
        assert session.now() - session.state.keys_made < DAY_MS
        exchange(session, ROUNDS)
        assert session.state.epoch == 2
    assert keys_of(laptop) == {"ring.2", "share.2"}


def test_with_a_pin_they_wait_for_it_and_a_forgotten_one_is_reset_all_the_same(
    town: Town, laptop: Laptop
) -> None:
    laptop.add("customer", name="Behind a PIN")
    with open_session(laptop.profile) as session:
        session.choose_pin(SecretBytes(PIN))
        exchange(session)
        assert session.state.reset_ack
        session.want_other_keys()
        exchange(session, ROUNDS)
        assert session.state.epoch == 1  # nobody gives a PIN in the background
        session.lock()
        session.unlock(SecretBytes(PIN))
        exchange(session, ROUNDS)
        assert (session.state.epoch, session.state.reset_ack) == (2, True)
        session.give_up_pin()
        assert session.stage == LOCK_CRYPTO
    assert keys_of(laptop) == {"ring.2"}
    town.order("unlock", laptop)
    with open_session(laptop.profile) as session:
        exchange(session, 2)
        session.choose_pin(SecretBytes(OTHER))
        assert "Behind a PIN" in names(session)


def test_another_pin_chosen_meanwhile_stays(laptop: Laptop) -> None:
    with open_session(laptop.profile) as session:
        session.choose_pin(SecretBytes(PIN))
        session.want_other_keys()
        exchange(session)
        session.lock()
        session.unlock(SecretBytes(PIN))
        assert laptop.profile.header_next.exists()
        session.choose_pin(SecretBytes(OTHER), SecretBytes(PIN))
        exchange(session, ROUNDS)
        assert session.state.epoch == 1
        session.lock()
        session.unlock(SecretBytes(OTHER))
        exchange(session, ROUNDS)
        assert session.state.epoch == 2
        session.lock()
        session.unlock(SecretBytes(OTHER))


def test_a_lock_while_they_are_made_takes_every_share(town: Town, laptop: Laptop) -> None:
    laptop.add("customer", name="Here still")
    with open_session(laptop.profile) as session:
        exchange(session)
        session.want_other_keys()
        with session.pin.key() as key:
            session.rotation.prepare(key)
        assert keys_of(laptop) == {"ring.1", "share.1", "ring.2", "share.2"}
        town.order("lock", laptop)
        exchange(session)
        assert session.stage == LOCK_CRYPTO
        assert keys_of(laptop) <= {"ring.1", "ring.2"}
        town.order("unlock", laptop)
        exchange(session, 1 + ROUNDS)
        assert (session.stage, session.state.epoch) == (ACTIVE, 2)
        assert "Here still" in names(session)
    assert keys_of(laptop) == {"ring.2", "share.2"}


@pytest.mark.expected_warnings("the server has lost the share of this device")
def test_a_server_restored_to_before_gets_the_share_again_before_a_lock_takes_it(
    town: Town, laptop: Laptop, tmp_path: Path
) -> None:
    laptop.add("customer", name="Here still")
    laptop.sync()
    backup = _backed_up(town, tmp_path)
    with open_session(laptop.profile) as session:
        session.want_other_keys()
        exchange(session, ROUNDS)
        assert session.state.epoch == 2
    _restored(town, backup)
    town.order("lock", laptop)  # it comes with the very first answer of the restored server
    with open_session(laptop.profile) as session:
        exchange(session)
        assert session.stage == LOCK_CRYPTO
        exchange(session)
    assert keys_of(laptop) == {"ring.2"}
    town.order("unlock", laptop)
    assert laptop.ask("sync").code == 0
    assert "Here still" in {each["name"] for each in laptop.json("list", "customer")}


@pytest.mark.expected_warnings("the server has lost the share of this device")
def test_a_server_restored_after_a_lock_gets_the_share_back_with_the_recovery_key(
    town: Town, laptop: Laptop, tmp_path: Path
) -> None:
    """The share of then is on neither side any more, but for its copy that IT alone opens."""
    laptop.add("customer", name="Here still")
    laptop.sync()
    backup = _backed_up(town, tmp_path)
    with open_session(laptop.profile) as session:
        session.want_other_keys()
        exchange(session, ROUNDS)
    town.order("lock", laptop)
    assert laptop.ask("sync").code == 3
    assert keys_of(laptop) == {"ring.2"}
    _restored(town, backup)
    with open_session(laptop.profile) as session:
        exchange(session, 2)
    without = forks.run("sync.compose.admin:main", ["--data", str(town.data), "unlock", laptop.id])
    assert without.code == 1
    assert "--keys DIR" in without.err
    town.order("unlock", laptop)
    assert laptop.ask("sync").code == 0
    assert keys_of(laptop) == {"ring.2", "share.2"}
    assert "Here still" in {each["name"] for each in laptop.json("list", "customer")}


def _server(town: Town, *words: str) -> Answer:
    where = ("--data", str(town.data), "--secrets", str(town.secrets))
    return forks.run("sync.compose.server:main", [*words, *where])


def _backed_up(town: Town, folder: Path) -> Path:
    file = folder / "backup"
    done = _server(town, "backup", str(file))
    assert done.code == 0, done.err
    return file


def _restored(town: Town, backup: Path) -> None:
    town.server.stop()
    done = _server(town, "restore", str(backup), "--replace")
    assert done.code == 0, done.err
    town.server.start()
