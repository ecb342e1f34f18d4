"""Compares what a device holds of the server with what the server would show it, and fetches what differs.

First the sums of 256 buckets; of the buckets that differ, each record's number and digest; of the records that differ,
the record. What the server has changed since the device's cursor is no difference: it comes with the next exchange.
Nothing here changes anything on either side.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol, TypeVar

import msgspec

from sync.client.errors import ExchangeError, ServerRefused, Unreachable
from sync.client.line import Line, head, whole
from sync.client.ports import Position
from sync.protocol import codec, digest, messages
from sync.protocol.digest import Sums
from sync.protocol.errors import BadFrames, Problem
from sync.protocol.merge import Conflict
from sync.protocol.messages import (
    BucketHead,
    BucketReply,
    Change,
    DigestHead,
    DigestReply,
    RecordsHead,
    RecordsReply,
)
from sync.protocol.texts import gettext as _

TOTAL_S: Final = 900.0  # for a whole comparison: a million records take a minute or two of it
AT_ONCE: Final = 100_000  # records whose digests are held at once
ACTIVE: Final = "active"

T = TypeVar("T")
Digests = Mapping[bytes, tuple[int, int]]  # number and digest of each record


class Unlevel(ExchangeError):
    """The device has to exchange first: it stands before a change of rights or of history."""


class Holdings(Protocol):
    """What a device holds of the server: its rows, and below waiting ops the server's row."""

    def sums(self) -> Sums:
        """The sums of all of it, up to the cursor."""

    def digests(self, buckets: frozenset[int]) -> dict[bytes, tuple[int, int]]:
        """What these buckets hold, whatever its number."""


class Difference(msgspec.Struct, frozen=True):
    """Records that do not agree: `other` here as there, `missing` here, `stray` here and not there."""

    other: list[bytes]
    missing: list[bytes]
    stray: list[bytes]


class Brought(msgspec.Struct, frozen=True):
    """Records as the server shows them now."""

    changes: list[Change]
    conflicts: list[Conflict]


class Comparison:
    """One comparison over a line, within a total time. Every method raises ExchangeError."""

    def __init__(self, line: Line, position: Position, *, total_s: float = TOTAL_S) -> None:
        self._line = line
        self._position = position
        self._until = time.monotonic() + total_s
        self._pause = threading.Event()  # never set: whoever waits, waits

    def differences(self, holdings: Holdings) -> Iterator[Difference]:
        """What differs, some buckets at a time; nothing where all agrees."""
        if not self._position.cursor.epoch or self._position.cursor.scopes <= 0:
            raise _unlevel()
        ours = holdings.sums()
        theirs = self._sums()
        some: list[int] = []
        for bucket in theirs.differing(ours):
            if some and sum(ours.counts[each] for each in (*some, bucket)) > AT_ONCE:
                yield from self._listed(holdings, some)
                some = []
            some.append(bucket)
        if some:
            yield from self._listed(holdings, some)

    def records(self, ids: list[bytes]) -> Iterator[Brought]:
        """These records as they are now; what is not for this person comes as "left"."""
        left = list(ids)
        while left:
            asked = RecordsHead(cursor=self._position.cursor, ids=left[: messages.RECORDS_MAX])
            frames = self._ask(messages.RECORDS_PATH, asked)
            reply = self._level(head(frames, RecordsReply))
            brought = _brought(frames)
            told = [change.id for change in brought.changes]
            if not 0 < reply.told <= len(left) or told != left[: reply.told]:
                raise _unfit()
            yield brought
            left = left[reply.told :]

    def strays(self, ids: list[bytes]) -> list[bytes]:
        """Those of these records that the server says are not for this person, and that no exchange takes away."""
        return [
            change.id
            for brought in self.records(ids)
            for change in brought.changes
            if change.gone == "left" and change.ver == 0
        ]

    def _sums(self) -> Sums:
        found, after, more = Sums(), 0, True
        while more:
            asked = DigestHead(cursor=self._position.cursor, after=after)
            reply = self._level(head(self._ask(messages.DIGEST_PATH, asked), DigestReply))
            try:
                found.add_packed(reply.sums)
            except BadFrames:
                raise _unfit() from None
            after, more = _further(reply.upto, after, more=reply.more), reply.more
        return found

    def _listed(self, holdings: Holdings, buckets: list[int]) -> Iterator[Difference]:
        held = holdings.digests(frozenset(buckets))
        seq = self._position.cursor.seq
        other: list[bytes] = []
        missing: list[bytes] = []
        for id_, ver, told in self._entries(bytes(buckets)):
            here = held.pop(id_, None)
            if ver > seq:
                continue  # changed since: it comes with the next exchange
            if here is None:
                missing.append(id_)
            elif here != (ver, told):
                other.append(id_)
        stray = self.strays(list(held))
        if other or missing or stray:
            yield Difference(other, missing, stray)

    def _entries(self, buckets: bytes) -> Iterator[digest.Entry]:
        after, more = 0, True
        while more:
            asked = BucketHead(cursor=self._position.cursor, buckets=buckets, after=after)
            reply = self._level(head(self._ask(messages.BUCKET_PATH, asked), BucketReply))
            try:
                yield from digest.entries_of(reply.entries)
            except BadFrames:
                raise _unfit() from None
            after, more = _further(reply.upto, after, more=reply.more), reply.more

    def _level(self, reply: T) -> T:
        """The reply, if it was made under the rights that the device has read under."""
        if getattr(reply, "scopes", None) != self._position.cursor.scopes:
            raise _unlevel()
        return reply

    def _ask(self, path: str, asked: Any) -> list[tuple[str, codec.Raw]]:
        """The frames of an answer; signs in anew where the server has forgotten us, waits where it is busy."""
        body = codec.encode([(messages.HEAD, asked)])
        signed_anew = False
        while True:
            if self._line.open(self._position, ACTIVE).rollback:
                raise _unlevel()
            try:
                return whole(self._line.post(path, body))
            except ServerRefused as refusal:
                if refusal.problem is Problem.UNSIGNED and not signed_anew:
                    signed_anew = True
                elif refusal.problem is Problem.EPOCH:
                    raise _unlevel() from None
                elif refusal.problem is not Problem.BUSY or not self._waited(refusal.trouble.retry_after):
                    raise

    def _waited(self, asked_s: int) -> bool:
        """Wait as the server asks; False when that is longer than the whole may take."""
        wait_s = min(max(asked_s, 1), 60)
        if time.monotonic() + wait_s > self._until:
            return False
        self._pause.wait(wait_s)
        return True


def _brought(frames: list[tuple[str, codec.Raw]]) -> Brought:
    changes: list[Change] = []
    conflicts: list[Conflict] = []
    try:
        for tag, value in frames[1:]:
            if tag == messages.CHANGE:
                changes.append(codec.read(value, Change))
            elif tag == messages.CONFLICT:
                conflicts.append(codec.read(value, Conflict))
            else:
                raise _unfit()
    except BadFrames as damage:
        raise Unreachable(damage.title, damage.hint) from None
    return Brought(changes, conflicts)


def _further(upto: int, after: int, *, more: bool) -> int:
    """Where the next request begins. Raises Unreachable when the server does not go on."""
    if more and not after < upto < 2**53:
        raise _unfit()
    return upto


def _unfit() -> Unreachable:
    return Unreachable(
        _("The server's answer does not fit what was asked and was not used."),
        _("Your changes are safe on this device. Tell IT if this goes on."),
    )


def _unlevel() -> Unlevel:
    return Unlevel(
        _("This device has not taken in yet what the server has for it."),
        _("Connect and run: fieldkeep sync"),
    )
