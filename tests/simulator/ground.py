"""The ground of every run: an organisation and its laptops, laid once and copied for each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.keys.secret import SecretBytes
from app.paths import Profile
from app.store.store import Store
from sync.protocol import signing
from sync.server import config
from tests.server.inside import Inside
from tests.simulator.laptop import Card
from tests.simulator.steps import LAPTOPS, PEOPLE

PERSONS: Final = tuple(f"p{at}@example.com" for at in range(PEOPLE))
FIRST: Final = (("rep", "Sales/East"), ("rep", "Sales/East"), ("manager", "Sales"), ("office", "Sales/West"))


@dataclass
class Ground:
    """An organisation with laptops that have enrolled and hold nothing yet; copied for each run."""

    folder: Path
    began: int
    cards: list[Card]
    persons: list[bytes]
    store: Path
    store_key: bytes
    lease_key: Ed25519PrivateKey


def lay(folder: Path) -> Ground:
    """Found the organisation and enrol the laptops."""
    there = Inside(folder / "organisation")
    for email, (role, team) in zip(PERSONS, FIRST, strict=True):
        there.person(email, role, team)
    cards = []
    for at in range(LAPTOPS):
        email = PERSONS[at % PEOPLE]
        made = there.device(email, f"laptop {at}")
        assert made.root is not None
        profile = Profile(folder / f"laptop-{at}")
        key = SecretBytes.random(32)
        card = Card(
            email, made.root.org, made.enrolment, bytes(made.device), bytes(made.incarnation),
            lambda document, key=made.sign_key: signing.sign(document, ("", key)),  # type: ignore[misc]
            bytes(key.view), made.root.recovery,
        )  # fmt: skip
        profile.folder.mkdir()
        Store.create(
            profile, key, device=card.device, incarnation=card.incarnation, recovery=card.recovery,
            person=email,
        ).close()  # fmt: skip
        cards.append(card)
    with there.store.read() as tx:
        found = {each.email: each.id for each in tx.people.persons()}
    there.store.close()
    return Ground(
        folder, there.now(), cards, [found[each] for each in PERSONS], there.folders.store,
        bytes(config.read_store_key(there.folders.store_key)), config.read_lease_key(there.folders.lease_key),
    )  # fmt: skip
