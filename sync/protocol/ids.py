"""Identities that travel: who made a thing, which thing it is, and which edit it was."""

from __future__ import annotations

import os
import re
import threading
import time
import uuid
from typing import Final, NamedTuple, NewType

RecordId = NewType("RecordId", bytes)  # 16 bytes, UUIDv7, made where the record is made
DeviceId = NewType("DeviceId", bytes)  # 16 bytes, random, made by the device before its keys
PersonId = NewType("PersonId", bytes)  # 16 bytes, UUIDv7, made by the server
Incarnation = NewType("Incarnation", bytes)  # 8 bytes, random, new after each enrolment, restore or clone

ID_BYTES: Final = 16
INCARNATION_BYTES: Final = 8
ELEMENT_BYTES: Final = 8
CONFLICT_BYTES: Final = 16

# Python's own reader also takes signs, braces and the digits of every script: one id would have many spellings.
_WRITTEN: Final = re.compile(
    r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE
)


class OpId(NamedTuple):
    """One edit, for ever: the same op sent twice carries the same id and is taken once."""

    device: DeviceId
    incarnation: Incarnation
    n: int


class _Uuid7Maker:
    """Holds the last stamp, so that ids made in one millisecond still rise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def make(self, now_ms: int) -> bytes:
        with self._lock:
            # 48 bits of time and 12 of a counter: a burst borrows from the next milliseconds rather than repeat.
            self._last = max(self._last + 1, now_ms << 12)
            stamp = self._last
        tail = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
        value = ((stamp >> 12) << 80) | (0x7 << 76) | ((stamp & 0xFFF) << 64) | (0b10 << 62) | tail
        return value.to_bytes(16, "big")


_MAKER: Final = _Uuid7Maker()


def new_record_id(now_ms: int | None = None) -> RecordId:
    """A fresh record id; rises with time within one process."""
    return RecordId(_MAKER.make(time.time_ns() // 1_000_000 if now_ms is None else now_ms))


def new_person_id() -> PersonId:
    """A fresh person id."""
    return PersonId(bytes(new_record_id()))


def new_device_id() -> DeviceId:
    """A fresh random device id."""
    return DeviceId(os.urandom(ID_BYTES))


def new_incarnation() -> Incarnation:
    """A fresh incarnation of a device's numbering of ops."""
    return Incarnation(os.urandom(INCARNATION_BYTES))


def new_element_id() -> str:
    """The name of one element of a several-values field: 16 hex digits for 8 bytes."""
    return os.urandom(ELEMENT_BYTES).hex()


def id_text(value: bytes) -> str:
    """An id as people and JSON see it: the dashed form of a UUID."""
    return str(uuid.UUID(bytes=bytes(value)))


def parse_id(text: str) -> bytes:
    """The 16 bytes of an id written dashed or as 32 hex digits.

    Raises ValueError when it is neither.
    """
    bare = text.strip()
    if not _WRITTEN.fullmatch(bare):
        raise ValueError("not an id")
    return uuid.UUID(bare).bytes
