"""Numbers of histories: a server that was restored begins a new history, and gives no number of a former one again.

The upper bits of a number say in which history it was given, the lower ones count. So what was given out after the
backup, and went with the server, is never mistaken for what came after the restore.
"""

from __future__ import annotations

from typing import Final

COUNT_BITS: Final = 32
_HOUR_MS: Final = 3_600_000
ORDERS_AN_HOUR: Final = 1_000  # more than any organisation signs


def same(one: int, other: int) -> bool:
    """Whether two numbers were given in one history."""
    return one >> COUNT_BITS == other >> COUNT_BITS


def covers(base: int, number: int) -> bool:
    """Whether who had seen `base` had seen what one and the same history numbered `number`."""
    return number <= base and same(base, number)


def next_head(head: int, now: int) -> int:
    """Where a history begins that follows one with this head: the hour says it apart from others that do."""
    return max((head >> COUNT_BITS) + 1, now // _HOUR_MS) << COUNT_BITS


def next_order(number: int, now: int) -> int:
    """An order number beyond all that may have been given out since `number`."""
    return max(number + ORDERS_AN_HOUR, now // _HOUR_MS * ORDERS_AN_HOUR)
