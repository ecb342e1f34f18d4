"""What is known of a device when policy is held against it: its posture, the time, how long it has been silent.

The device reads its posture itself and tells it at contact; the server keeps what it was told. Both hold the same
policy against it. A value that is missing, or of another form than it should be, is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

TEXT_MAX: Final = 120  # letters of one value of a posture
POLICY_NUMBER: Final = "policy"  # in a posture: the number of the policy that rules there
JUMP_MAX: Final = 1_000  # by which a policy may be ahead of the one before: a restored server has lost some
_NUMBERS: Final = re.compile(r"\d+(?:\.\d+)*")
_BEFORE: Final = re.compile(r"[-.]?(a|alpha|b|beta|rc|dev|pre)[-.]?(\d*)", re.IGNORECASE)
_ORDER: Final = {"dev": 0, "pre": 0, "a": 1, "alpha": 1, "b": 2, "beta": 2, "rc": 3}
_RELEASED: Final = 9

Version = tuple[tuple[int, ...], tuple[int, int]]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Posture by name, trusted time in UTC milliseconds, and milliseconds since the last contact; None: not known."""

    now: int
    silent_ms: int | None = None
    posture: Mapping[str, Any] = {}

    def text(self, name: str) -> str | None:
        """A text of the posture, None where it is not known."""
        found = self.posture.get(name)
        return found[:TEXT_MAX] if isinstance(found, str) and found else None

    def flag(self, name: str) -> bool | None:
        """A yes or no of the posture, None where it is not known."""
        found = self.posture.get(name)
        return found if isinstance(found, bool) else None

    def number(self, name: str) -> int | None:
        """A whole number of the posture, None where it is not known."""
        found = self.posture.get(name)
        return found if isinstance(found, int) and not isinstance(found, bool) else None


def next_number(in_force: int, postures: Iterable[Mapping[str, Any]]) -> int:
    """The number of the next policy: above the one in force, and above what devices say that rules them.

    A restored server may have lost policies that devices have; another one under such a number would be a second
    history to them. What is told is believed within bounds.
    """
    told = (posture.get(POLICY_NUMBER) for posture in postures)
    known = [n for n in told if isinstance(n, int) and not isinstance(n, bool) and n < in_force + JUMP_MAX]
    return max([in_force, *known]) + 1


def version_of(text: str) -> Version | None:
    """A version that can be compared: its numbers, and what comes before the release; None where it is none."""
    found = _NUMBERS.match(text.strip())
    if found is None or len(text) > TEXT_MAX:
        return None
    numbers = [int(part[:9]) for part in found.group().split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    before = _BEFORE.match(text.strip(), found.end())
    if before is None:
        return tuple(numbers), (_RELEASED, 0)
    return tuple(numbers), (_ORDER[before.group(1).lower()], int(before.group(2)[:9] or 0))
