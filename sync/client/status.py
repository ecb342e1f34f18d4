"""How syncing stands, as one frozen value that screens may show."""

from __future__ import annotations

import enum

import msgspec


class Phase(enum.StrEnum):
    """What the engine is about."""

    IDLE = "idle"  # all sent, or waiting for edits to settle
    SENDING = "sending"
    OFFLINE = "offline"
    REFUSED = "refused"  # the server said no, or this version is too old
    STOPPED = "stopped"


class SyncStatus(msgspec.Struct, frozen=True):
    """One picture of the engine; times in UTC milliseconds, 0 for never."""

    phase: Phase = Phase.STOPPED
    waiting: int = 0
    conflicts: int = 0
    attention: int = 0  # of these, changes of this device that were not accepted: they ask for a person
    last_ok: int = 0
    title: str = ""
    hint: str = ""
    first: bool = False  # this device has not had all of its records yet
    fetched: int = 0  # records that this round has brought so far, while more come
    percent: int = 0  # of the way through the server's history by then; 0 while nobody knows
    files: int = 0  # attached files that the server does not have yet
    alarm: str = ""  # the rule that refused a document which should have held
