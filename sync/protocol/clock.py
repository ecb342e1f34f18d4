"""The hybrid logical clock: 48 bits of UTC milliseconds and 16 of a counter in one rising integer.

It orders truly concurrent edits of one field and says when an edit was made. Cursors and sequence numbers
never depend on it.
"""

from __future__ import annotations

from typing import Final

COUNTER_BITS: Final = 16
MAX_AHEAD_MS: Final = 60_000  # a stamp further in the future than this is clamped by the server


def stamp(last: int, now_ms: int) -> int:
    """The next stamp after `last`; a burst or a clock set back spills into the following milliseconds."""
    return max(last + 1, now_ms << COUNTER_BITS)


def observe(last: int, seen: int, now_ms: int) -> int:
    """The clock after seeing a foreign stamp; one too far ahead is not followed."""
    if seen > (now_ms + MAX_AHEAD_MS) << COUNTER_BITS:
        return last
    return max(last, seen)


def clamp(value: int, now_ms: int) -> tuple[int, bool]:
    """A received stamp made harmless, and whether it had to be (a skewed clock)."""
    if value > (now_ms + MAX_AHEAD_MS) << COUNTER_BITS:
        return now_ms << COUNTER_BITS, True
    return max(value, 0), False


def millis(value: int) -> int:
    """When a stamp was made, in UTC milliseconds."""
    return value >> COUNTER_BITS
