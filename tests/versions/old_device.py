"""A device of an earlier version: it sends again the bytes that it sent then, and takes answers as it took them then.

What hangs on the moment is put in as that device would have: the session it was given now, where it has read to by
now, and under which number it saw a record. All else goes out as it was recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sync.protocol import codec, messages
from tests.versions.kept import Said
from tests.versions.reads import Reads

Send = Callable[[str, str, bytes, dict[str, str]], tuple[int, bytes]]


@dataclass
class Held:
    """What a device has taken in: rows with their numbers, open conflicts, papers, how far it has read."""

    reads: Reads
    cursor: dict[str, Any] = field(default_factory=dict)
    rows: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    vers: dict[bytes, int] = field(default_factory=dict)
    conflicts: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    outcomes: dict[tuple[bytes, int], tuple[str, str]] = field(
        default_factory=dict
    )  # by incarnation and number
    papers: list[dict[str, Any]] = field(default_factory=list)
    _cells: dict[bytes, dict[str, Any]] = field(default_factory=dict)  # those of deleted records too

    def take(self, up: bytes, down: bytes) -> None:
        """One exchange: results, then rows and all else. Raises NotUnderstood."""
        asked = self.reads.asked(messages.EXCHANGE_PATH, up)
        ops = {value["n"]: value for tag, value in asked if tag == messages.OP}
        frames = self.reads.answer(messages.EXCHANGE_PATH, down)
        for tag, value in frames:
            if tag == messages.RESULT:
                self._result(asked[0][1]["incarnation"], ops[value["n"]], value)
        for tag, value in frames:
            if tag == messages.CHANGE:
                self._row(value)
            elif tag == messages.CONFLICT:
                self.conflicts[value["id"]] = value
            elif tag == messages.PAPER:
                self.papers.append(value)
        self.cursor = frames[0][1]["cursor"]

    def _result(self, incarnation: bytes, op: dict[str, Any], result: dict[str, Any]) -> None:
        self.outcomes[incarnation, op["n"]] = (result["outcome"], result.get("code") or "")
        if result.get("row") is not None:
            self._row(result["row"])
        elif result["outcome"] == "ok":
            cells = {**self._cells.get(op["id"], {}), **op.get("set", {})}
            kept = {cell: value for cell, value in cells.items() if value is not None}
            gone = "deleted" if op["act"] == "delete" else ""
            self._row({"id": op["id"], "ver": result.get("ver", 0), "cells": kept, "gone": gone})

    def _row(self, change: dict[str, Any]) -> None:
        if change["ver"] < self.vers.get(change["id"], 0):
            return
        self.vers[change["id"]] = change["ver"]
        self.rows.pop(change["id"], None)
        if not change.get("gone"):
            self.rows[change["id"]] = change.get("cells", {})
        if change.get("gone") != "left":
            self._cells[change["id"]] = change.get("cells", {})


@dataclass
class OldDevice:
    """Says again what was recorded of one device."""

    reads: Reads
    send: Send
    then: Held = field(init=False)  # as it was when it was recorded
    now: Held = field(init=False)
    problems: list[str] = field(default_factory=list)  # what it was refused, in the server's word
    as_they_were: int = 0  # exchanges that went out byte for byte
    _session: dict[str, Any] = field(default_factory=dict)
    _numbers: dict[tuple[bytes, int], int] = field(default_factory=dict)  # of a row then, to that of now
    _counter: int = 0
    _taken: list[bytes] = field(default_factory=list)
    _last: Said | None = None

    def __post_init__(self) -> None:
        self.then, self.now = Held(self.reads), Held(self.reads)

    def say(self, said: Said) -> None:
        """One recorded request, and what it makes of the answer of now."""
        if said.path == messages.EXCHANGE_PATH:
            self._exchange(said)
            self._last = said
            return
        if said.path == messages.EVENTS_PATH:
            return  # its answer is bytes that do not change (tests/server/test_lines.py), and waits for an end
        headers = self._signed(said, said.up) if "fieldkeep-session" in said.headers else {}
        status, answer = self.send(said.method, said.target, said.up, headers)
        if said.path == messages.SESSION_PATH and status == 200:
            self._session, self._counter = self.reads.answer(said.path, answer)[0][1], 0
        elif said.path in (messages.ENROL_PATH, messages.RECEIPT_PATH) and status == 200:
            self.reads.answer(said.path, answer)
        if status != said.status and self.reads.knows(said.path):
            self.problems.append(f"{said.path}: {status}")

    def look(self) -> None:
        """Exchange without ops, until there is nothing more for it."""
        assert self._last is not None
        more = True
        while more:
            body = self._as_now(codec.encode(codec.decode(self._last.up)[:1]))
            status, answer = self.send("POST", messages.EXCHANGE_PATH, body, self._signed(self._last, body))
            assert status == 200
            self.now.take(body, answer)
            more = self.reads.answer(messages.EXCHANGE_PATH, answer)[0][1]["more"]

    def _exchange(self, said: Said) -> None:
        body = self._as_now(said.up)
        self.as_they_were += _but_numbers(body) == _but_numbers(said.up)
        status, answer = self.send(said.method, said.target, body, self._signed(said, body))
        if status != 200:
            trouble = self.reads.struct("Trouble", msgspec.msgpack.decode(codec.decode(answer)[0][1]))
            self.problems.append(trouble["problem"])
            return
        if said.status == 200:
            self.then.take(said.up, said.down)
        self.now.take(body, answer)
        for id_, ver in self.then.vers.items():
            self._numbers.setdefault((id_, ver), self.now.vers.get(id_, 0))

    def _as_now(self, body: bytes) -> bytes:
        """The recorded request with what hangs on the moment."""
        frames: list[tuple[str, Any]] = []
        for tag, raw in codec.decode(body):
            value = msgspec.msgpack.decode(raw)
            if tag == messages.HEAD:
                if self.now.cursor and value["cursor"]["epoch"]:
                    value["cursor"] = {**value["cursor"], **self.now.cursor}
                if value.get("recovered"):
                    packets = [each["id"] for each in self.now.papers if each["kind"] == "recovered"]
                    value["recovered"] = [each for each in packets if each not in self._taken]
                    self._taken += value["recovered"]
            elif tag == messages.OP and value.get("base"):
                value["base"] = self._numbers.get((value["id"], value["base"]), value["base"])
            frames.append((tag, value))
        return codec.encode(frames)

    def _signed(self, said: Said, body: bytes) -> dict[str, str]:
        self._counter += 1
        session, key = self._session["session"], self._session["key"]
        return {
            messages.SESSION_HEADER: session.hex(),
            messages.COUNTER_HEADER: str(self._counter),
            messages.MAC_HEADER: messages.request_mac(key, said.method, said.target, body, self._counter),
        }


def _but_numbers(body: bytes) -> list[tuple[str, Any]]:
    """A request without the numbers of rights and schema that its cursor names: a server of today counts others."""
    frames = [(tag, msgspec.msgpack.decode(raw)) for tag, raw in codec.decode(body)]
    for tag, value in frames:
        if tag == messages.HEAD:
            value["cursor"] = {**value["cursor"], "scopes": 0, "schema": 0}
    return frames
