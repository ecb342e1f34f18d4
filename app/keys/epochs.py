"""Of which epochs the keyring may hold keys: those that files and keyring name, those beside them, and leftovers.

Each rotation takes the next epoch and deletes the one before. A wipe, and a lock, must find every key that there may
be, also where a rotation or an enrolment was cut short, and where header and state are gone or were altered by hand.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Final

from app.errors import AppError, KeyringUnreachable
from app.keys import header as headers
from app.keys.ring import EPOCH, Keyring, ring_name, share_name
from app.keys.state import epoch_hint
from app.paths import Profile

FIRST: Final = 16  # of these all are looked at: enrolments that were cut short leave keys there
_BEFORE: Final = 2  # none is older: a rotation begins once the keys before the last one are gone
_BEYOND: Final = 64  # and no keyring that gives an answer to every name makes this endless


def known(profile: Profile, ring: Keyring, also: Iterable[int] = ()) -> list[int]:
    """The epochs of which a key may exist, rising. Asks the keyring, and never raises for one that is away."""
    named = {1, epoch_hint(profile), *also, *_in_headers(profile)}
    with contextlib.suppress(KeyringUnreachable):
        named.add(read(ring))
    named = {epoch for epoch in named if 0 < epoch < headers.EPOCH_END}
    last = max(named)
    found = set(range(1, min(last, FIRST) + 1))
    for epoch in named:
        found.update(range(max(1, epoch - _BEFORE), epoch + 1))
    with contextlib.suppress(KeyringUnreachable):
        for epoch in named:
            found.update(_following(ring, epoch))
    return sorted(found)


def holds_ring_keys(profile: Profile, ring: Keyring, also: Iterable[int] = ()) -> bool:
    """Whether the keyring holds a ring key of any epoch. Raises KeyringUnreachable."""
    return any(ring.get(ring_name(epoch)) is not None for epoch in known(profile, ring, also))


def note(ring: Keyring, epoch: int) -> None:
    """Have the keyring say that keys of this epoch are about to be made. Raises KeyringUnreachable."""
    ring.set(EPOCH, f"{epoch:x}")


def read(ring: Keyring) -> int:
    """The highest epoch of which the keyring says that keys may exist; 0 where there was never a rotation.

    Raises KeyringUnreachable.
    """
    value = ring.get(EPOCH)
    return int(value, 16) if value is not None else 0


def _in_headers(profile: Profile) -> list[int]:
    found = []
    for path in (profile.header, profile.header_next):
        with contextlib.suppress(AppError):  # one that is damaged names nothing
            header = headers.read_at(path)
            if header is not None:
                found.append(header.epoch)
    return found


def _following(ring: Keyring, epoch: int) -> Iterable[int]:
    for each in range(epoch + 1, epoch + 1 + _BEYOND):
        if all(ring.get(make_name(each)) is None for make_name in (ring_name, share_name)):
            return
        yield each
