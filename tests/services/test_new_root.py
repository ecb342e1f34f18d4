"""A new root that gives policy another signer: what is in force stays in force, at every step and every restart."""

from __future__ import annotations

import json

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.services.opening import open_session
from app.services.session import Session
from sync.protocol import signing
from sync.protocol.documents import Document, Key, Role
from sync.protocol.messages import Paper
from sync.protocol.trust import Mark
from tests.road import Laptop, Town
from tests.services.desk import Desk

Signer = tuple[str, Ed25519PrivateKey]
STEPS = 16  # durable steps from the first byte of the root to the last of the policy, with one before and after each


def _role(*keys: Signer) -> Role:
    return Role(keys=[Key(alg="ed25519", spki=signing.spki_of(key)) for _who, key in keys])


def _signed(document: Document, *keys: Signer) -> tuple[str, str]:
    return document.TYPE, signing.sign(document, *keys).to_bytes().hex()


def test_the_old_policy_rules_until_the_new_one_comes(town: Town, laptop: Laptop, session: Session) -> None:
    desk = Desk(town, session)
    fresh: Signer = ("", Ed25519PrivateKey.generate())
    desk.give(desk.root(2, policy=_role(fresh)), desk.root_key)
    for _restart in range(2):
        session.close()
        session = open_session(laptop.profile)
        assert (session.stage, session.papers.held.policy.version) == ("active", 1)
        assert session.state.floors.policy == Mark()
        assert session.papers.standing().policy_version == 0  # any policy of the new signer is wanted
        desk.session = session
        known = Paper(kind="policy", data=laptop.profile.policy.read_bytes())
        session.papers.take_papers([known], "n")  # the server shows what it has: it is in force already
    assert session.ruling.alarm() is None
    desk.give(desk.policy(2, inactivity_min=3), fresh)
    session.close()
    assert laptop.json("status")["policy_version"] == 2
    assert laptop.ask("sync").code == 0


@pytest.mark.expected_warnings("paper policy refused by rule policy")
def test_the_old_signer_makes_no_more_policy(town: Town, laptop: Laptop, session: Session) -> None:
    desk = Desk(town, session)
    fresh: Signer = ("", Ed25519PrivateKey.generate())
    desk.give(desk.root(2, policy=_role(fresh)), desk.root_key)
    desk.give(desk.policy(9), desk.policy_key)
    assert session.papers.held.policy.version == 1
    session.close()
    envelope = signing.sign(desk.policy(9), desk.policy_key)
    laptop.profile.policy.write_bytes(envelope.to_bytes())  # laid over the one in force
    assert laptop.ask("list", "customer").code == 1
    assert laptop.ask("sync").code == 0  # and the server has the right one
    assert laptop.json("status")["policy_version"] == 1


def test_a_stolen_signer_that_ran_ahead_is_undone(town: Town, laptop: Laptop, session: Session) -> None:
    desk = Desk(town, session)
    desk.give(desk.policy(2**40, inactivity_min=99), desk.policy_key)
    fresh: Signer = ("", Ed25519PrivateKey.generate())
    desk.give(desk.root(2, policy=_role(fresh)), desk.root_key)
    session.close()
    with open_session(laptop.profile) as again:
        desk.session = again
        assert again.papers.standing().policy_version == 0
        desk.give(msgspec.structs.replace(desk.policy(2), inactivity_min=5), fresh)
        assert again.papers.held.policy.inactivity_min == 5


@pytest.mark.expected_warnings("paper policy refused by rule policy_number")
def test_with_one_old_key_left_no_old_document_is_new_again(town: Town, session: Session) -> None:
    """Two keys, one taken away: what the other signed before must not come back, neither policy nor unlock."""
    desk = Desk(town, session)
    first: Signer = ("", Ed25519PrivateKey.generate())
    desk.give(desk.root(2, policy=_role(desk.policy_key, first)), desk.root_key)
    desk.give(desk.policy(2, inactivity_min=60), desk.policy_key)
    unlock = desk.order("unlock", 5)
    desk.give(unlock, desk.policy_key)
    assert session.obey() is True
    session.papers.heard(session.now(), dict(session.state.obeyed), session.card.person)
    desk.give(desk.policy(3, inactivity_min=7), desk.policy_key)
    desk.give(desk.order("lock", 6), desk.lease_key)
    assert session.obey() is True
    desk.give(desk.root(3, policy=_role(desk.policy_key)), desk.root_key)
    desk.give(desk.policy(2, inactivity_min=60), desk.policy_key)
    desk.give(unlock, desk.policy_key)
    assert session.papers.held.policy.inactivity_min == 7
    assert (session.papers.pending(), session.stage) == ([], "lock_crypto")


@pytest.mark.parametrize(
    "at", [pytest.param(n, marks=() if n % 3 == 0 else pytest.mark.slow) for n in range(STEPS)]
)
def test_killed_between_root_and_policy_it_starts_again(town: Town, laptop: Laptop, at: int) -> None:
    fresh: Signer = ("", Ed25519PrivateKey.generate())
    with open_session(laptop.profile) as session:
        desk = Desk(town, session)
        papers = [
            _signed(desk.root(2, policy=_role(fresh)), desk.root_key),
            _signed(desk.policy(2, inactivity_min=3), fresh),
        ]
    assert laptop.act("papers", at=at, papers=papers).code == -9
    said = laptop.json("status")
    assert (said["state"], said["alarm"]) == ("active", None)
    assert said["policy_version"] in (1, 2)
    assert laptop.ask("add", "customer", "name=Written in between").code == 0
    assert laptop.ask("sync").code == 0
    assert laptop.act("papers", at=None, papers=papers).code == 0
    with open_session(laptop.profile) as session:
        held = session.papers.held
        assert (held.root.version, held.policy.version, held.policy.inactivity_min) == (2, 2, 3)
        assert session.ruling.alarm() is None


def test_the_steps_are_so_many(town: Town, laptop: Laptop) -> None:
    fresh: Signer = ("", Ed25519PrivateKey.generate())
    with open_session(laptop.profile) as session:
        desk = Desk(town, session)
        papers = [
            _signed(desk.root(2, policy=_role(fresh)), desk.root_key),
            _signed(desk.policy(2), fresh),
        ]
    assert len(json.loads(laptop.act("papers", at=None, papers=papers).out)) == STEPS
