"""A PIN on a real laptop: asked for, tried under a count that nothing gives back, and chosen anew after IT's unlock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import AppError, Locked
from app.keys.secret import SecretBytes
from app.keys.vault import WrongPin
from app.services import records
from app.services.opening import open_session
from app.services.pin import TooOften
from app.services.session import ACTIVE, LOCK_CRYPTO, LOCK_UI, Session
from app.services.syncing import Syncing
from app.services.why_locked import ASKS_PIN, BY_NO_PIN, BY_PIN
from app.store import lists
from app.store.store import Store
from sync.protocol.documents import PinRule
from sync.protocol.kinds import KINDS
from tests.road import Laptop, Town
from tests.services.desk import Desk

CUSTOMER = KINDS["customer"]
PIN, OTHER, WRONG = b"83 wolken", b"ein anderes wort", b"19570412"


@pytest.fixture
def pinned(laptop: Laptop) -> Laptop:
    """A laptop with a record that is not sent yet, and a PIN that the server knows how to reset."""
    laptop.add("customer", name="Behind a PIN")
    with open_session(laptop.profile) as session:
        session.choose_pin(SecretBytes(PIN))
        exchange(session)
        assert session.state.reset_ack
    laptop_without_server(laptop)
    return laptop


def laptop_without_server(laptop: Laptop) -> None:
    with open_session(laptop.profile) as session:
        session.unlock(SecretBytes(PIN))
        records.add(session, CUSTOMER, {"name": "Not sent"})


def exchange(session: Session) -> None:
    syncing = Syncing(session)
    try:
        syncing.round()
    except Locked:
        pass
    finally:
        syncing.close()


def names(session: Session) -> set[str]:
    found = session.read(lambda reader: lists.page(reader, CUSTOMER))
    return {each.title for each in found.records}


def rule(town: Town, session: Session, **values: object) -> None:
    """Have a policy of these words come in."""
    desk = Desk(town, session)
    version = session.papers.held.policy.version + 1
    desk.give(desk.policy(version, pin=PinRule(**values)), desk.policy_key)  # type: ignore[arg-type]
    assert session.papers.held.policy.version == version


def test_the_store_opens_with_the_pin_alone(pinned: Laptop) -> None:
    with open_session(pinned.profile) as session:
        assert (session.stage, session.state.locked_because) == (LOCK_UI, ASKS_PIN)
        with pytest.raises(Locked):
            session.call(Store.unsent)
        with pytest.raises(Locked):
            session.unlock()
        with pytest.raises(WrongPin, match="This PIN is not right"):
            session.unlock(SecretBytes(WRONG))
        assert session.state.pin_fail == 1
        session.unlock(SecretBytes(PIN))
        assert session.state.pin_fail == 0
        assert session.call(Store.unsent) == 1
        session.lock()
        assert not session.pin.is_open
        with pytest.raises(Locked):
            session.unlock()


def test_commands_ask_for_it(pinned: Laptop, tmp_path: Path) -> None:
    file = tmp_path / "pin"
    assert pinned.ask("list", "customer").code == 3
    file.write_bytes(WRONG)
    named = {"FIELDKEEP_PASSPHRASE_FILE": str(file)}
    assert pinned.ask("list", "customer", env=named).code == 3
    file.write_bytes(PIN + b"\n")
    assert pinned.ask("list", "customer", env=named).code == 0
    assert pinned.ask("sync", env=named).code == 0
    assert pinned.ask("sync").code == 3  # orders come without it, records do not
    assert pinned.ask("unlock", env=named).code == 0
    assert pinned.ask("list", "customer").code == 3
    other = tmp_path / "other"
    other.write_bytes(OTHER)
    both = {**named, "FIELDKEEP_NEW_PIN_FILE": str(other)}
    assert pinned.ask("pin", env=both).code == 0
    assert pinned.ask("list", "customer", env=named).code == 3
    file.write_bytes(OTHER)
    assert pinned.ask("pin", "--remove", env=named).code == 0
    assert pinned.ask("list", "customer").code == 0


def test_a_try_counts_though_the_process_is_killed_right_after_it(pinned: Laptop) -> None:
    """Case 76: no number of restarts gives anybody more tries than the policy does."""
    for tried in range(1, 11):
        assert pinned.act("try_pin", pin=WRONG.decode()).code == -9
        with open_session(pinned.profile) as session:
            assert session.state.pin_fail == tried
            assert session.stage == (LOCK_CRYPTO if tried == 10 else LOCK_UI)
    with open_session(pinned.profile) as session, pytest.raises(Locked) as caught:
        session.unlock(SecretBytes(PIN))  # the right one comes too late
    assert caught.value.by_order
    assert not any(name.startswith("share") for name in pinned.entries())
    assert any(name.startswith("ring") for name in pinned.entries()), "too many tries never wipe"


def test_it_unlocks_and_a_new_pin_is_chosen(town: Town, pinned: Laptop) -> None:
    with open_session(pinned.profile) as session:
        rule(town, session, max_attempts=3)
        for left in (2, 1):
            with pytest.raises(WrongPin, match=f"{left} tr"):
                session.unlock(SecretBytes(WRONG))
        with pytest.raises(TooOften):
            session.unlock(SecretBytes(WRONG))
        assert (session.stage, session.state.locked_because) == (LOCK_CRYPTO, BY_PIN)
        assert "share.1" not in pinned.entries()
        exchange(session)
        assert session.stage == LOCK_CRYPTO, "contact alone opens nothing"
        town.admin("unlock", pinned.id)
        exchange(session)
        assert (session.stage, session.state.locked_because) == (LOCK_UI, BY_NO_PIN)
        with pytest.raises(Locked):
            session.call(Store.unsent)
    with open_session(pinned.profile) as session:  # a restart in between changes nothing
        assert session.state.locked_because == BY_NO_PIN
        session.choose_pin(SecretBytes(OTHER))
        assert {"Behind a PIN", "Not sent"} <= names(session)
        assert session.call(Store.unsent) == 1
        exchange(session)
        assert session.state.reset_ack
    assert "reset" not in pinned.entries()
    with open_session(pinned.profile) as session:
        with pytest.raises(WrongPin):
            session.unlock(SecretBytes(PIN))
        session.unlock(SecretBytes(OTHER))
        assert session.call(Store.unsent) == 0


def test_the_reset_key_goes_out_for_an_unlock_alone(town: Town, pinned: Laptop) -> None:
    """Silence and an ordinary lock are lifted without it; an unlock of long ago is none of now."""
    with open_session(pinned.profile) as session:
        town.admin("lock", pinned.id)
        exchange(session)
        town.admin("unlock", pinned.id)
        exchange(session)
        assert (session.stage, session.state.locked_because) == (LOCK_UI, ASKS_PIN)
        assert "reset" not in pinned.entries()
        session.unlock(SecretBytes(PIN))


def test_without_an_unlock_of_it_no_reset_key_is_given(pinned: Laptop) -> None:
    """What a thief would have the device say: it gets the share, as after silence, and the PIN is asked for."""
    with open_session(pinned.profile) as session:
        session.give_up_pin()
        session._memory.set(ask_share=True, pin_reset="asked")
        exchange(session)
        assert (session.stage, session.state.locked_because) == (LOCK_UI, ASKS_PIN)
        assert "reset" not in pinned.entries()


def test_a_pin_that_the_server_cannot_reset_yet_is_asked_for_again(town: Town, laptop: Laptop) -> None:
    with open_session(laptop.profile) as session:
        session.choose_pin(SecretBytes(PIN))
    with open_session(laptop.profile) as session:  # what was to be handed in has gone with the process
        session.pin._escrow = None
        session.give_up_pin()
        town.admin("unlock", laptop.id)
        exchange(session)
        assert (session.stage, session.state.locked_because) == (LOCK_UI, ASKS_PIN)
        session.unlock(SecretBytes(PIN))
        exchange(session)  # made anew at the unlock
        assert session.state.reset_ack
        session.give_up_pin()
        town.admin("unlock", laptop.id)
        exchange(session)
        assert session.state.locked_because == BY_NO_PIN


def test_policy_asks_for_one(town: Town, laptop: Laptop, tmp_path: Path) -> None:
    laptop.add("customer", name="From before")
    with open_session(laptop.profile) as session:
        rule(town, session, required=True, min_len=8)
        assert session.stage == ACTIVE, "nobody is thrown out of their work"
    done = laptop.ask("list", "customer")
    assert (done.code, done.err.splitlines()[0]) == (3, "Your organisation asks for a PIN.")
    file = tmp_path / "new"
    for refused in (b"1234567", b"password", b"12345678"):
        file.write_bytes(refused)
        assert laptop.ask("pin", env={"FIELDKEEP_NEW_PIN_FILE": str(file)}).code == 1, refused
    file.write_bytes(PIN)
    assert laptop.ask("pin", env={"FIELDKEEP_NEW_PIN_FILE": str(file)}).code == 0
    named = {"FIELDKEEP_PASSPHRASE_FILE": str(file)}
    assert laptop.ask("list", "customer", env=named).code == 0
    assert laptop.ask("pin", "--remove", env=named).code == 1
    with open_session(laptop.profile) as session, pytest.raises(AppError):
        session.choose_pin(None, SecretBytes(PIN))


def test_a_longer_pin_is_asked_for_at_the_next_opening(town: Town, pinned: Laptop, tmp_path: Path) -> None:
    longer = PIN + b"-and-more"
    with open_session(pinned.profile) as session:
        session.unlock(SecretBytes(PIN))
        rule(town, session, required=True, min_len=len(longer))
        assert session.stage == ACTIVE, "nobody is thrown out of their work"
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(PIN)
    new.write_bytes(longer)
    by_old, both = {"FIELDKEEP_PASSPHRASE_FILE": str(old)}, {"FIELDKEEP_NEW_PIN_FILE": str(new)}
    for verb in (("list", "customer"), ("unlock",), ("list", "customer")):
        done = pinned.ask(*verb, env=by_old)
        assert (done.code, done.err.splitlines()[0]) == (
            3,
            "Your PIN is shorter than your organisation asks for.",
        )
    with open_session(pinned.profile) as session:
        session.unlock(SecretBytes(PIN))
        assert session.stage == LOCK_UI
        assert session.pin.wants_new()
        with pytest.raises(Locked):
            session.call(lambda _store: None)
        with pytest.raises(AppError):
            session.choose_pin(SecretBytes(OTHER[:6]))
        session.lock()  # a lock meanwhile takes the key, and the PIN is asked for again
        assert not session.pin.is_open
        assert not session.pin.wants_new()
    assert pinned.ask("pin", env={**by_old, **both}).code == 0
    by_new = {"FIELDKEEP_PASSPHRASE_FILE": str(new)}
    assert pinned.ask("list", "customer", env=by_new).code == 0
    with open_session(pinned.profile) as session:
        rule(town, session, required=True, min_len=len(longer) + 4)
        session.unlock(SecretBytes(longer))
        session.choose_pin(SecretBytes(longer + b"1234"))  # the one in force was given just now
        assert session.stage == ACTIVE


def test_a_lock_that_comes_while_somebody_unlocks_has_the_last_word(
    pinned: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_session(pinned.profile) as session:
        real = session.pin.open

        def locked_meanwhile(pin: SecretBytes | None) -> None:
            real(pin)
            session.lock("screen")

        monkeypatch.setattr(session.pin, "open", locked_meanwhile)
        with pytest.raises(Locked):
            session.unlock(SecretBytes(PIN))
        assert session.stage == LOCK_UI
        assert not session.pin.is_open


def test_the_wrong_pin_while_at_work_counts_too(town: Town, pinned: Laptop) -> None:
    with open_session(pinned.profile) as session:
        rule(town, session, max_attempts=2)
        session.unlock(SecretBytes(PIN))
        with pytest.raises(WrongPin):
            session.choose_pin(SecretBytes(OTHER), SecretBytes(WRONG))
        assert session.stage == ACTIVE
        with pytest.raises(TooOften):
            session.choose_pin(SecretBytes(OTHER), SecretBytes(WRONG))
        assert session.stage == LOCK_CRYPTO


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No PIN is in the log, whatever happened."""
    yield
    for secret in (PIN, OTHER, WRONG):
        assert secret.decode() not in caplog.text
