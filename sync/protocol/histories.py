"""Numbers of histories: a server that was restored begins a new history, and gives no number of a former one again.

The upper bits of a number say in which history it was given, the lower ones count. So what was given out after the
backup, and went with the server, is never mistaken for what came after the restore. The upper bits are drawn, above
those of the history that is gone on from: two restores that know nothing of each other, whatever the clocks of their
machines say, are told apart.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Final

COUNT_BITS: Final = 28
NUMBER_BITS: Final = 53
# Below this the upper bits are hours, and more bits count: histories as earlier servers began them.
_BY_HOURS_END: Final = 2**51
_BY_HOURS_COUNT_BITS: Final = 32
# Of what is left above, the share that one restore may take: hundreds of them come nowhere near the end.
_SHARE: Final = 64
ORDERS_AT_ONCE: Final = 1_000  # more than any organisation signs in a second


def _history(number: int) -> tuple[bool, int]:
    """The history that a number was given in, as its upper bits say it."""
    by_hours = number < _BY_HOURS_END
    return by_hours, number >> (_BY_HOURS_COUNT_BITS if by_hours else COUNT_BITS)


def same(one: int, other: int) -> bool:
    """Whether two numbers were given in one history."""
    return _history(one) == _history(other)


def covers(base: int, number: int) -> bool:
    """Whether who had seen `base` had seen what one and the same history numbered `number`."""
    return number <= base and same(base, number)


def reach(base: int, head: int, ends: Iterable[int]) -> int:
    """Up to which number of the history that stands at `head` an author had seen it who had seen `base`.

    `ends` are the numbers up to which its former histories are its beginning. What a history gave after that, or one
    of which nothing is known, says nothing about what others wrote here.
    """
    if same(base, head):
        return base
    return min(base, max((end for end in ends if same(end, base)), default=0))


def next_head(head: int) -> int:
    """Where a history begins that follows one with this head."""
    last = max(head, _BY_HOURS_END - 1) >> COUNT_BITS
    left = 2 ** (NUMBER_BITS - COUNT_BITS) - 1 - last
    return (last + 1 + secrets.randbelow(max(1, left // _SHARE))) << COUNT_BITS


def next_order(number: int, now: int) -> int:
    """An order number beyond all that may have been given out since `number`: devices take none that does not rise, so
    it goes by the clock, in milliseconds."""
    return max(number + ORDERS_AT_ONCE, now)
