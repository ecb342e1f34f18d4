"""What a device may see that travels: of its person's rights, less; what needs more care stays at home.

A device says with each exchange whether it travels; policy may say it of all. It then reads under rights of its own,
with a number of their own: when it begins and when it ends, everything is gone through once more, as after any change
of rights. Its person's rights stay what they are, and with them what is taken in from this device.
"""

from __future__ import annotations

from typing import Final

import msgspec

from sync.protocol.documents import Policy
from sync.protocol.fields import Care
from sync.protocol.travel import most_care
from sync.server.db.base import Transaction
from sync.server.db.kept import Device, Person

_SHIFT: Final = 2**40  # far above every count of changed rights, far below the end of numbers


def seen_from(device: Device, person: Person, policy: Policy) -> Person:
    """The person as this device reads."""
    if not (device.travelling or policy.travel.always):
        return person
    care = min(person.rights.care, most_care(policy.travel))
    return msgspec.structs.replace(
        person, granted=Care(care).name.lower(), scopes=person.scopes + _SHIFT * (1 + int(care))
    )


def reader(tx: Transaction, device: Device, policy: Policy) -> Person | None:
    """The person of a device, as it reads; None for one who is gone."""
    person = tx.people.person(device.person)
    return seen_from(device, person, policy) if person is not None else None


def is_away(person: Person) -> bool:
    """Whether these are rights of a device that travels."""
    return person.scopes >= _SHIFT


def at_home(scopes: int) -> int:
    """The number of a person's rights in the number under which a device reads."""
    return abs(scopes) % _SHIFT
