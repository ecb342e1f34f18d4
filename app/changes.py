"""News that something changed: which records and whence, for whoever shows them; it carries no values."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import msgspec

HERE: Final = "here"  # a person's own edit on this device
SYNC: Final = "sync"  # a page from the server
BEHIND: Final = "behind"  # found out of what is there, such as two records that seem to be one
CLOSING: Final = "closing"  # the store closes next: told before it does, in the thread that closes it
LOCK: Final = "lock"  # the store was locked or unlocked
WIPE: Final = "wipe"  # a wipe begins
WIPED: Final = "wiped"  # keys and files are gone


class Changes(msgspec.Struct, frozen=True):
    """What changed: (kind, id) of records, and where it came from. No records: look at everything again.

    `left` of them are no longer on this device: this person does not see them any more.
    """

    records: tuple[tuple[str, bytes], ...] = ()
    origin: str = HERE
    left: int = 0


class Bus:
    """Carries changes to whoever asked for them, in the publisher's thread and the order of asking.

    A subscriber that raises stops its publisher: news are small facts, and taking them in must not fail.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: list[Callable[[Changes], None]] = []

    def subscribe(self, callback: Callable[[Changes], None]) -> Callable[[], None]:
        """Have `callback` called with all changes from now on; the function returned ends that."""
        entry = _Entry(callback)
        with self._lock:
            self._subscribers.append(entry)

        def unsubscribe() -> None:
            with self._lock:
                if entry in self._subscribers:
                    self._subscribers.remove(entry)

        return unsubscribe

    def publish(self, changes: Changes) -> None:
        """Tell every subscriber."""
        with self._lock:
            subscribers = tuple(self._subscribers)
        for callback in subscribers:
            callback(changes)


class _Entry:
    """One subscription: the same function may be subscribed twice and leaves once."""

    def __init__(self, callback: Callable[[Changes], None]) -> None:
        self._callback = callback

    def __call__(self, changes: Changes) -> None:
        self._callback(changes)
