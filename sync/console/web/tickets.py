"""Tickets: what was begun on one page and is finished on another, within minutes and once; kept in memory alone."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

LIFE_MS: Final = 5 * 60_000
MOST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Ticket:
    """One thing begun: what for, by which account, the challenge, and the bytes it is about."""

    code: str
    purpose: str
    account: bytes
    challenge: bytes
    payload: bytes = b""
    about: str = ""
    language: str = ""
    ends: int = 0


class Tickets:
    """The tickets that are out; the oldest are void when there are too many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._out: OrderedDict[str, Ticket] = OrderedDict()

    def give(
        self,
        purpose: str,
        account: bytes,
        now: int,
        *,
        challenge: bytes = b"",
        payload: bytes = b"",
        about: str = "",
        language: str = "",
    ) -> Ticket:
        """A new ticket, with a challenge drawn where none is given."""
        ticket = Ticket(
            secrets.token_urlsafe(24), purpose, account, challenge or secrets.token_bytes(32), payload, about,
            language, now + LIFE_MS,
        )  # fmt: skip
        with self._lock:
            while self._out and (next(iter(self._out.values())).ends <= now or len(self._out) >= MOST):
                self._out.popitem(last=False)
            self._out[ticket.code] = ticket
        return ticket

    def look(self, code: str, purpose: str, now: int) -> Ticket | None:
        """The ticket of that code; it stays."""
        with self._lock:
            found = self._out.get(code)
        return found if found and found.purpose == purpose and found.ends > now else None

    def take(self, code: str, purpose: str, now: int) -> Ticket | None:
        """The same, used up."""
        found = self.look(code, purpose, now)
        with self._lock:
            return self._out.pop(code, None) if found else None
