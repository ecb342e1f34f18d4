"""The way to the server of a laptop of an earlier version: fields that it did not know are gone, both ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sync.protocol import codec, messages
from sync.protocol.errors import Problem
from sync.server.errors import RequestProblem
from tests.simulator.laptop import Far, Plain
from tests.simulator.steps import Backup, Filed, Grant, Restore, Settle, Step
from tests.versions.reads import NotUnderstood, Reads


@dataclass
class Older(Plain):
    """The server as such a laptop reads it; what it cannot read is told."""

    far: Far
    reads: Reads
    tell: Callable[[str], None]
    _key: bytes = b""

    def session(self, body: bytes) -> bytes:
        """The answer to a sign-in."""
        frames = self._read(self.reads.answer, messages.SESSION_PATH, self.far.session(body))
        self._key = frames[0][1]["key"]
        return codec.encode(frames)

    def exchange(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """The answer to an exchange: such a laptop signs what it sends, so this is signed anew."""
        body = codec.encode(self._read(self.reads.asked, messages.EXCHANGE_PATH, body))
        counter = int(headers[messages.COUNTER_HEADER])
        mac = messages.request_mac(self._key, "POST", target, body, counter)
        answer = self.far.exchange({**headers, messages.MAC_HEADER: mac}, target, body)
        return codec.encode(self._read(self.reads.answer, messages.EXCHANGE_PATH, answer))

    def dies_at(self, step: str) -> None:
        """End at this step of the next request."""
        self.far.dies_at(step)

    def _read(
        self, reads: Callable[[str, bytes], list[tuple[str, Any]]], path: str, body: bytes
    ) -> list[tuple[str, Any]]:
        try:
            return reads(path, body)
        except NotUnderstood as problem:
            self.tell(f"an earlier version does not understand {problem}")
            raise RequestProblem(Problem.UPGRADE, "", why="not understood") from None


@dataclass(frozen=True)
class Mixed:
    """Of which version the laptops of a run are: with `reads`, every other one is of an earlier one."""

    reads: Reads | None = None

    def is_older(self, who: int) -> bool:
        """Whether this laptop is of the earlier one."""
        return self.reads is not None and who % 2 == 0

    def way(self, who: int, far: Far, tell: Callable[[str], None]) -> Far:
        """Its way to the server."""
        return Older(far, self.reads, tell) if self.reads is not None and self.is_older(who) else far

    def knows(self, step: Step) -> bool:
        """Whether those whom it concerns know of such a thing: an earlier version chose of no conflict, hid no cell
        and sent a restored server nothing again; one that does not know of files refuses a page with one.
        """
        if isinstance(step, Settle):
            return not self.is_older(step.who)
        return self.reads is None or not isinstance(step, Grant | Backup | Restore | Filed)
