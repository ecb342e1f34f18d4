"""What a device whose small files do not hold still knows for certain, so that orders reach it all the same.

Its own keys are in the keyring, and so is a digest of the root in force and of its enrolment: with them it speaks to
the server as it does while locked, takes locks and wipes that hold under that root, and hands in its sealed outbox. It
never opens its store, never unlocks, and never makes a state anew. Lost documents that the server still has come
back with its answer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

import msgspec

from app.errors import AppError, KeyMissing, NewerStore, NotEnrolled, StoreDamaged
from app.keys import device, epochs, header
from app.keys.ring import TRUST, Keyring, ring_name
from app.keys.state import State, StateFile, epoch_hint, high_water, trusted
from app.paths import Profile, write_whole
from app.services import way_on
from app.services.card import Card
from app.services.held import Held, digest_of, known_root, read_policy, roots_on_file
from app.services.memory import Guarded, Memory
from sync.client.errors import ExchangeError
from sync.client.https import fetch_root
from sync.protocol import trust
from sync.protocol.documents import Offline, Policy, Root
from sync.protocol.errors import Refused
from sync.protocol.texts import gettext as _

_STRICTEST: Final = Offline(warn_h=1, lock_h=1, wipe_d=1)


class Found(msgspec.Struct, frozen=True):
    """What a session is made of; `damage` where not all of the profile holds."""

    memory: Memory
    held: Held
    damage: AppError | None = None


class Unwritten:
    """A state that is kept nowhere: what was in the file is not known, and nothing is made up in its place."""

    def __init__(self, profile: Profile, ring: Keyring, epoch: int) -> None:
        self.epoch = epoch
        self._ring_key = StateFile(profile, ring, epoch)

    def save(self, state: State) -> None:
        """Keep nothing."""

    def vouch(self, data: bytes) -> str:
        """A mac under the ring key, "" when there is none."""
        try:
            return self._ring_key.vouch(data)
        except (KeyMissing, StoreDamaged):
            return ""

    def both(self, epoch: int) -> None:
        """No keys are turned where the state does not hold."""
        raise NotImplementedError

    def turned(self) -> None:
        """No keys are turned where the state does not hold."""
        raise NotImplementedError

    def close(self) -> None:
        """Let the key go."""
        self._ring_key.close()


def what_holds(profile: Profile, card: Card, ring: Keyring, damage: AppError, *, ask_server: bool) -> Found:
    """What is left of a profile. Raises StoreDamaged when nothing says whom to believe, KeyMissing,
    KeyringUnreachable."""
    device.load_signing(ring)  # without it the server hears nothing of this device
    guarded, state, root_names = _remembered(profile, card, ring)
    try:
        pin = ring.get(TRUST)
        for data in roots(profile, card.server_url, ask_server=ask_server):
            if (root := believed(data, root_names, pin, state.enrolment)) is not None:
                break
        else:
            raise StoreDamaged(
                damage.title,
                _("Nothing here says any more whose orders to believe, so none is obeyed. Ask IT."),
            ) from damage
        with contextlib.suppress(OSError):
            if not profile.root.exists() or profile.root.read_bytes() != data:
                write_whole(profile.root, data)
        floors = msgspec.structs.replace(
            state.floors, root=trust.Mark(root.version, digest_of(data, Root.TYPE))
        )
        state = msgspec.structs.replace(state, floors=floors)
        policy, state = _policy(profile, root, state, Memory(guarded, state).now())
    except BaseException:
        guarded.close()
        raise
    return Found(Memory(guarded, state), Held(root, policy), way_on.before(damage))


def _remembered(profile: Profile, card: Card, ring: Keyring) -> tuple[Guarded, State, list[str]]:
    """The state, proven by its mac under whichever ring key, and digests of roots that it names; or none of both."""
    named = _epochs(profile)
    for epoch in named:
        guarded = StateFile(profile, ring, epoch)
        try:
            state = guarded.load()
        except (StoreDamaged, KeyMissing):
            guarded.close()
            continue
        return guarded, state, [state.floors.root.digest, guarded.root_on_file.digest]
    looked_at = (*named, *reversed(epochs.known(profile, ring, named)))
    epoch = next((epoch for epoch in looked_at if ring.get(ring_name(epoch)) is not None), 1)
    try:
        floors = high_water(ring)
    except StoreDamaged:
        floors = trust.Floors()
    state = State(
        stage="lock_crypto",
        org=card.org,
        device=card.device,
        enrolment=card.enrolment,
        epoch=epoch,
        incarnation="",
        floors=floors,
    )
    return Unwritten(profile, ring, epoch), state, []


def _epochs(profile: Profile) -> list[int]:
    """The epochs that header and state file name."""
    named = [epoch_hint(profile)]
    with contextlib.suppress(StoreDamaged, NotEnrolled, NewerStore):
        named.insert(0, header.read(profile).epoch)
    return [epoch for epoch in dict.fromkeys(named) if epoch]


def roots(profile: Profile, server_url: str, *, ask_server: bool) -> Iterator[bytes]:
    """Root envelopes that may be the one in force: from the files, then from the server; none is believed yet."""
    yield from roots_on_file(profile)
    if ask_server:
        with contextlib.suppress(ExchangeError):  # what comes is believed by its digest, whoever sends it
            yield fetch_root(server_url)


def believed(data: bytes, names: list[str], pin: str | None, enrolment: str) -> Root | None:
    """This root, if the state names it, or the keyring does together with this enrolment."""
    try:
        digest = digest_of(data, Root.TYPE)
    except Refused:
        return None
    if digest not in names and trusted(digest, enrolment) != pin:
        return None
    found = known_root([data], digest)
    return found[0] if found else None


def _policy(profile: Profile, root: Root, state: State, now: int) -> tuple[Policy, State]:
    """The policy in force, or the strictest there can be until the server sends it again."""
    try:
        return read_policy(profile, root, state, now)
    except (OSError, Refused):
        return Policy(version=0, org=root.org, issued=0, expires=0, offline=_STRICTEST), state
