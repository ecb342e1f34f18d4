"""Where the console is reached: its host, and the host of its own on which orders are signed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passkey belongs: its host, and the one origin that counts."""

    rp_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Sites:
    """The two places of a console."""

    console: Place
    signing: Place
